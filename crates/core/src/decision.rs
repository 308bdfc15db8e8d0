//! What an operator decides about an order, and what follows from it.

use std::fmt;
use std::str::FromStr;

use crate::{
    Amount, AssessError, Assessment, Event, Heads, IgnoredBecause, ImpossibleStep, LatePolicy,
    Movements, Order, OrderStatus, Snapshot, Standing, Timestamp, UnknownName, assess,
    events_between,
};

/// Why an order is assessed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something happened on a chain, or time went on there.
    Chains,
    /// An operator decided.
    Decision(DecisionKind),
}

impl Cause {
    /// Whether it makes the order one that an operator has resolved.
    pub(crate) const fn resolves(self) -> bool {
        match self {
            Self::Chains | Self::Decision(DecisionKind::Cancel | DecisionKind::Extend) => false,
            Self::Decision(
                DecisionKind::Accept | DecisionKind::Assign | DecisionKind::Unassign,
            ) => true,
            Self::Decision(
                DecisionKind::WriteOff
                | DecisionKind::Import
                | DecisionKind::Refund
                | DecisionKind::CancelRefund
                | DecisionKind::LinkRefund
                | DecisionKind::CreateKey
                | DecisionKind::RotateKey
                | DecisionKind::RevokeKey
                | DecisionKind::CreateEndpoint
                | DecisionKind::ChangeEndpoint
                | DecisionKind::RotateSecret
                | DecisionKind::DisableEndpoint
                | DecisionKind::EnableEndpoint
                | DecisionKind::Redeliver,
            ) => false,
        }
    }

    /// Whether a chain did it, and no operator.
    pub(crate) fn is_chain(self) -> bool {
        self == Self::Chains
    }
}

/// The kinds of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionKind {
    /// The order is not to be paid any more.
    Cancel,
    /// The order may be paid for longer.
    Extend,
    /// What has arrived is enough, late money included.
    Accept,
    /// A payment that nobody claimed is for the order.
    Assign,
    /// It is not.
    Unassign,
    /// A payment that nobody claimed is to be left alone.
    WriteOff,
    /// A payment from before the covered range is in the books from now on.
    Import,
    /// Money is to be sent back.
    Refund,
    /// It is not.
    CancelRefund,
    /// What was sent is a refund, though it is not as prepared.
    LinkRefund,
    /// A key to the API was made.
    CreateKey,
    /// A key to the API has a successor, and ends.
    RotateKey,
    /// A key to the API is worth nothing any more.
    RevokeKey,
    /// Somebody is told of events from now on.
    CreateEndpoint,
    /// He is told elsewhere, or of others.
    ChangeEndpoint,
    /// What signs for him has a successor.
    RotateSecret,
    /// He is told nothing any more.
    DisableEndpoint,
    /// He is told again.
    EnableEndpoint,
    /// He is told once more of what he was told before.
    Redeliver,
}

impl DecisionKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::Cancel,
        Self::Extend,
        Self::Accept,
        Self::Assign,
        Self::Unassign,
        Self::WriteOff,
        Self::Import,
        Self::Refund,
        Self::CancelRefund,
        Self::LinkRefund,
        Self::CreateKey,
        Self::RotateKey,
        Self::RevokeKey,
        Self::CreateEndpoint,
        Self::ChangeEndpoint,
        Self::RotateSecret,
        Self::DisableEndpoint,
        Self::EnableEndpoint,
        Self::Redeliver,
    ];

    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Extend => "extend",
            Self::Accept => "accept",
            Self::Assign => "assign",
            Self::Unassign => "unassign",
            Self::WriteOff => "write_off",
            Self::Import => "import",
            Self::Refund => "refund",
            Self::CancelRefund => "cancel_refund",
            Self::LinkRefund => "link_refund",
            Self::CreateKey => "create_key",
            Self::RotateKey => "rotate_key",
            Self::RevokeKey => "revoke_key",
            Self::CreateEndpoint => "create_endpoint",
            Self::ChangeEndpoint => "change_endpoint",
            Self::RotateSecret => "rotate_secret",
            Self::DisableEndpoint => "disable_endpoint",
            Self::EnableEndpoint => "enable_endpoint",
            Self::Redeliver => "redeliver",
        }
    }
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for DecisionKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownName {
                what: "decision",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// Why a person decided: 3 to 500 characters on one line, which stay in the books for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// A text that is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reason has 3 to 500 characters on one line")]
pub struct ReasonError;

impl Reason {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    fn from_str(text: &str) -> Result<Self, ReasonError> {
        let text = text.trim();
        if !(3..=500).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(ReasonError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// What an operator wants of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderDecision {
    /// It is not to be paid any more. What comes is attached and does not count.
    Cancel,
    /// It may be paid until then.
    Extend {
        /// The new deadline, in chain time.
        until: Timestamp,
    },
    /// What has arrived is enough, late money included.
    Accept,
}

impl OrderDecision {
    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> DecisionKind {
        match self {
            Self::Cancel => DecisionKind::Cancel,
            Self::Extend { .. } => DecisionKind::Extend,
            Self::Accept => DecisionKind::Accept,
        }
    }
}

/// Why a decision cannot be carried out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The order has ended, or is paid.
    #[error("an order that is {status} cannot be {what}")]
    Status {
        /// Where it stands.
        status: OrderStatus,
        /// What was wanted.
        what: &'static str,
    },
    /// It would be earlier.
    #[error("the deadline can only be put off")]
    Earlier,
    /// Nothing has arrived that does not count already.
    #[error("nothing has arrived that could be accepted")]
    NothingToAccept,
    /// The order cannot be assessed.
    #[error(transparent)]
    Undecidable(#[from] ReassessError),
}

/// Why an order cannot be assessed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReassessError {
    /// Its transfers do not add up.
    #[error("its transfers do not add up")]
    Assess(#[from] AssessError),
    /// The books and the chain contradict each other.
    #[error("it cannot have become what was computed")]
    Impossible(#[from] ImpossibleStep),
}

/// What an order has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reassessed {
    /// All about it.
    pub assessment: Assessment,
    /// What the books are to keep.
    pub snapshot: Snapshot,
    /// What is to be told.
    pub events: Vec<Event>,
}

/// What `order` has become since the books held `before`, and what is to be told of it.
///
/// # Errors
/// [`ReassessError`] when it cannot be.
pub fn reassess(
    order: &Order,
    before: &Snapshot,
    moved: Movements<'_>,
    heads: &Heads,
    cause: Cause,
) -> Result<Reassessed, ReassessError> {
    let assessment = assess(order, moved, heads)?;
    let snapshot = assessment.snapshot(before, cause);
    let events = events_between(before, &snapshot, cause)?;
    Ok(Reassessed {
        assessment,
        snapshot,
        events,
    })
}

/// The order as `decision`, taken at `at`, makes it; `None` if it is so already.
///
/// # Errors
/// [`Refusal`] says why it cannot be.
pub fn decide_order(
    order: &Order,
    before: &Snapshot,
    moved: Movements<'_>,
    heads: &Heads,
    (decision, at): (OrderDecision, Timestamp),
) -> Result<Option<Order>, Refusal> {
    let status = before.status;
    match decision {
        OrderDecision::Cancel => cancelled(order, status, at),
        OrderDecision::Extend { until } => extended(order, status, until),
        OrderDecision::Accept => accepted(order, status, moved, heads),
    }
}

fn cancelled(order: &Order, status: OrderStatus, at: Timestamp) -> Result<Option<Order>, Refusal> {
    match status {
        OrderStatus::Cancelled => Ok(None),
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid | OrderStatus::Expired => {
            Ok(Some(Order {
                cancelled_at: Some(at),
                ..order.clone()
            }))
        },
        OrderStatus::Paid | OrderStatus::Completed => Err(Refusal::Status {
            status,
            what: "cancelled; refund it instead",
        }),
    }
}

fn extended(
    order: &Order,
    status: OrderStatus,
    until: Timestamp,
) -> Result<Option<Order>, Refusal> {
    match status {
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid | OrderStatus::Expired => {},
        OrderStatus::Paid | OrderStatus::Completed | OrderStatus::Cancelled => {
            return Err(Refusal::Status {
                status,
                what: "extended",
            });
        },
    }
    if until < order.expires_at {
        return Err(Refusal::Earlier);
    }
    Ok((until > order.expires_at).then(|| Order {
        expires_at: until,
        ..order.clone()
    }))
}

fn accepted(
    order: &Order,
    status: OrderStatus,
    moved: Movements<'_>,
    heads: &Heads,
) -> Result<Option<Order>, Refusal> {
    if status == OrderStatus::Cancelled {
        return Err(Refusal::Status {
            status,
            what: "accepted",
        });
    }
    let mut order = order.clone();
    let now = assess(&order, moved, heads).map_err(ReassessError::Assess)?;
    let is_held = now
        .payments
        .values()
        .any(|payment| payment.standing == Standing::Ignored(IgnoredBecause::HeldLate));
    if is_held {
        order.late_policy = LatePolicy::Accept;
    }
    let with_late = assess(&order, moved, heads).map_err(ReassessError::Assess)?;
    let is_short = with_late.counted < order.threshold();
    if with_late.counted == Amount::ZERO || !(is_held || is_short) {
        return Err(Refusal::NothingToAccept);
    }
    if is_short {
        order.accepted = Some(with_late.counted);
    }
    Ok(Some(order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_reasons_are_short_lines() {
        for kind in DecisionKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("sell".parse::<DecisionKind>().is_err());
        assert_eq!(
            " as agreed ".parse::<Reason>().unwrap().as_str(),
            "as agreed"
        );
        let long = "x".repeat(501);
        for wrong in ["", "ok", "a\nb c", &long] {
            assert_eq!(wrong.parse::<Reason>(), Err(ReasonError), "{wrong:?}");
        }
    }
}
