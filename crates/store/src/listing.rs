//! Reading orders: one, or a page of many.

use std::cmp::Reverse;
use std::iter;

use paywatch_core::{OrderId, OrderStatus};
use sqlx::AnyConnection;

use crate::batch::Statement;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, address, hash, number};
use crate::load::load_orders;
use crate::record::{OrderFilter, OrderPage, OrderRecord, Page};
use crate::store::Store;

/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

impl Store {
    /// The order with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order(&self, id: OrderId) -> Result<Option<OrderRecord>, StoreError> {
        let mut tx = self.read().await?;
        Ok(load_orders(&mut tx, [id]).await?.remove(&id))
    }

    /// A page of the orders that meet `filter`, newest first. Orders that are made while somebody
    /// turns the pages shift nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders(&self, filter: &OrderFilter, page: Page) -> Result<OrderPage, StoreError> {
        let limit = page.limit.clamp(1, LONGEST_PAGE);
        let asked = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut tx = self.read().await?;
        // One more than asked tells whether there is another page.
        let mut orders = match few(&mut tx, filter).await? {
            Some(ids) => {
                let records = load_orders(&mut tx, ids).await?.into_values();
                let mut orders: Vec<_> = records
                    .filter(|record| page.before_seq.is_none_or(|before| record.seq < before))
                    .filter(|record| meets(record, filter))
                    .collect();
                orders.sort_by_key(|record| Reverse(record.seq));
                orders
            },
            None => {
                let bounds = bounds(&mut tx, filter, page.before_seq).await?;
                let one_more = i64::from(limit).saturating_add(1);
                newest(&mut tx, wanted(filter, bounds, one_more)).await?
            },
        };
        let has_more = orders.len() > asked;
        orders.truncate(asked);
        let next = orders.last().filter(|_| has_more).map(|last| last.seq);
        Ok(OrderPage { orders, next })
    }
}

/// The orders that can meet `filter`, if it asks for what only few can have.
async fn few(
    connection: &mut AnyConnection,
    filter: &OrderFilter,
) -> Result<Option<Vec<OrderId>>, StoreError> {
    let statement = if let Some(reference) = &filter.reference {
        let mut statement = Statement::new("SELECT id AS order_id FROM orders WHERE reference = ");
        statement.bind(reference.as_str());
        statement
    } else if let Some(tx_hash) = &filter.tx_hash {
        let mut statement = Statement::new("SELECT order_id FROM transfers WHERE tx_hash = ");
        statement
            .bind(hash(tx_hash))
            .push(" AND order_id IS NOT NULL");
        statement
    } else {
        return Ok(None);
    };
    let rows = statement.rows(connection, "look for orders").await?;
    rows.iter()
        .map(|row| Fields::of(row, "orders", "order_id").parsed("order_id"))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Whether an order meets every condition of `filter`.
fn meets(record: &OrderRecord, filter: &OrderFilter) -> bool {
    let order = &record.order;
    let is_status = |status: &OrderStatus| *status == record.snapshot.status;
    let has_chain = |chain| order.options.iter().any(|it| it.token.chain_id == chain);
    let has_address = |address| order.options.iter().any(|it| it.address == address);
    let has_transaction = |tx_hash| {
        let mut payments = record.payments.iter();
        payments.any(|payment| payment.recorded.transfer.tx_hash == tx_hash)
    };
    (filter.statuses.is_empty() || filter.statuses.iter().any(is_status))
        && filter
            .reference
            .as_ref()
            .is_none_or(|it| *it == order.reference)
        && filter.chain_id.is_none_or(has_chain)
        && filter.address.is_none_or(has_address)
        && filter.tx_hash.is_none_or(has_transaction)
        && filter
            .created_from
            .is_none_or(|from| order.created_at >= from)
        && filter
            .created_before
            .is_none_or(|before| order.created_at < before)
}

/// The orders that `statement` names, in its order.
async fn newest(
    connection: &mut AnyConnection,
    statement: Statement,
) -> Result<Vec<OrderRecord>, StoreError> {
    let mut ids: Vec<OrderId> = Vec::new();
    for row in statement.rows(connection, "list orders").await? {
        ids.push(Fields::of(&row, "orders", "id").parsed("id")?);
    }
    let mut records = load_orders(connection, ids.iter().copied()).await?;
    Ok(ids.iter().filter_map(|id| records.remove(id)).collect())
}

/// Orders are looked for above and below these numbers.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    above: i64,
    below: i64,
}

/// Between which numbers the orders of a page can be. Numbers follow the time at which orders were
/// made as far as the clock was never set back, and the books know by how much it was.
async fn bounds(
    connection: &mut AnyConnection,
    filter: &OrderFilter,
    before_seq: Option<u64>,
) -> Result<Bounds, StoreError> {
    let mut bounds = Bounds {
        above: 0,
        below: before_seq.map_or(Ok(i64::MAX), |seq| number(seq, "cursor"))?,
    };
    if filter.created_from.is_none() && filter.created_before.is_none() {
        return Ok(bounds);
    }
    let setback: i64 =
        sqlx::query_scalar("SELECT value FROM counters WHERE name = 'clock_setback'")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed("read how the clock went"))?;
    if let Some(from) = filter.created_from {
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT seq FROM orders WHERE created_at < $1 ORDER BY created_at DESC, seq DESC LIMIT 1",
        )
        .bind(from.unix_ms().saturating_sub(setback))
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed("look for orders by time"))?;
        bounds.above = bounds.above.max(last.unwrap_or_default());
    }
    if let Some(before) = filter.created_before {
        let first: Option<i64> = sqlx::query_scalar(
            "SELECT seq FROM orders WHERE created_at >= $1 ORDER BY created_at, seq LIMIT 1",
        )
        .bind(before.unix_ms().saturating_add(setback))
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed("look for orders by time"))?;
        bounds.below = bounds.below.min(first.unwrap_or(i64::MAX));
    }
    Ok(bounds)
}

/// Ids and numbers of the newest `limit` orders that meet `filter`. Each wanted status is asked
/// for by itself, so that each can be read from the end of its index.
fn wanted(filter: &OrderFilter, bounds: Bounds, limit: i64) -> Statement {
    let place = place(filter);
    let is_any = filter.statuses.is_empty();
    let statuses: Vec<Option<OrderStatus>> = if is_any && place.is_none() {
        vec![None]
    } else {
        let is_wanted = |status: &OrderStatus| is_any || filter.statuses.contains(status);
        OrderStatus::ALL
            .into_iter()
            .filter(is_wanted)
            .map(Some)
            .collect()
    };
    let mut statement = Statement::new("");
    let joints = iter::once("").chain(iter::repeat(" UNION ALL "));
    for (status, joint) in statuses.into_iter().zip(joints) {
        statement.push(joint).push("SELECT id, seq FROM (");
        let order = match (&place, status) {
            (Some(place), Some(status)) => {
                statement
                    .push(
                        "SELECT orders.id, orders.seq FROM order_places AS here \
                         JOIN orders ON orders.seq = here.seq WHERE here.place = ",
                    )
                    .bind(place.as_str())
                    .push(" AND here.status = ")
                    .bind(status.name());
                between(&mut statement, "here.seq", bounds);
                "here.seq"
            },
            // The orders of some time are few, whatever their status.
            (_, Some(status)) if filter.created_from.and(filter.created_before).is_some() => {
                statement
                    .push("SELECT id, seq FROM orders WHERE orders.status = ")
                    .bind(status.name());
                between(&mut statement, "orders.seq", bounds);
                "orders.seq"
            },
            (_, Some(status)) => {
                of_status(&mut statement, status, bounds);
                "orders.status DESC, orders.seq"
            },
            (_, None) => {
                statement.push("SELECT id, seq FROM orders WHERE orders.seq > 0");
                between(&mut statement, "orders.seq", bounds);
                "orders.seq"
            },
        };
        conditions(&mut statement, filter);
        statement
            .push(" ORDER BY ")
            .push(order)
            .push(" DESC LIMIT ")
            .bind(limit)
            .push(") AS part");
    }
    statement.push(" ORDER BY seq DESC LIMIT ").bind(limit);
    statement
}

/// Orders of `status`. The two are bounded together, and ordered together later, since PostgreSQL
/// may otherwise walk through all orders for the few that are in a rare status.
fn of_status(statement: &mut Statement, status: OrderStatus, bounds: Bounds) {
    statement.push("SELECT id, seq FROM orders WHERE (orders.status, orders.seq) > (");
    statement
        .bind(status.name())
        .push(", ")
        .bind(bounds.above)
        .push(") AND (orders.status, orders.seq) < (")
        .bind(status.name())
        .push(", ")
        .bind(bounds.below)
        .push(")");
}

fn between(statement: &mut Statement, seq: &'static str, bounds: Bounds) {
    statement
        .push(" AND ")
        .push(seq)
        .push(" > ")
        .bind(bounds.above);
    statement
        .push(" AND ")
        .push(seq)
        .push(" < ")
        .bind(bounds.below);
}

/// The place of which the orders are read: their address, or else their chain.
fn place(filter: &OrderFilter) -> Option<String> {
    let chain = || filter.chain_id.map(|chain| chain.to_string());
    filter.address.as_ref().map(address).or_else(chain)
}

/// What else the orders must be.
fn conditions(statement: &mut Statement, filter: &OrderFilter) {
    if let Some(chain) = filter.chain_id.filter(|_| filter.address.is_some()) {
        statement
            .push(
                " AND EXISTS (SELECT 1 FROM order_places AS there \
                 WHERE there.seq = orders.seq AND there.place = ",
            )
            .bind(chain.to_string())
            .push(")");
    }
    if let Some(from) = filter.created_from {
        statement.push(" AND created_at >= ").bind(from.unix_ms());
    }
    if let Some(before) = filter.created_before {
        statement.push(" AND created_at < ").bind(before.unix_ms());
    }
}
