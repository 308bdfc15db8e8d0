//! What the books must say, by one who sees the true chain.

use std::collections::BTreeMap;
use std::fmt::Debug;

use paywatch_core::{
    Address, Amount, BlockNumber, ContractPayment, Loose, MethodKind, Order, OrderId, OrderStatus,
    Timestamp, TransferId,
};
use paywatch_indexer::{decode, decode_paid};
use paywatch_simulator::{Ledger as _, SimBlock, SimChain, SimTransaction};
use paywatch_store::{BookedPlace, BookedTransfer, OrderRecord};

use crate::model::plan::{RECEIVER, TOKEN, TREASURY, WALLET, chain_id, token};
use crate::model::shop;

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

/// What the books hold.
type Books = BTreeMap<TransferId, (Belongs, Moved)>;
/// What they must hold: each transfer at one of these places.
type Expected = BTreeMap<TransferId, (Vec<Belongs>, Moved)>;

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

/// Where `moved` belongs, if it concerns the merchant at all. There is more than one answer only
/// for an amount that one order had after the other.
fn belongs(moved: &Moved, mined_at: Timestamp, orders: &[Order]) -> Vec<Belongs> {
    let at = |address: Address| {
        let mut orders = orders.iter();
        orders.find(|order| shop::deposit(order) == Some(address))
    };
    let is_own = |address| address == TREASURY || address == WALLET;
    let is_watched = |address| is_own(address) || at(address).is_some();
    if !is_watched(moved.to) && !is_own(moved.from) {
        return Vec::new();
    }
    if moved.amount.is_zero() {
        return vec![Belongs::Loose(Loose::ZeroValue)];
    }
    if let Some(order) = at(moved.to) {
        return vec![Belongs::Order(order.id)];
    }
    if !is_own(moved.to) {
        return vec![Belongs::Loose(Loose::Sent)];
    }
    let nobodys = if is_watched(moved.from) {
        Loose::Moved
    } else {
        Loose::Unmatched
    };
    if moved.to == WALLET && moved.through.is_none() && nobodys == Loose::Unmatched {
        let owners = shop::owners(orders, moved.amount, mined_at).into_iter();
        let places = owners.map(|owner| owner.map_or(Belongs::Loose(nobodys), Belongs::Order));
        return places.collect();
    }
    let named = moved.through.and_then(|through| {
        let mut orders = orders.iter();
        orders.find(|order| {
            let mut options = order.options.iter();
            order.id.to_contract_ref() == through.order_ref
                && options.any(|option| option.method.kind() == MethodKind::Contract)
        })
    });
    vec![named.map_or(Belongs::Loose(nobodys), |order| Belongs::Order(order.id))]
}

/// What the books must hold of the true chain, from block `first` to `last`.
fn true_books(
    truth: &SimChain,
    (first, last): (BlockNumber, BlockNumber),
    orders: &[Order],
) -> Expected {
    let blocks = truth.from(first);
    let covered = blocks
        .iter()
        .take_while(|block| block.header.number <= last);
    let mut expected = Expected::new();
    for block in covered {
        let mined_at = Timestamp::from_unix_s(block.header.timestamp).expect("it is a time");
        for (id, moved) in moved_in(block) {
            let places = belongs(&moved, mined_at, orders);
            if !places.is_empty() {
                expected.insert(id, (places, moved));
            }
        }
    }
    expected
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
    for (id, (places, moved)) in true_books(truth, (first, tip), orders) {
        let known = booked.get(&id).map(|(_, known)| (known.to, known.amount));
        if known != Some((moved.to, moved.amount)) {
            return Err(format!(
                "covered up to block {tip}, and {} of {id:?} to {places:?} are not in the books",
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
    let moved = booked.values_mut().map(|(_, moved)| moved);
    for moved in moved.chain(expected.values_mut().map(|(_, moved)| moved)) {
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

fn differences(truth: &SimChain, booked: &Books, expected: &Expected) -> Vec<String> {
    let tell = |what: &str, id: &TransferId, of: &dyn Debug| {
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
    let is_as_expected = |id| match (booked.get(id), expected.get(id)) {
        (Some((place, moved)), Some((places, truly))) => moved == truly && places.contains(place),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let extra = booked
        .iter()
        .filter(|(id, _)| !is_as_expected(id))
        .map(|(id, of)| tell("the books hold", id, of));
    let missing = expected
        .iter()
        .filter(|(id, _)| !is_as_expected(id))
        .map(|(id, of)| tell("they lack", id, of));
    extra.chain(missing).collect()
}

/// At the end: each order is what the books, which are the chain, hold for it.
pub(crate) fn orders_are_what_was_paid(
    truth: &SimChain,
    booked: &[BookedTransfer],
    records: &[OrderRecord],
) -> Result<(), String> {
    let paid = books(booked)?;
    let now = truth.head().header.timestamp;
    let now = Timestamp::from_unix_s(now).expect("it is a time");
    for record in records {
        let order = &record.order;
        let name = order.reference.as_str();
        let sum = paid
            .values()
            .filter(|(belongs, moved)| {
                // Who names an order has to pay to where its contract option says.
                let is_elsewhere = moved.to == WALLET && moved.through.is_some();
                *belongs == Belongs::Order(order.id) && !is_elsewhere
            })
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
        let status = if sum >= order.threshold() {
            OrderStatus::Completed
        } else if now > order.closes_at() {
            OrderStatus::Expired
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
