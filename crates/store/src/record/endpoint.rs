//! Endpoints that are told of events, and what was told to them.

use std::collections::BTreeSet;

use paywatch_core::{DeliveryState, EndpointId, EndpointKind, EventFormat, EventTypes, Timestamp};
use secrecy::SecretString;

use crate::record::NewDecision;

/// An endpoint to be made.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Its id.
    pub id: EndpointId,
    /// How it is reached.
    pub kind: EndpointKind,
    /// What the merchant calls it.
    pub name: String,
    /// Where it is; empty if each order says that itself.
    pub url: String,
    /// In which form it is told.
    pub format: EventFormat,
    /// Of what it is told.
    pub types: EventTypes,
    /// What signs for it.
    pub secrets: Vec<SecretString>,
    /// The time now.
    pub created_at: Timestamp,
}

/// Where an order is told of besides the endpoints, because it says so itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The URL.
    pub url: String,
    /// Scheme, host and port of it: what does not answer there is not asked for others either.
    pub origin: String,
    /// In which form it is told.
    pub format: EventFormat,
}

/// What is to be changed about an endpoint; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct EndpointChange {
    /// What the merchant calls it.
    pub name: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// Of what it is told.
    pub types: Option<EventTypes>,
}

/// What came of making or changing an endpoint.
#[derive(Clone, Debug)]
#[must_use]
pub enum EndpointOutcome {
    /// It is done; this is the endpoint now.
    Done(Box<EndpointRecord>),
    /// There is no such endpoint.
    Missing,
    /// Another one of its kind has the name.
    NameTaken(EndpointId),
    /// There are as many as there may be: webhooks, or secrets of this one.
    Full,
}

impl EndpointOutcome {
    /// The endpoint, if it is done.
    #[must_use]
    pub fn done(self) -> Option<EndpointRecord> {
        match self {
            Self::Done(endpoint) => Some(*endpoint),
            Self::Missing | Self::NameTaken(_) | Self::Full => None,
        }
    }
}

/// An endpoint as the books hold it.
#[derive(Clone, Debug)]
pub struct EndpointRecord {
    /// Its id.
    pub id: EndpointId,
    /// How it is reached.
    pub kind: EndpointKind,
    /// What the merchant calls it.
    pub name: String,
    /// Where it is; empty if each order says that itself.
    pub url: String,
    /// In which form it is told.
    pub format: EventFormat,
    /// Of what it is told.
    pub types: EventTypes,
    /// What signs for it, the newest first.
    pub secrets: Vec<EndpointSecret>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is told nothing, and why.
    pub disabled: Option<(Timestamp, String)>,
    /// Events up to this number are queued, or not wanted.
    pub queued_to: u64,
    /// How often it was changed, or something was to be delivered once more.
    pub changes: u64,
    /// How it fares.
    pub health: EndpointHealth,
}

/// A secret that signs for an endpoint.
#[derive(Clone, Debug)]
pub struct EndpointSecret {
    /// The secret.
    pub secret: SecretString,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not sign any more.
    pub expires_at: Option<Timestamp>,
}

/// How an endpoint fares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointHealth {
    /// Since when nothing was taken.
    pub failing_since: Option<Timestamp>,
    /// How many requests in a row have failed.
    pub failures: u32,
    /// What was wrong the last time.
    pub last_failure: Option<String>,
    /// When somebody was told that it fails.
    pub alerted_at: Option<Timestamp>,
}

/// What queueing came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Events up to this number are queued now.
    pub queued_to: u64,
    /// How many deliveries were queued.
    pub count: u64,
    /// Whether there may be more.
    pub is_more: bool,
}

/// An event that is to be delivered now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDelivery {
    /// The event's number.
    pub seq: u64,
    /// What is told in order.
    pub subject: String,
    /// The URL that the order names.
    pub target: Option<String>,
    /// How many requests were sent since it was queued.
    pub attempts: u32,
    /// How many were ever sent.
    pub tried: u32,
}

/// What follows from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
    /// It was taken.
    Delivered,
    /// It is to be tried again at this time.
    Again(Timestamp),
    /// It is given up.
    GivenUp,
}

/// An attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// What was to be delivered.
    pub delivery: DueDelivery,
    /// When the request was sent.
    pub sent_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Why there was no answer, or no good one.
    pub failure: Option<String>,
    /// The beginning of the answer.
    pub answer: String,
    /// What follows.
    pub then: AfterAttempt,
}

/// Which deliveries are to be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Of all wanted events with numbers from the first to the second, also those that were never
    /// queued.
    Range(u64, u64),
    /// Of all that were given up.
    Failed,
}

/// A delivery as the books hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// The event's number.
    pub seq: u64,
    /// The event's id.
    pub event_id: String,
    /// The name of the event's kind.
    pub kind: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// How many requests were sent since it was queued last.
    pub attempts: u32,
    /// When it is tried next, while it is pending.
    pub next_at: Timestamp,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When it was delivered, given up or dropped.
    pub finished_at: Option<Timestamp>,
}

/// A request of a delivery, and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Counts the requests of the delivery, from 1.
    pub attempt: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Why there was no answer, or no good one.
    pub failure: Option<String>,
    /// The beginning of the answer.
    pub answer: String,
}

/// The servers to which something is to be delivered for an endpoint; one without a name, if it has a
/// URL of its own.
pub type Origins = BTreeSet<String>;

/// Who disables an endpoint, from which follows what becomes of that.
#[derive(Clone, Copy, Debug)]
pub enum DisabledBy<'a> {
    /// An operator: it is written down, and told to nobody.
    Operator(&'a NewDecision),
    /// The configuration, which names it no more: it is written down, and told, since that may be a
    /// mistake.
    Configuration(&'a NewDecision),
    /// Its own failures: it is told.
    Failures,
}

impl<'a> DisabledBy<'a> {
    pub(crate) const fn decision(self) -> Option<&'a NewDecision> {
        match self {
            Self::Operator(decision) | Self::Configuration(decision) => Some(decision),
            Self::Failures => None,
        }
    }

    pub(crate) const fn is_told(self) -> bool {
        match self {
            Self::Operator(_) => false,
            Self::Configuration(_) | Self::Failures => true,
        }
    }
}
