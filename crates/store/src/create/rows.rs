//! The rows of orders that are new to the books.

use std::collections::BTreeSet;

use paywatch_core::{
    CheckoutToken, MethodKind, Order, OrderId, OrderStatus, PaymentMethod, PaymentOption, Snapshot,
    Timestamp,
};
use sqlx::AnyConnection;

use crate::batch::{Value, insert};
use crate::error::{StoreError, failed};
use crate::fields::{address, chain_number, flags, number};
use crate::record::Callback;

/// An order to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fresh<'a> {
    pub(crate) order: &'a Order,
    pub(crate) request_digest: &'a str,
    /// The number of its first event.
    pub(crate) seq: i64,
    pub(crate) checkout: CheckoutToken,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) version: i64,
    pub(crate) event_count: i64,
    pub(crate) updated_at: Timestamp,
}

/// Inserts the orders' own rows; returns how many. One whose reference is taken is left out.
pub(crate) async fn insert_orders(
    connection: &mut AnyConnection,
    orders: &[Fresh<'_>],
) -> Result<usize, StoreError> {
    let mut rows = Vec::with_capacity(orders.len());
    for fresh in orders {
        rows.push(order_row(fresh)?);
    }
    let before = "INSERT INTO orders (id, reference, request_digest, amount, tolerance, \
        late_policy, created_at, expires_at, cancelled_at, status, flags, received, counted, \
        confirmed, excess, version, event_count, seq, updated_at, asking, accepted, open_until, \
        open_on, grace_ms, checkout_token)";
    let after = "ON CONFLICT (reference) DO NOTHING RETURNING seq";
    let inserted = insert(connection, &rows, before, after, "write an order").await?;
    Ok(inserted.len())
}

fn order_row(fresh: &Fresh<'_>) -> Result<[Value; 25], StoreError> {
    let (order, snapshot) = (fresh.order, fresh.snapshot);
    let is_open = match snapshot.status {
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid => true,
        OrderStatus::Paid
        | OrderStatus::Completed
        | OrderStatus::Expired
        | OrderStatus::Cancelled => false,
    };
    let first_chain = order.options.first().map(|option| option.token.chain_id);
    Ok([
        order.id.to_string().into(),
        order.reference.as_str().into(),
        fresh.request_digest.into(),
        order.amount.to_string().into(),
        order.tolerance.to_string().into(),
        order.late_policy.name().into(),
        order.created_at.unix_ms().into(),
        order.closes_at().unix_ms().into(),
        order.cancelled_at.map(Timestamp::unix_ms).into(),
        snapshot.status.name().into(),
        flags(snapshot.flags).into(),
        snapshot.received.to_string().into(),
        snapshot.counted.to_string().into(),
        snapshot.confirmed.to_string().into(),
        snapshot.excess.to_string().into(),
        fresh.version.into(),
        fresh.event_count.into(),
        fresh.seq.into(),
        fresh.updated_at.unix_ms().into(),
        order.asking.name().into(),
        order.accepted.map(|amount| amount.to_string()).into(),
        is_open.then(|| order.closes_at().unix_ms()).into(),
        first_chain.map(chain_number).transpose()?.into(),
        i64::from(order.grace_ms).into(),
        fresh.checkout.to_string().into(),
    ])
}

/// Inserts what belongs to orders whose own rows are there, without their amounts and events.
pub(crate) async fn insert_belongings(
    connection: &mut AnyConnection,
    orders: &[Fresh<'_>],
) -> Result<(), StoreError> {
    insert_options(connection, orders).await?;
    insert_places(connection, orders).await?;
    insert_metadata(connection, orders).await?;
    insert_addresses(connection, orders).await
}

/// Keeps where an order is told of besides.
pub(crate) async fn keep_callback(
    connection: &mut AnyConnection,
    order: OrderId,
    callback: &Callback,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE orders SET callback_url = $2, callback_origin = $3, callback_format = $4 \
         WHERE id = $1",
    )
    .bind(order.to_string())
    .bind(callback.url.as_str())
    .bind(callback.origin.as_str())
    .bind(callback.format.name())
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("write a callback"))
}

async fn insert_options(
    connection: &mut AnyConnection,
    orders: &[Fresh<'_>],
) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(orders.len());
    for fresh in orders {
        let id = fresh.order.id.to_string();
        for (position, option) in (0_i64..).zip(&fresh.order.options) {
            rows.push(option_row(&id, position, option)?);
        }
    }
    let before = "INSERT INTO order_options (order_id, position, chain_id, token, symbol, \
        decimals, address, method, factory, treasury, receiver, slot_low, slot_high, \
        min_confirmations, finality_tag, proof)";
    insert(connection, &rows, before, "", "write payment options")
        .await
        .map(drop)
}

fn option_row(
    order_id: &str,
    position: i64,
    option: &PaymentOption,
) -> Result<[Value; 16], StoreError> {
    let (deposit, receiver, slot) = match &option.method {
        PaymentMethod::DepositAddress { factory, treasury } => {
            (Some((factory, treasury)), None, None)
        },
        PaymentMethod::Contract { receiver } => (None, Some(receiver), None),
        PaymentMethod::ExactAmount { slot } => (None, None, Some(slot)),
    };
    let finality = &option.finality;
    let confirmations = u64::from(finality.min_confirmations());
    Ok([
        order_id.into(),
        position.into(),
        chain_number(option.token.chain_id)?.into(),
        address(&option.token.address).into(),
        option.token.symbol.as_str().into(),
        i64::from(option.token.decimals.get()).into(),
        address(&option.address).into(),
        option.method.kind().name().into(),
        deposit.map(|(factory, _)| address(factory)).into(),
        deposit.map(|(_, treasury)| address(treasury)).into(),
        receiver.map(address).into(),
        slot.map(|slot| slot.low().to_string()).into(),
        slot.map(|slot| slot.high().to_string()).into(),
        number(confirmations, "confirmations")?.into(),
        finality.tag().map(|tag| tag.name().to_owned()).into(),
        finality.proof().name().into(),
    ])
}

/// Writes where the orders may be paid and which flags they have, so that lists by chain, address and
/// flag find them by status.
async fn insert_places(
    connection: &mut AnyConnection,
    orders: &[Fresh<'_>],
) -> Result<(), StoreError> {
    let mut rows: Vec<[Value; 3]> = Vec::new();
    for fresh in orders {
        let mut places = BTreeSet::new();
        for option in &fresh.order.options {
            places.insert(option.token.chain_id.to_string());
            places.insert(address(&option.address));
        }
        let flags = fresh.snapshot.flags.names();
        places.extend(flags.into_iter().map(str::to_owned));
        for place in places {
            let status = fresh.snapshot.status.name();
            rows.push([fresh.seq.into(), place.into(), status.into()]);
        }
    }
    let before = "INSERT INTO order_places (seq, place, status)";
    insert(connection, &rows, before, "", "write places")
        .await
        .map(drop)
}

async fn insert_metadata(
    connection: &mut AnyConnection,
    orders: &[Fresh<'_>],
) -> Result<(), StoreError> {
    let mut rows: Vec<[Value; 4]> = Vec::new();
    for fresh in orders {
        let id = fresh.order.id.to_string();
        for (name, value) in &fresh.order.metadata {
            let (name, value) = (name.as_str(), value.as_str());
            let seq = fresh.seq.into();
            rows.push([id.as_str().into(), name.into(), value.into(), seq]);
        }
    }
    let before = "INSERT INTO order_metadata (order_id, name, value, seq)";
    insert(connection, &rows, before, "", "write metadata")
        .await
        .map(drop)
}

async fn insert_addresses(
    connection: &mut AnyConnection,
    orders: &[Fresh<'_>],
) -> Result<(), StoreError> {
    let mut own: Vec<[Value; 3]> = Vec::with_capacity(orders.len());
    let mut shared = BTreeSet::new();
    for fresh in orders {
        let mut addresses = BTreeSet::new();
        for option in &fresh.order.options {
            if option.method.kind() == MethodKind::DepositAddress {
                addresses.insert(option.address);
            } else {
                shared.insert(option.address);
            }
        }
        for watched in addresses {
            let id = fresh.order.id.to_string();
            own.push([address(&watched).into(), id.into(), fresh.seq.into()]);
        }
    }
    let before = "INSERT INTO watched_addresses (address, order_id, seq)";
    insert(connection, &own, before, "", "write watched addresses").await?;
    let shared: Vec<[Value; 1]> = shared
        .iter()
        .map(|shared| [address(shared).into()])
        .collect();
    let before = "INSERT INTO shared_addresses (address)";
    let after = "ON CONFLICT (address) DO NOTHING";
    insert(connection, &shared, before, after, "write shared addresses")
        .await
        .map(drop)
}
