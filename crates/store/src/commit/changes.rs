//! What an update makes of the orders: their snapshots, their payments, their events.

use std::collections::BTreeMap;

use paywatch_core::{BlockNumber, OrderId, PaymentState, Timestamp, TransferId};
use sqlx::AnyConnection;

use crate::batch::rows_of;
use crate::error::{StoreError, failed};
use crate::events::{NewEvent, append};
use crate::fields::{Fields, chain_number, flags, hash, maybe_number, number};
use crate::record::OrderChange;
use crate::store::take_event_numbers;

/// What the books hold of one payment beside its transfer.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    state: PaymentState,
    is_late: bool,
    confirmed_at_tip: Option<BlockNumber>,
}

type Standings = BTreeMap<TransferId, Standing>;

/// Applies `changes` as of `at`.
pub(super) async fn apply(
    connection: &mut AnyConnection,
    changes: &[OrderChange],
    at: Timestamp,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    // By id, whatever order they come in: two chains that change the same orders at once then
    // wait for each other instead of both giving up.
    let by_id: BTreeMap<OrderId, &OrderChange> = changes
        .iter()
        .map(|change| (change.order_id, change))
        .collect();
    if by_id.len() != changes.len() {
        return Err(StoreError::refused("an order is changed twice"));
    }
    let mut told = BTreeMap::new();
    for (order_id, change) in &by_id {
        told.insert(*order_id, update_order(connection, change, at).await?);
    }
    let mut stored = standings(connection, &by_id).await?;
    for (order_id, change) in &by_id {
        let stored = stored.remove(order_id).unwrap_or_default();
        update_payments(connection, change, &stored).await?;
    }
    append_events(connection, changes, &told, at).await
}

/// Writes the order's snapshot; returns how many events it has had before this change.
async fn update_order(
    connection: &mut AnyConnection,
    change: &OrderChange,
    at: Timestamp,
) -> Result<i64, StoreError> {
    let snapshot = &change.snapshot;
    let new_events = number(
        u64::try_from(change.events.len()).unwrap_or(u64::MAX),
        "events",
    )?;
    let told: Option<i64> = sqlx::query_scalar(
        "UPDATE orders SET status = $3, flags = $4, received = $5, counted = $6, \
         confirmed = $7, excess = $8, updated_at = $9, version = version + 1, \
         event_count = event_count + $10 WHERE id = $1 AND version = $2 \
         RETURNING event_count - $10",
    )
    .bind(change.order_id.to_string())
    .bind(number(change.expected_version, "version")?)
    .bind(snapshot.status.name())
    .bind(flags(snapshot.flags))
    .bind(snapshot.received.to_string())
    .bind(snapshot.counted.to_string())
    .bind(snapshot.confirmed.to_string())
    .bind(snapshot.excess.to_string())
    .bind(at.unix_ms())
    .bind(new_events)
    .fetch_optional(connection)
    .await
    .map_err(failed("write an order's snapshot"))?;
    told.ok_or_else(|| StoreError::stale(format!("order {}", change.order_id)))
}

/// What the books hold of the payments of the orders in `changes` that are on their chains.
async fn standings(
    connection: &mut AnyConnection,
    changes: &BTreeMap<OrderId, &OrderChange>,
) -> Result<BTreeMap<OrderId, Standings>, StoreError> {
    let ids: Vec<String> = changes.keys().map(ToString::to_string).collect();
    let before = "SELECT order_id, chain_id, block_hash, log_index, state, is_late, \
        confirmed_at_tip FROM transfers WHERE canonical = 1 AND order_id IN";
    let mut stored: BTreeMap<OrderId, Standings> = BTreeMap::new();
    for row in rows_of(connection, &ids, before, "", "read payments").await? {
        let fields = Fields::of(&row, "transfers", "block_hash");
        let standing = Standing {
            state: fields.parsed("state")?,
            is_late: fields.flag("is_late")?,
            confirmed_at_tip: fields.maybe_number("confirmed_at_tip")?,
        };
        let of_order = stored.entry(fields.parsed("order_id")?).or_default();
        of_order.insert(fields.transfer_id()?, standing);
    }
    Ok(stored)
}

/// Writes what the payments have become. The snapshot must name exactly those that are there.
async fn update_payments(
    connection: &mut AnyConnection,
    change: &OrderChange,
    stored: &Standings,
) -> Result<(), StoreError> {
    let snapshot = &change.snapshot;
    if !snapshot.payments.keys().eq(stored.keys()) {
        let order = change.order_id;
        let what = format!("the snapshot of order {order} names other payments than the books");
        return Err(StoreError::refused(what));
    }
    for (id, state) in &snapshot.payments {
        let standing = Standing {
            state: *state,
            is_late: snapshot.late.contains(id),
            confirmed_at_tip: change.confirmed_at_tip.get(id).copied(),
        };
        if stored.get(id) != Some(&standing) {
            update_payment(connection, id, standing).await?;
        }
    }
    Ok(())
}

async fn update_payment(
    connection: &mut AnyConnection,
    id: &TransferId,
    standing: Standing,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE transfers SET state = $4, is_late = $5, confirmed_at_tip = $6 \
         WHERE chain_id = $1 AND block_hash = $2 AND log_index = $3",
    )
    .bind(chain_number(id.chain_id)?)
    .bind(hash(&id.block_hash))
    .bind(number(id.log_index, "log index")?)
    .bind(standing.state.name())
    .bind(i64::from(standing.is_late))
    .bind(maybe_number(standing.confirmed_at_tip, "block")?)
    .execute(connection)
    .await
    .map_err(failed("write a payment"))?;
    Ok(())
}

/// Appends the events of `changes` in their order. `told` says how many each order had before.
async fn append_events(
    connection: &mut AnyConnection,
    changes: &[OrderChange],
    told: &BTreeMap<OrderId, i64>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut events = Vec::new();
    for change in changes {
        let before = told.get(&change.order_id).copied().unwrap_or_default();
        for (event, order_seq) in change.events.iter().zip(before.saturating_add(1)..) {
            events.push(NewEvent {
                seq: 0,
                order_id: change.order_id,
                order_seq,
                event,
                snapshot: &change.snapshot,
                at,
            });
        }
    }
    if events.is_empty() {
        return Ok(());
    }
    let count = number(u64::try_from(events.len()).unwrap_or(u64::MAX), "events")?;
    let last = take_event_numbers(connection, count).await?;
    let first = last.saturating_sub(count).saturating_add(1);
    for (event, seq) in events.iter_mut().zip(first..) {
        event.seq = seq;
    }
    append(connection, &events).await
}
