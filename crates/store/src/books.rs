//! What the reconciler reads: watched addresses, and the books of the orders that it must assess.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{Address, OrderId};
use sqlx::AnyConnection;

use crate::batch::rows_of;
use crate::chains::load_chains;
use crate::error::{StoreError, failed};
use crate::fields::{self, Fields, chain_number, number};
use crate::load::load_orders;
use crate::record::{Assessable, OrderBooks, OrderRecord, Touch, Watched};
use crate::store::Store;

/// Orders with money on the chain ($1) that may become final, or that lies above the retracted
/// block ($2), and the $4 orders that may expire now ($3) for longest: those that wait for no other
/// chain.
const TOUCHED: &str = "SELECT order_id, 0 AS is_due FROM transfers WHERE waits_for = $1 \
    UNION SELECT order_id, 0 AS is_due FROM transfers \
        WHERE canonical = 1 AND chain_id = $1 AND block_number > $2 \
    UNION SELECT order_id, 1 AS is_due FROM (SELECT id AS order_id FROM orders WHERE open_until < $3 \
        AND EXISTS (SELECT 1 FROM order_options AS here \
            WHERE here.order_id = orders.id AND here.chain_id = $1) \
        AND NOT EXISTS (SELECT 1 FROM order_options AS there \
            LEFT JOIN chains ON chains.chain_id = there.chain_id \
            WHERE there.order_id = orders.id AND there.chain_id <> $1 \
            AND (chains.covered_time IS NULL OR chains.covered_time <= orders.expires_at)) \
        ORDER BY open_until LIMIT $4) AS due";

impl Store {
    /// The addresses of at most `orders` orders that were made after the one whose first event is
    /// `seq`, in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watched_after(&self, seq: u64, orders: u32) -> Result<Vec<Watched>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, address, order_id FROM watched_addresses WHERE seq > $1 AND seq <= \
             (SELECT COALESCE(MAX(seq), 0) FROM (SELECT DISTINCT seq FROM watched_addresses \
             WHERE seq > $1 ORDER BY seq LIMIT $2) AS next) ORDER BY seq, address",
        )
        .bind(number(seq, "sequence number")?)
        .bind(i64::from(orders))
        .fetch_all(self.readers())
        .await
        .map_err(failed("read watched addresses"))?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "watched_addresses", "address");
                Ok(Watched {
                    seq: fields.number("seq")?,
                    address: fields.parsed("address")?,
                    order_id: fields.parsed("order_id")?,
                })
            })
            .collect()
    }

    /// Which orders are paid at `addresses`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders_at(
        &self,
        addresses: &BTreeSet<Address>,
    ) -> Result<BTreeMap<Address, OrderId>, StoreError> {
        let mut connection = self
            .readers()
            .acquire()
            .await
            .map_err(failed("read watched addresses"))?;
        let keys: Vec<String> = addresses.iter().map(fields::address).collect();
        let before = "SELECT address, order_id FROM watched_addresses WHERE address IN";
        let rows = rows_of(&mut connection, &keys, before, "", "read watched addresses").await?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "watched_addresses", "address");
                Ok((fields.parsed("address")?, fields.parsed("order_id")?))
            })
            .collect()
    }

    /// The heads of all chains, and the books of every order for which an update may change
    /// something: those that it pays, whose payments it takes away or may make final, and those
    /// that may expire. All of one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn books_to_assess(&self, touch: &Touch) -> Result<Assessable, StoreError> {
        let mut tx = self.read().await?;
        let chains = load_chains(&mut tx).await?;
        let heads = chains
            .into_iter()
            .map(|chain| (chain.heads.chain_id, chain.heads))
            .collect();
        let (mut ids, has_more_due) = touched(&mut tx, touch).await?;
        ids.extend(&touch.orders);
        let records = load_orders(&mut tx, ids).await?;
        Ok(Assessable {
            heads,
            books: records.into_values().map(OrderBooks::from).collect(),
            has_more_due,
        })
    }
}

/// The orders, and whether more of them are due than were asked for.
async fn touched(
    connection: &mut AnyConnection,
    touch: &Touch,
) -> Result<(BTreeSet<OrderId>, bool), StoreError> {
    let retract_above = touch
        .retract_above
        .map(|block| number(block, "block"))
        .transpose()?;
    let rows = sqlx::query(TOUCHED)
        .bind(chain_number(touch.chain_id)?)
        .bind(retract_above.unwrap_or(i64::MAX))
        .bind(touch.covered_time.unix_ms())
        .bind(i64::from(touch.most_due))
        .fetch_all(connection)
        .await
        .map_err(failed("find orders to assess"))?;
    let mut ids = BTreeSet::new();
    let mut due = 0_u32;
    for row in &rows {
        let fields = Fields::of(row, "transfers", "order_id");
        ids.insert(fields.parsed("order_id")?);
        due = due.saturating_add(fields.number("is_due")?);
    }
    Ok((ids, due >= touch.most_due))
}

impl From<OrderRecord> for OrderBooks {
    fn from(record: OrderRecord) -> Self {
        let on_chain = record
            .payments
            .into_iter()
            .filter(|payment| payment.reverted_at.is_none());
        Self {
            order: record.order,
            version: record.version,
            snapshot: record.snapshot,
            transfers: on_chain.map(|payment| payment.recorded).collect(),
        }
    }
}
