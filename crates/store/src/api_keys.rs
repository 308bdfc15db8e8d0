//! Keys to the API: made, used, replaced and revoked, with a line in the audit log.

use std::num::NonZeroU32;

use ipnet::IpNet;
use paywatch_core::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool};
use subtle::ConstantTimeEq as _;

use crate::batch::rows_of;
use crate::decisions::append;
use crate::error::{BoxError, StoreError, failed};
use crate::fields::Fields;
use crate::record::{ApiKeyRecord, KeyRate, KeyTerms, NewApiKey, NewDecision};
use crate::store::{Store, commit};
use crate::together::each_once;

/// A key's last use is written at most this often: it need not be exact, and reading must not
/// wait for writing.
const LAST_USE_EVERY_MS: i64 = 60_000;
/// What is read of a key.
macro_rules! columns {
    () => {
        "id, name, hash, created_at, last_used_at, revoked_at, mode, scopes, expires_at, networks, \
         per_minute, burst, public_key, gateway_public_key, successor"
    };
}
const COLUMNS: &str = columns!();

impl Store {
    /// Keeps a new key, and writes down who made it.
    ///
    /// # Errors
    /// When the database fails, or its id or hash is taken.
    pub async fn create_api_key(
        &self,
        key: &NewApiKey,
        decision: &NewDecision,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        insert(&mut tx, key).await?;
        append(&mut tx, decision, (None, None)).await?;
        commit(tx).await
    }

    /// All keys, revoked ones too, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_keys(&self) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM api_keys ORDER BY created_at, id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(query))
            .fetch_all(self.readers())
            .await
            .map_err(failed("read API keys"))?;
        rows.iter().map(record).collect()
    }

    /// The key with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key(&self, id: &str) -> Result<Option<ApiKeyRecord>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM api_keys WHERE id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(id)
            .fetch_optional(self.readers())
            .await
            .map_err(failed("read an API key"))?;
        row.as_ref().map(record).transpose()
    }

    /// Revokes a key from the time of `decision` on, which is written down with it. A key that was
    /// revoked before keeps that time. `false` if there is no such key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_api_key(
        &self,
        id: &str,
        decision: &NewDecision,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let revoked =
            sqlx::query("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
                .bind(id)
                .bind(decision.at.unix_ms())
                .execute(&mut *tx)
                .await
                .map_err(failed("revoke an API key"))?;
        if revoked.rows_affected() == 0 {
            drop(tx);
            return Ok(self.api_key(id).await?.is_some());
        }
        append(&mut tx, decision, (None, None)).await?;
        commit(tx).await?;
        Ok(true)
    }

    /// Puts `successor` in the place of the key `id`, which ends at `ends_at`, or earlier if it
    /// was to end earlier.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the key was revoked or has a successor by now.
    pub async fn rotate_api_key(
        &self,
        id: &str,
        ends_at: Timestamp,
        successor: &NewApiKey,
        decision: &NewDecision,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let ended = sqlx::query(
            "UPDATE api_keys SET successor = $2, expires_at = CASE \
             WHEN expires_at IS NULL OR expires_at > $3 THEN $3 ELSE expires_at END \
             WHERE id = $1 AND revoked_at IS NULL AND successor IS NULL",
        )
        .bind(id)
        .bind(successor.id.as_str())
        .bind(ends_at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("end an API key"))?;
        if ended.rows_affected() != 1 {
            return Err(StoreError::stale(format!("the key {id}")));
        }
        insert(&mut tx, successor).await?;
        append(&mut tx, decision, (None, None)).await?;
        commit(tx).await
    }

    /// The key whose secret has this SHA-256 (in hex), if it was not revoked and has not ended at
    /// `at`; notes its use.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_api_key(
        &self,
        hash: &str,
        at: Timestamp,
    ) -> Result<Option<ApiKeyRecord>, StoreError> {
        let readers = self.readers().clone();
        let read = move |hashes| {
            let readers = readers.clone();
            async move { each_once(hashes, async |hashes| by_hashes(&readers, hashes).await).await }
        };
        let known = self.keys.ask(hash.to_owned(), read).await?;
        let Some(mut key) = known.filter(|key| key.is_valid(at)) else {
            return Ok(None);
        };
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

    /// Notes the number of a signed request until `ends_at`, and forgets those that ended before
    /// `now`. `false` if the key has used it already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn use_nonce(
        &self,
        key_id: &str,
        nonce: &str,
        (now, ends_at): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM api_nonces WHERE ends_at < $1")
            .bind(now.unix_ms())
            .execute(&mut *tx)
            .await
            .map_err(failed("forget old nonces"))?;
        let noted = sqlx::query(
            "INSERT INTO api_nonces (key_id, nonce, ends_at) VALUES ($1, $2, $3) \
             ON CONFLICT (key_id, nonce) DO NOTHING",
        )
        .bind(key_id)
        .bind(nonce)
        .bind(ends_at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("note a nonce"))?;
        commit(tx).await?;
        Ok(noted.rows_affected() == 1)
    }
}

/// The keys with these hashes, whether they are worth anything or not.
async fn by_hashes(
    readers: &AnyPool,
    hashes: Vec<String>,
) -> Result<Vec<Option<ApiKeyRecord>>, StoreError> {
    const BY_HASH: &str = concat!("SELECT ", columns!(), " FROM api_keys WHERE hash IN");
    let reader = readers.acquire().await;
    let mut reader = reader.map_err(failed("look up an API key"))?;
    let rows = rows_of(&mut reader, &hashes, BY_HASH, "", "look up an API key").await?;
    let mut known = Vec::with_capacity(rows.len());
    for row in &rows {
        let hash = Fields::of(row, "api_keys", "id").text("hash")?;
        known.push((hash, record(row)?));
    }
    // Nobody chooses what his key hashes to, so the time of the index tells nothing; this is the second
    // line.
    let of = |hash: &String| {
        let is_his = |stored: &str| bool::from(stored.as_bytes().ct_eq(hash.as_bytes()));
        let his = known.iter().find(|(stored, _)| is_his(stored));
        his.map(|(_, key)| key.clone())
    };
    Ok(hashes.iter().map(of).collect())
}

async fn insert(connection: &mut AnyConnection, key: &NewApiKey) -> Result<(), StoreError> {
    let terms = &key.terms;
    let networks: Vec<String> = terms.networks.iter().map(ToString::to_string).collect();
    sqlx::query(
        "INSERT INTO api_keys (id, name, hash, created_at, mode, scopes, expires_at, networks, \
         per_minute, burst, public_key, gateway_public_key) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(key.id.as_str())
    .bind(key.name.as_str())
    .bind(key.hash.as_str())
    .bind(key.created_at.unix_ms())
    .bind(terms.mode.name())
    .bind(terms.scopes.to_string())
    .bind(terms.expires_at.map(Timestamp::unix_ms))
    .bind(networks.join(","))
    .bind(terms.rate.map(|rate| i64::from(rate.per_minute.get())))
    .bind(terms.rate.map(|rate| i64::from(rate.burst.get())))
    .bind(terms.public_key.clone())
    .bind(terms.gateway_public_key.clone())
    .execute(connection)
    .await
    .map(drop)
    .map_err(failed("write an API key"))
}

fn record(row: &AnyRow) -> Result<ApiKeyRecord, StoreError> {
    let fields = Fields::of(row, "api_keys", "id");
    Ok(ApiKeyRecord {
        id: fields.text("id")?,
        name: fields.text("name")?,
        created_at: fields.time("created_at")?,
        last_used_at: fields.maybe_time("last_used_at")?,
        revoked_at: fields.maybe_time("revoked_at")?,
        terms: terms(fields)?,
        successor: fields.maybe_parsed("successor")?,
    })
}

fn terms(fields: Fields<'_>) -> Result<KeyTerms, StoreError> {
    Ok(KeyTerms {
        mode: fields.parsed("mode")?,
        scopes: fields.parsed("scopes")?,
        expires_at: fields.maybe_time("expires_at")?,
        networks: networks(fields)?,
        rate: rate(fields)?,
        public_key: fields.maybe_parsed("public_key")?,
        gateway_public_key: fields.maybe_parsed("gateway_public_key")?,
    })
}

fn networks(fields: Fields<'_>) -> Result<Vec<IpNet>, StoreError> {
    fields
        .text("networks")?
        .split(',')
        .filter(|text| !text.is_empty())
        .map(|text| {
            let parsed = text.parse::<IpNet>();
            parsed.map_err(|cause| fields.corrupt("networks", cause))
        })
        .collect()
}

fn rate(fields: Fields<'_>) -> Result<Option<KeyRate>, StoreError> {
    let number = |column| -> Result<Option<NonZeroU32>, StoreError> {
        let number = fields.maybe_number::<u32>(column)?;
        number
            .map(|number| {
                let number = NonZeroU32::try_from(number);
                number.map_err(|cause| fields.corrupt(column, BoxError::from(cause)))
            })
            .transpose()
    };
    let both = number("per_minute")?.zip(number("burst")?);
    Ok(both.map(|(per_minute, burst)| KeyRate { per_minute, burst }))
}
