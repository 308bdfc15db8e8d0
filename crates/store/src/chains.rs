//! How far the chains are covered.

use paywatch_core::{Block, ChainHeads, ChainId};
use sqlx::AnyConnection;

use crate::error::{StoreError, failed};
use crate::fields::{Fields, chain_number};
use crate::record::ChainRecord;
use crate::store::Store;

impl Store {
    /// Every chain that was ever followed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chains(&self) -> Result<Vec<ChainRecord>, StoreError> {
        let mut connection = self
            .readers()
            .acquire()
            .await
            .map_err(failed("read chains"))?;
        load_chains(&mut connection).await
    }

    /// The remembered blocks of a chain, oldest first; the last one is the cursor. None if the
    /// chain was never followed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recent_blocks(&self, chain: ChainId) -> Result<Vec<Block>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, hash, parent_hash, timestamp FROM blocks WHERE chain_id = $1 \
             ORDER BY number",
        )
        .bind(chain_number(chain)?)
        .fetch_all(self.readers())
        .await
        .map_err(failed("read recent blocks"))?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "blocks", "number");
                fields.block(["number", "hash", "parent_hash", "timestamp"])
            })
            .collect()
    }
}

/// Every chain, by id.
pub(crate) async fn load_chains(
    connection: &mut AnyConnection,
) -> Result<Vec<ChainRecord>, StoreError> {
    let rows = sqlx::query(
        "SELECT chain_id, tip_number, tip_hash, tip_parent_hash, tip_timestamp, safe, finalized, \
         covered_time, node_head, started_at, updated_at FROM chains ORDER BY chain_id",
    )
    .fetch_all(connection)
    .await
    .map_err(failed("read chains"))?;
    rows.iter()
        .map(|row| {
            let fields = Fields::of(row, "chains", "chain_id");
            let tip = ["tip_number", "tip_hash", "tip_parent_hash", "tip_timestamp"];
            Ok(ChainRecord {
                heads: ChainHeads {
                    chain_id: fields.chain_id("chain_id")?,
                    tip: fields.block(tip)?,
                    safe: fields.maybe_number("safe")?,
                    finalized: fields.maybe_number("finalized")?,
                    covered_time: fields.time("covered_time")?,
                },
                node_head: fields.number("node_head")?,
                started_at: fields.number("started_at")?,
                updated_at: fields.time("updated_at")?,
            })
        })
        .collect()
}
