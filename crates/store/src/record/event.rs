//! The event log, and what an order was when an event of it was told.

use std::collections::BTreeMap;

use paywatch_core::{
    Amount, ChainEvent, EndpointEvent, Event, Flags, LatePolicy, OrderId, OrderStatus,
    PaymentEvent, PaymentId, PaymentState, RefundId, RefundStatus, Timestamp,
};

use crate::record::{BookedTransfer, OrderRecord};

/// An event as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// Its place in the log: 1, 2, 3 and so on, in order of commit.
    pub seq: u64,
    /// Its id, `evt_` and 32 hex digits.
    pub id: String,
    /// What happened.
    pub told: Told,
    /// When it was written.
    pub at: Timestamp,
}

/// What an event tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// An order.
    Order(OrderEvent),
    /// A chain.
    Chain(ChainEvent),
    /// A payment that belongs to no order.
    Payment(PaymentEvent),
    /// One who is told of events.
    Endpoint(EndpointEvent),
}

/// Something that happened to an order, with what the order was after the change that it belongs
/// to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEvent {
    /// The order.
    pub order_id: OrderId,
    /// The event's place among the order's, from 1. Its id follows from the order and this.
    pub order_seq: u64,
    /// What happened.
    pub event: Event,
    /// The order's status.
    pub status: OrderStatus,
    /// The order's flags.
    pub flags: Flags,
    /// All that had arrived.
    pub received: Amount,
    /// What of it counted.
    pub counted: Amount,
    /// What of the counted was confirmed.
    pub confirmed: Amount,
    /// What was counted beyond the asked amount.
    pub excess: Amount,
    /// What had been sent back.
    pub refunded: Amount,
    /// How many events the order had before the change. Events of older programs do not say.
    pub told_before: Option<u64>,
    /// What else it was. Events of older programs do not say.
    pub then: Option<Box<OrderThen>>,
}

/// What an order was after a change, beside its sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderThen {
    /// The last moment at which money was in time.
    pub closes_at: Timestamp,
    /// What happened with money after that.
    pub late_policy: LatePolicy,
    /// What an operator had called enough.
    pub accepted: Option<Amount>,
    /// Its payments, oldest first: the last 100, and the one that the event is about.
    pub payments: Vec<PaymentThen>,
    /// How many payments it had beside those.
    pub left_out: u64,
    /// Its refunds.
    pub refunds: Vec<RefundThen>,
}

/// What a payment was to its order after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentThen {
    /// The payment.
    pub id: PaymentId,
    /// What it was; `None` if it had left its chain.
    pub state: Option<PaymentState>,
    /// Whether it was money for the order that came after the deadline.
    pub is_late: bool,
}

/// What a refund was after a change of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundThen {
    /// The refund.
    pub id: RefundId,
    /// What it was.
    pub status: RefundStatus,
    /// What carried it out.
    pub payment: Option<PaymentId>,
}

/// Which events are wanted: those that meet every condition that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of one of these kinds; of any, if empty.
    pub kinds: Vec<&'static str>,
    /// Of this order.
    pub order: Option<OrderId>,
}

/// A part of the event log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventPage {
    /// The wanted events, in order.
    pub events: Vec<EventRecord>,
    /// Up to which number the log has been read for them: go on after it.
    pub read_up_to: u64,
}

/// What some events are told with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventContext {
    /// The orders that they are about, as they are now.
    pub orders: BTreeMap<OrderId, OrderRecord>,
    /// For each order and each number of events that it had before a change that they belong to:
    /// the last of those events.
    pub before: BTreeMap<(OrderId, u64), EventRecord>,
    /// Payments that they are about, or that their orders had and do not hold any more.
    pub payments: BTreeMap<PaymentId, BookedTransfer>,
}

impl EventRecord {
    /// What it tells of an order, if it does.
    #[must_use]
    pub const fn of_order(&self) -> Option<&OrderEvent> {
        match &self.told {
            Told::Order(event) => Some(event),
            Told::Chain(_) | Told::Payment(_) | Told::Endpoint(_) => None,
        }
    }

    /// The name of what happened.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match &self.told {
            Told::Order(told) => told.event.kind.name(),
            Told::Chain(told) => told.kind.name(),
            Told::Payment(told) => told.kind.name(),
            Told::Endpoint(told) => told.kind.name(),
        }
    }
}

impl OrderEvent {
    /// How many events the order had before the change that this belongs to, as far as that is
    /// known: events of older programs are taken for changes of their own.
    #[must_use]
    pub fn had_before(&self) -> u64 {
        self.told_before
            .unwrap_or_else(|| self.order_seq.saturating_sub(1))
    }
}
