//! Reading orders: one, or a page of many.

mod wanted;

use std::collections::BTreeMap;

use paywatch_core::{OrderId, OrderStatus};
use sqlx::AnyConnection;

use crate::batch::Statement;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, hash, number};
use crate::listing::wanted::{Bounds, Plan};
use crate::load::{load_orders, load_whole_orders};
use crate::look_alikes;
use crate::record::{LookAlikeSums, OrderFilter, OrderPage, OrderRecord, Page};
use crate::store::Store;
use crate::together::each_once;

/// An order, and how much came to its own addresses that is no money.
pub(crate) type Whole = (OrderRecord, LookAlikeSums);

/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

impl Store {
    /// The order with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order(&self, id: OrderId) -> Result<Option<OrderRecord>, StoreError> {
        let found = self.order_and_look_alikes(id).await?;
        Ok(found.map(|(record, _)| record))
    }

    /// The order with this id, and how much came to its own addresses that is no money.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order_and_look_alikes(
        &self,
        id: OrderId,
    ) -> Result<Option<(OrderRecord, LookAlikeSums)>, StoreError> {
        let store = self.clone();
        let read = move |ids| {
            let store = store.clone();
            async move { each_once(ids, async |ids| store.whole_orders(ids).await).await }
        };
        self.orders.ask(id, read).await
    }

    async fn whole_orders(&self, ids: Vec<OrderId>) -> Result<Vec<Option<Whole>>, StoreError> {
        let mut tx = self.read().await?;
        let (mut records, with_look_alikes) = load_whole_orders(&mut tx, &ids).await?;
        let mut sums = BTreeMap::new();
        for id in with_look_alikes {
            sums.insert(id, look_alikes::sum(&mut tx, id).await?);
        }
        let whole = |id| {
            let record: OrderRecord = records.remove(id)?;
            Some((record, sums.get(id).copied().unwrap_or_default()))
        };
        Ok(ids.iter().map(whole).collect())
    }

    /// A page of the orders that meet `filter`. Orders that are made while somebody
    /// turns the pages shift nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders(&self, filter: &OrderFilter, page: Page) -> Result<OrderPage, StoreError> {
        let limit = page.limit.clamp(1, LONGEST_PAGE);
        let asked = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut tx = self.read().await?;
        let mut reach = None;
        // One more than asked tells whether there is another page.
        let mut orders = match few(&mut tx, filter).await? {
            Some(ids) => {
                let records = load_orders(&mut tx, ids).await?.into_values();
                let mut orders: Vec<_> = records
                    .filter(|record| follows(record, filter, page))
                    .filter(|record| meets(record, filter))
                    .collect();
                orders.sort_by_key(|record| record.seq);
                if !filter.oldest_first {
                    orders.reverse();
                }
                orders
            },
            None => {
                let bounds = bounds(&mut tx, filter, page.before_seq).await?;
                let plan = Plan::make(&mut tx, filter, bounds).await?;
                let one_more = i64::from(limit).saturating_add(1);
                reach = plan.reach.map(i64::unsigned_abs);
                named(&mut tx, plan.statement(one_more)).await?
            },
        };
        let has_more = orders.len() > asked;
        orders.truncate(asked);
        let last = orders.last().filter(|_| has_more).map(|last| last.seq);
        let next = last.or(reach);
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

/// Whether an order comes after those of the pages before.
fn follows(record: &OrderRecord, filter: &OrderFilter, page: Page) -> bool {
    page.before_seq.is_none_or(|seq| {
        if filter.oldest_first {
            record.seq > seq
        } else {
            record.seq < seq
        }
    })
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
    let (wanted_flags, flags) = (filter.flags.names(), record.snapshot.flags.names());
    let has_flag = |flag: &&str| flags.contains(flag);
    let has_note = |(name, value): (&String, &String)| order.metadata.get(name) == Some(value);
    (filter.statuses.is_empty() || filter.statuses.iter().any(is_status))
        && filter
            .reference
            .as_ref()
            .is_none_or(|it| *it == order.reference)
        && filter.chain_id.is_none_or(has_chain)
        && filter.address.is_none_or(has_address)
        && (wanted_flags.is_empty() || wanted_flags.iter().any(has_flag))
        && filter.metadata.iter().all(has_note)
        && filter.tx_hash.is_none_or(has_transaction)
        && filter
            .created_from
            .is_none_or(|from| order.created_at >= from)
        && filter
            .created_before
            .is_none_or(|before| order.created_at < before)
}

/// The orders that `statement` names, in its order.
async fn named(
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

/// Between which numbers the orders of a page can be. Numbers follow the time at which orders were
/// made as far as the clock was never set back, and the books know by how much it was.
async fn bounds(
    connection: &mut AnyConnection,
    filter: &OrderFilter,
    before_seq: Option<u64>,
) -> Result<Bounds, StoreError> {
    let cursor = before_seq.map(|seq| number(seq, "cursor")).transpose()?;
    let (first, last) = if filter.oldest_first {
        (cursor, None)
    } else {
        (None, cursor)
    };
    let mut bounds = Bounds {
        above: first.unwrap_or_default(),
        below: last.unwrap_or(i64::MAX),
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
