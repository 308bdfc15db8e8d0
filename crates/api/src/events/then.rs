//! Orders and payments as they were when an event was told: what the event kept, laid over what the
//! books hold now. Pure.
//!
//! Events that are older than what they keep (`OrderEvent::then`) show the deadline, the policies,
//! the payments seen by then and the refunds as they are now.

use std::collections::BTreeMap;

use paywatch_core::{
    EventKind, LatePolicy, Loose, Order, OrderId, Outgoing, PaymentId, PaymentState,
    RecordedRefund, RecordedTransfer, RefundState, RefundStatus, Snapshot, Timestamp,
};
use paywatch_store::{
    EventContext, EventRecord, OrderEvent, OrderRecord, OrderThen, PaymentRecord, PaymentThen,
    RefundThen, Told,
};

use crate::payments::view::{REVERTED, Standing, status};

/// What events are told with, so that payments are found by their ids.
pub(crate) struct Known<'a> {
    context: &'a EventContext,
    payments: BTreeMap<OrderId, BTreeMap<PaymentId, &'a PaymentRecord>>,
}

/// An order as it was.
pub(crate) struct Then {
    pub(crate) record: OrderRecord,
    /// How many of its payments are not in it.
    pub(super) left_out: u64,
}

impl<'a> Known<'a> {
    pub(super) fn new(context: &'a EventContext) -> Self {
        let orders = context.orders.iter();
        let payments = orders.map(|(id, order)| {
            let payments = order.payments.iter();
            let payments =
                payments.map(|payment| (payment.recorded.transfer.payment_id(), payment));
            (*id, payments.collect())
        });
        Self {
            payments: payments.collect(),
            context,
        }
    }

    /// The order as it is now.
    pub(crate) fn now(&self, order: OrderId) -> Option<&'a OrderRecord> {
        self.context.orders.get(&order)
    }

    /// The event before the change that `told` belongs to.
    pub(super) fn before(&self, told: &OrderEvent) -> Option<&'a EventRecord> {
        let place = (told.order_id, told.had_before());
        self.context.before.get(&place)
    }

    /// The order after `told`, which was told at `at`.
    pub(crate) fn order(&self, told: &OrderEvent, at: Timestamp) -> Option<Then> {
        let now = self.context.orders.get(&told.order_id)?;
        let snapshot = Snapshot {
            status: told.status,
            flags: told.flags,
            received: told.received,
            counted: told.counted,
            confirmed: told.confirmed,
            excess: told.excess,
            refunded: told.refunded,
            ..Snapshot::new()
        };
        let order = OrderRecord {
            order: now.order.clone(),
            snapshot,
            version: now.version,
            seq: now.seq,
            checkout: now.checkout,
            updated_at: at,
            payments: Vec::new(),
            refunds: Vec::new(),
        };
        Some(match &told.then {
            Some(then) => Then {
                record: self.lay_over(order, now, then),
                left_out: then.left_out,
            },
            None => Then {
                record: as_far_as_known(order, now),
                left_out: 0,
            },
        })
    }

    fn lay_over(
        &self,
        mut record: OrderRecord,
        now: &OrderRecord,
        then: &OrderThen,
    ) -> OrderRecord {
        set_terms(
            &mut record.order,
            then.closes_at,
            (then.late_policy, then.accepted),
        );
        let at = record.updated_at;
        let payments = then.payments.iter();
        let payments = payments.filter_map(|payment| self.payment_then(&record.order, payment, at));
        record.payments = payments.collect();
        for recorded in &now.refunds {
            let mut refunds = then.refunds.iter();
            let Some(refund) = refunds.find(|refund| refund.id == recorded.refund.id) else {
                continue;
            };
            if let Some((recorded, state)) = self.refund_then(recorded, refund) {
                record.snapshot.refunds.insert(refund.id, state);
                record.refunds.push(recorded);
            }
        }
        record
    }

    /// A payment of `order` as it was at `at`.
    fn payment_then(
        &self,
        order: &Order,
        then: &PaymentThen,
        at: Timestamp,
    ) -> Option<PaymentRecord> {
        let now = self
            .payments
            .get(&order.id)
            .and_then(|of_order| of_order.get(&then.id));
        let (recorded, detected_at, reverted_at) = match now {
            Some(now) => (now.recorded.clone(), now.detected_at, now.reverted_at),
            None => {
                let booked = self.context.payments.get(&then.id)?;
                let mut recorded = booked.recorded.clone();
                // Only what an operator gave to an order is taken away from it. By which rule it
                // was confirmed is not kept; that there was one is all that is shown.
                recorded.assigned = order.options.first().map(|option| option.finality);
                (recorded, booked.detected_at, booked.reverted_at)
            },
        };
        Some(PaymentRecord {
            recorded,
            // What it was before it left its chain is not shown.
            state: then.state.unwrap_or(PaymentState::Seen),
            is_late: then.is_late,
            detected_at,
            reverted_at: match then.state {
                Some(_) => None,
                None => Some(reverted_at.unwrap_or(at)),
            },
        })
    }

    fn refund_then(
        &self,
        now: &RecordedRefund,
        then: &RefundThen,
    ) -> Option<(RecordedRefund, RefundState)> {
        let mut refund = now.refund.clone();
        if then.status != RefundStatus::Cancelled {
            refund.cancelled_at = None;
        }
        let sent = then.payment.and_then(|id| self.transfer(&id, now));
        let id = sent.as_ref().map(|sent| sent.transfer.id);
        let state = match then.status {
            RefundStatus::Prepared => RefundState::Prepared,
            RefundStatus::Cancelled => RefundState::Cancelled,
            RefundStatus::Sent => RefundState::Sent(id?),
            RefundStatus::Confirmed => RefundState::Confirmed(id?),
        };
        let outgoing = sent.map_or(Outgoing::None, |sent| Outgoing::There(Box::new(sent)));
        Some((RecordedRefund { refund, outgoing }, state))
    }

    /// The transfer that carried a refund out.
    fn transfer(&self, id: &PaymentId, now: &RecordedRefund) -> Option<RecordedTransfer> {
        let here = now.sent().filter(|sent| sent.transfer.payment_id() == *id);
        let there = || Some(&self.context.payments.get(id)?.recorded);
        here.or_else(there).cloned()
    }

    /// The payment that `event` is about, and what it was after it.
    pub(crate) fn payment(&self, event: &EventRecord) -> Option<(&'a RecordedTransfer, Standing)> {
        let (order, id, kind) = match &event.told {
            Told::Order(told) => (Some(told.order_id), told.event.payment?, told.event.kind),
            Told::Payment(told) => (None, told.payment, told.kind),
            Told::Chain(_) | Told::Endpoint(_) => return None,
        };
        let of_order = order.and_then(|order| self.payments.get(&order)?.get(&id));
        let (recorded, detected_at) = match of_order {
            Some(payment) => (&payment.recorded, payment.detected_at),
            None => {
                let booked = self.context.payments.get(&id)?;
                (&booked.recorded, booked.detected_at)
            },
        };
        let then = event.of_order().and_then(|told| then_of(told, &id));
        let (order, status, is_late) = match then {
            Some(then) => (order, status_of(then), then.is_late),
            None => by_kind(order, kind),
        };
        let standing = Standing {
            order,
            status,
            is_late,
            is_assigned: order.is_some() && (of_order.is_none() || recorded.assigned.is_some()),
            detected_at,
        };
        Some((recorded, standing))
    }

    /// What the payment that `event` is about was called before the change, if that is known.
    pub(super) fn status_before(&self, event: &EventRecord) -> Option<&'static str> {
        match &event.told {
            Told::Order(told) => {
                if told.event.kind == EventKind::PaymentAssigned {
                    return Some(Loose::Unmatched.name());
                }
                let before = self.before(told)?.of_order()?;
                Some(status_of(then_of(before, &told.event.payment?)?))
            },
            Told::Payment(told) => {
                let was_there = [EventKind::PaymentReverted, EventKind::PaymentWrittenOff];
                let was_there = was_there.contains(&told.kind);
                was_there.then(|| Loose::Unmatched.name())
            },
            Told::Chain(_) | Told::Endpoint(_) => None,
        }
    }
}

fn set_terms(
    order: &mut Order,
    closes_at: Timestamp,
    (late_policy, accepted): (LatePolicy, Option<paywatch_core::Amount>),
) {
    let grace = i64::from(order.grace_ms);
    order.expires_at = closes_at
        .plus_ms(grace.saturating_neg())
        .unwrap_or(closes_at);
    order.late_policy = late_policy;
    order.accepted = accepted;
}

/// What an older event can be told with.
fn as_far_as_known(mut record: OrderRecord, now: &OrderRecord) -> OrderRecord {
    let at = record.updated_at;
    let payments = now.payments.iter();
    record.payments = payments
        .filter(|payment| payment.detected_at <= at)
        .cloned()
        .collect();
    record.refunds.clone_from(&now.refunds);
    record.snapshot.refunds.clone_from(&now.snapshot.refunds);
    record
}

fn then_of<'a>(told: &'a OrderEvent, id: &PaymentId) -> Option<&'a PaymentThen> {
    let mut payments = told.then.as_ref()?.payments.iter();
    payments.find(|payment| payment.id == *id)
}

fn status_of(then: &PaymentThen) -> &'static str {
    then.state.map_or(REVERTED, status)
}

/// What a payment of which nothing is kept was after an event of this kind: the order that it still
/// belonged to, its status, whether it was late.
fn by_kind(order: Option<OrderId>, kind: EventKind) -> (Option<OrderId>, &'static str, bool) {
    match kind {
        EventKind::PaymentDetected | EventKind::PaymentAssigned => {
            (order, status(PaymentState::Seen), false)
        },
        EventKind::PaymentConfirmed => (order, status(PaymentState::Confirmed), false),
        EventKind::PaymentReverted => (order, REVERTED, false),
        EventKind::PaymentWrongAsset => {
            let because = paywatch_core::IgnoredBecause::NotAccepted;
            (order, status(PaymentState::Ignored(because)), false)
        },
        EventKind::OrderRefundReverted | EventKind::SweepReverted => (None, REVERTED, false),
        EventKind::SweepCompleted => (None, Loose::Moved.name(), false),
        EventKind::PaymentWrittenOff => (None, Loose::WrittenOff.name(), false),
        EventKind::OrderRefunded => (None, Loose::Sent.name(), false),
        EventKind::PaymentUnmatched
        | EventKind::PaymentUnassigned
        | EventKind::OrderCreated
        | EventKind::OrderPartiallyPaid
        | EventKind::OrderPaid
        | EventKind::OrderCompleted
        | EventKind::OrderOverpaid
        | EventKind::OrderExpired
        | EventKind::OrderLatePayment
        | EventKind::OrderReverted
        | EventKind::OrderCancelled
        | EventKind::OrderExtended
        | EventKind::OrderResolved => (None, Loose::Unmatched.name(), false),
    }
}
