//! Tells the merchant's services and people what happened: signed webhooks, buses, mail, chat.
//!
//! What is told comes in as values. Where requests may go is decided by the [`Guard`], in one place.

mod circuit;
mod gateway_key;
mod guard;
mod lane;
mod outbox;
mod post;
mod queue;
mod schedule;
mod secret;
mod signature;
mod sink;
mod telling;
#[cfg(any(test, feature = "test-servers"))]
pub mod test_servers;
mod webhook;

pub use crate::gateway_key::{GatewayKey, GatewayKeyError};
pub use crate::guard::{
    Allowed, AllowedError, Guard, GuardError, Lookup, ResolveError, SystemLookup,
};
pub use crate::lane::LaneSettings;
pub use crate::outbox::Outbox;
pub use crate::post::{
    Answer, LONGEST_RETRY_AFTER, PostFailure, PostFailureKind, PostOptions, Poster, PosterError,
};
pub use crate::schedule::{Schedule, ScheduleError};
pub use crate::secret::{PublicKey, Secret, SecretError, SecretKind, Verifier};
pub use crate::signature::{
    ID_HEADER, IdError, Message, Received, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER, TOLERANCE,
    VerifyError,
};
pub use crate::sink::{
    Chat, JsonTemplate, Mail, MailError, MailLogin, MailOptions, MailSecurity, Names, Outgoing,
    Sink, SinkCarrier, SinkFailure, SinkFailureKind, TemplateError, TextTemplate, Words,
};
#[cfg(feature = "kafka")]
pub use crate::sink::{Kafka, KafkaLogin, KafkaOptions, KafkaSecurity};
#[cfg(feature = "nats")]
pub use crate::sink::{Nats, NatsLogin, NatsOptions};
pub use crate::telling::{Blame, Came, Carrier, Clock, Refusal, Render, Telling, Verdict};
pub use crate::webhook::Webhooks;
