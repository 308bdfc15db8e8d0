//! Transfers of contracts that are no token of ours: apart from payments, and bounded.

mod read;

use std::collections::BTreeSet;

use paywatch_core::{Address, BlockNumber, ChainId, Likeness, Timestamp};
use sqlx::AnyConnection;

use crate::batch::{Statement, Value};
use crate::error::{StoreError, failed};
use crate::fields::{Fields, address, chain_number, hash, number};
use crate::record::{LookAlikeBounds, LookAlikeCommit, SelfDescription, StrangeTransfers};
use crate::store::{Store, commit};

pub(crate) use crate::look_alikes::read::sum;

/// What goes first where too much is kept: contracts that are known to look like nothing of ours,
/// then those that were not heard of for longest.
macro_rules! worth_least {
    () => {
        "CASE WHEN described_at IS NOT NULL AND kind = 'unknown_token' THEN 0 ELSE 1 END, \
         last_time, chain_id, contract, recipient"
    };
}
macro_rules! worth_most {
    () => {
        "CASE WHEN described_at IS NOT NULL AND kind = 'unknown_token' THEN 1 ELSE 0 END, \
         last_time DESC, chain_id DESC, contract DESC, recipient DESC"
    };
}

const KEEP_OF_ADDRESS: &str = concat!(
    "DELETE FROM look_alikes WHERE chain_id = $1 AND recipient = $2 AND contract NOT IN \
     (SELECT contract FROM look_alikes WHERE chain_id = $1 AND recipient = $2 ORDER BY ",
    worth_most!(),
    " LIMIT $3)"
);
const FORGET: &str = concat!(
    "DELETE FROM look_alikes WHERE (chain_id, contract, recipient) IN \
     (SELECT chain_id, contract, recipient FROM look_alikes ORDER BY ",
    worth_least!(),
    " LIMIT $1)"
);
const ADD: &str = "INSERT INTO look_alikes (chain_id, contract, recipient, transfers, value, \
    first_block, first_time, first_tx, last_block, last_time, last_tx, kind, symbol, name, \
    decimals, described_at) VALUES (";
const OR_COUNT: &str = ") ON CONFLICT (chain_id, contract, recipient) DO UPDATE SET \
    transfers = look_alikes.transfers + excluded.transfers, value = excluded.value, \
    last_block = excluded.last_block, last_time = excluded.last_time, last_tx = excluded.last_tx";

impl Store {
    /// Up to which block `chain` was looked through; `None` if it never was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_alike_cursor(
        &self,
        chain: ChainId,
    ) -> Result<Option<BlockNumber>, StoreError> {
        let rows = sqlx::query("SELECT block FROM look_alike_cursors WHERE chain_id = $1")
            .bind(chain_number(chain)?)
            .fetch_optional(self.readers())
            .await
            .map_err(failed("read how far look-alikes were looked for"))?;
        rows.map(|row| Fields::of(&row, "look_alike_cursors", "block").number("block"))
            .transpose()
    }

    /// Says that `chain` is looked through from the block after `block` on, unless it is already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_look_alikes(
        &self,
        chain: ChainId,
        block: BlockNumber,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO look_alike_cursors (chain_id, block) VALUES ($1, $2) \
             ON CONFLICT (chain_id) DO NOTHING",
        )
        .bind(chain_number(chain)?)
        .bind(number(block, "block")?)
        .execute(&mut *tx)
        .await
        .map_err(failed("begin to look for look-alikes"))?;
        commit(tx).await
    }

    /// Writes down what was found in a range of blocks, forgets what is too much, and moves the
    /// cursor.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the cursor is not where the range begins: somebody else has
    /// looked there.
    pub async fn note_look_alikes(&self, noted: &LookAlikeCommit) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let chain = chain_number(noted.chain_id)?;
        let moved = sqlx::query(
            "UPDATE look_alike_cursors SET block = $3 WHERE chain_id = $1 AND block = $2",
        )
        .bind(chain)
        .bind(number(noted.after, "block")?)
        .bind(number(noted.to, "block")?)
        .execute(&mut *tx)
        .await
        .map_err(failed("move the cursor of look-alikes"))?;
        if moved.rows_affected() != 1 {
            let chain = noted.chain_id;
            return Err(StoreError::stale(format!(
                "the look-alikes' cursor of chain {chain}"
            )));
        }
        for found in &noted.found {
            add(&mut tx, noted.chain_id, found).await?;
        }
        if !noted.found.is_empty() {
            forget(&mut tx, noted).await?;
        }
        commit(tx).await
    }

    /// Writes down what `contract` says of itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn describe_look_alike(
        &self,
        chain: ChainId,
        contract: Address,
        says: &SelfDescription,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE look_alikes SET kind = $3, symbol = $4, name = $5, decimals = $6, \
             described_at = $7 WHERE chain_id = $1 AND contract = $2",
        )
        .bind(chain_number(chain)?)
        .bind(address(&contract))
        .bind(says.kind.name())
        .bind(says.symbol.clone())
        .bind(says.name.clone())
        .bind(says.decimals.map(i64::from))
        .bind(at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("describe a look-alike"))?;
        commit(tx).await
    }
}

async fn add(
    connection: &mut AnyConnection,
    chain: ChainId,
    found: &StrangeTransfers,
) -> Result<(), StoreError> {
    let mut statement = Statement::new(ADD);
    statement.bind_list([
        Value::from(chain_number(chain)?),
        address(&found.contract).into(),
        address(&found.to).into(),
        number(found.count, "count")?.into(),
        found.value.to_string().into(),
        number(found.first.block, "block")?.into(),
        found.first.time.unix_ms().into(),
        hash(&found.first.tx_hash).into(),
        number(found.last.block, "block")?.into(),
        found.last.time.unix_ms().into(),
        hash(&found.last.tx_hash).into(),
    ]);
    statement
        .push(", ")
        .bind_list(known(connection, chain, &found.contract).await?)
        .push(OR_COUNT);
    let rows = statement.rows(connection, "write a look-alike").await?;
    drop(rows);
    Ok(())
}

/// What the contract was found to say before, to another address.
async fn known(
    connection: &mut AnyConnection,
    chain: ChainId,
    contract: &Address,
) -> Result<[Value; 5], StoreError> {
    let row = sqlx::query(
        "SELECT kind, symbol, name, decimals, described_at FROM look_alikes \
         WHERE chain_id = $1 AND contract = $2 AND described_at IS NOT NULL LIMIT 1",
    )
    .bind(chain_number(chain)?)
    .bind(address(contract))
    .fetch_optional(connection)
    .await
    .map_err(failed("look for a look-alike"))?;
    let Some(row) = row else {
        return Ok([
            Likeness::UnknownToken.name().into(),
            Value::Text(None),
            Value::Text(None),
            Value::Number(None),
            Value::Number(None),
        ]);
    };
    let fields = Fields::of(&row, "look_alikes", "kind");
    Ok([
        fields.text("kind")?.into(),
        fields.maybe_text("symbol")?.into(),
        fields.maybe_text("name")?.into(),
        fields.maybe_number::<i64>("decimals")?.into(),
        fields.maybe_number::<i64>("described_at")?.into(),
    ])
}

/// Deletes what is beyond the bounds.
async fn forget(connection: &mut AnyConnection, noted: &LookAlikeCommit) -> Result<(), StoreError> {
    let LookAlikeBounds { of_address, in_all } = noted.bounds;
    let touched: BTreeSet<_> = noted.found.iter().map(|found| found.to).collect();
    for recipient in &touched {
        sqlx::query(KEEP_OF_ADDRESS)
            .bind(chain_number(noted.chain_id)?)
            .bind(address(recipient))
            .bind(i64::from(of_address))
            .execute(&mut *connection)
            .await
            .map_err(failed("forget look-alikes of an address"))?;
    }
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM look_alikes")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed("count look-alikes"))?;
    let too_many = count.saturating_sub(i64::from(in_all));
    if too_many > 0 {
        sqlx::query(FORGET)
            .bind(too_many)
            .execute(connection)
            .await
            .map_err(failed("forget look-alikes"))?;
    }
    Ok(())
}
