//! Who is told of events beside webhooks: buses and people.

mod email;
#[cfg(feature = "kafka")]
mod kafka;
mod messages;
#[cfg(feature = "nats")]
mod nats;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{EndpointKind, EventTypes};
use paywatch_notifier::Sink;
use secrecy::SecretString;

use crate::config::problem::{Problems, Reported};
use crate::config::raw::{Raw, RawEmail, RawKafka, RawMessage, RawNats};
use crate::config::section::Section;
use crate::config::webhooks::WebhooksConfig;

/// Of what people are told if nothing is said: of what somebody must act on.
const FOR_PEOPLE: [&str; 8] = [
    "payment.unmatched",
    "payment.wrong_asset",
    "order.late_payment",
    "order.reverted",
    "chain.*",
    "token.alert",
    "audit.mismatch",
    "endpoint.*",
];
/// Of what a bus is told if nothing is said.
#[cfg(any(feature = "kafka", feature = "nats"))]
const FOR_BUSES: [&str; 1] = ["*"];
/// How long an acknowledgement may take if nothing is said.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A bus, or people, who are told of events.
#[derive(Clone)]
pub(crate) struct SinkConfig {
    /// How it is reached.
    pub kind: EndpointKind,
    /// What tells it from others of its kind.
    pub name: String,
    /// Where it is, without what may be secret.
    pub place: String,
    /// How it is told there, in words.
    pub how: String,
    /// Of what it is told.
    pub types: EventTypes,
    /// What hands events on. Nothing is connected to before there is one.
    pub sink: Arc<dyn Sink>,
}

impl fmt::Debug for SinkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkConfig")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// The sections of buses and of people.
#[derive(Debug, Default)]
pub(crate) struct RawSinks {
    nats: Option<RawNats>,
    kafka: Option<RawKafka>,
    email: Option<RawEmail>,
    messages: BTreeMap<String, RawMessage>,
}

impl RawSinks {
    /// Takes the sections out of `raw`.
    pub(crate) fn take(raw: &mut Raw) -> Self {
        Self {
            nats: raw.nats.take(),
            kafka: raw.kafka.take(),
            email: raw.email.take(),
            messages: std::mem::take(&mut raw.messages),
        }
    }
}

/// Checks the sections that are there. Messages go where `webhooks` may go.
pub(crate) fn check(
    raw: RawSinks,
    webhooks: &Result<WebhooksConfig, Reported>,
    problems: &mut Problems,
) -> Result<Vec<SinkConfig>, Reported> {
    let mut checked = Vec::new();
    if let Some(raw) = raw.nats {
        checked.push(check_nats(raw, problems));
    }
    if let Some(raw) = raw.kafka {
        checked.push(check_kafka(raw, problems));
    }
    if let Some(raw) = raw.email {
        checked.push(email::check(raw, problems));
    }
    for (name, raw) in raw.messages {
        checked.push(messages::check(name, raw, webhooks, problems));
    }
    checked.into_iter().collect()
}

#[cfg(feature = "nats")]
use crate::config::sinks::nats::check as check_nats;

#[cfg(not(feature = "nats"))]
fn check_nats(_raw: RawNats, problems: &mut Problems) -> Result<SinkConfig, Reported> {
    Err(left_out("nats", problems))
}

#[cfg(feature = "kafka")]
use crate::config::sinks::kafka::check as check_kafka;

#[cfg(not(feature = "kafka"))]
fn check_kafka(_raw: RawKafka, problems: &mut Problems) -> Result<SinkConfig, Reported> {
    Err(left_out("kafka", problems))
}

/// This program was built without what the section `name` needs.
#[cfg(not(all(feature = "kafka", feature = "nats")))]
fn left_out(name: &str, problems: &mut Problems) -> Reported {
    let wrong = format!("this paywatch was built without the feature {name}");
    let allowed = format!("build it with --features {name}, or take the section out");
    Section::new(name, problems).wrong("", wrong, allowed)
}

/// The types of events, or those of `default`.
fn types(
    section: &mut Section<'_>,
    given: Option<&[String]>,
    default: &[&str],
) -> Result<EventTypes, Reported> {
    let read = match given {
        Some(given) => EventTypes::read(given.iter().map(String::as_str)),
        None => EventTypes::read(default.iter().copied()),
    };
    read.map_err(|error| {
        let wrong = if error.name.is_empty() {
            "names nothing to tell of".to_owned()
        } else {
            format!("\"{}\" is not a type of event", error.name)
        };
        let allowed = format!("write a list of some of {}", error.known);
        section.wrong("types", wrong, allowed)
    })
}

/// How long it may take.
fn timeout(section: &mut Section<'_>, given: Option<&str>) -> Result<Duration, Reported> {
    let second = Duration::from_secs(1);
    section.duration(
        "timeout",
        given,
        TIMEOUT,
        second..=second.saturating_mul(120),
    )
}

/// User and password: both, or neither.
fn login(
    section: &mut Section<'_>,
    user: Option<String>,
    (password, file): (Option<SecretString>, Option<PathBuf>),
) -> Result<Option<(String, SecretString)>, Reported> {
    let password = section.secret("password", password, file)?;
    match (user.filter(|user| !user.is_empty()), password) {
        (None, None) => Ok(None),
        (Some(user), Some(password)) => Ok(Some((user, password))),
        (Some(_), None) => {
            let allowed = "give the user's password, or password_file with the name of a file";
            Err(section.wrong("password", "is missing", allowed))
        },
        (None, Some(_)) => {
            Err(section.wrong("user", "is missing", "give the user whose password it is"))
        },
    }
}

/// One of some words, of which the first is the default.
fn word<T: Copy>(
    section: &mut Section<'_>,
    key: &str,
    given: Option<&str>,
    known: &[(&str, T)],
) -> Result<T, Reported> {
    let found = match given {
        None => known.first(),
        Some(given) => known.iter().find(|(name, _)| *name == given),
    };
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<String> = known
            .iter()
            .map(|(name, _)| format!("\"{name}\""))
            .collect();
        let wrong = format!("\"{}\" is not known", given.unwrap_or_default());
        section.wrong(key, wrong, format!("write {}", names.join(" or ")))
    })
}
