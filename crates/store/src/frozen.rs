//! Addresses of the merchant's that the issuer of a token froze.

use paywatch_core::{
    Address, B256, BlockNumber, ChainEvent, ChainId, Freeze, Timestamp, TokenNotice,
};
use sqlx::AnyConnection;

use crate::batch::Statement;
use crate::error::{StoreError, failed};
use crate::events::append_chain_events;
use crate::fields::{Fields, address, chain_number, hash, number};
use crate::record::{ChainCommit, FrozenAddress, FrozenState};
use crate::store::{Store, commit};

impl Store {
    /// The addresses that are frozen now by what the chains say: on `chain`, or on all of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn frozen(&self, chain: Option<ChainId>) -> Result<Vec<FrozenAddress>, StoreError> {
        let mut statement = Statement::new(
            "SELECT chain_id, token, address, since_block, tx_hash, noticed_at \
             FROM frozen_addresses WHERE until_block IS NULL",
        );
        if let Some(chain) = chain {
            statement
                .push(" AND chain_id = ")
                .bind(chain_number(chain)?);
        }
        statement.push(" ORDER BY chain_id, since_block, since_log");
        let rows = statement
            .rows_alone(self.readers(), "read frozen addresses")
            .await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "frozen_addresses", "address");
                Ok(FrozenAddress {
                    chain_id: fields.chain_id("chain_id")?,
                    token: fields.parsed("token")?,
                    address: fields.parsed("address")?,
                    since_block: fields.number("since_block")?,
                    tx_hash: fields.parsed("tx_hash")?,
                    noticed_at: fields.time("noticed_at")?,
                })
            })
            .collect()
    }
}

impl Store {
    /// Writes down what a token says of an address, and tells `event` of it, if the books say
    /// otherwise; returns whether they did.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the cursor is not at that block: what the logs said since then
    /// may be in the books already.
    pub async fn note_frozen(
        &self,
        state: &FrozenState,
        event: &ChainEvent,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let since = at_cursor(&mut tx, state).await?;
        let is_booked = is_open(&mut tx, state.chain_id, &state.token, &state.address).await?;
        if is_booked == state.is_frozen {
            return Ok(false);
        }
        if state.is_frozen {
            open(&mut tx, state, since, at).await?;
        } else {
            let (token, address) = (&state.token, &state.address);
            close(&mut tx, state.chain_id, (token, address), state.tip.number).await?;
        }
        append_chain_events(&mut tx, std::slice::from_ref(event), at).await?;
        commit(tx).await?;
        Ok(true)
    }
}

/// From which block on an address is taken to be frozen whose freezing nobody saw: a final one, so
/// that no fork takes it out again. The cursor must be where `state` says, and stays there until the
/// end of the transaction.
async fn at_cursor(connection: &mut AnyConnection, state: &FrozenState) -> Result<i64, StoreError> {
    let since: Option<i64> = sqlx::query_scalar(
        "UPDATE chains SET node_head = node_head WHERE chain_id = $1 AND tip_number = $2 \
         AND tip_hash = $3 RETURNING COALESCE(finalized, started_at)",
    )
    .bind(chain_number(state.chain_id)?)
    .bind(number(state.tip.number, "block")?)
    .bind(hash(&state.tip.hash))
    .fetch_optional(connection)
    .await
    .map_err(failed("look at a cursor"))?;
    let chain = state.chain_id;
    since.ok_or_else(|| StoreError::stale(format!("the cursor of chain {chain}")))
}

async fn open(
    connection: &mut AnyConnection,
    state: &FrozenState,
    since: i64,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO frozen_addresses (chain_id, token, address, since_block, since_log, tx_hash, \
         noticed_at) VALUES ($1, $2, $3, $4, 0, $5, $6) \
         ON CONFLICT (chain_id, token, address, since_block, since_log) \
         DO UPDATE SET until_block = NULL, noticed_at = excluded.noticed_at",
    )
    .bind(chain_number(state.chain_id)?)
    .bind(address(&state.token))
    .bind(address(&state.address))
    .bind(since)
    .bind(hash(&B256::ZERO))
    .bind(at.unix_ms())
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("write a frozen address"))
}

/// Takes out what was frozen above the retracted block, and freezes again what was released there.
pub(crate) async fn retract(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    let Some(above) = update.retract_above else {
        return Ok(());
    };
    let chain_id = chain_number(update.chain_id)?;
    let above = number(above, "block")?;
    sqlx::query("DELETE FROM frozen_addresses WHERE chain_id = $1 AND since_block > $2")
        .bind(chain_id)
        .bind(above)
        .execute(&mut *connection)
        .await
        .map_err(failed("forget frozen addresses"))?;
    sqlx::query(
        "UPDATE frozen_addresses SET until_block = NULL WHERE chain_id = $1 AND until_block > $2",
    )
    .bind(chain_id)
    .bind(above)
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("forget released addresses"))
}

/// Writes whom the notices of `update` freeze and release, in the order of the chain.
pub(crate) async fn apply(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    let mut in_order: Vec<&TokenNotice> = update.freezes.iter().collect();
    in_order.sort_by_key(|notice| (notice.block.number, notice.log_index));
    for notice in in_order {
        if notice.chain_id != update.chain_id {
            return Err(StoreError::refused("a notice is another chain's"));
        }
        match notice.freeze() {
            Some((frozen, Freeze::Begins)) => begin(connection, update, notice, &frozen).await?,
            Some((released, Freeze::Ends)) => end(connection, notice, &released).await?,
            None => {},
        }
    }
    Ok(())
}

/// One that is frozen already stays frozen since then.
async fn begin(
    connection: &mut AnyConnection,
    update: &ChainCommit,
    notice: &TokenNotice,
    frozen: &Address,
) -> Result<(), StoreError> {
    if is_open(connection, notice.chain_id, &notice.token, frozen).await? {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO frozen_addresses (chain_id, token, address, since_block, since_log, tx_hash, \
         noticed_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (chain_id, token, address, since_block, since_log) DO NOTHING",
    )
    .bind(chain_number(notice.chain_id)?)
    .bind(address(&notice.token))
    .bind(address(frozen))
    .bind(number(notice.block.number, "block")?)
    .bind(number(notice.log_index, "log index")?)
    .bind(hash(&notice.tx_hash))
    .bind(update.at.unix_ms())
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("write a frozen address"))
}

async fn end(
    connection: &mut AnyConnection,
    notice: &TokenNotice,
    released: &Address,
) -> Result<(), StoreError> {
    let what = (&notice.token, released);
    close(connection, notice.chain_id, what, notice.block.number).await
}

/// Whether `frozen` is frozen by the books.
async fn is_open(
    connection: &mut AnyConnection,
    chain_id: ChainId,
    token: &Address,
    frozen: &Address,
) -> Result<bool, StoreError> {
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM frozen_addresses WHERE chain_id = $1 AND token = $2 \
         AND address = $3 AND until_block IS NULL",
    )
    .bind(chain_number(chain_id)?)
    .bind(address(token))
    .bind(address(frozen))
    .fetch_one(connection)
    .await
    .map_err(failed("look for a frozen address"))?;
    Ok(open > 0)
}

async fn close(
    connection: &mut AnyConnection,
    chain_id: ChainId,
    (token, released): (&Address, &Address),
    until: BlockNumber,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE frozen_addresses SET until_block = $4 WHERE chain_id = $1 AND token = $2 \
         AND address = $3 AND until_block IS NULL",
    )
    .bind(chain_number(chain_id)?)
    .bind(address(token))
    .bind(address(released))
    .bind(number(until, "block")?)
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("write a released address"))
}
