//! What the books must say, by one who sees the true chain.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    Address, Amount, BlockNumber, EventKind, OrderStatus, PaymentId, PaymentState, TransferId,
};
use paywatch_indexer::{decode, in_one_line};
use paywatch_simulator::{Ledger as _, SimBlock, SimChain};
use paywatch_store::{OrderRecord, PaymentRecord, Store};

use crate::model::hold::hold;
use crate::model::plan::{TOKEN, chain_id, token};

/// Money that a block moves to somebody.
pub(crate) type Paid = BTreeMap<TransferId, (Address, Amount)>;

/// The transfers of the accepted token in `block`.
pub(crate) fn paid_in(block: &SimBlock) -> Paid {
    let logs = block.transactions.iter().flat_map(|tx| &tx.logs);
    logs.zip(0_u64..)
        .filter(|(log, _)| log.address == TOKEN)
        .filter_map(|(log, log_index)| {
            let movement = decode(TOKEN, log.topics(), &log.data.data).ok()??;
            let amount = Amount::from_base_units(movement.value, token().decimals).ok()?;
            let id = TransferId {
                chain_id: chain_id(),
                block_hash: block.hash,
                log_index,
            };
            (!amount.is_zero()).then_some((id, (movement.to, amount)))
        })
        .collect()
}

/// What the true chain pays to each address, from block `first` to `last`.
pub(crate) fn truly_paid(truth: &SimChain, first: BlockNumber, last: BlockNumber) -> Paid {
    truth
        .from(first)
        .iter()
        .take_while(|block| block.header.number <= last)
        .flat_map(|block| paid_in(block))
        .collect()
}

/// What is in the books of `order` now.
fn standing(order: &OrderRecord) -> Result<Paid, String> {
    let mut paid = Paid::new();
    for payment in order.payments.iter().filter(|p| p.reverted_at.is_none()) {
        let transfer = &payment.recorded.transfer;
        let known = paid.insert(transfer.id, (transfer.to, transfer.amount));
        if known.is_some() {
            return Err(format!("{:?} is in the books twice", transfer.id));
        }
    }
    Ok(paid)
}

/// While all goes on: if the tip in the books is on the true chain, everything up to it is in the
/// books.
pub(crate) fn nothing_is_lost(
    truth: &SimChain,
    first: BlockNumber,
    tip: BlockNumber,
    orders: &[OrderRecord],
) -> Result<(), String> {
    let paid = truly_paid(truth, first, tip);
    for order in orders {
        let booked = standing(order)?;
        let address = order.order.options[0].address;
        for (id, (to, amount)) in &paid {
            if *to == address && booked.get(id) != Some(&(*to, *amount)) {
                return Err(format!(
                    "covered up to block {tip}, and {amount} of {id:?} to {} are not in the books",
                    order.order.reference
                ));
            }
        }
    }
    Ok(())
}

fn is_from(truth: &SimChain, first: BlockNumber, id: &TransferId) -> bool {
    let block = truth.ever_had(id.block_hash);
    block.is_none_or(|block| block.header.number >= first)
}

fn differences(truth: &SimChain, booked: &Paid, expected: &Paid) -> Vec<String> {
    let tell = |what: &str, (id, (_, amount)): (&TransferId, &(Address, Amount))| {
        let block = truth.ever_had(id.block_hash);
        let canonical = block.as_ref().map(|block| {
            let number = block.header.number;
            (
                number,
                truth.at(number).map(|block| block.hash) == Some(id.block_hash),
            )
        });
        format!(
            "{what} {amount} in log {} of {} (height, and whether it is on the chain: {canonical:?})",
            id.log_index, id.block_hash
        )
    };
    let extra = booked
        .iter()
        .filter(|(id, what)| expected.get(id) != Some(what))
        .map(|entry| tell("the books hold", entry));
    let missing = expected
        .iter()
        .filter(|(id, what)| booked.get(id) != Some(what))
        .map(|entry| tell("they lack", entry));
    extra.chain(missing).collect()
}

/// At the end: the books are the chain, to the last unit.
pub(crate) fn the_books_are_the_chain(
    truth: &SimChain,
    first: BlockNumber,
    tip: BlockNumber,
    orders: &[OrderRecord],
) -> Result<(), String> {
    let paid = truly_paid(truth, first, tip);
    for order in orders {
        let name = order.order.reference.as_str();
        let address = order.order.options[0].address;
        let expected: Paid = paid
            .iter()
            .filter(|(_, (to, _))| *to == address)
            .map(|(id, what)| (*id, *what))
            .collect();
        let mut booked = standing(order)?;
        // What lies below is as true, if it is.
        booked.retain(|id, _| is_from(truth, first, id));
        if booked != expected {
            return Err(format!(
                "{name}: {}",
                differences(truth, &booked, &expected).join("; ")
            ));
        }
        let sum = expected
            .values()
            .try_fold(Amount::ZERO, |sum, (_, amount)| sum.checked_add(*amount));
        let sum = sum.ok_or("the sum is too large")?;
        let snapshot = &order.snapshot;
        if snapshot.counted != sum || snapshot.confirmed != sum {
            return Err(format!(
                "{name}: {} counted and {} confirmed of {sum}",
                snapshot.counted, snapshot.confirmed
            ));
        }
        let status = if sum >= order.order.amount {
            OrderStatus::Completed
        } else if sum.is_zero() {
            OrderStatus::AwaitingPayment
        } else {
            OrderStatus::PartiallyPaid
        };
        if snapshot.status != status {
            return Err(format!("{name} is {} instead of {status}", snapshot.status));
        }
    }
    Ok(())
}

/// What was told: every arrival once for each time, every retraction, and no confirmation of what
/// was never on the chain.
pub(crate) async fn what_was_told_is_true(
    store: &Store,
    truth: &SimChain,
    orders: &[OrderRecord],
) -> Result<(), String> {
    let mut told: BTreeMap<PaymentId, Vec<EventKind>> = BTreeMap::new();
    let mut seq = 0;
    loop {
        let events = hold(store.events_after(seq, 500)).await;
        let events = events.map_err(|error| in_one_line(&error))?;
        let Some(last) = events.last() else { break };
        seq = last.seq;
        for event in events.iter().filter_map(|event| event.of_order()) {
            if let Some(payment) = event.event.payment {
                told.entry(payment).or_default().push(event.event.kind);
            }
        }
    }
    let mut known = BTreeSet::new();
    for payment in orders.iter().flat_map(|order| &order.payments) {
        let id = payment.recorded.transfer.payment_id();
        known.insert(id);
        let events = told.get(&id).map(Vec::as_slice).unwrap_or_default();
        follows_the_rules(events, payment)
            .map_err(|what| format!("{id}: {what}; told: {events:?}"))?;
        if events.contains(&EventKind::PaymentConfirmed) {
            let transfer = &payment.recorded.transfer;
            let block = truth.ever_had(transfer.id.block_hash);
            let paid = block.and_then(|block| paid_in(&block).get(&transfer.id).copied());
            if paid != Some((transfer.to, transfer.amount)) {
                return Err(format!("{id} was confirmed and was never on the chain"));
            }
        }
    }
    match told.keys().find(|id| !known.contains(*id)) {
        Some(id) => Err(format!("{id} was told of and is in no order's books")),
        None => Ok(()),
    }
}

/// A payment is detected, perhaps confirmed, perhaps reverted, and so on from the start.
fn follows_the_rules(events: &[EventKind], payment: &PaymentRecord) -> Result<(), &'static str> {
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
            | EventKind::OrderAccepted
            | EventKind::PaymentAssigned
            | EventKind::PaymentUnassigned
            | EventKind::PaymentUnmatched
            | EventKind::PaymentWrongAsset
            | EventKind::PaymentWrittenOff => false,
        };
        if !is_possible {
            return Err("an event out of order");
        }
    }
    if is_there == payment.reverted_at.is_some() {
        return Err("its last event is not what it is");
    }
    if is_there && is_confirmed != (payment.state == PaymentState::Confirmed) {
        return Err("it was not told of as it is");
    }
    Ok(())
}
