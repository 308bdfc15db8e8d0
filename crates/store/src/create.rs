//! Making an order, once.

use std::collections::BTreeSet;

use paywatch_core::{Event, EventKind, MethodKind, Order, OrderId, PaymentMethod, Snapshot};
use sqlx::AnyConnection;

use crate::batch::{Value, insert};
use crate::error::{StoreError, failed};
use crate::events::{NewEvent, append};
use crate::fields::{Fields, address, chain_number, flags, number};
use crate::load::load_orders;
use crate::record::{CreateOutcome, NewOrder, OrderRecord, SlotWish};
use crate::slots;
use crate::store::{Store, commit, take_event_numbers};

/// The version of an order that was just made.
const FIRST_VERSION: i64 = 1;

impl Store {
    /// Makes an order with its addresses, its amounts and its `order.created` event, unless its
    /// reference is taken or no amount is free. Two who ask at once get one order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_order(&self, new: &NewOrder) -> Result<CreateOutcome, StoreError> {
        let mut tx = self.write().await?;
        if let Some(outcome) = find(&mut tx, new).await? {
            return Ok(outcome);
        }
        let seq = take_event_numbers(&mut tx, 1).await?;
        let exact = match slots::choose(&mut tx, new).await? {
            Ok(options) => options,
            Err(SlotWish { token, .. }) => {
                let token = token.clone();
                return Ok(CreateOutcome::NoFreeAmount { token });
            },
        };
        if !insert_order(&mut tx, new, seq).await? {
            // A twin was faster. What it wrote is seen by a new transaction.
            tx.rollback().await.map_err(failed("undo"))?;
            let mut tx = self.read().await?;
            let outcome = find(&mut tx, new).await?;
            return outcome.ok_or_else(|| StoreError::stale("the order's reference"));
        }
        slots::take(&mut tx, new, &exact).await?;
        let mut order = new.order.clone();
        order.options.extend(exact);
        insert_options(&mut tx, &order).await?;
        insert_metadata(&mut tx, &order).await?;
        insert_addresses(&mut tx, &order, seq).await?;
        let created = Event {
            kind: EventKind::OrderCreated,
            payment: None,
        };
        let snapshot = Snapshot::new();
        let event = NewEvent {
            seq,
            order_id: order.id,
            order_seq: 1,
            event: &created,
            snapshot: &snapshot,
            at: order.created_at,
        };
        append(&mut tx, &[event]).await?;
        commit(tx).await?;
        Ok(CreateOutcome::Created(OrderRecord {
            updated_at: order.created_at,
            order,
            snapshot,
            version: FIRST_VERSION.unsigned_abs(),
            seq: seq.unsigned_abs(),
            payments: Vec::new(),
            refunds: Vec::new(),
        }))
    }
}

/// The order that has `new`'s reference.
async fn find(
    connection: &mut AnyConnection,
    new: &NewOrder,
) -> Result<Option<CreateOutcome>, StoreError> {
    let row = sqlx::query("SELECT id, request_digest FROM orders WHERE reference = $1")
        .bind(new.order.reference.as_str())
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed("look up a reference"))?;
    let Some(row) = row else {
        return Ok(None);
    };
    let fields = Fields::of(&row, "orders", "id");
    let id: OrderId = fields.parsed("id")?;
    if fields.text("request_digest")? != new.request_digest {
        return Ok(Some(CreateOutcome::ReferenceTaken { by: id }));
    }
    let record = load_orders(connection, [id]).await?.remove(&id);
    Ok(record.map(CreateOutcome::Existing))
}

/// Inserts the order's own row; `false` if its reference is taken.
async fn insert_order(
    connection: &mut AnyConnection,
    new: &NewOrder,
    seq: i64,
) -> Result<bool, StoreError> {
    let order = &new.order;
    let start = Snapshot::new();
    let inserted = sqlx::query(
        "INSERT INTO orders (id, reference, request_digest, amount, tolerance, late_policy, \
         created_at, expires_at, cancelled_at, status, flags, received, counted, confirmed, \
         excess, version, event_count, seq, updated_at, asking, accepted, open_until, grace_ms) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1, $17, $7, \
         $18, $19, $8, $20) \
         ON CONFLICT (reference) DO NOTHING",
    )
    .bind(order.id.to_string())
    .bind(order.reference.as_str())
    .bind(new.request_digest.as_str())
    .bind(order.amount.to_string())
    .bind(order.tolerance.to_string())
    .bind(order.late_policy.name())
    .bind(order.created_at.unix_ms())
    .bind(order.closes_at().unix_ms())
    .bind(order.cancelled_at.map(paywatch_core::Timestamp::unix_ms))
    .bind(start.status.name())
    .bind(flags(start.flags))
    .bind(start.received.to_string())
    .bind(start.counted.to_string())
    .bind(start.confirmed.to_string())
    .bind(start.excess.to_string())
    .bind(FIRST_VERSION)
    .bind(seq)
    .bind(order.asking.name())
    .bind(order.accepted.map(|amount| amount.to_string()))
    .bind(i64::from(order.grace_ms))
    .execute(connection)
    .await
    .map_err(failed("write an order"))?;
    Ok(inserted.rows_affected() == 1)
}

async fn insert_options(connection: &mut AnyConnection, order: &Order) -> Result<(), StoreError> {
    let id = order.id.to_string();
    let mut rows = Vec::with_capacity(order.options.len());
    for (position, option) in (0_i64..).zip(&order.options) {
        let (deposit, receiver, slot) = match &option.method {
            PaymentMethod::DepositAddress { factory, treasury } => {
                (Some((factory, treasury)), None, None)
            },
            PaymentMethod::Contract { receiver } => (None, Some(receiver), None),
            PaymentMethod::ExactAmount { slot } => (None, None, Some(slot)),
        };
        let row: [Value; 16] = [
            id.clone().into(),
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
            number(
                u64::from(option.finality.min_confirmations()),
                "confirmations",
            )?
            .into(),
            option
                .finality
                .tag()
                .map(|tag| tag.name().to_owned())
                .into(),
            option.finality.proof().name().into(),
        ];
        rows.push(row);
    }
    let before = "INSERT INTO order_options (order_id, position, chain_id, token, symbol, \
        decimals, address, method, factory, treasury, receiver, slot_low, slot_high, \
        min_confirmations, finality_tag, proof)";
    insert(connection, &rows, before, "", "write payment options")
        .await
        .map(drop)
}

async fn insert_metadata(connection: &mut AnyConnection, order: &Order) -> Result<(), StoreError> {
    let id = order.id.to_string();
    let rows: Vec<[Value; 3]> = order
        .metadata
        .iter()
        .map(|(name, value)| {
            [
                id.clone().into(),
                name.as_str().into(),
                value.as_str().into(),
            ]
        })
        .collect();
    let before = "INSERT INTO order_metadata (order_id, name, value)";
    insert(connection, &rows, before, "", "write metadata")
        .await
        .map(drop)
}

async fn insert_addresses(
    connection: &mut AnyConnection,
    order: &Order,
    seq: i64,
) -> Result<(), StoreError> {
    let (own, shared): (Vec<_>, Vec<_>) = order
        .options
        .iter()
        .partition(|option| option.method.kind() == MethodKind::DepositAddress);
    let addresses: BTreeSet<_> = own.iter().map(|option| option.address).collect();
    let rows: Vec<[Value; 3]> = addresses
        .iter()
        .map(|watched| {
            [
                address(watched).into(),
                order.id.to_string().into(),
                seq.into(),
            ]
        })
        .collect();
    let before = "INSERT INTO watched_addresses (address, order_id, seq)";
    insert(connection, &rows, before, "", "write watched addresses").await?;
    let addresses: BTreeSet<_> = shared.iter().map(|option| option.address).collect();
    let rows: Vec<[Value; 1]> = addresses
        .iter()
        .map(|shared| [address(shared).into()])
        .collect();
    let before = "INSERT INTO shared_addresses (address)";
    let after = "ON CONFLICT (address) DO NOTHING";
    insert(connection, &rows, before, after, "write shared addresses")
        .await
        .map(drop)
}
