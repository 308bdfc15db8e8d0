//! The orders that the shop makes, and whose amount a payment to the shared wallet is.

use std::collections::BTreeMap;

use paywatch_core::{
    Address, Amount, Asking, FinalityRule, FinalityTag, LatePolicy, MethodKind, Order, OrderId,
    OrderStatus, PaymentMethod, PaymentOption, Slot, SlotTerms, Timestamp,
};
use paywatch_store::{NewOrder, OrderRecord, SlotWish};
use rand::Rng as _;
use rand::rngs::StdRng;

use crate::model::plan::{Plan, RECEIVER, TREASURY, WALLET, pick, token};

/// By how much a block may be older than an order that its payment pays by an exact amount.
const SKEW_MS: i64 = 120_000;
/// For how long an amount stays taken: longer than that, or a payment in time could pay a later
/// order.
const QUARANTINE_MS: i64 = 150_000;

/// The order with `number`, made at `created_at`: with an address of its own, or with an amount of
/// its own at the wallet that all share; in most also to be paid through the receiver.
pub(crate) fn draw(rng: &mut StdRng, plan: &Plan, number: u8, created_at: Timestamp) -> NewOrder {
    let finality = finality(rng, plan);
    let is_exact = number > 1 && rng.random();
    let mut options = Vec::new();
    let mut slots = Vec::new();
    let mut tolerance = Amount::ZERO;
    if is_exact {
        tolerance = pick(rng, &["0", "0", "0.5"]).parse().expect("it is one");
        slots.push(wish(finality, tolerance));
    } else {
        options.push(PaymentOption {
            token: token(),
            address: Address::repeat_byte(number),
            method: PaymentMethod::DepositAddress {
                factory: Address::repeat_byte(0xfa),
                treasury: TREASURY,
            },
            finality,
        });
    }
    if rng.random_ratio(3, 4) {
        options.push(PaymentOption {
            token: token(),
            address: TREASURY,
            method: PaymentMethod::Contract { receiver: RECEIVER },
            finality,
        });
    }
    let amount = if is_exact {
        *pick(rng, &[3, 3, 5])
    } else {
        rng.random_range(1..60)
    };
    // Blocks are 12 s apart.
    let open_for = if is_exact {
        rng.random_range(3..40) * 12_000
    } else {
        1_000_000_000_000
    };
    let order = Order {
        id: OrderId::from_bytes([number; 16]),
        reference: format!("ORDER-{number}").parse().expect("it is one"),
        amount: whole(amount),
        asking: Asking::Exactly,
        accepted: None,
        tolerance,
        late_policy: LatePolicy::Accept,
        options,
        created_at,
        expires_at: created_at.plus_ms(open_for).expect("it is a time"),
        grace_ms: 0,
        cancelled_at: None,
        metadata: BTreeMap::new(),
    };
    NewOrder {
        order,
        request_digest: format!("{number:064x}"),
        slots,
        callback: None,
    }
}

fn finality(rng: &mut StdRng, plan: &Plan) -> FinalityRule {
    let rule = FinalityRule::confirmations(rng.random_range(1..6)).expect("it is a rule");
    let rule = if rng.random_ratio(1, 3) {
        rule.and_tag(FinalityTag::Finalized)
    } else {
        rule
    };
    rule.and_proof(plan.proof)
}

fn wish(finality: FinalityRule, tolerance: Amount) -> SlotWish {
    let half = "0.5".parse().expect("it is an amount");
    SlotWish {
        token: token(),
        wallets: vec![WALLET],
        finality,
        tolerance,
        terms: SlotTerms::new(half, whole(1), QUARANTINE_MS).expect("it is a step"),
    }
}

fn whole(units: u64) -> Amount {
    units.to_string().parse().expect("it is an amount")
}

/// The address that only `order` has, if it has one.
pub(crate) fn deposit(order: &Order) -> Option<Address> {
    let mut options = order.options.iter();
    let option = options.find(|option| option.method.kind() == MethodKind::DepositAddress)?;
    Some(option.address)
}

/// The amounts at the wallet that are `order`'s, if it has some.
pub(crate) fn slot(order: &Order) -> Option<Slot> {
    order.options.iter().find_map(|option| match option.method {
        PaymentMethod::ExactAmount { slot } => Some(slot),
        PaymentMethod::DepositAddress { .. } | PaymentMethod::Contract { .. } => None,
    })
}

/// Whose `amount` at the wallet may be, in a block of the time `mined_at`: that of the order that
/// had the amount when the block was read, which was after all orders that are older than it.
/// Each order takes its amounts from those that had them before, and a payment that is older than
/// the order is nobody's then.
pub(crate) fn owners(
    orders: &[Order],
    amount: Amount,
    mined_at: Timestamp,
) -> Vec<Option<OrderId>> {
    let mut taken: Vec<(Slot, &Order)> = Vec::new();
    let mut allowed = Vec::new();
    let mut at_once = |taken: &[(Slot, &Order)]| {
        let owner = taken.iter().find(|(slot, _)| slot.takes(amount));
        let owner = owner.filter(|(_, order)| {
            let latest = mined_at.plus_ms(SKEW_MS).expect("it is a time");
            latest >= order.created_at
        });
        let owner = owner.map(|(_, order)| order.id);
        if !allowed.contains(&owner) {
            allowed.push(owner);
        }
    };
    let mut is_read = false;
    for order in orders {
        let Some(slot) = slot(order) else { continue };
        // From here on it may be read.
        is_read |= order.created_at >= mined_at;
        if is_read {
            at_once(&taken);
        }
        taken.retain(|(other, _)| !other.overlaps(&slot));
        taken.push((slot, order));
    }
    at_once(&taken);
    allowed
}

/// Whether the amounts of `order`, made just now, were free: each of `others` that had one of them
/// has ended, and its quarantine is over.
pub(crate) fn was_free(order: &Order, others: &[OrderRecord]) -> Result<(), String> {
    let Some(slot) = slot(order) else {
        return Ok(());
    };
    for record in others {
        let other = &record.order;
        if !self::slot(other).is_some_and(|other| other.overlaps(&slot)) {
            continue;
        }
        let earliest = match record.snapshot.status {
            OrderStatus::Expired => other.closes_at(),
            // Nobody keeps when it was.
            OrderStatus::Completed
            | OrderStatus::Cancelled
            | OrderStatus::AwaitingPayment
            | OrderStatus::PartiallyPaid
            | OrderStatus::Paid => other.created_at,
        };
        let free_at = earliest.plus_ms(QUARANTINE_MS).expect("it is a time");
        if order.created_at < free_at {
            return Err(format!(
                "{} was given amounts of {}, which is {}",
                order.reference.as_str(),
                other.reference.as_str(),
                record.snapshot.status,
            ));
        }
    }
    Ok(())
}
