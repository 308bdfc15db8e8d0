//! Tells the merchant's services and people what happened: signed webhooks, buses, mail, chat.
//!
//! What is told comes in as values. Where requests may go is decided by the [`Guard`], in one place.

mod guard;
mod post;
mod secret;
mod signature;
mod sink;

pub use crate::guard::{
    Allowed, AllowedError, Guard, GuardError, Lookup, ResolveError, SystemLookup,
};
pub use crate::post::{
    Answer, LONGEST_RETRY_AFTER, PostFailure, PostFailureKind, PostOptions, Poster, PosterError,
};
pub use crate::secret::{PublicKey, Secret, SecretError, SecretKind, Verifier};
pub use crate::signature::{
    ID_HEADER, IdError, Message, Received, SIGNATURE_HEADER, Signed, TIMESTAMP_HEADER, TOLERANCE,
    VerifyError,
};
pub use crate::sink::{
    Chat, JsonTemplate, Mail, MailError, MailLogin, MailOptions, MailSecurity, Outgoing, Sink,
    SinkFailure, SinkFailureKind, TemplateError, TextTemplate, Words,
};
#[cfg(feature = "kafka")]
pub use crate::sink::{Kafka, KafkaLogin, KafkaOptions, KafkaSecurity};
#[cfg(feature = "nats")]
pub use crate::sink::{Nats, NatsLogin, NatsOptions};
