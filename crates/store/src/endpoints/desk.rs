//! Endpoints as people manage them: made, changed, given another secret. No two of one kind have one
//! name, and of webhooks there are only so many.

use paywatch_core::{EndpointId, EndpointKind, MOST_SECRETS, MOST_WEBHOOKS, Timestamp};
use secrecy::SecretString;
use sqlx::AnyConnection;

use crate::decisions::append;
use crate::endpoints::{insert, keep_secret, load};
use crate::error::{StoreError, failed};
use crate::record::{EndpointChange, EndpointOutcome, EndpointRecord, NewDecision, NewEndpoint};
use crate::store::{Store, Tx, commit, take_event_numbers};

impl Store {
    /// Keeps a new endpoint, which is told of what happens from now on, and writes down who made it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn create_endpoint(
        &self,
        new: &NewEndpoint,
        decision: Option<&NewDecision>,
    ) -> Result<EndpointOutcome, StoreError> {
        let mut tx = self.write().await?;
        let known = alone(&mut tx).await?;
        let of_kind = || known.iter().filter(|known| known.kind == new.kind);
        if let Some(other) = of_kind().find(|known| known.name == new.name) {
            return Ok(EndpointOutcome::NameTaken(other.id));
        }
        let most = usize::try_from(MOST_WEBHOOKS).unwrap_or(usize::MAX);
        if new.kind == EndpointKind::Webhook && of_kind().count() >= most {
            return Ok(EndpointOutcome::Full);
        }
        insert(&mut tx, new).await?;
        if let Some(decision) = decision {
            append(&mut tx, decision, (None, None)).await?;
        }
        done(tx, new.id).await
    }

    /// Changes an endpoint, and writes down who did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_endpoint(
        &self,
        id: EndpointId,
        change: &EndpointChange,
        decision: &NewDecision,
    ) -> Result<EndpointOutcome, StoreError> {
        let mut tx = self.write().await?;
        let known = alone(&mut tx).await?;
        let Some(this) = known.iter().find(|known| known.id == id) else {
            return Ok(EndpointOutcome::Missing);
        };
        let taken = known.iter().find(|known| {
            known.id != id && known.kind == this.kind && Some(&known.name) == change.name.as_ref()
        });
        if let Some(other) = taken {
            return Ok(EndpointOutcome::NameTaken(other.id));
        }
        sqlx::query(
            "UPDATE endpoints SET name = COALESCE($2, name), url = COALESCE($3, url), \
             types = COALESCE($4, types), changes = changes + 1 WHERE id = $1",
        )
        .bind(id.to_string())
        .bind(change.name.clone())
        .bind(change.url.clone())
        .bind(change.types.as_ref().map(ToString::to_string))
        .execute(&mut *tx)
        .await
        .map_err(failed("change an endpoint"))?;
        append(&mut tx, decision, (None, None)).await?;
        done(tx, id).await
    }

    /// Gives an endpoint another secret; those that it has sign along until `ends_at`, and those that
    /// sign no more are forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rotate_endpoint_secret(
        &self,
        id: EndpointId,
        (secret, ends_at): (&SecretString, Timestamp),
        decision: &NewDecision,
    ) -> Result<EndpointOutcome, StoreError> {
        let mut tx = self.write().await?;
        let known = alone(&mut tx).await?;
        if known.iter().all(|known| known.id != id) {
            return Ok(EndpointOutcome::Missing);
        }
        sqlx::query(
            "UPDATE endpoint_secrets SET expires_at = $2 \
             WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(id.to_string())
        .bind(ends_at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("end a secret"))?;
        sqlx::query("DELETE FROM endpoint_secrets WHERE endpoint_id = $1 AND expires_at <= $2")
            .bind(id.to_string())
            .bind(decision.at.unix_ms())
            .execute(&mut *tx)
            .await
            .map_err(failed("forget a secret"))?;
        sqlx::query("UPDATE endpoints SET changes = changes + 1 WHERE id = $1")
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .map_err(failed("note a change of secrets"))?;
        let left = load(&mut tx, Some(id)).await?;
        if left.iter().any(|left| left.secrets.len() >= MOST_SECRETS) {
            return Ok(EndpointOutcome::Full);
        }
        keep_secret(&mut tx, id, secret, decision.at).await?;
        append(&mut tx, decision, (None, None)).await?;
        done(tx, id).await
    }
}

/// All endpoints, of which nobody else makes or changes one until the end of the transaction.
async fn alone(tx: &mut AnyConnection) -> Result<Vec<EndpointRecord>, StoreError> {
    take_event_numbers(&mut *tx, 0).await?;
    load(tx, None).await
}

async fn done(mut tx: Tx, id: EndpointId) -> Result<EndpointOutcome, StoreError> {
    let endpoint = load(&mut tx, Some(id)).await?.pop();
    commit(tx).await?;
    let endpoint = endpoint.ok_or_else(|| StoreError::refused("the endpoint was not kept"))?;
    Ok(EndpointOutcome::Done(Box::new(endpoint)))
}
