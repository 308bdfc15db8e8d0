//! What the books must say, by one who sees the true chain.

use std::collections::BTreeMap;

use paywatch_core::{
    Address, Amount, BlockNumber, ContractPayment, Loose, MethodKind, Order, OrderId, OrderStatus,
    TransferId,
};
use paywatch_indexer::{decode, decode_paid};
use paywatch_simulator::{Ledger as _, SimBlock, SimChain, SimTransaction};
use paywatch_store::{BookedPlace, BookedTransfer, OrderRecord};

use crate::model::plan::{RECEIVER, TOKEN, TREASURY, chain_id, token};

/// A transfer of the accepted token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) amount: Amount,
    pub(crate) through: Option<ContractPayment>,
}

/// Where it belongs: to an order, or to none, as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belongs {
    Order(OrderId),
    Loose(Loose),
}

type Books = BTreeMap<TransferId, (Belongs, Moved)>;

/// The transfers of the accepted token in `block`.
pub(crate) fn moved_in(block: &SimBlock) -> BTreeMap<TransferId, Moved> {
    let mut moved = BTreeMap::new();
    let mut first = 0;
    for transaction in &block.transactions {
        for (place, one) in moved_by(transaction) {
            let id = TransferId {
                chain_id: chain_id(),
                block_hash: block.hash,
                log_index: first + place,
            };
            moved.insert(id, one);
        }
        first += u64::try_from(transaction.logs.len()).expect("there are few");
    }
    moved
}

/// The same of one transaction, by the places of the logs in it.
fn moved_by(transaction: &SimTransaction) -> BTreeMap<u64, Moved> {
    let mut moved: BTreeMap<u64, Moved> = BTreeMap::new();
    for (log, place) in transaction.logs.iter().zip(0_u64..) {
        let (topics, data) = (log.topics(), &log.data.data);
        if log.address == TOKEN
            && let Ok(Some(movement)) = decode(TOKEN, topics, data)
            && let Ok(amount) = Amount::from_base_units(movement.value, token().decimals)
        {
            let one = Moved {
                from: movement.from,
                to: movement.to,
                amount,
                through: None,
            };
            moved.insert(place, one);
        }
        if log.address == RECEIVER
            && let Some(said) = decode_paid(topics, data)
            && said.token == TOKEN
            && let Ok(amount) = Amount::from_base_units(said.amount, token().decimals)
        {
            let of = moved.values_mut().rev().find(|one| {
                one.through.is_none() && one.to == said.treasury && one.amount == amount
            });
            if let Some(of) = of {
                of.through = Some(ContractPayment {
                    receiver: RECEIVER,
                    payer: said.payer,
                    order_ref: said.order_ref,
                });
            }
        }
    }
    moved
}

/// Where `moved` belongs, if it concerns the merchant at all.
fn belongs(moved: &Moved, orders: &[Order]) -> Option<Belongs> {
    let at = |address: Address| {
        let mut orders = orders.iter();
        orders.find(|order| order.options[0].address == address)
    };
    let is_watched = |address| address == TREASURY || at(address).is_some();
    if !is_watched(moved.to) && moved.from != TREASURY {
        return None;
    }
    if moved.amount.is_zero() {
        return Some(Belongs::Loose(Loose::ZeroValue));
    }
    if let Some(order) = at(moved.to) {
        return Some(Belongs::Order(order.id));
    }
    if moved.to != TREASURY {
        return Some(Belongs::Loose(Loose::Sent));
    }
    let named = moved.through.and_then(|through| {
        let mut orders = orders.iter();
        orders.find(|order| {
            let mut options = order.options.iter();
            order.id.to_contract_ref() == through.order_ref
                && options.any(|option| option.method.kind() == MethodKind::Contract)
        })
    });
    Some(match named {
        Some(order) => Belongs::Order(order.id),
        None if is_watched(moved.from) => Belongs::Loose(Loose::Moved),
        None => Belongs::Loose(Loose::Unmatched),
    })
}

/// What the books must hold of the true chain, from block `first` to `last`.
fn true_books(
    truth: &SimChain,
    (first, last): (BlockNumber, BlockNumber),
    orders: &[Order],
) -> Books {
    let blocks = truth.from(first);
    let blocks = blocks.iter();
    let covered = blocks.take_while(|block| block.header.number <= last);
    let moved = covered.flat_map(|block| moved_in(block));
    moved
        .filter_map(|(id, moved)| Some((id, (belongs(&moved, orders)?, moved))))
        .collect()
}

/// What the books do hold.
fn books(booked: &[BookedTransfer]) -> Result<Books, String> {
    let mut books = Books::new();
    for booked in booked {
        let transfer = &booked.recorded.transfer;
        let belongs = match booked.place {
            BookedPlace::Order { id, .. } => Belongs::Order(id),
            BookedPlace::Loose(loose) => Belongs::Loose(loose),
        };
        let moved = Moved {
            from: transfer.from,
            to: transfer.to,
            amount: transfer.amount,
            through: transfer.paid_through,
        };
        if books.insert(transfer.id, (belongs, moved)).is_some() {
            return Err(format!("{:?} is in the books twice", transfer.id));
        }
    }
    Ok(books)
}

/// While all goes on: if the tip in the books is on the true chain, everything up to it is in the
/// books. What a receiver said, and so whose it is, may still be a lie: it is not shown yet.
pub(crate) fn nothing_is_lost(
    truth: &SimChain,
    (first, tip): (BlockNumber, BlockNumber),
    orders: &[Order],
    booked: &[BookedTransfer],
) -> Result<(), String> {
    let booked = books(booked)?;
    for (id, (belongs, moved)) in true_books(truth, (first, tip), orders) {
        let known = booked.get(&id).map(|(_, known)| (known.to, known.amount));
        if known != Some((moved.to, moved.amount)) {
            return Err(format!(
                "covered up to block {tip}, and {} of {id:?} to {belongs:?} are not in the books",
                moved.amount
            ));
        }
    }
    Ok(())
}

/// At the end: the books are the chain, to the last unit.
pub(crate) fn the_books_are_the_chain(
    truth: &SimChain,
    covered: (BlockNumber, BlockNumber),
    orders: &[Order],
    booked: &[BookedTransfer],
) -> Result<(), String> {
    let mut expected = true_books(truth, covered, orders);
    let mut booked = books(booked)?;
    // Nobody asks who was paid nothing for what.
    for (_, moved) in expected.values_mut().chain(booked.values_mut()) {
        if moved.amount.is_zero() {
            moved.through = None;
        }
    }
    let differing = differences(truth, &booked, &expected);
    if differing.is_empty() {
        Ok(())
    } else {
        Err(differing.join("; "))
    }
}

fn differences(truth: &SimChain, booked: &Books, expected: &Books) -> Vec<String> {
    let tell = |what: &str, (id, of): (&TransferId, &(Belongs, Moved))| {
        let block = truth.ever_had(id.block_hash);
        let canonical = block.as_ref().map(|block| {
            let number = block.header.number;
            (
                number,
                truth.at(number).map(|block| block.hash) == Some(id.block_hash),
            )
        });
        format!(
            "{what} {of:?} in log {} of {} (height, and whether it is on the chain: {canonical:?})",
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

/// At the end: each order is what the chain has paid for it.
pub(crate) fn orders_are_what_was_paid(
    truth: &SimChain,
    covered: (BlockNumber, BlockNumber),
    records: &[OrderRecord],
) -> Result<(), String> {
    let orders: Vec<Order> = records.iter().map(|record| record.order.clone()).collect();
    let paid = true_books(truth, covered, &orders);
    for record in records {
        let order = &record.order;
        let name = order.reference.as_str();
        let sum = paid
            .values()
            .filter(|(belongs, _)| *belongs == Belongs::Order(order.id))
            .try_fold(Amount::ZERO, |sum, (_, moved)| {
                sum.checked_add(moved.amount)
            });
        let sum = sum.ok_or("the sum is too large")?;
        let snapshot = &record.snapshot;
        if snapshot.counted != sum || snapshot.confirmed != sum {
            return Err(format!(
                "{name}: {} counted and {} confirmed of {sum}",
                snapshot.counted, snapshot.confirmed
            ));
        }
        let status = if sum >= order.amount {
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
