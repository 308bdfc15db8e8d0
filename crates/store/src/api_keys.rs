//! Keys to the API.

use paywatch_core::Timestamp;

use crate::error::{StoreError, failed};
use crate::fields::Fields;
use crate::record::{ApiKeyRecord, NewApiKey};
use crate::store::{Store, commit};

/// A key's last use is written at most this often: it need not be exact, and reading must not
/// wait for writing.
const LAST_USE_EVERY_MS: i64 = 60_000;

impl Store {
    /// Keeps a new key.
    ///
    /// # Errors
    /// When the database fails, or its id or hash is taken.
    pub async fn create_api_key(&self, key: &NewApiKey) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO api_keys (id, name, hash, created_at) VALUES ($1, $2, $3, $4)")
            .bind(key.id.as_str())
            .bind(key.name.as_str())
            .bind(key.hash.as_str())
            .bind(key.created_at.unix_ms())
            .execute(&mut *tx)
            .await
            .map_err(failed("write an API key"))?;
        commit(tx).await
    }

    /// All keys, revoked ones too, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, created_at, last_used_at, revoked_at FROM api_keys \
             ORDER BY created_at, id",
        )
        .fetch_all(self.readers())
        .await
        .map_err(failed("read API keys"))?;
        rows.iter()
            .map(|row| record(Fields::of(row, "api_keys", "id")))
            .collect()
    }

    /// Revokes a key from `at` on. A key that was revoked before keeps that time. `false` if there
    /// is no such key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_api_key(&self, id: &str, at: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let updated =
            sqlx::query("UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1")
                .bind(id)
                .bind(at.unix_ms())
                .execute(&mut *tx)
                .await
                .map_err(failed("revoke an API key"))?;
        commit(tx).await?;
        Ok(updated.rows_affected() == 1)
    }

    /// The key whose secret has this SHA-256 (in hex), if it is not revoked; notes its use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_api_key(
        &self,
        hash: &str,
        at: Timestamp,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let row = sqlx::query(
            "SELECT id, name, created_at, last_used_at, revoked_at FROM api_keys \
             WHERE hash = $1 AND revoked_at IS NULL",
        )
        .bind(hash)
        .fetch_optional(self.readers())
        .await
        .map_err(failed("look up an API key"))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let mut key = record(Fields::of(&row, "api_keys", "id"))?;
        let due = at.unix_ms().saturating_sub(LAST_USE_EVERY_MS);
        if key.last_used_at.is_none_or(|last| last.unix_ms() <= due) {
            let mut tx = self.write().await?;
            sqlx::query("UPDATE api_keys SET last_used_at = $2 WHERE id = $1")
                .bind(key.id.as_str())
                .bind(at.unix_ms())
                .execute(&mut *tx)
                .await
                .map_err(failed("note the use of an API key"))?;
            commit(tx).await?;
            key.last_used_at = Some(at);
        }
        Ok(Some(key))
    }
}

fn record(fields: Fields<'_>) -> Result<ApiKeyRecord, StoreError> {
    Ok(ApiKeyRecord {
        id: fields.text("id")?,
        name: fields.text("name")?,
        created_at: fields.time("created_at")?,
        last_used_at: fields.maybe_time("last_used_at")?,
        revoked_at: fields.maybe_time("revoked_at")?,
    })
}
