//! Reading what is kept of look-alikes, and whom to look for.

use paywatch_core::{Address, ChainId, Likeness, OrderId, Timestamp, U256};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::Statement;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, address, chain_number};
use crate::record::{
    LookAlike, LookAlikeFilter, LookAlikePlace, LookAlikeSums, SelfDescription, StrangeTransfers,
};
use crate::store::Store;

/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

/// The addresses that belong to an order alone; its number follows.
const OWN: &str = "recipient IN (SELECT address FROM order_options WHERE factory IS NOT NULL \
    AND order_id = ";

impl Store {
    /// Deposit addresses of the orders that end after `ends_after`, those of the newest order
    /// first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn addresses_of_late(
        &self,
        ends_after: Timestamp,
        limit: u32,
    ) -> Result<Vec<Address>, StoreError> {
        let rows = sqlx::query(
            "SELECT watched_addresses.address FROM watched_addresses \
             JOIN orders ON orders.seq = watched_addresses.seq WHERE orders.expires_at >= $1 \
             AND orders.seq >= (SELECT COALESCE(MIN(seq), 0) FROM orders WHERE expires_at >= $1) \
             ORDER BY watched_addresses.seq DESC, watched_addresses.address LIMIT $2",
        )
        .bind(ends_after.unix_ms())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(failed("read addresses of open orders"))?;
        rows.iter()
            .map(|row| Fields::of(row, "watched_addresses", "address").parsed("address"))
            .collect()
    }

    /// Contracts of `chain` that were not asked yet what they are, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_alikes_to_describe(
        &self,
        chain: ChainId,
        limit: u32,
    ) -> Result<Vec<Address>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT contract FROM look_alikes WHERE chain_id = $1 \
             AND described_at IS NULL ORDER BY contract LIMIT $2",
        )
        .bind(chain_number(chain)?)
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(failed("look for look-alikes to describe"))?;
        rows.iter()
            .map(|row| Fields::of(row, "look_alikes", "contract").parsed("contract"))
            .collect()
    }

    /// A page of what meets `filter`, that first which was heard of last. The next page begins
    /// `after` the last of this one: its last time, chain, contract and address.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn look_alikes(
        &self,
        filter: &LookAlikeFilter,
        after: Option<(Timestamp, ChainId, Address, Address)>,
        limit: u32,
    ) -> Result<Vec<LookAlike>, StoreError> {
        let mut statement = Statement::new("SELECT * FROM look_alikes WHERE last_time >= 0");
        if let Some((time, chain, contract, to)) = after {
            statement
                .push(" AND (last_time, chain_id, contract, recipient) < (")
                .bind(time.unix_ms())
                .push(", ")
                .bind(chain_number(chain)?)
                .push(", ")
                .bind(address(&contract))
                .push(", ")
                .bind(address(&to))
                .push(")");
        }
        if let Some(chain) = filter.chain_id {
            statement
                .push(" AND chain_id = ")
                .bind(chain_number(chain)?);
        }
        if let Some(to) = &filter.to {
            statement.push(" AND recipient = ").bind(address(to));
        }
        if let Some(order) = filter.order {
            statement
                .push(" AND ")
                .push(OWN)
                .bind(order.to_string())
                .push(")");
        }
        statement
            .push(" ORDER BY last_time DESC, chain_id DESC, contract DESC, recipient DESC LIMIT ")
            .bind(i64::from(limit.clamp(1, LONGEST_PAGE)));
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "list look-alikes").await?;
        rows.iter().map(look_alike).collect()
    }
}

/// How many transfers of no token came to an order's own addresses.
pub(crate) async fn sum(
    connection: &mut AnyConnection,
    order: OrderId,
) -> Result<LookAlikeSums, StoreError> {
    let mut statement = Statement::new(
        "SELECT kind, CAST(SUM(transfers) AS BIGINT) AS count FROM look_alikes WHERE ",
    );
    statement
        .push(OWN)
        .bind(order.to_string())
        .push(") GROUP BY kind");
    let mut sums = LookAlikeSums::default();
    for row in statement.rows(connection, "count look-alikes").await? {
        let fields = Fields::of(&row, "look_alikes", "kind");
        let count: u64 = fields.number("count")?;
        sums.transfers = sums.transfers.saturating_add(count);
        match fields.parsed("kind")? {
            Likeness::LookAlike => sums.look_alikes = count,
            Likeness::UnknownToken => {},
        }
    }
    Ok(sums)
}

fn look_alike(row: &AnyRow) -> Result<LookAlike, StoreError> {
    let fields = Fields::of(row, "look_alikes", "contract");
    let place = |block, time, tx| -> Result<LookAlikePlace, StoreError> {
        Ok(LookAlikePlace {
            block: fields.number(block)?,
            time: fields.time(time)?,
            tx_hash: fields.parsed(tx)?,
        })
    };
    Ok(LookAlike {
        chain_id: fields.chain_id("chain_id")?,
        transfers: StrangeTransfers {
            contract: fields.parsed("contract")?,
            to: fields.parsed("recipient")?,
            count: fields.number("transfers")?,
            value: fields.parsed::<U256>("value")?,
            first: place("first_block", "first_time", "first_tx")?,
            last: place("last_block", "last_time", "last_tx")?,
        },
        says: SelfDescription {
            kind: fields.parsed("kind")?,
            symbol: fields.maybe_text("symbol")?,
            name: fields.maybe_text("name")?,
            decimals: fields.maybe_number("decimals")?,
        },
        is_described: fields.maybe_time("described_at")?.is_some(),
    })
}
