//! Publishes events to NATS JetStream, which stores each once and says so.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::{self, Context, ErrorCode, stream};
use async_nats::{ConnectErrorKind, ConnectOptions, HeaderMap, header};
use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::OnceCell;

use crate::sink::{Outgoing, Sink, SinkFailure, SinkFailureKind};

/// For how long a stream that is made here knows an id again.
const KNOWN_AGAIN_FOR: Duration = Duration::from_secs(60 * 60);
/// The header with an event's key.
const KEY_HEADER: &str = "Paywatch-Key";

/// By whom the servers know us.
#[derive(Clone, Debug)]
pub enum NatsLogin {
    /// They do not ask.
    Nobody,
    /// By a token.
    Token(SecretString),
    /// By user and password.
    User {
        /// The user.
        user: String,
        /// His password.
        password: SecretString,
    },
}

/// How events are published to NATS.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// The servers of one cluster, such as `nats://nats.internal:4222` or `tls://…`. Without passwords,
    /// which belong to the login.
    pub servers: Vec<String>,
    /// What the subjects begin with: an event goes to `subject.type.key`, such as
    /// `paywatch.order.paid.ord_…`.
    pub subject: String,
    /// A stream that is made if it is not there, over everything below `subject`. Without one, yours must
    /// take these subjects.
    pub stream: Option<String>,
    /// By whom the servers know us.
    pub login: NatsLogin,
    /// How long a connection or an acknowledgement may take.
    pub within: Duration,
}

/// Publishes to NATS JetStream.
pub struct Nats {
    options: NatsOptions,
    /// Made when there is something to publish, and then kept: the client connects again by itself.
    context: OnceCell<Context>,
}

impl Nats {
    /// Nothing is connected to before there is something to publish.
    #[must_use]
    pub fn new(options: NatsOptions) -> Self {
        Self {
            options,
            context: OnceCell::new(),
        }
    }

    async fn context(&self) -> Result<&Context, SinkFailure> {
        self.context.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Context, SinkFailure> {
        let options = ConnectOptions::new()
            .name("paywatch")
            .connection_timeout(self.options.within);
        let options = match &self.options.login {
            NatsLogin::Nobody => options,
            NatsLogin::Token(token) => options.token(token.expose_secret().to_owned()),
            NatsLogin::User { user, password } => {
                options.user_and_password(user.clone(), password.expose_secret().to_owned())
            },
        };
        let client = options
            .connect(self.options.servers.clone())
            .await
            .map_err(|error| {
                let kind = match error.kind() {
                    ConnectErrorKind::Authentication
                    | ConnectErrorKind::AuthorizationViolation
                    | ConnectErrorKind::ServerParse
                    | ConnectErrorKind::Tls => SinkFailureKind::Refused,
                    ConnectErrorKind::TimedOut => SinkFailureKind::TimedOut,
                    ConnectErrorKind::Dns
                    | ConnectErrorKind::Io
                    | ConnectErrorKind::MaxReconnects => SinkFailureKind::Unreachable,
                };
                SinkFailure::new(kind, &format!("NATS: no connection: {error}"), 0)
            })?;
        let mut context = jetstream::new(client);
        context.set_timeout(self.options.within);
        self.make_stream(&context).await?;
        Ok(context)
    }

    async fn make_stream(&self, context: &Context) -> Result<(), SinkFailure> {
        let Some(name) = &self.options.stream else {
            return Ok(());
        };
        let wanted = stream::Config {
            name: name.clone(),
            subjects: vec![format!("{}.>", self.options.subject)],
            duplicate_window: KNOWN_AGAIN_FOR,
            ..stream::Config::default()
        };
        let made = context.get_or_create_stream(wanted).await;
        made.map(drop).map_err(|error| {
            let text = format!("NATS: the stream {name} can be neither found nor made: {error}");
            SinkFailure::new(SinkFailureKind::Refused, &text, 0)
        })
    }

    async fn publish_one(&self, context: &Context, event: &Outgoing) -> Result<(), PublishError> {
        let subject = format!(
            "{}.{}.{}",
            self.options.subject,
            event.kind,
            token(&event.key)
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, event.id.as_str());
        headers.insert(KEY_HEADER, one_line(&event.key).as_str());
        let sent = context
            .publish_with_headers(subject, headers, event.body.clone())
            .await?;
        // Known already or new: it is stored once.
        sent.await.map(drop)
    }

    fn failure(&self, error: &PublishError, acknowledged: usize) -> SinkFailure {
        let (kind, help) = match error.kind() {
            PublishErrorKind::StreamNotFound => (
                SinkFailureKind::Refused,
                format!(
                    "; make one over {}.> or name one to be made",
                    self.options.subject
                ),
            ),
            PublishErrorKind::TimedOut => (SinkFailureKind::TimedOut, String::new()),
            PublishErrorKind::BrokenPipe | PublishErrorKind::MaxAckPending => {
                (SinkFailureKind::Unreachable, String::new())
            },
            PublishErrorKind::MaxPayloadExceeded => (
                SinkFailureKind::Unfit,
                "; raise max_payload of the server".to_owned(),
            ),
            PublishErrorKind::Other if is_too_long_for_stream(error) => (
                SinkFailureKind::Unfit,
                "; raise max_message_size of the stream".to_owned(),
            ),
            PublishErrorKind::WrongLastMessageId
            | PublishErrorKind::WrongLastSequence
            | PublishErrorKind::Other => (SinkFailureKind::Refused, String::new()),
        };
        SinkFailure::new(kind, &format!("NATS: {error}{help}"), acknowledged)
    }
}

/// One after the other: were several on their way at once, a later one could be stored although an
/// earlier one was not, and come before it for good.
#[async_trait]
impl Sink for Nats {
    async fn publish(&self, events: &[Outgoing]) -> Result<(), SinkFailure> {
        if events.is_empty() {
            return Ok(());
        }
        let context = self.context().await?;
        for (acknowledged, event) in events.iter().enumerate() {
            // Twice the time of an acknowledgement: without a connection, it also waits for room.
            let within = self.options.within.saturating_mul(2);
            let published = tokio::time::timeout(within, self.publish_one(context, event)).await;
            let published = published.map_err(|_elapsed| {
                let text = format!("NATS: nothing could be sent for {} ms", within.as_millis());
                SinkFailure::new(SinkFailureKind::Unreachable, &text, acknowledged)
            })?;
            published.map_err(|error| self.failure(&error, acknowledged))?;
        }
        Ok(())
    }
}

fn is_too_long_for_stream(error: &PublishError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    cause.is_some_and(|cause: &jetstream::Error| {
        cause.error_code() == ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM
    })
}

/// A key as one part of a subject.
fn token(key: &str) -> String {
    let plain = |letter: char| match letter {
        '.' | '*' | '>' => '_',
        letter if letter.is_whitespace() || letter.is_control() => '_',
        letter => letter,
    };
    if key.is_empty() {
        return "_".to_owned();
    }
    key.chars().map(plain).collect()
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_is_one_part_of_a_subject() {
        for (key, part) in [
            ("ord_1", "ord_1"),
            ("", "_"),
            ("a.b *>\n", "a_b____"),
            ("ü", "ü"),
        ] {
            assert_eq!(token(key), part);
        }
        assert_eq!(one_line("a\r\nNats-Msg-Id: b"), "a  Nats-Msg-Id: b");
    }
}
