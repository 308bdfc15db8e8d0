//! Reading orders: one, or a page of many.

use std::iter;

use paywatch_core::{OrderId, OrderStatus};

use crate::batch::Statement;
use crate::error::StoreError;
use crate::fields::{Fields, address, chain_number, hash, number};
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
        // One more than asked tells whether there is another page.
        let statement = wanted(filter, page.before_seq, i64::from(limit).saturating_add(1))?;
        let mut tx = self.read().await?;
        let mut found: Vec<(OrderId, u64)> = Vec::new();
        for row in statement.rows(&mut tx, "list orders").await? {
            let fields = Fields::of(&row, "orders", "id");
            found.push((fields.parsed("id")?, fields.number("seq")?));
        }
        let asked = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = found.len() > asked;
        found.truncate(asked);
        let next = found.last().filter(|_| has_more).map(|(_, seq)| *seq);
        let mut records = load_orders(&mut tx, found.iter().map(|(id, _)| *id)).await?;
        let orders = found
            .iter()
            .filter_map(|(id, _)| records.remove(id))
            .collect();
        Ok(OrderPage { orders, next })
    }
}

/// Ids and numbers of the newest `limit` orders that meet `filter`. Each wanted status is asked
/// for by itself, so that each can be read from the end of its index.
fn wanted(
    filter: &OrderFilter,
    before_seq: Option<u64>,
    limit: i64,
) -> Result<Statement, StoreError> {
    let statuses: Vec<Option<OrderStatus>> = if filter.statuses.is_empty() {
        vec![None]
    } else {
        let is_wanted = |status: &OrderStatus| filter.statuses.contains(status);
        OrderStatus::ALL
            .into_iter()
            .filter(is_wanted)
            .map(Some)
            .collect()
    };
    let mut statement = Statement::new("");
    let joints = iter::once("").chain(iter::repeat(" UNION ALL "));
    for (status, joint) in statuses.into_iter().zip(joints) {
        statement
            .push(joint)
            .push("SELECT id, seq FROM (SELECT id, seq FROM orders WHERE seq < ");
        statement.bind(before_seq.map_or(Ok(i64::MAX), |seq| number(seq, "cursor"))?);
        if let Some(status) = status {
            statement.push(" AND status = ").bind(status.name());
        }
        conditions(&mut statement, filter)?;
        statement
            .push(" ORDER BY seq DESC LIMIT ")
            .bind(limit)
            .push(") AS part");
    }
    statement.push(" ORDER BY seq DESC LIMIT ").bind(limit);
    Ok(statement)
}

fn conditions(statement: &mut Statement, filter: &OrderFilter) -> Result<(), StoreError> {
    if let Some(reference) = &filter.reference {
        statement.push(" AND reference = ").bind(reference.as_str());
    }
    if let Some(wanted) = &filter.address {
        statement
            .push(" AND id IN (SELECT order_id FROM order_options WHERE address = ")
            .bind(address(wanted))
            .push(")");
    }
    if let Some(tx_hash) = &filter.tx_hash {
        statement
            .push(" AND id IN (SELECT order_id FROM transfers WHERE tx_hash = ")
            .bind(hash(tx_hash))
            .push(")");
    }
    if let Some(chain_id) = filter.chain_id {
        statement
            .push(" AND EXISTS (SELECT 1 FROM order_options AS o WHERE o.order_id = orders.id AND o.chain_id = ")
            .bind(chain_number(chain_id)?)
            .push(")");
    }
    if let Some(from) = filter.created_from {
        statement.push(" AND created_at >= ").bind(from.unix_ms());
    }
    if let Some(before) = filter.created_before {
        statement.push(" AND created_at < ").bind(before.unix_ms());
    }
    Ok(())
}
