//! Deliveries that are made once more, because somebody wants them.

use crate::batch::Statement;
use crate::decisions::append;
use crate::deliveries::queue;
use crate::error::{StoreError, failed};
use crate::fields::number;
use crate::record::{Again, EndpointRecord, NewDecision};
use crate::store::{Store, commit};

impl Store {
    /// Queues deliveries again and writes down who wanted it; returns how many.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the endpoint is disabled: it is told nothing.
    pub async fn redeliver(
        &self,
        endpoint: &EndpointRecord,
        again: Again,
        decision: &NewDecision,
    ) -> Result<u64, StoreError> {
        let at = decision.at;
        let mut tx = self.write().await?;
        let taken = sqlx::query(
            "UPDATE endpoints SET changes = changes + 1 WHERE id = $1 AND disabled_at IS NULL",
        )
        .bind(endpoint.id.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed("take an endpoint"))?;
        if taken.rows_affected() != 1 {
            return Err(StoreError::stale(format!("endpoint {}", endpoint.id)));
        }
        let mut statement = Statement::new(
            "UPDATE deliveries SET state = 'pending', attempts = 0, finished_at = NULL, next_at = ",
        );
        statement.bind(at.unix_ms()).push(" WHERE endpoint_id = ");
        statement.bind(endpoint.id.to_string());
        match again {
            Again::Failed => {
                statement.push(" AND state = 'failed'");
            },
            Again::Range(from, to) => {
                let to = to.min(endpoint.queued_to);
                queue(&mut tx, endpoint, (from.saturating_sub(1), to), at).await?;
                statement
                    .push(" AND seq >= ")
                    .bind(number(from, "sequence number")?)
                    .push(" AND seq <= ")
                    .bind(number(to, "sequence number")?);
            },
        }
        statement.push(" RETURNING seq, subject");
        let rows = statement.rows(&mut tx, "queue deliveries again").await?;
        // What has one subject is due at one time, so that it is told in its order.
        sqlx::query(
            "UPDATE deliveries SET next_at = $2 WHERE endpoint_id = $1 AND state = 'pending' \
             AND subject IN (SELECT subject FROM deliveries WHERE endpoint_id = $1 \
             AND state = 'pending' AND attempts = 0 AND next_at = $2)",
        )
        .bind(endpoint.id.to_string())
        .bind(at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("put deliveries in order"))?;
        append(&mut tx, decision, (None, None)).await?;
        commit(tx).await?;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }
}
