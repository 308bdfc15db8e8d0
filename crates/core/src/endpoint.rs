//! Who is told of events: which kinds of endpoints there are, in which form they are told, and of
//! what.

mod form;
mod terms;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub use crate::endpoint::form::FormError;
pub use crate::endpoint::terms::{
    EndpointName, EndpointNameError, LONGEST_OVERLAP_S, MOST_SECRETS, MOST_TOLD_AGAIN,
    MOST_WEBHOOKS, SignatureKind, USUAL_OVERLAP_S,
};
use crate::{ChainEventKind, EndpointId, EventKind, UnknownName};

/// How an endpoint is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointKind {
    /// By HTTP requests to one URL.
    Webhook,
    /// By HTTP requests to the URLs that orders name themselves.
    Callbacks,
    /// Through a NATS server with `JetStream`.
    Nats,
    /// Through a Kafka-compatible broker.
    Kafka,
    /// By e-mail to people.
    Email,
    /// By HTTP requests made from a template, to people.
    Message,
}

impl EndpointKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Webhook,
        Self::Callbacks,
        Self::Nats,
        Self::Kafka,
        Self::Email,
        Self::Message,
    ];

    /// The name in the database and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Callbacks => "callbacks",
            Self::Nats => "nats",
            Self::Kafka => "kafka",
            Self::Email => "email",
            Self::Message => "message",
        }
    }
}

impl fmt::Display for EndpointKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EndpointKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        named("kind of endpoint", name, &Self::ALL, Self::name)
    }
}

/// In which form events are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventFormat {
    /// The event as the API shows it, signed by the Standard Webhooks specification.
    Standard,
    /// The form of the gateway whose routes are taken over, signed with the daemon's own key.
    BlockAtm,
    /// What plugins for epusdt expect at the URL that their order names: one message, when the order is
    /// complete.
    Epusdt,
}

impl EventFormat {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Standard, Self::BlockAtm, Self::Epusdt];

    /// The name in the database and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::BlockAtm => "blockatm",
            Self::Epusdt => "epusdt",
        }
    }
}

impl fmt::Display for EventFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EventFormat {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        named("format of events", name, &Self::ALL, Self::name)
    }
}

/// What happened to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndpointEventKind {
    /// It has taken nothing for long.
    Failing,
    /// After [`Self::Failing`]: it takes what it is told again.
    Recovered,
    /// It wants nothing any more, and is told nothing.
    Disabled,
}

impl EndpointEventKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Failing, Self::Recovered, Self::Disabled];

    /// The name in the event log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failing => "endpoint.failing",
            Self::Recovered => "endpoint.recovered",
            Self::Disabled => "endpoint.disabled",
        }
    }
}

impl FromStr for EndpointEventKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        named("event of an endpoint", name, &Self::ALL, Self::name)
    }
}

/// Something that happened to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointEvent {
    /// The endpoint.
    pub endpoint: EndpointId,
    /// What happened.
    pub kind: EndpointEventKind,
    /// The circumstances, in words for the operator.
    pub detail: String,
}

/// Of which events somebody wants to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTypes {
    /// Of all, also of kinds that there are not yet.
    All,
    /// Of these, by the names of their kinds; at least one.
    Only(BTreeSet<&'static str>),
}

impl EventTypes {
    /// The names of all kinds of events.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let of_chains = ChainEventKind::ALL.into_iter().map(ChainEventKind::name);
        let of_endpoints = EndpointEventKind::ALL.into_iter();
        EventKind::ALL
            .into_iter()
            .map(EventKind::name)
            .chain(of_chains)
            .chain(of_endpoints.map(EndpointEventKind::name))
    }

    /// Whether `name` is among them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(name),
        }
    }

    /// Reads names and families, `order.*`, as they stand in a list; `*` alone means all.
    ///
    /// # Errors
    /// [`UnknownName`] for the first that names no kind of event, and for an empty list.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownName> {
        let mut wanted = BTreeSet::new();
        for text in texts {
            if text == "*" {
                return Ok(Self::All);
            }
            let before = wanted.len();
            let family = text.strip_suffix('*').filter(|it| it.ends_with('.'));
            wanted.extend(Self::names().filter(|name| match family {
                Some(family) => name.starts_with(family),
                None => *name == text,
            }));
            let is_known = Self::names().any(|name| match family {
                Some(family) => name.starts_with(family),
                None => name == text,
            });
            if before == wanted.len() && !is_known {
                return Err(Self::unknown(text));
            }
        }
        if wanted.is_empty() {
            return Err(Self::unknown(""));
        }
        Ok(Self::Only(wanted))
    }

    fn unknown(name: &str) -> UnknownName {
        let names: Vec<_> = Self::names().collect();
        UnknownName {
            what: "type of event",
            name: name.to_owned(),
            known: format!(
                "{}, families such as order.*, and * for all",
                names.join(", ")
            ),
        }
    }
}

impl fmt::Display for EventTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Only(names) => {
                let names: Vec<&str> = names.iter().copied().collect();
                f.write_str(&names.join(" "))
            },
        }
    }
}

impl FromStr for EventTypes {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::read(text.split_ascii_whitespace())
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// It is still to be made.
    Pending,
    /// It was taken.
    Delivered,
    /// It was given up.
    Failed,
    /// Its endpoint was disabled before.
    Dropped,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Dropped];

    /// The name in the database and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DeliveryState {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        named("state of a delivery", name, &Self::ALL, Self::name)
    }
}

fn named<T: Copy>(
    what: &'static str,
    name: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, UnknownName> {
    let found = all.iter().copied().find(|one| name_of(*one) == name);
    found.ok_or_else(|| UnknownName {
        what,
        name: name.to_owned(),
        known: all
            .iter()
            .map(|one| name_of(*one))
            .collect::<Vec<_>>()
            .join(", "),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in EndpointKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        for format in EventFormat::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        for state in DeliveryState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        assert!("fax".parse::<EndpointKind>().is_err());
    }

    #[test]
    fn types_are_names_and_families() {
        let types = "order.completed chain.*".parse::<EventTypes>().unwrap();
        assert!(types.has("order.completed") && types.has("chain.stalled"));
        assert!(!types.has("order.paid"));
        assert_eq!(types.to_string().parse(), Ok(types));
        assert_eq!("order.paid *".parse(), Ok(EventTypes::All));
        assert_eq!("*".parse::<EventTypes>().unwrap().to_string(), "*");
    }

    #[test]
    fn an_unknown_type_is_named() {
        for wrong in ["order.gone", "order*", "nobody.*", "", "order."] {
            let error = wrong.parse::<EventTypes>().unwrap_err();
            assert_eq!(error.name, wrong);
            for known in ["order.completed", "order.*", "* for all"] {
                assert!(error.known.contains(known), "{known}");
            }
        }
    }
}
