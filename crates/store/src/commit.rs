//! The one way in which what happened on a chain reaches the books.

mod changes;
mod proofs;
mod transfers;

pub(crate) use crate::commit::changes::apply as apply_changes;
#[cfg(feature = "bulk")]
pub(crate) use crate::commit::transfers::transfer_row;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use paywatch_core::{BlockRef, Loose, OrderId, PaymentId};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::{Value, insert};
use crate::decisions::append;
use crate::error::{StoreError, failed};
use crate::events::{append_chain_events, append_payment_events};
use crate::fields::{Fields, chain_number, hash, maybe_number, number};
use crate::frozen;
use crate::record::ChainCommit;
use crate::refunds;
use crate::slots;
use crate::store::{Store, commit};
use crate::sweeps;

impl Store {
    /// Moves a chain's cursor, and with it everything that follows from the blocks that it passes:
    /// blocks, transfers, orders and events, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the cursor or an order moved on since the books were read, or a
    /// payment that is imported is in them already;
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
        frozen::retract(&mut tx, update).await?;
        let mut bereft = transfers::retract(&mut tx, update).await?;
        bereft.extend(proofs::strike(&mut tx, update).await?);
        if let Some(missing) = bereft.iter().find(|bereft| !is_told(update, bereft)) {
            let what = format!("a payment of {missing} left the chain without a word of it");
            return Err(StoreError::refused(what));
        }
        refuse_known(&mut tx, update).await?;
        transfers::insert_all(&mut tx, update).await?;
        frozen::apply(&mut tx, update).await?;
        proofs::insert(&mut tx, &update.proofs, update.at).await?;
        changes::apply(&mut tx, &update.changes, update.at).await?;
        refunds::none_is_left_behind(&mut tx, update).await?;
        sweeps::settle(&mut tx, update).await?;
        defer(&mut tx, update).await?;
        append_chain_events(&mut tx, &update.chain_events, update.at).await?;
        append_payment_events(&mut tx, &update.payment_events, update.at).await?;
        for imported in &update.imports {
            let subject = (imported.order, Some(imported.payment));
            append(&mut tx, &imported.decision, subject).await?;
        }
        slots::keep(&mut tx, &update.changes).await?;
        commit(tx).await
    }
}

/// Who loses a payment that leaves its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bereft {
    /// An order.
    Order(OrderId),
    /// Nobody: it was unmatched.
    Nobody(PaymentId),
}

impl fmt::Display for Bereft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order) => write!(f, "order {order}"),
            Self::Nobody(payment) => write!(f, "nobody ({payment})"),
        }
    }
}

/// Who lost the payments in `rows`, of which nobody needs to be told what was left alone.
fn bereft_in(rows: &[AnyRow]) -> Result<BTreeSet<Bereft>, StoreError> {
    let mut bereft = BTreeSet::new();
    for row in rows {
        let fields = Fields::of(row, "transfers", "payment_id");
        match fields.maybe_parsed("order_id")? {
            Some(order) => {
                bereft.insert(Bereft::Order(order));
            },
            None if fields.parsed::<Loose>("state")? == Loose::Unmatched => {
                bereft.insert(Bereft::Nobody(fields.parsed("payment_id")?));
            },
            None => {},
        }
    }
    Ok(bereft)
}

fn is_told(update: &ChainCommit, bereft: &Bereft) -> bool {
    match bereft {
        Bereft::Order(order) => {
            let mut changes = update.changes.iter();
            changes.any(|change| change.order_id == *order)
        },
        Bereft::Nobody(payment) => {
            let mut events = update.payment_events.iter();
            events.any(|event| event.payment == *payment)
        },
    }
}

/// Leaves orders to the chains that they wait for. They change in nothing that anybody is told.
async fn defer(connection: &mut AnyConnection, update: &ChainCommit) -> Result<(), StoreError> {
    let mut by_id: BTreeMap<String, i64> = BTreeMap::new();
    for (order, chain) in &update.deferred {
        by_id.insert(order.to_string(), chain_number(*chain)?);
    }
    let rows: Vec<[Value; 2]> = by_id
        .into_iter()
        .map(|(order, chain)| [order.into(), chain.into()])
        .collect();
    let before = "UPDATE orders SET open_on = new.column2 FROM (";
    let after = ") AS new WHERE id = new.column1";
    insert(connection, &rows, before, after, "defer orders")
        .await
        .map(drop)
}

/// A payment that is imported must be new, so that nothing is written down twice.
async fn refuse_known(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    for imported in &update.imports {
        let known: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM transfers WHERE payment_id = $1 AND canonical = 1",
        )
        .bind(imported.payment.to_string())
        .fetch_one(&mut *connection)
        .await
        .map_err(failed("look for an imported payment"))?;
        if known > 0 {
            return Err(StoreError::stale(format!("payment {}", imported.payment)));
        }
    }
    Ok(())
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
