//! Addresses of the merchant's that the issuer of a token froze.

use paywatch_core::{Address, ChainId, Freeze, TokenNotice};
use sqlx::AnyConnection;

use crate::batch::Statement;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, address, chain_number, hash, number};
use crate::record::{ChainCommit, FrozenAddress};
use crate::store::Store;

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
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "read frozen addresses").await?;
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
    let open: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM frozen_addresses WHERE chain_id = $1 AND token = $2 \
         AND address = $3 AND until_block IS NULL",
    )
    .bind(chain_number(notice.chain_id)?)
    .bind(address(&notice.token))
    .bind(address(frozen))
    .fetch_one(&mut *connection)
    .await
    .map_err(failed("look for a frozen address"))?;
    if open > 0 {
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
    sqlx::query(
        "UPDATE frozen_addresses SET until_block = $4 WHERE chain_id = $1 AND token = $2 \
         AND address = $3 AND until_block IS NULL",
    )
    .bind(chain_number(notice.chain_id)?)
    .bind(address(&notice.token))
    .bind(address(released))
    .bind(number(notice.block.number, "block")?)
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("write a released address"))
}
