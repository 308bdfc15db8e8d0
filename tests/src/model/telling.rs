//! Whether what was told is true.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{EventKind, Loose, OrderId, PaymentId, PaymentState};
use paywatch_indexer::in_one_line;
use paywatch_simulator::SimChain;
use paywatch_store::{BookedPlace, OrderRecord, PaymentRecord, Store, Told};

use crate::model::hold::hold;
use crate::model::oracle::moved_in;

/// What was told of payments: to which order, or to none.
type Telling = BTreeMap<(Option<OrderId>, PaymentId), Vec<EventKind>>;

/// What was told: every arrival once for each time, every retraction, and no confirmation of what
/// was never on the chain.
pub(crate) async fn what_was_told_is_true(
    store: &Store,
    truth: &SimChain,
    orders: &[OrderRecord],
) -> Result<(), String> {
    let told = all_told(store).await?;
    let mut known = BTreeSet::new();
    for order in orders {
        for payment in &order.payments {
            let transfer = &payment.recorded.transfer;
            let key = (Some(order.order.id), transfer.payment_id());
            known.insert(key);
            let events = told.get(&key).map(Vec::as_slice).unwrap_or_default();
            follows_the_rules(events, Some(payment))
                .map_err(|what| format!("{}: {what}; told: {events:?}", key.1))?;
            if events.contains(&EventKind::PaymentConfirmed) {
                let block = truth.ever_had(transfer.id.block_hash);
                let moved = block.and_then(|block| moved_in(&block).remove(&transfer.id));
                let is_true = moved.is_some_and(|moved| {
                    moved.to == transfer.to
                        && moved.amount == transfer.amount
                        && moved.through == transfer.paid_through
                });
                if !is_true {
                    let id = key.1;
                    return Err(format!("{id} was confirmed and was never on the chain"));
                }
            }
        }
    }
    for ((order, id), events) in &told {
        match order {
            Some(order) if known.contains(&(Some(*order), *id)) => {},
            // A lie of somebody had given it to this order for a while.
            Some(_) => follows_the_rules(events, None)
                .map_err(|what| format!("{id} of no order: {what}; told: {events:?}"))?,
            None => unmatched_is_told(store, *id, events).await?,
        }
        let found = hold(store.payment(id)).await;
        if found.map_err(|error| in_one_line(&error))?.is_none() {
            return Err(format!("{id} was told of and is in no books"));
        }
    }
    Ok(())
}

async fn all_told(store: &Store) -> Result<Telling, String> {
    let mut told = Telling::new();
    let mut seq = 0;
    loop {
        let events = hold(store.events_after(seq, 500)).await;
        let events = events.map_err(|error| in_one_line(&error))?;
        let Some(last) = events.last() else {
            return Ok(told);
        };
        seq = last.seq;
        for event in events {
            match event.told {
                Told::Order(of_order) => {
                    if let Some(payment) = of_order.event.payment {
                        let key = (Some(of_order.order_id), payment);
                        told.entry(key).or_default().push(of_order.event.kind);
                    }
                },
                Told::Payment(event) => {
                    let key = (None, event.payment);
                    told.entry(key).or_default().push(event.kind);
                },
                Told::Chain(_) | Told::Endpoint(_) => {},
            }
        }
    }
}

/// Money of nobody is told when it comes and when it goes.
async fn unmatched_is_told(
    store: &Store,
    id: PaymentId,
    events: &[EventKind],
) -> Result<(), String> {
    let mut is_there = false;
    for event in events {
        let comes = *event == EventKind::PaymentUnmatched;
        if !comes && *event != EventKind::PaymentReverted {
            return Err(format!("{id} of nobody was told of as {event}"));
        }
        let is_next = std::mem::replace(&mut is_there, comes) != comes;
        if !is_next {
            return Err(format!("{id} of nobody: out of order: {events:?}"));
        }
    }
    let booked = hold(store.payment(&id)).await;
    let booked = booked.map_err(|error| in_one_line(&error))?;
    let is_unmatched = booked.is_some_and(|booked| {
        booked.reverted_at.is_none() && booked.place == BookedPlace::Loose(Loose::Unmatched)
    });
    if is_there == is_unmatched {
        Ok(())
    } else {
        Err(format!(
            "{id} of nobody was not told of as it is: {events:?}"
        ))
    }
}

/// A payment is detected, perhaps confirmed, perhaps reverted, and so on from the start.
fn follows_the_rules(
    events: &[EventKind],
    payment: Option<&PaymentRecord>,
) -> Result<(), &'static str> {
    let mut is_there = false;
    let mut is_confirmed = false;
    for event in events {
        let is_possible = match event {
            EventKind::PaymentDetected => !std::mem::replace(&mut is_there, true),
            EventKind::PaymentConfirmed => is_there && !std::mem::replace(&mut is_confirmed, true),
            EventKind::PaymentReverted => {
                is_confirmed = false;
                std::mem::replace(&mut is_there, false)
            },
            // It names the order and went elsewhere.
            EventKind::PaymentWrongAsset => is_there,
            EventKind::OrderCreated
            | EventKind::OrderPartiallyPaid
            | EventKind::OrderPaid
            | EventKind::OrderCompleted
            | EventKind::OrderOverpaid
            | EventKind::OrderExpired
            | EventKind::OrderLatePayment
            | EventKind::OrderReverted
            | EventKind::OrderCancelled
            | EventKind::OrderExtended
            | EventKind::OrderResolved
            | EventKind::OrderRefunded
            | EventKind::OrderRefundReverted
            | EventKind::PaymentAssigned
            | EventKind::PaymentUnassigned
            | EventKind::PaymentUnmatched
            | EventKind::PaymentWrittenOff => false,
        };
        if !is_possible {
            return Err("an event out of order");
        }
    }
    let Some(payment) = payment else {
        return if is_there {
            Err("it was not taken back")
        } else {
            Ok(())
        };
    };
    if is_there == payment.reverted_at.is_some() {
        return Err("its last event is not what it is");
    }
    if is_there && is_confirmed != (payment.state == PaymentState::Confirmed) {
        return Err("it was not told of as it is");
    }
    Ok(())
}
