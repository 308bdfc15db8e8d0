//! What the reconciler reads: watched addresses, and the books of the orders that it must assess.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{Address, ChainId, OrderId, PaymentId, Transfer, TransferId};
use sqlx::AnyConnection;

use crate::batch::{Statement, rows_of};
use crate::chains::load_chains;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, chain_number, number};
use crate::load::load_orders;
use crate::payments;
use crate::record::{Assessable, OrderBooks, OrderRecord, Touch, Watched};
use crate::refunds;
use crate::store::Store;
use crate::sweeps;

/// Orders with money on the chain ($1) that may become final, or that lies above the retracted
/// block ($2).
const TOUCHED: &str = "SELECT order_id FROM transfers WHERE waits_for = $1 \
    UNION SELECT order_id FROM transfers \
        WHERE canonical = 1 AND chain_id = $1 AND block_number > $2 AND order_id IS NOT NULL";

/// The $3 orders that were left to the chain ($1) and that it has passed the deadline of ($2) for
/// longest, each with the chain that it waits for most besides, if there is one.
const DUE: &str = "SELECT due.id, (SELECT there.chain_id FROM order_options AS there \
        LEFT JOIN chains ON chains.chain_id = there.chain_id \
        WHERE there.order_id = due.id AND there.chain_id <> $1 \
        AND (chains.covered_time IS NULL OR chains.covered_time <= due.expires_at) \
        ORDER BY COALESCE(chains.covered_time, -1), there.chain_id LIMIT 1) AS waits_for \
    FROM (SELECT id, expires_at FROM orders WHERE open_on = $1 AND open_until < $2 \
        ORDER BY open_until LIMIT $3) AS due";

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

    /// The addresses at which orders were offered to be paid that have none of their own.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn shared_addresses(&self) -> Result<Vec<Address>, StoreError> {
        let rows = sqlx::query("SELECT address FROM shared_addresses ORDER BY address")
            .fetch_all(self.readers())
            .await
            .map_err(failed("read shared addresses"))?;
        rows.iter()
            .map(|row| Fields::of(row, "shared_addresses", "address").parsed("address"))
            .collect()
    }

    /// The heads of all chains, and the books of every order for which an update may change
    /// something: those that it pays, or pays back, whose payments and refunds it takes away or may
    /// make final, and those that may expire. All of one moment.
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
        let mut ids = touched(&mut tx, touch).await?;
        let due = due(&mut tx, touch).await?;
        ids.extend(&due.now);
        ids.extend(&touch.orders);
        ids.extend(losers(&mut tx, &touch.struck).await?);
        ids.extend(refunds::touched(&mut tx, touch).await?);
        let records = load_orders(&mut tx, ids).await?;
        Ok(Assessable {
            heads,
            books: records.into_values().map(OrderBooks::from).collect(),
            deferred: due.deferred,
            has_more_due: due.has_more,
            known: known(&mut tx, &touch.loose).await?,
            gone: gone(&mut tx, touch).await?,
            flushes: sweeps::waiting(&mut tx, touch.chain_id).await?,
            flushes_gone: sweeps::gone(&mut tx, touch).await?,
        })
    }
}

/// The orders with money that may become final or that is retracted.
async fn touched(
    connection: &mut AnyConnection,
    touch: &Touch,
) -> Result<BTreeSet<OrderId>, StoreError> {
    let retract_above = touch
        .retract_above
        .map(|block| number(block, "block"))
        .transpose()?;
    let rows = sqlx::query(TOUCHED)
        .bind(chain_number(touch.chain_id)?)
        .bind(retract_above.unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await
        .map_err(failed("find orders to assess"))?;
    rows.iter()
        .map(|row| Fields::of(row, "transfers", "order_id").parsed("order_id"))
        .collect()
}

/// Orders whose deadline the chain has passed.
struct Due {
    /// Those that wait for no other chain.
    now: Vec<OrderId>,
    /// Those that wait for another, and for which.
    deferred: Vec<(OrderId, ChainId)>,
    /// Whether there are more than were asked for.
    has_more: bool,
}

async fn due(connection: &mut AnyConnection, touch: &Touch) -> Result<Due, StoreError> {
    let rows = sqlx::query(DUE)
        .bind(chain_number(touch.chain_id)?)
        .bind(touch.covered_time.unix_ms())
        .bind(i64::from(touch.most_due))
        .fetch_all(connection)
        .await
        .map_err(failed("find orders that are due"))?;
    let most = usize::try_from(touch.most_due).unwrap_or(usize::MAX);
    let mut due = Due {
        now: Vec::new(),
        deferred: Vec::new(),
        has_more: rows.len() >= most,
    };
    for row in &rows {
        let fields = Fields::of(row, "orders", "id");
        let id = fields.parsed("id")?;
        match fields.maybe_chain_id("waits_for")? {
            Some(chain) => due.deferred.push((id, chain)),
            None => due.now.push(id),
        }
    }
    Ok(due)
}

/// The orders to which the `struck` transfers belong, also those that nothing waits for.
async fn losers(
    connection: &mut AnyConnection,
    struck: &BTreeSet<TransferId>,
) -> Result<BTreeSet<OrderId>, StoreError> {
    let keys: Vec<String> = struck.iter().map(payment_key).collect();
    let before = "SELECT order_id FROM transfers WHERE canonical = 1 AND order_id IS NOT NULL \
        AND payment_id IN";
    let rows = rows_of(
        connection,
        &keys,
        before,
        "",
        "find whose payments are struck",
    )
    .await?;
    rows.iter()
        .map(|row| Fields::of(row, "transfers", "order_id").parsed("order_id"))
        .collect()
}

/// Which of `transfers` are on their chain by the books.
async fn known(
    connection: &mut AnyConnection,
    transfers: &BTreeSet<TransferId>,
) -> Result<BTreeSet<TransferId>, StoreError> {
    let keys: Vec<String> = transfers.iter().map(payment_key).collect();
    let before = "SELECT chain_id, block_hash, log_index FROM transfers WHERE canonical = 1 \
        AND payment_id IN";
    let rows = rows_of(connection, &keys, before, "", "look for payments").await?;
    rows.iter()
        .map(|row| Fields::of(row, "transfers", "block_hash").transfer_id())
        .collect()
}

/// The unmatched payments that are struck, or lie above the retracted block.
async fn gone(connection: &mut AnyConnection, touch: &Touch) -> Result<Vec<Transfer>, StoreError> {
    let mut rows = Vec::new();
    if let Some(above) = touch.retract_above {
        let mut statement = Statement::new(payments::SELECT);
        statement
            .push(" WHERE canonical = 1 AND state = 'unmatched' AND chain_id = ")
            .bind(chain_number(touch.chain_id)?)
            .push(" AND block_number > ")
            .bind(number(above, "block")?);
        rows = statement
            .rows(connection, "read unmatched payments")
            .await?;
    }
    let keys: Vec<String> = touch.struck.iter().map(payment_key).collect();
    let struck = rows_of(
        connection,
        &keys,
        payments::STRUCK,
        "",
        "read unmatched payments",
    )
    .await?;
    let mut gone: BTreeMap<TransferId, Transfer> = BTreeMap::new();
    for row in rows.iter().chain(&struck) {
        let transfer = payments::booked(row)?.recorded.transfer;
        gone.insert(transfer.id, transfer);
    }
    Ok(gone.into_values().collect())
}

fn payment_key(id: &TransferId) -> String {
    PaymentId::of(id).to_string()
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
            refunds: record.refunds,
        }
    }
}
