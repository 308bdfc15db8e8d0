//! What is paid on the true chain: to orders, through the receiver, by the merchant, and noise.

use paywatch_core::{Address, B256, Order, OrderId, U256};
use paywatch_simulator::{SimPaid, SimTransaction, SimTransfer};
use rand::Rng as _;
use rand::rngs::StdRng;

use crate::model::plan::{OTHER_TOKEN, RECEIVER, TOKEN, TREASURY, WALLET, pick, token};
use crate::model::shop;

const CUSTOMER: Address = Address::repeat_byte(0xaa);
const STRANGER: Address = Address::repeat_byte(0xcc);
/// A contract that says what the receiver says, and that nobody configured.
const IMPOSTOR: Address = Address::repeat_byte(0x51);

/// A transaction that pays `orders`, or something else. `nonce` is its own.
pub(crate) fn draw(rng: &mut StdRng, orders: &[Order], nonce: u64) -> SimTransaction {
    let count = rng.random_range(1..3);
    if rng.random_ratio(1, 3) {
        let payments: Vec<_> = (0..count).map(|_| through(rng, orders)).collect();
        return mixed(rng, &payments, nonce);
    }
    let transfers: Vec<_> = (0..count).map(|_| plain(rng, orders)).collect();
    SimTransaction::moving(&transfers, nonce)
}

fn units(rng: &mut StdRng) -> U256 {
    U256::from(rng.random_range(0..40_u64) * 500_000)
}

/// The address of one of `orders`, or of somebody else.
fn somebody(rng: &mut StdRng, orders: &[Order], else_: Address) -> Address {
    let order = rng.random_range(0..orders.len() + 1);
    let address = orders
        .get(order)
        .map(|order| shop::deposit(order).unwrap_or(WALLET));
    address.unwrap_or(else_)
}

/// What is paid to the wallet: the amount of one of `orders`, or about that.
fn exactly(rng: &mut StdRng, orders: &[Order]) -> U256 {
    let slots: Vec<_> = orders.iter().filter_map(shop::slot).collect();
    if slots.is_empty() || rng.random_ratio(1, 4) {
        return units(rng);
    }
    let slot = pick(rng, &slots);
    let amount = *pick(rng, &[slot.high(), slot.high(), slot.low()]);
    let exact = amount.to_base_units(token().decimals).expect("it fits");
    let about = exact + U256::from(rng.random_range(0..2_u64));
    *pick(rng, &[exact, exact, exact, about])
}

fn plain(rng: &mut StdRng, orders: &[Order]) -> SimTransfer {
    let (from, to) = match rng.random_range(0..8) {
        // The merchant pays somebody, or moves it.
        0 => (
            *pick(rng, &[TREASURY, WALLET]),
            somebody(rng, orders, STRANGER),
        ),
        1 => (TREASURY, STRANGER),
        2 => (somebody(rng, orders, TREASURY), TREASURY),
        3 => (CUSTOMER, TREASURY),
        _ => (CUSTOMER, somebody(rng, orders, STRANGER)),
    };
    let is_noise = rng.random_ratio(1, 8);
    SimTransfer {
        token: if is_noise { OTHER_TOKEN } else { TOKEN },
        from,
        to,
        value: if to == WALLET {
            exactly(rng, orders)
        } else {
            units(rng)
        },
    }
}

fn through(rng: &mut StdRng, orders: &[Order]) -> SimPaid {
    let order = rng.random_range(0..orders.len() + 1);
    let nobody = OrderId::from_bytes([0x77; 16]);
    let order = orders.get(order).map_or(nobody, |order| order.id);
    let is_odd = rng.random_ratio(1, 10);
    SimPaid {
        receiver: if rng.random_ratio(1, 8) {
            IMPOSTOR
        } else {
            RECEIVER
        },
        transfer: SimTransfer {
            token: if rng.random_ratio(1, 10) {
                OTHER_TOKEN
            } else {
                TOKEN
            },
            from: CUSTOMER,
            to: if rng.random_ratio(1, 10) {
                somebody(rng, orders, STRANGER)
            } else {
                TREASURY
            },
            value: units(rng),
        },
        order_ref: if is_odd {
            B256::repeat_byte(0x99)
        } else {
            order.to_contract_ref()
        },
    }
}

/// A transaction with `payments`, and in some the logs are not one after the other: those of the
/// tokens first, or a transfer is missing.
fn mixed(rng: &mut StdRng, payments: &[SimPaid], nonce: u64) -> SimTransaction {
    let mut transaction = SimTransaction::paying(payments, nonce);
    match rng.random_range(0..6) {
        0 => {
            let transfers = payments.iter().map(|paid| paid.transfer.log());
            let words = payments.iter().map(SimPaid::log);
            transaction.logs = transfers.chain(words).collect();
        },
        1 => drop(transaction.logs.remove(0)),
        2 => {
            let again = transaction.logs[0].clone();
            transaction.logs.insert(0, again);
        },
        _ => {},
    }
    transaction
}
