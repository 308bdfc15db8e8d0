//! What was told to whom: for people who look.

use std::collections::BTreeMap;

use paywatch_core::{DeliveryState, EndpointId, Timestamp};
use sqlx::any::AnyRow;

use crate::batch::Statement;
use crate::error::{StoreError, failed};
use crate::fields::{Fields, number};
use crate::record::{AttemptRecord, DeliveryRecord};
use crate::store::{Store, commit};

/// How many old deliveries are forgotten in one transaction.
const FORGET_AT_ONCE: i64 = 500;

impl Store {
    /// Deliveries for `endpoint`, in one of these states, or in any if there is none; the newest first,
    /// below event number `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(
        &self,
        endpoint: EndpointId,
        states: &[DeliveryState],
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        let mut statement = Statement::new(
            "SELECT d.endpoint_id, d.seq, e.id AS event_id, e.kind, d.state, d.attempts, \
             d.next_at, d.queued_at, d.finished_at FROM deliveries AS d \
             JOIN events AS e ON e.seq = d.seq WHERE d.endpoint_id = ",
        );
        statement.bind(endpoint.to_string());
        match states {
            [] => {},
            // These are few among many, and have an index of their own.
            [DeliveryState::Failed] => {
                statement.push(" AND d.state = 'failed'");
            },
            _ => {
                let names = states.iter().map(|state| state.name().into());
                statement
                    .push(" AND d.state IN (")
                    .bind_list(names)
                    .push(")");
            },
        }
        if let Some(before) = before {
            statement
                .push(" AND d.seq < ")
                .bind(number(before, "sequence number")?);
        }
        statement
            .push(" ORDER BY d.seq DESC LIMIT ")
            .bind(i64::from(limit));
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "list deliveries").await?;
        rows.iter().map(record).collect()
    }

    /// The delivery of event number `seq` to `endpoint`, and its requests, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery(
        &self,
        endpoint: EndpointId,
        seq: u64,
    ) -> Result<Option<(DeliveryRecord, Vec<AttemptRecord>)>, StoreError> {
        let above = seq.saturating_add(1);
        let found = self.deliveries(endpoint, &[], Some(above), 1).await?;
        let Some(delivery) = found.into_iter().find(|found| found.seq == seq) else {
            return Ok(None);
        };
        let rows = sqlx::query(
            "SELECT attempt, sent_at, took_ms, status, failure, answer FROM delivery_attempts \
             WHERE endpoint_id = $1 AND seq = $2 ORDER BY attempt",
        )
        .bind(endpoint.to_string())
        .bind(number(seq, "sequence number")?)
        .fetch_all(self.readers())
        .await
        .map_err(failed("list attempts"))?;
        let attempts = rows.iter().map(attempt).collect::<Result<_, _>>()?;
        Ok(Some((delivery, attempts)))
    }

    /// How many deliveries to `endpoint` are still to be made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_deliveries(&self, endpoint: EndpointId) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT 'pending' AS state, COUNT(*) AS pending FROM deliveries \
             WHERE endpoint_id = $1 AND state = 'pending'",
        )
        .bind(endpoint.to_string())
        .fetch_one(self.readers())
        .await
        .map_err(failed("count deliveries"))?;
        Fields::of(&row, "deliveries", "state").number("pending")
    }

    /// How many deliveries are still to be made, to those endpoints to which there are any.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_pending_deliveries(&self) -> Result<BTreeMap<EndpointId, u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT endpoint_id, COUNT(*) AS pending FROM deliveries WHERE state = 'pending' \
             GROUP BY endpoint_id",
        )
        .fetch_all(self.readers())
        .await
        .map_err(failed("count deliveries"))?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "deliveries", "endpoint_id");
                Ok((fields.parsed("endpoint_id")?, fields.number("pending")?))
            })
            .collect()
    }

    /// Forgets some of the deliveries that were finished before `before`, and their requests, but not
    /// those that were given up. Returns whether there may be more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_deliveries(
        &self,
        endpoint: EndpointId,
        before: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        // They are finished about in their order.
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(seq) FROM (SELECT seq, finished_at FROM deliveries \
             WHERE endpoint_id = $1 AND state IN ('delivered', 'dropped') ORDER BY seq LIMIT $2) \
             AS oldest WHERE finished_at < $3",
        )
        .bind(endpoint.to_string())
        .bind(FORGET_AT_ONCE)
        .bind(before.unix_ms())
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("look for old deliveries"))?;
        let Some(last) = last else {
            return Ok(false);
        };
        for statement in [
            "DELETE FROM delivery_attempts WHERE endpoint_id = $1 AND seq <= $2 AND EXISTS \
             (SELECT 1 FROM deliveries AS d WHERE d.endpoint_id = delivery_attempts.endpoint_id \
             AND d.seq = delivery_attempts.seq AND d.state IN ('delivered', 'dropped') \
             AND d.finished_at < $3)",
            "DELETE FROM deliveries WHERE endpoint_id = $1 AND seq <= $2 \
             AND state IN ('delivered', 'dropped') AND finished_at < $3",
        ] {
            sqlx::query(statement)
                .bind(endpoint.to_string())
                .bind(last)
                .bind(before.unix_ms())
                .execute(&mut *tx)
                .await
                .map_err(failed("forget old deliveries"))?;
        }
        commit(tx).await?;
        Ok(true)
    }
}

fn record(row: &AnyRow) -> Result<DeliveryRecord, StoreError> {
    let fields = Fields::of(row, "deliveries", "seq");
    Ok(DeliveryRecord {
        endpoint: fields.parsed("endpoint_id")?,
        seq: fields.number("seq")?,
        event_id: fields.text("event_id")?,
        kind: fields.text("kind")?,
        state: fields.parsed("state")?,
        attempts: fields.number("attempts")?,
        next_at: fields.time("next_at")?,
        queued_at: fields.time("queued_at")?,
        finished_at: fields.maybe_time("finished_at")?,
    })
}

fn attempt(row: &AnyRow) -> Result<AttemptRecord, StoreError> {
    let fields = Fields::of(row, "delivery_attempts", "attempt");
    Ok(AttemptRecord {
        attempt: fields.number("attempt")?,
        sent_at: fields.time("sent_at")?,
        took_ms: fields.number("took_ms")?,
        status: fields.maybe_number("status")?,
        failure: fields.maybe_text("failure")?,
        answer: fields.text("answer")?,
    })
}
