//! Where events go beside webhooks: a bus, or people.

mod carrier;
mod chat;
#[cfg(feature = "kafka")]
mod kafka;
mod mail;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "kafka")]
mod partition;
mod template;
mod words;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

pub use crate::sink::carrier::SinkCarrier;
pub use crate::sink::chat::Chat;
#[cfg(feature = "kafka")]
pub use crate::sink::kafka::{Kafka, KafkaLogin, KafkaOptions, KafkaSecurity};
pub use crate::sink::mail::{Mail, MailError, MailLogin, MailOptions, MailSecurity};
#[cfg(feature = "nats")]
pub use crate::sink::nats::{Nats, NatsLogin, NatsOptions};
pub use crate::sink::template::{JsonTemplate, TemplateError, TextTemplate};
pub use crate::sink::words::Names;

/// An event on its way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Its id, the same at each attempt: whoever gets it twice knows by this.
    pub id: String,
    /// Its type, such as `order.paid`.
    pub kind: String,
    /// What it is about, such as the order's id. Events with the same key keep their order.
    pub key: String,
    /// What programs get, as JSON.
    pub body: Bytes,
    /// What people get.
    pub words: Words,
}

/// An event in words, for people. What it does not have is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The merchant's reference of the order.
    pub reference: String,
    /// The amount with its token, such as `12.5 USDT`.
    pub amount: String,
    /// What happened, in a line.
    pub detail: String,
    /// What a person can do about it, in a line; empty for what needs nobody.
    pub advice: String,
}

/// Somewhere that events go.
#[async_trait]
pub trait Sink: Send + Sync + fmt::Debug {
    /// Hands `events` on in their order, and returns when the other side has acknowledged all of them.
    ///
    /// # Errors
    /// At the first that was not acknowledged. The next attempt should begin there.
    async fn publish(&self, events: &[Outgoing]) -> Result<(), SinkFailure>;
}

/// Events that were not all acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SinkFailure {
    /// What kind of failure it is.
    pub kind: SinkFailureKind,
    /// What happened, in a line for people. It holds no password.
    pub text: String,
    /// How many of the events were acknowledged, from the first one on. Of the others some may have
    /// arrived.
    pub acknowledged: usize,
    /// How long the other side wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// The kinds of failure, by what would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFailureKind {
    /// Nobody is there. It helps to try again.
    Unreachable,
    /// No acknowledgement in time. It helps to try again.
    TimedOut,
    /// It was refused. It helps to change the configuration, of one side or the other.
    Refused,
    /// This one event was refused; others may be taken.
    Unfit,
}

/// How much of a cause's text is kept.
const LONGEST_TEXT: usize = 400;

impl SinkFailure {
    pub(crate) fn new(kind: SinkFailureKind, text: &str, acknowledged: usize) -> Self {
        let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
        Self {
            kind,
            text: text.chars().take(LONGEST_TEXT).map(shown).collect(),
            acknowledged,
            retry_after: None,
        }
    }
}
