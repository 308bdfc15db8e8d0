//! Endpoints: made, changed, disabled, and lent to the program that delivers to them.

mod desk;

use std::collections::BTreeMap;

use paywatch_core::{EndpointEvent, EndpointEventKind, EndpointId, EndpointKind, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::decisions::append;
use crate::error::{StoreError, failed};
use crate::events::append_endpoint_events;
use crate::fields::Fields;
use crate::record::{
    DisabledBy, EndpointHealth, EndpointRecord, EndpointSecret, NewDecision, NewEndpoint,
};
use crate::store::{Store, commit, take_event_numbers};

const COLUMNS: &str = "SELECT id, kind, name, url, format, types, created_at, disabled_at, \
    disabled_because, queued_to, failing_since, failures, last_failure, alerted_at, changes FROM endpoints";

impl Store {
    /// The endpoint of this kind and name. If there is none, `new` becomes it; if there is, its URL and
    /// types become those of `new`, and if it has no secrets, so do these. Two programs that ask at once
    /// get one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ensure_endpoint(&self, new: &NewEndpoint) -> Result<EndpointRecord, StoreError> {
        let mut tx = self.write().await?;
        // Who comes second waits here, and then finds what the first has made.
        take_event_numbers(&mut tx, 0).await?;
        let known: Option<String> = sqlx::query_scalar(
            "UPDATE endpoints SET url = $3, types = $4, format = $5, changes = changes + 1 \
             WHERE kind = $1 AND name = $2 RETURNING id",
        )
        .bind(new.kind.name())
        .bind(new.name.as_str())
        .bind(new.url.as_str())
        .bind(new.types.to_string())
        .bind(new.format.name())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed("look for an endpoint"))?;
        let id = match known {
            None => {
                insert(&mut tx, new).await?;
                new.id
            },
            Some(id) => id
                .parse()
                .map_err(|_no_id| StoreError::refused("an endpoint has no id"))?,
        };
        let mut endpoint = load(&mut tx, Some(id)).await?.pop();
        if endpoint.as_ref().is_some_and(|it| it.secrets.is_empty()) && !new.secrets.is_empty() {
            for secret in &new.secrets {
                keep_secret(&mut tx, id, secret, new.created_at).await?;
            }
            endpoint = load(&mut tx, Some(id)).await?.pop();
        }
        commit(tx).await?;
        endpoint.ok_or_else(|| StoreError::refused("the endpoint was not kept"))
    }

    /// All endpoints, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn endpoints(&self) -> Result<Vec<EndpointRecord>, StoreError> {
        let mut tx = self.read().await?;
        load(&mut tx, None).await
    }

    /// The endpoint with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn endpoint(&self, id: EndpointId) -> Result<Option<EndpointRecord>, StoreError> {
        let mut tx = self.read().await?;
        Ok(load(&mut tx, Some(id)).await?.pop())
    }

    /// Tells an endpoint nothing any more, from `at` on: what was still to be delivered is dropped.
    /// `false` if it is disabled already, or there is no such one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disable_endpoint(
        &self,
        id: EndpointId,
        (because, at): (&str, Timestamp),
        by: DisabledBy<'_>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let disabled = sqlx::query(
            "UPDATE endpoints SET disabled_at = $2, disabled_because = $3 \
             WHERE id = $1 AND disabled_at IS NULL",
        )
        .bind(id.to_string())
        .bind(at.unix_ms())
        .bind(because)
        .execute(&mut *tx)
        .await
        .map_err(failed("disable an endpoint"))?;
        if disabled.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(
            "UPDATE deliveries SET state = 'dropped', finished_at = $2 \
             WHERE endpoint_id = $1 AND state = 'pending'",
        )
        .bind(id.to_string())
        .bind(at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("drop deliveries"))?;
        if let Some(decision) = by.decision() {
            append(&mut tx, decision, (None, None)).await?;
        }
        if by.is_told() {
            let event = EndpointEvent {
                endpoint: id,
                kind: EndpointEventKind::Disabled,
                detail: because.to_owned(),
            };
            append_endpoint_events(&mut tx, &[event], at).await?;
        }
        commit(tx).await?;
        Ok(true)
    }

    /// Tells an endpoint that was disabled of what happens from now on. `false` if it is not disabled.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enable_endpoint(
        &self,
        id: EndpointId,
        decision: &NewDecision,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let enabled = sqlx::query(
            "UPDATE endpoints SET disabled_at = NULL, disabled_because = NULL, changes = changes + 1, \
             failing_since = NULL, failures = 0, last_failure = NULL, alerted_at = NULL, \
             queued_to = (SELECT value FROM counters WHERE name = 'events') \
             WHERE id = $1 AND disabled_at IS NOT NULL",
        )
        .bind(id.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed("enable an endpoint"))?;
        if enabled.rows_affected() == 0 {
            return Ok(false);
        }
        append(&mut tx, decision, (None, None)).await?;
        commit(tx).await?;
        Ok(true)
    }

    /// Takes, or keeps, the endpoints that nobody else delivers to at `now`, until `until`; returns all
    /// that `holder` then has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_endpoints(
        &self,
        holder: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Vec<EndpointRecord>, StoreError> {
        let all = self.endpoints().await?;
        if all.iter().all(|endpoint| endpoint.disabled.is_some()) {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let held: Vec<String> = sqlx::query_scalar(
            "UPDATE endpoints SET leased_by = $1, leased_until = $3 WHERE disabled_at IS NULL \
             AND (leased_by IS NULL OR leased_by = $1 OR leased_until < $2) RETURNING id",
        )
        .bind(holder)
        .bind(now.unix_ms())
        .bind(until.unix_ms())
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("lease endpoints"))?;
        let mut endpoints = load(&mut tx, None).await?;
        commit(tx).await?;
        endpoints.retain(|endpoint| held.contains(&endpoint.id.to_string()));
        Ok(endpoints)
    }

    /// Gives back what `holder` has, so that another need not wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_endpoints(&self, holder: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE endpoints SET leased_by = NULL, leased_until = 0 WHERE leased_by = $1")
            .bind(holder)
            .execute(&mut *tx)
            .await
            .map_err(failed("give endpoints back"))?;
        commit(tx).await
    }
}

async fn insert(connection: &mut AnyConnection, new: &NewEndpoint) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO endpoints (id, kind, name, url, format, types, created_at, queued_to) \
         SELECT $1, $2, $3, $4, $5, $6, $7, value FROM counters WHERE name = 'events'",
    )
    .bind(new.id.to_string())
    .bind(new.kind.name())
    .bind(new.name.as_str())
    .bind(new.url.as_str())
    .bind(new.format.name())
    .bind(new.types.to_string())
    .bind(new.created_at.unix_ms())
    .execute(&mut *connection)
    .await
    .map_err(failed("write an endpoint"))?;
    for secret in &new.secrets {
        keep_secret(connection, new.id, secret, new.created_at).await?;
    }
    Ok(())
}

async fn keep_secret(
    connection: &mut AnyConnection,
    id: EndpointId,
    secret: &SecretString,
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO endpoint_secrets (endpoint_id, secret, created_at) VALUES ($1, $2, $3)",
    )
    .bind(id.to_string())
    .bind(secret.expose_secret())
    .bind(at.unix_ms())
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("write a secret"))
}

/// The endpoint `id`, or all of them, oldest first.
async fn load(
    connection: &mut AnyConnection,
    id: Option<EndpointId>,
) -> Result<Vec<EndpointRecord>, StoreError> {
    let query = format!("{COLUMNS} WHERE $1 = '' OR id = $1 ORDER BY created_at, id");
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(id.clone())
        .fetch_all(&mut *connection)
        .await
        .map_err(failed("read endpoints"))?;
    let secrets = sqlx::query(
        "SELECT endpoint_id, secret, created_at, expires_at FROM endpoint_secrets \
         WHERE $1 = '' OR endpoint_id = $1 \
         ORDER BY CASE WHEN expires_at IS NULL THEN 0 ELSE 1 END, created_at DESC, secret",
    )
    .bind(id)
    .fetch_all(connection)
    .await
    .map_err(failed("read secrets"))?;
    let mut by_endpoint: BTreeMap<EndpointId, Vec<EndpointSecret>> = BTreeMap::new();
    for row in &secrets {
        let fields = Fields::of(row, "endpoint_secrets", "endpoint_id");
        let of_one = by_endpoint
            .entry(fields.parsed("endpoint_id")?)
            .or_default();
        of_one.push(EndpointSecret {
            secret: SecretString::from(fields.text("secret")?),
            created_at: fields.time("created_at")?,
            expires_at: fields.maybe_time("expires_at")?,
        });
    }
    let mut endpoints = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut endpoint = record(row)?;
        endpoint.secrets = by_endpoint.remove(&endpoint.id).unwrap_or_default();
        endpoints.push(endpoint);
    }
    Ok(endpoints)
}

fn record(row: &AnyRow) -> Result<EndpointRecord, StoreError> {
    let fields = Fields::of(row, "endpoints", "id");
    let because = fields.maybe_text("disabled_because")?;
    Ok(EndpointRecord {
        id: fields.parsed("id")?,
        kind: fields.parsed::<EndpointKind>("kind")?,
        name: fields.text("name")?,
        url: fields.text("url")?,
        format: fields.parsed("format")?,
        types: fields.parsed("types")?,
        secrets: Vec::new(),
        created_at: fields.time("created_at")?,
        disabled: fields.maybe_time("disabled_at")?.zip(because),
        queued_to: fields.number("queued_to")?,
        changes: fields.number("changes")?,
        health: EndpointHealth {
            failing_since: fields.maybe_time("failing_since")?,
            failures: fields.number("failures")?,
            last_failure: fields.maybe_text("last_failure")?,
            alerted_at: fields.maybe_time("alerted_at")?,
        },
    })
}
