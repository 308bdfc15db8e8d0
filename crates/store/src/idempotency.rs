//! Answers to requests that create something, kept for those who ask again.

use paywatch_core::Timestamp;

use crate::error::{StoreError, failed};
use crate::fields::Fields;
use crate::store::{Store, Tx, commit};

/// A request that is about to be carried out under a key of the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The API key by which the client is known.
    pub api_key: String,
    /// What the client calls the request.
    pub name: String,
    /// SHA-256 of the request, in hex.
    pub request_digest: String,
    /// The process that carries it out.
    pub begun_by: String,
    /// When.
    pub begun_at: Timestamp,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Location`.
    pub location: Option<String>,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The body.
    pub body: String,
}

/// Whether a request may be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It may, and nobody else may meanwhile.
    Begun,
    /// It was carried out before; this was the answer.
    Answered(KeptAnswer),
    /// Somebody is about it.
    Running,
    /// The key was another request's.
    OtherRequest,
}

impl Store {
    /// Begins `attempt`, unless one under its key was begun after `kept_since`. One that was begun
    /// before `stale_before`, or by the same process, which has lost it, was given up and is begun
    /// again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_attempt(
        &self,
        attempt: &Attempt,
        kept_since: Timestamp,
        stale_before: Timestamp,
    ) -> Result<AttemptOutcome, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM idempotency_keys WHERE begun_at < $1")
            .bind(kept_since.unix_ms())
            .execute(&mut *tx)
            .await
            .map_err(failed("forget old answers"))?;
        let outcome = begin(&mut tx, attempt, stale_before).await?;
        commit(tx).await?;
        Ok(outcome)
    }

    /// Keeps the answer to `attempt`, if it is still this process's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_attempt(
        &self,
        attempt: &Attempt,
        answer: &KeptAnswer,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE idempotency_keys SET status = $4, location = $5, content_type = $6, body = $7 \
             WHERE api_key = $1 AND name = $2 AND begun_by = $3 AND status IS NULL",
        )
        .bind(attempt.api_key.as_str())
        .bind(attempt.name.as_str())
        .bind(attempt.begun_by.as_str())
        .bind(i64::from(answer.status))
        .bind(answer.location.as_deref())
        .bind(answer.content_type.as_deref())
        .bind(answer.body.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("keep an answer"))?;
        commit(tx).await
    }

    /// Gives `attempt` up, if it is still this process's: the next one may begin.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn abandon_attempt(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "DELETE FROM idempotency_keys \
             WHERE api_key = $1 AND name = $2 AND begun_by = $3 AND status IS NULL",
        )
        .bind(attempt.api_key.as_str())
        .bind(attempt.name.as_str())
        .bind(attempt.begun_by.as_str())
        .execute(&mut *tx)
        .await
        .map_err(failed("give up a request"))?;
        commit(tx).await
    }
}

async fn begin(
    tx: &mut Tx,
    attempt: &Attempt,
    stale_before: Timestamp,
) -> Result<AttemptOutcome, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO idempotency_keys (api_key, name, request_digest, begun_by, begun_at) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (api_key, name) DO NOTHING",
    )
    .bind(attempt.api_key.as_str())
    .bind(attempt.name.as_str())
    .bind(attempt.request_digest.as_str())
    .bind(attempt.begun_by.as_str())
    .bind(attempt.begun_at.unix_ms())
    .execute(&mut **tx)
    .await
    .map_err(failed("begin a request"))?;
    if inserted.rows_affected() == 1 {
        return Ok(AttemptOutcome::Begun);
    }
    let row = sqlx::query(
        "SELECT request_digest, begun_by, begun_at, status, location, content_type, body \
         FROM idempotency_keys WHERE api_key = $1 AND name = $2",
    )
    .bind(attempt.api_key.as_str())
    .bind(attempt.name.as_str())
    .fetch_one(&mut **tx)
    .await
    .map_err(failed("look for an answer"))?;
    let fields = Fields::of(&row, "idempotency_keys", "name");
    if fields.text("request_digest")? != attempt.request_digest {
        return Ok(AttemptOutcome::OtherRequest);
    }
    if let Some(status) = fields.maybe_number("status")? {
        return Ok(AttemptOutcome::Answered(KeptAnswer {
            status,
            location: fields.maybe_text("location")?,
            content_type: fields.maybe_text("content_type")?,
            body: fields.text("body")?,
        }));
    }
    // Whoever looks at the same moment compares and sets as well: one of them finds it changed.
    let taken = sqlx::query(
        "UPDATE idempotency_keys SET begun_by = $3, begun_at = $4 WHERE api_key = $1 \
         AND name = $2 AND status IS NULL AND begun_by = $5 AND begun_at = $6 \
         AND (begun_at < $7 OR begun_by = $3)",
    )
    .bind(attempt.api_key.as_str())
    .bind(attempt.name.as_str())
    .bind(attempt.begun_by.as_str())
    .bind(attempt.begun_at.unix_ms())
    .bind(fields.text("begun_by")?)
    .bind(fields.time("begun_at")?.unix_ms())
    .bind(stale_before.unix_ms())
    .execute(&mut **tx)
    .await
    .map_err(failed("take over a request"))?;
    Ok(if taken.rows_affected() == 1 {
        AttemptOutcome::Begun
    } else {
        AttemptOutcome::Running
    })
}
