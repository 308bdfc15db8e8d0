//! Tells people by a chat's HTTP interface, such as Telegram's `sendMessage`: JSON from a template.

use std::fmt;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use url::Url;

use crate::post::{Answer, PostFailure, PostFailureKind, Poster};
use crate::sink::{JsonTemplate, Outgoing, Sink, SinkFailure, SinkFailureKind};

/// Posts one message for each event.
pub struct Chat {
    poster: Poster,
    url: Url,
    template: JsonTemplate,
}

impl Chat {
    /// Posts what `template` makes of each event to `url`, which the guard of `poster` must allow.
    #[must_use]
    pub const fn new(poster: Poster, url: Url, template: JsonTemplate) -> Self {
        Self {
            poster,
            url,
            template,
        }
    }

    async fn post(&self, event: &Outgoing) -> Result<Answer, PostFailure> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = self.template.fill(event).to_string();
        self.poster.post(&self.url, headers, body).await
    }
}

#[async_trait]
impl Sink for Chat {
    async fn publish(&self, events: &[Outgoing]) -> Result<(), SinkFailure> {
        for (acknowledged, event) in events.iter().enumerate() {
            let answer = self.post(event).await;
            let answer = answer.map_err(|failure| {
                SinkFailure::new(kind_of(failure.kind), &failure.text, acknowledged)
            })?;
            if !answer.is_success() {
                let text = format!("it answered {}: {}", answer.status, answer.excerpt);
                return Err(SinkFailure {
                    retry_after: answer.retry_after,
                    ..SinkFailure::new(kind_of_status(answer.status), &text, acknowledged)
                });
            }
        }
        Ok(())
    }
}

const fn kind_of(kind: PostFailureKind) -> SinkFailureKind {
    match kind {
        PostFailureKind::Refused | PostFailureKind::Tls | PostFailureKind::Redirected => {
            SinkFailureKind::Refused
        },
        PostFailureKind::TimedOut => SinkFailureKind::TimedOut,
        PostFailureKind::Resolve
        | PostFailureKind::Connect
        | PostFailureKind::Reset
        | PostFailureKind::Unreadable => SinkFailureKind::Unreachable,
    }
}

/// Whoever is busy or broken is so for a while.
const fn kind_of_status(status: u16) -> SinkFailureKind {
    match status {
        408 | 425 | 429 | 500..=599 => SinkFailureKind::Unreachable,
        400 | 409 | 413 | 422 => SinkFailureKind::Unfit,
        _ => SinkFailureKind::Refused,
    }
}

/// Without the URL, which holds the bot's key.
impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or("?");
        f.debug_struct("Chat")
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::Guard;
    use crate::post::PostOptions;
    use crate::post::tests::receiver::{Receiver, Says};
    use crate::sink::Words;

    fn events() -> Vec<Outgoing> {
        let event = |reference: &str| Outgoing {
            kind: "order.paid".to_owned(),
            words: Words {
                reference: reference.to_owned(),
                amount: "12.5 USDT".to_owned(),
                ..Words::default()
            },
            ..Outgoing::default()
        };
        vec![event("INV-\"1\"\n"), event("INV-2")]
    }

    fn chat(receiver: &Receiver) -> Chat {
        let guard = Guard::new()
            .with_http()
            .with_allowed([format!("127.0.0.1:{}", receiver.port).parse().unwrap()]);
        let poster = Poster::new(guard, &PostOptions::default()).unwrap();
        let template = r#"{"chat_id":7,"text":"{type}: {reference}, {amount}"}"#;
        let url = receiver.url().replace("hook", "bot123:secret/sendMessage");
        Chat::new(
            poster,
            url.parse().unwrap(),
            JsonTemplate::parse(template).unwrap(),
        )
    }

    #[tokio::test]
    async fn each_event_is_a_message() {
        let mut receiver =
            Receiver::open(Says::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
        let chat = chat(&receiver);
        assert_eq!(chat.publish(&events()).await, Ok(()));
        let first = receiver.request().await;
        assert!(
            first.starts_with("POST /bot123:secret/sendMessage HTTP/1.1\r\n"),
            "{first}"
        );
        assert!(
            first.contains("content-type: application/json\r\n"),
            "{first}"
        );
        let body = r#"{"chat_id":7,"text":"order.paid: INV-\"1\"\n, 12.5 USDT"}"#;
        assert!(first.ends_with(body), "{first}");
        assert!(receiver.request().await.contains("INV-2"));
        assert!(!format!("{chat:?}").contains("secret"));
    }

    #[tokio::test]
    async fn who_refuses_or_asks_for_a_pause_is_heard() {
        let busy = "HTTP/1.1 429 Busy\r\nRetry-After: 30\r\nContent-Length: 4\r\n\r\nslow";
        let receiver = Receiver::open(Says::Answer(busy)).await;
        let failure = chat(&receiver).publish(&events()).await.unwrap_err();
        assert_eq!(failure.kind, SinkFailureKind::Unreachable);
        assert_eq!(failure.retry_after, Some(Duration::from_secs(30)));
        assert_eq!(
            (failure.acknowledged, failure.text.as_str()),
            (0, "it answered 429: slow")
        );

        let wrong = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n";
        let receiver = Receiver::open(Says::Answer(wrong)).await;
        let failure = chat(&receiver).publish(&events()).await.unwrap_err();
        assert_eq!(failure.kind, SinkFailureKind::Refused);
        assert!(!failure.text.contains("secret"), "{failure}");
    }
}
