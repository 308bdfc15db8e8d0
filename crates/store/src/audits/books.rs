//! What an audit reads of the books alone: whether they contradict themselves.

use std::collections::BTreeMap;

use paywatch_core::{Amount, KeptSums, Loose, OrderId, PaymentState};

use crate::batch::{Statement, rows_of};
use crate::error::{StoreError, failed};
use crate::fields::{Fields, number};
use crate::record::{EventGap, Misplaced, OrderSums};
use crate::store::Store;

impl Store {
    /// The sums of at most `limit` orders after the one whose place is `seq`, in order, with their
    /// payments and events. All of one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order_sums_after(
        &self,
        seq: u64,
        limit: u32,
    ) -> Result<Vec<OrderSums>, StoreError> {
        let mut statement = Statement::new(
            "SELECT id, seq, amount, asking, received, counted, confirmed, excess, event_count \
             FROM orders WHERE seq > ",
        );
        statement
            .bind(number(seq, "sequence number")?)
            .push(" ORDER BY seq LIMIT ")
            .bind(i64::from(limit));
        let mut tx = self.read().await?;
        let mut orders = Vec::new();
        for row in statement.rows(&mut tx, "read sums of orders").await? {
            orders.push(sums(Fields::of(&row, "orders", "id"))?);
        }
        let ids: Vec<String> = orders
            .iter()
            .map(|order| order.order_id.to_string())
            .collect();
        let before = "SELECT order_id, state, amount FROM transfers WHERE canonical = 1 \
            AND order_id IN";
        let mut payments: BTreeMap<OrderId, Vec<(PaymentState, Amount)>> = BTreeMap::new();
        for row in rows_of(&mut tx, &ids, before, "", "read payments").await? {
            let fields = Fields::of(&row, "transfers", "order_id");
            let of_order = payments.entry(fields.parsed("order_id")?).or_default();
            of_order.push((fields.parsed("state")?, fields.parsed("amount")?));
        }
        let before = "SELECT order_id, MIN(order_seq) AS first, MAX(order_seq) AS last, \
            COUNT(*) AS told FROM events WHERE order_id IN";
        let mut logged: BTreeMap<OrderId, (u64, u64, u64)> = BTreeMap::new();
        for row in rows_of(&mut tx, &ids, before, "GROUP BY order_id", "count events").await? {
            let fields = Fields::of(&row, "events", "order_id");
            let (first, last) = (fields.number("first")?, fields.number("last")?);
            logged.insert(
                fields.parsed("order_id")?,
                (first, last, fields.number("told")?),
            );
        }
        for order in &mut orders {
            order.payments = payments.remove(&order.order_id).unwrap_or_default();
            order.logged = logged.remove(&order.order_id);
        }
        Ok(orders)
    }

    /// The transfers on their chains that are at no place or at an unknown one. An order's must be
    /// something to it, all others something without one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn misplaced(&self) -> Result<Vec<Misplaced>, StoreError> {
        let rows = sqlx::query(
            "SELECT state, CASE WHEN order_id IS NULL THEN 1 ELSE 0 END AS is_loose, \
             COUNT(*) AS transfers FROM transfers WHERE canonical = 1 GROUP BY state, is_loose",
        )
        .fetch_all(self.readers())
        .await
        .map_err(failed("count transfers"))?;
        let mut misplaced = Vec::new();
        for row in &rows {
            let fields = Fields::of(row, "transfers", "state");
            let state = fields.text("state")?;
            let is_loose = fields.flag("is_loose")?;
            let is_placed = match is_loose {
                true => state.parse::<Loose>().is_ok(),
                false => state.parse::<PaymentState>().is_ok(),
            };
            if !is_placed {
                misplaced.push(Misplaced {
                    state,
                    count: fields.number("transfers")?,
                });
            }
        }
        Ok(misplaced)
    }

    /// Whether numbers are missing in the event log, or were given twice.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn event_gap(&self) -> Result<Option<EventGap>, StoreError> {
        let row = sqlx::query(
            "SELECT COALESCE(MIN(seq), 1) AS first, COALESCE(MAX(seq), 0) AS last, \
             COUNT(*) AS told, (SELECT value FROM counters WHERE name = 'events') AS numbered \
             FROM events",
        )
        .fetch_one(self.readers())
        .await
        .map_err(failed("count events"))?;
        let fields = Fields::of(&row, "events", "last");
        let log = EventGap {
            first: fields.number("first")?,
            last: fields.number("last")?,
            count: fields.number("told")?,
            numbered: fields.number("numbered")?,
        };
        let span = log.last.saturating_sub(log.first).saturating_add(1);
        let expected = if log.count == 0 { 0 } else { span };
        let is_whole = log.count == expected && log.last == log.numbered;
        Ok((!is_whole).then_some(log))
    }
}

/// An order's sums, without its payments and events.
fn sums(fields: Fields<'_>) -> Result<OrderSums, StoreError> {
    Ok(OrderSums {
        order_id: fields.parsed("id")?,
        seq: fields.number("seq")?,
        kept: KeptSums {
            asked: fields.parsed("amount")?,
            asking: fields.parsed("asking")?,
            received: fields.parsed("received")?,
            counted: fields.parsed("counted")?,
            confirmed: fields.parsed("confirmed")?,
            excess: fields.parsed("excess")?,
        },
        payments: Vec::new(),
        events: fields.number("event_count")?,
        logged: None,
    })
}
