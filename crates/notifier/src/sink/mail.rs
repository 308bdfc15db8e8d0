//! Tells people by mail: one plain message for each event, over SMTP.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lettre::address::AddressError;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::{self, AsyncSmtpTransportBuilder};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};

use crate::sink::{Outgoing, Sink, SinkFailure, SinkFailureKind, TextTemplate};

/// The domain of our message ids, which no mail server has.
const ID_DOMAIN: &str = "paywatch.invalid";

/// How the connection to the mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte; usually port 465.
    Tls,
    /// TLS after a greeting, or nothing at all; usually port 587.
    StartTls,
    /// None: for a server on this machine.
    None,
}

impl MailSecurity {
    const fn usual_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// By whom the mail server knows us.
#[derive(Clone, Debug)]
pub struct MailLogin {
    /// The user.
    pub user: String,
    /// His password.
    pub password: SecretString,
}

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailOptions {
    /// The mail server's name.
    pub host: String,
    /// Its port, if it is not the usual one.
    pub port: Option<u16>,
    /// How the connection is kept from others.
    pub security: MailSecurity,
    /// By whom it knows us, if it asks.
    pub login: Option<MailLogin>,
    /// The sender, such as `Shop <shop@shop.example>`.
    pub from: String,
    /// Who gets it, each like `Ann <ann@shop.example>`.
    pub to: Vec<String>,
    /// The subject of each.
    pub subject: TextTemplate,
    /// The text of each.
    pub text: TextTemplate,
    /// How long one message may take, from the connection to the server's word that it has it.
    pub within: Duration,
}

/// Mail that cannot be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// An address that is none.
    #[error(
        "{text:?} is no mail address; write it like shop@shop.example or Shop <shop@shop.example>"
    )]
    Address {
        /// What was written.
        text: String,
        /// What is wrong with it.
        #[source]
        cause: AddressError,
    },
    /// Nobody to send to.
    #[error("it is sent to nobody: name one address at least")]
    Nobody,
    /// TLS cannot be set up for the host.
    #[error("TLS with {host} cannot be set up")]
    Tls {
        /// Which.
        host: String,
        /// Why.
        #[source]
        cause: smtp::Error,
    },
}

/// Sends one message for each event.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    subject: TextTemplate,
    text: TextTemplate,
    within: Duration,
}

impl Mail {
    /// Reads addresses and sets TLS up. Nothing is connected to before there is something to send.
    ///
    /// # Errors
    /// When an address is none, nobody is sent to, or TLS cannot be set up.
    pub fn new(options: MailOptions) -> Result<Self, MailError> {
        let to: Vec<_> = options
            .to
            .iter()
            .map(|text| mailbox(text))
            .collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(MailError::Nobody);
        }
        Ok(Self {
            transport: transport(&options)?,
            from: mailbox(&options.from)?,
            to,
            host: options.host,
            subject: options.subject,
            text: options.text,
            within: options.within,
        })
    }

    fn message(&self, event: &Outgoing) -> Result<Message, lettre::error::Error> {
        // A line break would begin another header.
        let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
        let subject: String = self.subject.fill(event).chars().map(shown).collect();
        // What an event does not have leaves a gap.
        let subject = subject.split_whitespace().collect::<Vec<_>>().join(" ");
        let builder = self
            .to
            .iter()
            .cloned()
            .fold(Message::builder(), MessageBuilder::to);
        builder
            .from(self.from.clone())
            // The same at each attempt, so that a mailbox may know it again.
            .message_id(Some(format!("<{}@{ID_DOMAIN}>", event.id)))
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(self.text.fill(event))
    }

    fn failure(&self, error: &smtp::Error, acknowledged: usize) -> SinkFailure {
        let kind = if error.is_permanent() || error.is_tls() || error.is_client() {
            SinkFailureKind::Refused
        } else if error.is_timeout() {
            SinkFailureKind::TimedOut
        } else {
            SinkFailureKind::Unreachable
        };
        let mut text = format!("mail server {}: {error}", self.host);
        if let Some(cause) = error.source().map(ToString::to_string)
            && !text.contains(&cause)
        {
            text = format!("{text}: {cause}");
        }
        SinkFailure::new(kind, &text, acknowledged)
    }
}

fn mailbox(text: &str) -> Result<Mailbox, MailError> {
    text.trim().parse().map_err(|cause| MailError::Address {
        text: text.chars().take(200).collect(),
        cause,
    })
}

fn transport(options: &MailOptions) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    type Transport = AsyncSmtpTransport<Tokio1Executor>;
    let host = options.host.as_str();
    let builder: Result<AsyncSmtpTransportBuilder, smtp::Error> = match options.security {
        MailSecurity::Tls => Transport::relay(host),
        MailSecurity::StartTls => Transport::starttls_relay(host),
        MailSecurity::None => Ok(Transport::builder_dangerous(host)),
    };
    let builder = builder.map_err(|cause| MailError::Tls {
        host: host.to_owned(),
        cause,
    })?;
    let port = options.port.unwrap_or(options.security.usual_port());
    let builder = builder.port(port).timeout(Some(options.within));
    Ok(match &options.login {
        None => builder.build(),
        Some(MailLogin { user, password }) => {
            let password = password.expose_secret().to_owned();
            builder
                .credentials(Credentials::new(user.clone(), password))
                .build()
        },
    })
}

#[async_trait]
impl Sink for Mail {
    async fn publish(&self, events: &[Outgoing]) -> Result<(), SinkFailure> {
        for (acknowledged, event) in events.iter().enumerate() {
            let message = self.message(event).map_err(|error| {
                let text = format!("the message cannot be written: {error}");
                SinkFailure::new(SinkFailureKind::Unfit, &text, acknowledged)
            })?;
            // The library limits the connecting and no answer.
            let sent = tokio::time::timeout(self.within, self.transport.send(message)).await;
            let sent = sent.map_err(|_elapsed| {
                let ms = self.within.as_millis();
                let text = format!("mail server {}: no answer after {ms} ms", self.host);
                SinkFailure::new(SinkFailureKind::TimedOut, &text, acknowledged)
            })?;
            sent.map_err(|error| self.failure(&error, acknowledged))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
