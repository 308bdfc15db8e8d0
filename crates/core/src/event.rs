//! What is told to the outside: the differences between two assessments of an order.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::{
    Amount, Cause, DecisionKind, Flags, IgnoredBecause, OrderStatus, PaymentId, RefundId,
    RefundState, Step, TransferId, UnknownName,
};

/// What the books hold of an order's last assessment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where the order stood.
    pub status: OrderStatus,
    /// What else was said about it.
    pub flags: Flags,
    /// All that had arrived.
    pub received: Amount,
    /// What of it counted.
    pub counted: Amount,
    /// What of the counted was confirmed.
    pub confirmed: Amount,
    /// What was counted beyond the asked amount.
    pub excess: Amount,
    /// What was sent back.
    pub refunded: Amount,
    /// Its payments and what they were.
    pub payments: BTreeMap<TransferId, PaymentState>,
    /// Which of the payments came after the deadline and are money for this order.
    pub late: BTreeSet<TransferId>,
    /// Its refunds and what they were.
    pub refunds: BTreeMap<RefundId, RefundState>,
}

impl Snapshot {
    /// An order that was just made.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            status: OrderStatus::AwaitingPayment,
            flags: Flags {
                overpaid: false,
                underpaid_within_tolerance: false,
                late: false,
                reverted: false,
                resolved: false,
                refunded: false,
                partially_refunded: false,
            },
            received: Amount::ZERO,
            counted: Amount::ZERO,
            confirmed: Amount::ZERO,
            excess: Amount::ZERO,
            refunded: Amount::ZERO,
            payments: BTreeMap::new(),
            late: BTreeSet::new(),
            refunds: BTreeMap::new(),
        }
    }
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::new()
    }
}

/// What a payment is, as the books hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentState {
    /// It counts, but its chain may still take it back.
    Seen,
    /// It counts and is final by the order's rule.
    Confirmed,
    /// It does not count.
    Ignored(IgnoredBecause),
}

impl PaymentState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Confirmed,
        Self::Ignored(IgnoredBecause::NotAccepted),
        Self::Ignored(IgnoredBecause::HeldLate),
        Self::Ignored(IgnoredBecause::OrderCancelled),
    ];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Confirmed => "confirmed",
            Self::Ignored(because) => because.name(),
        }
    }

    /// Whether it counts for its order.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        match self {
            Self::Seen | Self::Confirmed => true,
            Self::Ignored(_) => false,
        }
    }
}

impl FromStr for PaymentState {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| UnknownName {
                what: "payment state",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// An order was made.
    OrderCreated,
    /// More was counted, not yet enough.
    OrderPartiallyPaid,
    /// Enough was seen on chain.
    OrderPaid,
    /// Enough is confirmed.
    OrderCompleted,
    /// The excess grew.
    OrderOverpaid,
    /// The deadline passed without enough.
    OrderExpired,
    /// Money came after the deadline.
    OrderLatePayment,
    /// Counted money left the chain and was not replaced at once, or an operator took it away.
    OrderReverted,
    /// The merchant cancelled the order.
    OrderCancelled,
    /// An operator put the deadline off.
    OrderExtended,
    /// An operator accepted what has arrived.
    OrderResolved,
    /// Money was sent back for a refund.
    OrderRefunded,
    /// What had been sent back left its chain.
    OrderRefundReverted,
    /// A payment was seen on chain.
    PaymentDetected,
    /// A payment became final.
    PaymentConfirmed,
    /// A payment left the chain.
    PaymentReverted,
    /// An operator gave the order a payment that nobody had claimed.
    PaymentAssigned,
    /// An operator took it away again.
    PaymentUnassigned,
    /// A payment came that belongs to no order.
    PaymentUnmatched,
    /// A payment came in a token, or on a chain, that its order does not take.
    PaymentWrongAsset,
    /// An operator decided to leave an unmatched payment alone.
    PaymentWrittenOff,
    /// A deposit address was flushed to its treasury, for good.
    SweepCompleted,
    /// After that: the flush left its chain all the same.
    SweepReverted,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 23] = [
        Self::OrderCreated,
        Self::OrderPartiallyPaid,
        Self::OrderPaid,
        Self::OrderCompleted,
        Self::OrderOverpaid,
        Self::OrderExpired,
        Self::OrderLatePayment,
        Self::OrderReverted,
        Self::OrderCancelled,
        Self::OrderExtended,
        Self::OrderResolved,
        Self::OrderRefunded,
        Self::OrderRefundReverted,
        Self::PaymentDetected,
        Self::PaymentConfirmed,
        Self::PaymentReverted,
        Self::PaymentAssigned,
        Self::PaymentUnassigned,
        Self::PaymentUnmatched,
        Self::PaymentWrongAsset,
        Self::PaymentWrittenOff,
        Self::SweepCompleted,
        Self::SweepReverted,
    ];

    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderCreated => "order.created",
            Self::OrderPartiallyPaid => "order.partially_paid",
            Self::OrderPaid => "order.paid",
            Self::OrderCompleted => "order.completed",
            Self::OrderOverpaid => "order.overpaid",
            Self::OrderExpired => "order.expired",
            Self::OrderLatePayment => "order.late_payment",
            Self::OrderReverted => "order.reverted",
            Self::OrderCancelled => "order.cancelled",
            Self::OrderExtended => "order.extended",
            Self::OrderResolved => "order.resolved",
            Self::OrderRefunded => "order.refunded",
            Self::OrderRefundReverted => "order.refund_reverted",
            Self::PaymentDetected => "payment.detected",
            Self::PaymentConfirmed => "payment.confirmed",
            Self::PaymentReverted => "payment.reverted",
            Self::PaymentAssigned => "payment.assigned",
            Self::PaymentUnassigned => "payment.unassigned",
            Self::PaymentUnmatched => "payment.unmatched",
            Self::PaymentWrongAsset => "payment.wrong_asset",
            Self::PaymentWrittenOff => "payment.written_off",
            Self::SweepCompleted => "sweep.completed",
            Self::SweepReverted => "sweep.reverted",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for EventKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownName {
                what: "event",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// One thing that happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The payment that it happened with, where it is one payment's event.
    pub payment: Option<PaymentId>,
}

impl Event {
    const fn of_order(kind: EventKind) -> Self {
        Self {
            kind,
            payment: None,
        }
    }

    fn of_payment(kind: EventKind, id: &TransferId) -> Self {
        Self {
            kind,
            payment: Some(PaymentId::of(id)),
        }
    }
}

/// A change that no history of a chain can cause: the books are wrong, or this program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an order cannot go from {from} to {to} here")]
pub struct ImpossibleStep {
    /// The status in the books.
    pub from: OrderStatus,
    /// The status that was computed.
    pub to: OrderStatus,
}

/// What happened between two snapshots of one order through `cause`, in the order in which it is to
/// be told: the decision, payments, then what they did to the order.
///
/// # Errors
/// [`ImpossibleStep`] when the status moved as the table of steps forbids, or moved back though
/// no counted payment left its chain, or was reopened by nobody.
pub fn events_between(
    before: &Snapshot,
    after: &Snapshot,
    cause: Cause,
) -> Result<Vec<Event>, ImpossibleStep> {
    let mut events: Vec<Event> = match cause {
        Cause::Decision(DecisionKind::Extend) => vec![EventKind::OrderExtended],
        Cause::Decision(DecisionKind::Accept) => vec![EventKind::OrderResolved],
        Cause::Decision(_) | Cause::Chains => Vec::new(),
    }
    .into_iter()
    .map(Event::of_order)
    .collect();
    events.extend(payment_events(before, after, cause));
    let impossible = ImpossibleStep {
        from: before.status,
        to: after.status,
    };
    let step = before.status.step_to(after.status).ok_or(impossible)?;
    let lost_counted = before
        .payments
        .iter()
        .any(|(id, state)| state.is_counted() && !after.payments.contains_key(id));
    match step {
        Step::Back if !lost_counted => return Err(impossible),
        Step::Reopen if cause.is_chain() => return Err(impossible),
        Step::Back => events.push(Event::of_order(EventKind::OrderReverted)),
        Step::Stay | Step::Forward if lost_counted && after.counted < before.counted => {
            events.push(Event::of_order(EventKind::OrderReverted));
        },
        Step::Stay | Step::Forward | Step::Reopen => {},
    }
    if after.late.iter().any(|id| !before.late.contains(id)) {
        events.push(Event::of_order(EventKind::OrderLatePayment));
    }
    events.extend(
        milestones(before, after, step)
            .into_iter()
            .map(Event::of_order),
    );
    if after.excess > before.excess {
        events.push(Event::of_order(EventKind::OrderOverpaid));
    }
    events.extend(refund_events(before, after));
    Ok(events)
}

fn payment_events(before: &Snapshot, after: &Snapshot, cause: Cause) -> Vec<Event> {
    let (gone, come) = if cause.is_chain() {
        (EventKind::PaymentReverted, EventKind::PaymentDetected)
    } else {
        (EventKind::PaymentUnassigned, EventKind::PaymentAssigned)
    };
    let mut events = Vec::new();
    for id in before
        .payments
        .keys()
        .filter(|id| !after.payments.contains_key(id))
    {
        events.push(Event::of_payment(gone, id));
    }
    for (id, state) in &after.payments {
        let known = before.payments.get(id);
        if known.is_none() {
            events.push(Event::of_payment(come, id));
            if *state == PaymentState::Ignored(IgnoredBecause::NotAccepted) {
                events.push(Event::of_payment(EventKind::PaymentWrongAsset, id));
            }
        }
        if *state == PaymentState::Confirmed && known != Some(&PaymentState::Confirmed) {
            events.push(Event::of_payment(EventKind::PaymentConfirmed, id));
        }
    }
    events
}

/// What is told of refunds: each that a transfer carries out now, or does not any more. One whose
/// transfer was only mined anew is no news, as long as it is as much.
fn refund_events(before: &Snapshot, after: &Snapshot) -> Vec<Event> {
    let told = |here: &Snapshot, there: &Snapshot, kind| {
        let is_sent = |id| there.refunds.get(id).and_then(|state| state.transfer());
        let sent = here.refunds.iter().filter(|(id, _)| is_sent(id).is_none());
        sent.filter_map(|(_, state)| Some(Event::of_payment(kind, &state.transfer()?)))
            .collect::<Vec<_>>()
    };
    let mut events = told(before, after, EventKind::OrderRefundReverted);
    events.extend(told(after, before, EventKind::OrderRefunded));
    if events.is_empty() && after.refunded != before.refunded {
        events.push(Event::of_order(if after.refunded > before.refunded {
            EventKind::OrderRefunded
        } else {
            EventKind::OrderRefundReverted
        }));
    }
    events
}

/// The order's own events of a step that is not back. A jump from unpaid to completed tells both
/// that it was paid and that it is completed, so that a listener to either misses nothing.
fn milestones(before: &Snapshot, after: &Snapshot, step: Step) -> Vec<EventKind> {
    let was_paid = match before.status {
        OrderStatus::Paid | OrderStatus::Completed => true,
        OrderStatus::AwaitingPayment
        | OrderStatus::PartiallyPaid
        | OrderStatus::Expired
        | OrderStatus::Cancelled => false,
    };
    match (step, after.status) {
        (Step::Back | Step::Reopen, _) | (_, OrderStatus::AwaitingPayment) => vec![],
        (_, OrderStatus::PartiallyPaid) if after.counted > before.counted => {
            vec![EventKind::OrderPartiallyPaid]
        },
        (Step::Stay, _) | (Step::Forward, OrderStatus::PartiallyPaid) => vec![],
        (Step::Forward, OrderStatus::Paid) => vec![EventKind::OrderPaid],
        (Step::Forward, OrderStatus::Completed) if was_paid => vec![EventKind::OrderCompleted],
        (Step::Forward, OrderStatus::Completed) => {
            vec![EventKind::OrderPaid, EventKind::OrderCompleted]
        },
        (Step::Forward, OrderStatus::Expired) => vec![EventKind::OrderExpired],
        (Step::Forward, OrderStatus::Cancelled) => vec![EventKind::OrderCancelled],
    }
}
