//! Payments and orders of a period, page after page, oldest first.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{OrderId, PaymentId, Reference, Timestamp};

use crate::batch::{Statement, rows_of};
use crate::error::StoreError;
use crate::fields::{Fields, number};
use crate::load::load_orders;
use crate::payments::{SELECT, booked};
use crate::record::{BookedTransfer, OrderRecord, Period};
use crate::store::Store;

/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

impl Store {
    /// The payments whose blocks are of `period`, by time of block and id, with the references of
    /// their orders. The next page begins `after` the last of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn payments_of(
        &self,
        period: Period,
        after: Option<(Timestamp, PaymentId)>,
        limit: u32,
    ) -> Result<Vec<(BookedTransfer, Option<Reference>)>, StoreError> {
        let from = after.map_or(period.from, |(at, _)| at.max(period.from));
        let mut statement = Statement::new(SELECT);
        statement
            .push(" WHERE block_timestamp >= ")
            .bind(from.unix_ms())
            .push(" AND block_timestamp < ")
            .bind(period.before.unix_ms());
        if let Some((at, id)) = after {
            statement
                .push(" AND (block_timestamp > ")
                .bind(at.unix_ms())
                .push(" OR payment_id > ")
                .bind(id.to_string())
                .push(")");
        }
        statement
            .push(" ORDER BY block_timestamp, payment_id LIMIT ")
            .bind(i64::from(limit.clamp(1, LONGEST_PAGE)));
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "read payments").await?;
        let page = rows.iter().map(booked).collect::<Result<Vec<_>, _>>()?;
        let orders: BTreeSet<_> = page.iter().filter_map(BookedTransfer::order).collect();
        let keys: Vec<String> = orders.iter().map(OrderId::to_string).collect();
        let before = "SELECT id, reference FROM orders WHERE id IN";
        let mut references: BTreeMap<OrderId, Reference> = BTreeMap::new();
        for row in rows_of(&mut tx, &keys, before, "", "read references").await? {
            let fields = Fields::of(&row, "orders", "id");
            references.insert(fields.parsed("id")?, fields.parsed("reference")?);
        }
        let with_reference = page.into_iter().map(|booked| {
            let reference = booked.order().and_then(|id| references.get(&id).cloned());
            (booked, reference)
        });
        Ok(with_reference.collect())
    }

    /// The orders that were made in `period`, by time and place. The next page begins `after` the
    /// last of this one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn orders_of(
        &self,
        period: Period,
        after: Option<(Timestamp, u64)>,
        limit: u32,
    ) -> Result<Vec<OrderRecord>, StoreError> {
        let from = after.map_or(period.from, |(at, _)| at.max(period.from));
        let mut statement = Statement::new("SELECT id FROM orders WHERE created_at >= ");
        statement
            .bind(from.unix_ms())
            .push(" AND created_at < ")
            .bind(period.before.unix_ms());
        if let Some((at, seq)) = after {
            statement
                .push(" AND (created_at > ")
                .bind(at.unix_ms())
                .push(" OR seq > ")
                .bind(number(seq, "cursor")?)
                .push(")");
        }
        statement
            .push(" ORDER BY created_at, seq LIMIT ")
            .bind(i64::from(limit.clamp(1, LONGEST_PAGE)));
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "read orders").await?;
        let ids = rows
            .iter()
            .map(|row| Fields::of(row, "orders", "id").parsed("id"))
            .collect::<Result<Vec<OrderId>, _>>()?;
        let mut records = load_orders(&mut tx, ids.iter().copied()).await?;
        Ok(ids.iter().filter_map(|id| records.remove(id)).collect())
    }
}
