//! The one way in which what happened on a chain reaches the books.

mod changes;
mod proofs;

pub(crate) use crate::commit::changes::apply as apply_changes;

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{BlockRef, OrderId, PaymentState, Timestamp, Transfer, TransferId};
use sqlx::AnyConnection;

use crate::batch::{Value, insert};
use crate::error::{StoreError, failed};
use crate::events::append_chain_events;
use crate::fields::{Fields, address, chain_number, hash, maybe_number, number};
use crate::record::ChainCommit;
use crate::store::{Store, commit};

impl Store {
    /// Moves a chain's cursor, and with it everything that follows from the blocks that it passes:
    /// blocks, transfers, orders and events, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the cursor or an order moved on since the books were read;
    /// [`StoreError::Refused`] when what is to be written contradicts itself or the books.
    pub async fn commit_update(&self, update: &ChainCommit) -> Result<(), StoreError> {
        if update.heads.chain_id != update.chain_id {
            return Err(StoreError::refused("the heads are another chain's"));
        }
        let mut tx = self.write().await?;
        match &update.expected {
            None => start_cursor(&mut tx, update).await?,
            Some(expected) => move_cursor(&mut tx, update, expected).await?,
        }
        remember_blocks(&mut tx, update).await?;
        let mut bereft = retract_transfers(&mut tx, update).await?;
        bereft.extend(proofs::strike(&mut tx, update).await?);
        if let Some(order) = bereft.iter().find(|order| !is_told(update, order)) {
            let what = format!("a payment of order {order} left the chain without a word of it");
            return Err(StoreError::refused(what));
        }
        insert_transfers(&mut tx, update).await?;
        proofs::insert(&mut tx, &update.proofs, update.at).await?;
        changes::apply(&mut tx, &update.changes, update.at).await?;
        append_chain_events(&mut tx, &update.chain_events, update.at).await?;
        commit(tx).await
    }
}

fn is_told(update: &ChainCommit, order: &OrderId) -> bool {
    update
        .changes
        .iter()
        .any(|change| change.order_id == *order)
}

fn stale_cursor(update: &ChainCommit) -> StoreError {
    StoreError::stale(format!("the cursor of chain {}", update.chain_id))
}

async fn start_cursor(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    let tip = &update.heads.tip;
    let started_at = update.first_covered.unwrap_or(tip.number).min(tip.number);
    let inserted = sqlx::query(
        "INSERT INTO chains (chain_id, tip_number, tip_hash, tip_parent_hash, tip_timestamp, \
         finalized, covered_time, node_head, started_at, updated_at, safe) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (chain_id) DO NOTHING",
    )
    .bind(chain_number(update.chain_id)?)
    .bind(number(tip.number, "block")?)
    .bind(hash(&tip.hash))
    .bind(hash(&tip.parent_hash))
    .bind(tip.timestamp.unix_ms())
    .bind(maybe_number(update.heads.finalized, "block")?)
    .bind(update.heads.covered_time.unix_ms())
    .bind(number(update.node_head, "block")?)
    .bind(number(started_at, "block")?)
    .bind(update.at.unix_ms())
    .bind(maybe_number(update.heads.safe, "block")?)
    .execute(connection)
    .await
    .map_err(failed("start a cursor"))?;
    if inserted.rows_affected() == 1 {
        Ok(())
    } else {
        Err(stale_cursor(update))
    }
}

async fn move_cursor(
    connection: &mut AnyConnection,
    update: &ChainCommit,
    expected: &BlockRef,
) -> Result<(), StoreError> {
    let tip = &update.heads.tip;
    let moved = sqlx::query(
        "UPDATE chains SET tip_number = $4, tip_hash = $5, tip_parent_hash = $6, \
         tip_timestamp = $7, finalized = $8, covered_time = $9, node_head = $10, \
         updated_at = $11, safe = $12, \
         started_at = CASE WHEN $13 < started_at THEN $13 ELSE started_at END WHERE chain_id = $1 AND tip_number = $2 AND tip_hash = $3",
    )
    .bind(chain_number(update.chain_id)?)
    .bind(number(expected.number, "block")?)
    .bind(hash(&expected.hash))
    .bind(number(tip.number, "block")?)
    .bind(hash(&tip.hash))
    .bind(hash(&tip.parent_hash))
    .bind(tip.timestamp.unix_ms())
    .bind(maybe_number(update.heads.finalized, "block")?)
    .bind(update.heads.covered_time.unix_ms())
    .bind(number(update.node_head, "block")?)
    .bind(update.at.unix_ms())
    .bind(maybe_number(update.heads.safe, "block")?)
    .bind(number(update.first_covered.unwrap_or(tip.number), "block")?)
    .execute(connection)
    .await
    .map_err(failed("move a cursor"))?;
    if moved.rows_affected() == 1 {
        Ok(())
    } else {
        Err(stale_cursor(update))
    }
}

/// Forgets the blocks that are gone or too old, and remembers the new ones. The tip is always
/// among them.
async fn remember_blocks(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    let chain_id = chain_number(update.chain_id)?;
    let tip = update.heads.tip;
    let oldest = tip.number.saturating_sub(u64::from(update.keep_blocks));
    let newest = update.retract_above.unwrap_or(tip.number).min(tip.number);
    sqlx::query("DELETE FROM blocks WHERE chain_id = $1 AND (number > $2 OR number < $3)")
        .bind(chain_id)
        .bind(number(newest, "block")?)
        .bind(number(oldest, "block")?)
        .execute(&mut *connection)
        .await
        .map_err(failed("forget blocks"))?;

    let mut blocks: BTreeMap<_, _> = update
        .blocks
        .iter()
        .map(|block| (block.number, *block))
        .collect();
    blocks.insert(tip.number, tip);
    let mut rows: Vec<[Value; 5]> = Vec::new();
    for (_, block) in blocks.range(oldest..=tip.number) {
        rows.push([
            chain_id.into(),
            number(block.number, "block")?.into(),
            hash(&block.hash).into(),
            hash(&block.parent_hash).into(),
            block.timestamp.unix_ms().into(),
        ]);
    }
    let before = "INSERT INTO blocks (chain_id, number, hash, parent_hash, timestamp)";
    let after = "ON CONFLICT (chain_id, number) DO UPDATE SET hash = excluded.hash, \
        parent_hash = excluded.parent_hash, timestamp = excluded.timestamp";
    insert(connection, &rows, before, after, "remember blocks")
        .await
        .map(drop)
}

/// Marks the transfers above the retracted block as gone; returns the orders that they paid.
async fn retract_transfers(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<BTreeSet<OrderId>, StoreError> {
    let Some(above) = update.retract_above else {
        return Ok(BTreeSet::new());
    };
    let rows = sqlx::query(
        "UPDATE transfers SET canonical = 0, reverted_at = $3, confirmed_at_tip = NULL, \
         waits_for = NULL WHERE canonical = 1 AND chain_id = $1 AND block_number > $2 RETURNING order_id",
    )
    .bind(chain_number(update.chain_id)?)
    .bind(number(above, "block")?)
    .bind(update.at.unix_ms())
    .fetch_all(connection)
    .await
    .map_err(failed("retract transfers"))?;
    rows.iter()
        .map(|row| Fields::of(row, "transfers", "order_id").parsed("order_id"))
        .collect()
}

/// Writes the new transfers. One that had left its chain is back on it; one that is there already
/// stays as it is.
async fn insert_transfers(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    let mut by_id: BTreeMap<TransferId, (&Transfer, OrderId)> = BTreeMap::new();
    for (transfer, order_id) in &update.transfers {
        if transfer.id.chain_id != update.chain_id {
            return Err(StoreError::refused("a transfer is another chain's"));
        }
        let known = by_id.insert(transfer.id, (transfer, *order_id));
        if known.is_some_and(|(_, other)| other != *order_id) {
            return Err(StoreError::refused("a transfer is given to two orders"));
        }
    }
    let mut rows = Vec::with_capacity(by_id.len());
    for (transfer, order_id) in by_id.into_values() {
        rows.push(transfer_row(transfer, order_id, update.at)?);
    }
    let before = "INSERT INTO transfers (chain_id, block_hash, log_index, payment_id, order_id, \
        block_number, block_timestamp, tx_hash, token, sender, recipient, amount, state, \
        detected_at, canonical, is_late, waits_for)";
    // What was struck is told anew as it really is.
    let after = "ON CONFLICT (chain_id, block_hash, log_index) \
        DO UPDATE SET canonical = 1, reverted_at = NULL, state = excluded.state, \
        waits_for = excluded.waits_for, order_id = excluded.order_id, \
        block_timestamp = excluded.block_timestamp, tx_hash = excluded.tx_hash, \
        token = excluded.token, sender = excluded.sender, recipient = excluded.recipient, \
        amount = excluded.amount WHERE transfers.canonical = 0";
    insert(connection, &rows, before, after, "write transfers")
        .await
        .map(drop)
}

/// A new transfer's columns. What it is to its order is set by the order's change.
fn transfer_row(
    transfer: &Transfer,
    order_id: OrderId,
    at: Timestamp,
) -> Result<[Value; 17], StoreError> {
    Ok([
        chain_number(transfer.id.chain_id)?.into(),
        hash(&transfer.id.block_hash).into(),
        number(transfer.id.log_index, "log index")?.into(),
        transfer.payment_id().to_string().into(),
        order_id.to_string().into(),
        number(transfer.block_number, "block")?.into(),
        transfer.block_timestamp.unix_ms().into(),
        hash(&transfer.tx_hash).into(),
        address(&transfer.token).into(),
        address(&transfer.from).into(),
        address(&transfer.to).into(),
        transfer.amount.to_string().into(),
        PaymentState::Seen.name().into(),
        at.unix_ms().into(),
        true.into(),
        false.into(),
        chain_number(transfer.id.chain_id)?.into(),
    ])
}
