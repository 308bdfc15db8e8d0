//! Deliveries: queued from the event log, due, attempted, made again.
//!
//! Whatever queues or puts off deliveries of an endpoint writes to the endpoint's row first, so that
//! one waits for the other and what has one subject stays in order.

mod again;
mod lists;

use std::collections::BTreeMap;

use paywatch_core::{EndpointEvent, EndpointId, EndpointKind, EventTypes, Timestamp};
use sqlx::AnyConnection;

use crate::batch::{Statement, Value, insert};
use crate::error::{StoreError, failed};
use crate::events::append_endpoint_events;
use crate::fields::{Fields, number};
use crate::record::{
    AfterAttempt, Attempted, DueDelivery, EndpointHealth, EndpointRecord, Origins, Queued,
};
use crate::store::{Store, commit};

impl Store {
    /// Queues what was told since the last time and `endpoint` wants to know, of at most `limit`
    /// events.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the endpoint moved on meanwhile, was changed, or was disabled.
    pub async fn queue_deliveries(
        &self,
        endpoint: &EndpointRecord,
        limit: u32,
        at: Timestamp,
    ) -> Result<Queued, StoreError> {
        let last = self.last_event().await?;
        if last <= endpoint.queued_to {
            return Ok(Queued {
                queued_to: endpoint.queued_to,
                count: 0,
                is_more: false,
            });
        }
        let to = last.min(endpoint.queued_to.saturating_add(u64::from(limit)));
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE endpoints SET queued_to = $3 \
             WHERE id = $1 AND queued_to = $2 AND changes = $4 AND disabled_at IS NULL",
        )
        .bind(endpoint.id.to_string())
        .bind(number(endpoint.queued_to, "sequence number")?)
        .bind(number(to, "sequence number")?)
        .bind(number(endpoint.changes, "changes")?)
        .execute(&mut *tx)
        .await
        .map_err(failed("move an endpoint on"))?;
        if moved.rows_affected() != 1 {
            return Err(StoreError::stale(format!("endpoint {}", endpoint.id)));
        }
        let count = queue(&mut tx, endpoint, (endpoint.queued_to, to), at).await?;
        commit(tx).await?;
        Ok(Queued {
            queued_to: to,
            count,
            is_more: to < last,
        })
    }

    /// The servers to which something is still to be delivered for `endpoint`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn origins(&self, endpoint: EndpointId) -> Result<Origins, StoreError> {
        // From one to the next, whatever lies between: there may be many deliveries of each.
        let mut origins = Origins::new();
        let mut after: Option<String> = None;
        loop {
            let next: Option<String> = sqlx::query_scalar(
                "SELECT origin FROM deliveries WHERE endpoint_id = $1 AND state = 'pending' \
                 AND (origin > $2 OR $3 = 1) ORDER BY origin LIMIT 1",
            )
            .bind(endpoint.to_string())
            .bind(after.clone().unwrap_or_default())
            .bind(i64::from(after.is_none()))
            .fetch_optional(self.readers())
            .await
            .map_err(failed("read whom to deliver to"))?;
            match next {
                None => return Ok(origins),
                Some(origin) => {
                    after = Some(origin.clone());
                    origins.insert(origin);
                },
            }
        }
    }

    /// What is due at `now` for `endpoint` at `origin`, at most `limit`, in the order in which it is
    /// to be delivered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_deliveries(
        &self,
        (endpoint, origin): (EndpointId, &str),
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        let rows = sqlx::query(
            "SELECT seq, subject, target, attempts, tried FROM deliveries \
             WHERE endpoint_id = $1 AND origin = $2 AND state = 'pending' AND next_at <= $3 \
             ORDER BY next_at, seq LIMIT $4",
        )
        .bind(endpoint.to_string())
        .bind(origin)
        .bind(now.unix_ms())
        .bind(i64::from(limit))
        .fetch_all(self.readers())
        .await
        .map_err(failed("read what is to be delivered"))?;
        rows.iter()
            .map(|row| {
                let fields = Fields::of(row, "deliveries", "seq");
                Ok(DueDelivery {
                    seq: fields.number("seq")?,
                    subject: fields.text("subject")?,
                    target: fields.maybe_text("target")?,
                    attempts: fields.number("attempts")?,
                    tried: fields.number("tried")?,
                })
            })
            .collect()
    }

    /// When the next delivery for `endpoint` at `origin` is due; `None` if there is none to be made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_delivery(
        &self,
        (endpoint, origin): (EndpointId, &str),
    ) -> Result<Option<Timestamp>, StoreError> {
        let row = sqlx::query(
            "SELECT seq, next_at FROM deliveries WHERE endpoint_id = $1 AND origin = $2 \
             AND state = 'pending' ORDER BY next_at, seq LIMIT 1",
        )
        .bind(endpoint.to_string())
        .bind(origin)
        .fetch_optional(self.readers())
        .await
        .map_err(failed("read when to deliver next"))?;
        row.map(|row| Fields::of(&row, "deliveries", "seq").time("next_at"))
            .transpose()
    }

    /// Writes down what was attempted for `endpoint`, how it fares, and what is to be told of that. What
    /// has the subject of one that is to be tried again waits for that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record_attempts(
        &self,
        endpoint: EndpointId,
        attempted: &[Attempted],
        (health, news): (&EndpointHealth, &[EndpointEvent]),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE endpoints SET failing_since = $2, failures = $3, last_failure = $4, \
             alerted_at = $5 WHERE id = $1",
        )
        .bind(endpoint.to_string())
        .bind(health.failing_since.map(Timestamp::unix_ms))
        .bind(i64::from(health.failures))
        .bind(health.last_failure.clone())
        .bind(health.alerted_at.map(Timestamp::unix_ms))
        .execute(&mut *tx)
        .await
        .map_err(failed("write how an endpoint fares"))?;
        finish(&mut tx, endpoint, attempted, at).await?;
        write_attempts(&mut tx, endpoint, attempted).await?;
        put_off(&mut tx, endpoint, attempted).await?;
        append_endpoint_events(&mut tx, news, at).await?;
        commit(tx).await
    }

    /// Makes everything due at `at` that waits for `endpoint` at `origin`: it answers again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hasten_deliveries(
        &self,
        (endpoint, origin): (EndpointId, &str),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE endpoints SET queued_to = queued_to WHERE id = $1")
            .bind(endpoint.to_string())
            .execute(&mut *tx)
            .await
            .map_err(failed("take an endpoint"))?;
        sqlx::query(
            "UPDATE deliveries SET next_at = $3 WHERE endpoint_id = $1 AND origin = $2 \
             AND state = 'pending' AND next_at > $3",
        )
        .bind(endpoint.to_string())
        .bind(origin)
        .bind(at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("hasten deliveries"))?;
        commit(tx).await
    }
}

/// Queues the events after `from` up to `to` that are wanted and not queued yet.
async fn queue(
    connection: &mut AnyConnection,
    endpoint: &EndpointRecord,
    (from, to): (u64, u64),
    at: Timestamp,
) -> Result<u64, StoreError> {
    let by_order = endpoint.kind == EndpointKind::Callbacks;
    let mut statement = Statement::new(
        "INSERT INTO deliveries (endpoint_id, seq, subject, origin, target, state, attempts, \
         tried, next_at, queued_at) SELECT ",
    );
    statement
        .bind(endpoint.id.to_string())
        .push(", seq, subject, origin, target, 'pending', 0, 0, COALESCE((SELECT CASE WHEN ")
        .push("last.next_at > ")
        .bind(at.unix_ms())
        .push(" THEN last.next_at END FROM deliveries AS last WHERE last.endpoint_id = ")
        .bind(endpoint.id.to_string())
        .push(" AND last.subject = wanted.subject AND last.state = 'pending' ")
        .push("ORDER BY last.seq DESC LIMIT 1), ");
    statement.bind(at.unix_ms()).push("), ");
    statement
        .bind(at.unix_ms())
        .push(" FROM (SELECT events.seq AS seq, ")
        .push(subject_of_events(endpoint.kind))
        .push(" AS subject, ");
    statement.push(if by_order {
        "orders.callback_origin AS origin, orders.callback_url AS target \
         FROM events JOIN orders ON orders.id = events.order_id WHERE orders.callback_format = "
    } else {
        "'' AS origin, NULL AS target FROM events WHERE '' = "
    });
    let format = if by_order { endpoint.format.name() } else { "" };
    statement.bind(format).push(" AND events.seq > ");
    statement
        .bind(number(from, "sequence number")?)
        .push(" AND events.seq <= ");
    statement.bind(number(to, "sequence number")?);
    if let EventTypes::Only(names) = &endpoint.types {
        let names = names.iter().map(|name| Value::from(*name));
        statement
            .push(" AND events.kind IN (")
            .bind_list(names)
            .push(")");
    }
    // SQLite takes what follows for the end of a join, were there no condition.
    statement
        .push(") AS wanted WHERE true ON CONFLICT (endpoint_id, seq) DO NOTHING RETURNING seq");
    let rows = statement.rows(connection, "queue deliveries").await?;
    Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
}

/// What has one subject is told in order: what is about one thing. A stream of NATS is in order as a
/// whole, so nothing overtakes anything there.
const fn subject_of_events(kind: EndpointKind) -> &'static str {
    match kind {
        EndpointKind::Nats => "''",
        EndpointKind::Webhook
        | EndpointKind::Callbacks
        | EndpointKind::Kafka
        | EndpointKind::Email
        | EndpointKind::Message => {
            "COALESCE(events.order_id, events.payment_id, events.endpoint_id, \
             'chain ' || CAST(events.chain_id AS TEXT))"
        },
    }
}

/// Writes what became of the deliveries that are pending still.
async fn finish(
    connection: &mut AnyConnection,
    endpoint: EndpointId,
    attempted: &[Attempted],
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut rows: Vec<[Value; 5]> = Vec::with_capacity(attempted.len());
    for one in attempted {
        let (state, next_at) = match one.then {
            AfterAttempt::Delivered => ("delivered", None),
            AfterAttempt::Again(next_at) => ("pending", Some(next_at.unix_ms())),
            AfterAttempt::GivenUp => ("failed", None),
        };
        rows.push([
            endpoint.to_string().into(),
            number(one.delivery.seq, "sequence number")?.into(),
            state.into(),
            next_at.into(),
            at.unix_ms().into(),
        ]);
    }
    let before = "UPDATE deliveries SET state = new.column3, attempts = attempts + 1, \
        tried = tried + 1, next_at = COALESCE(new.column4, next_at), \
        finished_at = CASE WHEN new.column3 <> 'pending' THEN new.column5 END FROM (";
    let after = ") AS new WHERE endpoint_id = new.column1 AND seq = new.column2 \
        AND state = 'pending'";
    insert(connection, &rows, before, after, "finish deliveries")
        .await
        .map(drop)
}

async fn write_attempts(
    connection: &mut AnyConnection,
    endpoint: EndpointId,
    attempted: &[Attempted],
) -> Result<(), StoreError> {
    let mut rows: Vec<[Value; 8]> = Vec::with_capacity(attempted.len());
    for one in attempted {
        rows.push([
            endpoint.to_string().into(),
            number(one.delivery.seq, "sequence number")?.into(),
            i64::from(one.delivery.tried.saturating_add(1)).into(),
            one.sent_at.unix_ms().into(),
            i64::from(one.took_ms).into(),
            one.status.map(i64::from).into(),
            one.failure.clone().into(),
            one.answer.clone().into(),
        ]);
    }
    let before = "INSERT INTO delivery_attempts (endpoint_id, seq, attempt, sent_at, took_ms, \
        status, failure, answer)";
    let after = "ON CONFLICT (endpoint_id, seq, attempt) DO NOTHING";
    insert(connection, &rows, before, after, "write attempts")
        .await
        .map(drop)
}

/// Puts off what comes after deliveries that are to be tried again.
async fn put_off(
    connection: &mut AnyConnection,
    endpoint: EndpointId,
    attempted: &[Attempted],
) -> Result<(), StoreError> {
    let mut rows: Vec<[Value; 4]> = Vec::new();
    let mut latest: BTreeMap<&str, (u64, Timestamp)> = BTreeMap::new();
    for one in attempted {
        if let AfterAttempt::Again(next_at) = one.then {
            latest.insert(&one.delivery.subject, (one.delivery.seq, next_at));
        }
    }
    for (subject, (seq, next_at)) in latest {
        rows.push([
            endpoint.to_string().into(),
            subject.into(),
            number(seq, "sequence number")?.into(),
            next_at.unix_ms().into(),
        ]);
    }
    let before = "UPDATE deliveries SET next_at = new.column4 FROM (";
    let after = ") AS new WHERE endpoint_id = new.column1 AND subject = new.column2 \
        AND seq > new.column3 AND state = 'pending' AND next_at < new.column4";
    insert(connection, &rows, before, after, "put deliveries off")
        .await
        .map(drop)
}
