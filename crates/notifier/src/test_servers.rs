//! Servers for tests: mail of our own making, and a real NATS server.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking"
)]

mod mail;
#[cfg(feature = "test-servers")]
mod nats;

pub use crate::test_servers::mail::{MailServer, Mood};
#[cfg(feature = "test-servers")]
pub use crate::test_servers::nats::NatsServer;
