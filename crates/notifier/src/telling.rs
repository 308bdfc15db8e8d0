//! What is told, and how it reaches somebody: the two ends between which deliveries are scheduled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use paywatch_core::{EventFormat, Timestamp};
use paywatch_store::{EndpointRecord, StoreError};
use reqwest::header::HeaderMap;

/// A clock that can be waited on.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Resolves when it is `at`.
    fn reach(&self, at: Timestamp) -> BoxFuture<'static, ()>;
}

/// An event in the form in which it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The event's id: the same however often it is told.
    pub id: String,
    /// What happened, as `order.paid`.
    pub kind: &'static str,
    /// The order that it is about, if it is about one.
    pub order: Option<String>,
    /// What is sent.
    pub body: Arc<str>,
    /// What is signed instead, where the form has a way of its own; the time is added to it.
    pub signed_as: Option<Arc<str>>,
    /// What is sent along beside the signature, as the form wants it.
    pub headers: HeaderMap,
}

/// Puts events into a form.
#[async_trait]
pub trait Render: Send + Sync + fmt::Debug {
    /// The events with these numbers in `format`. Those that it has no words for are left out.
    ///
    /// # Errors
    /// When the database fails.
    async fn render(
        &self,
        seqs: &[u64],
        format: EventFormat,
    ) -> Result<BTreeMap<u64, Telling>, StoreError>;
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How the answer begins.
    pub answer: String,
    /// How long it took.
    pub took: Duration,
    /// Whether it was taken.
    pub verdict: Verdict,
}

/// Whether what was told was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Taken,
    /// It was not.
    Refused(Refusal),
}

/// Why something was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In words for people.
    pub because: String,
    /// How long the receiver wants to be left alone.
    pub leave_alone_for: Option<Duration>,
    /// What it says about the receiver.
    pub blame: Blame,
}

/// What is wrong when something is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The receiver: whatever else it is sent would fail as well.
    Receiver,
    /// This one thing that was sent.
    Event,
    /// The receiver wants nothing any more.
    Gone,
}

/// Brings what is told to an endpoint.
#[async_trait]
pub trait Carrier: Send + Sync + fmt::Debug {
    /// Brings `telling` to `endpoint`, to the URL `target` if the order names one, at `now`.
    async fn carry(
        &self,
        endpoint: &EndpointRecord,
        target: Option<&str>,
        telling: &Telling,
        now: Timestamp,
    ) -> Came;
}
