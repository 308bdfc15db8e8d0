//! Refunds: prepared, given up and linked by operators; read by themselves and with their orders.

mod apply;
mod load;
mod touched;

use paywatch_core::{
    FinalityTag, OrderId, PaymentId, Reference, Refund, RefundId, RefundStatus, Timestamp,
};
use sqlx::AnyConnection;

use crate::batch::Value;
use crate::commit::apply_changes;
use crate::decisions::append;
use crate::error::{StoreError, failed};
use crate::fields::{address, chain_number};
use crate::record::{
    DecisionRecord, NewDecision, NewRefund, OrderChange, RefundFilter, RefundRecord,
};
use crate::store::{Store, Tx, commit};

pub(crate) use crate::refunds::apply::{apply, none_is_left_behind};
pub(crate) use crate::refunds::load::of_orders;
pub(crate) use crate::refunds::touched::touched;

/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;

impl Store {
    /// Writes a refund down, which makes of its order what `change` says.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the order moved on since its books were read, as through another
    /// refund.
    pub async fn prepare_refund(
        &self,
        new: &NewRefund,
        change: &OrderChange,
        decision: &NewDecision,
    ) -> Result<DecisionRecord, StoreError> {
        if change.order_id != new.refund.order {
            return Err(StoreError::refused("the change is another order's"));
        }
        let mut tx = self.write().await?;
        insert(&mut tx, new).await?;
        decided(tx, change, decision, None).await
    }

    /// Gives a refund up, which makes of its order what `change` says.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the refund or its order moved on since their books were read.
    pub async fn cancel_refund(
        &self,
        id: &RefundId,
        change: &OrderChange,
        decision: &NewDecision,
    ) -> Result<DecisionRecord, StoreError> {
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE refunds SET cancelled_at = $3, state = 'cancelled' \
             WHERE id = $1 AND order_id = $2 AND state = 'prepared'",
        )
        .bind(id.to_string())
        .bind(change.order_id.to_string())
        .bind(decision.at.unix_ms())
        .execute(&mut *tx)
        .await
        .map_err(failed("cancel a refund"))?;
        moved_on(moved.rows_affected(), id)?;
        decided(tx, change, decision, None).await
    }

    /// Lets what was sent carry a refund out on an operator's word, which makes of its order what
    /// `change` says.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the refund, its order or the payment moved on since their books
    /// were read.
    pub async fn link_refund(
        &self,
        id: &RefundId,
        payment: &PaymentId,
        change: &OrderChange,
        decision: &NewDecision,
    ) -> Result<DecisionRecord, StoreError> {
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE refunds SET payment_id = $3 \
             WHERE id = $1 AND order_id = $2 AND state = 'prepared' \
             AND EXISTS (SELECT 1 FROM transfers \
                 WHERE payment_id = $3 AND canonical = 1 AND state = 'sent') \
             AND NOT EXISTS (SELECT 1 FROM refunds AS other \
                 WHERE other.payment_id = $3 AND other.state IN ('sent', 'confirmed'))",
        )
        .bind(id.to_string())
        .bind(change.order_id.to_string())
        .bind(payment.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed("link a refund"))?;
        moved_on(moved.rows_affected(), id)?;
        decided(tx, change, decision, Some(*payment)).await
    }

    /// The refund with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund(&self, id: &RefundId) -> Result<Option<RefundRecord>, StoreError> {
        let mut tx = self.read().await?;
        load::one(&mut tx, &[(" WHERE refunds.id = ", id.to_string())]).await
    }

    /// The refund that has this reference among those of an order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund_of(
        &self,
        order: OrderId,
        reference: &Reference,
    ) -> Result<Option<RefundRecord>, StoreError> {
        let mut tx = self.read().await?;
        let conditions = [
            (" WHERE refunds.order_id = ", order.to_string()),
            (" AND refunds.reference = ", reference.to_string()),
        ];
        load::one(&mut tx, &conditions).await
    }

    /// The refund that a transfer carries out, if it does.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund_by(&self, payment: &PaymentId) -> Result<Option<RefundRecord>, StoreError> {
        let mut tx = self.read().await?;
        let by = " WHERE refunds.state IN ('sent', 'confirmed') AND refunds.payment_id = ";
        load::one(&mut tx, &[(by, payment.to_string())]).await
    }

    /// A page of the refunds that meet `filter`, newest first, those that were made before the one
    /// with the id `before`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refunds(
        &self,
        filter: &RefundFilter,
        before: Option<RefundId>,
        limit: u32,
    ) -> Result<Vec<RefundRecord>, StoreError> {
        let mut statement = load::all();
        // An id begins with the time at which it was made.
        match before {
            Some(before) => statement
                .push(" WHERE refunds.id < ")
                .bind(before.to_string()),
            None => statement.push(" WHERE refunds.id <> ''"),
        };
        if !filter.statuses.is_empty() {
            let statuses = filter.statuses.iter().map(|status| status.name());
            statement
                .push(" AND refunds.state IN (")
                .bind_list(statuses.map(Value::from))
                .push(")");
        }
        if let Some(order) = filter.order {
            statement
                .push(" AND refunds.order_id = ")
                .bind(order.to_string());
        }
        if let Some(chain_id) = filter.chain_id {
            statement
                .push(" AND refunds.chain_id = ")
                .bind(chain_number(chain_id)?);
        }
        statement
            .push(" ORDER BY refunds.id DESC LIMIT ")
            .bind(i64::from(limit.clamp(1, LONGEST_PAGE)));
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "list refunds").await?;
        rows.iter().map(load::record).collect()
    }
}

/// Exactly one refund must have been as it was read.
fn moved_on(rows: u64, id: &RefundId) -> Result<(), StoreError> {
    if rows == 1 {
        return Ok(());
    }
    Err(StoreError::stale(format!("refund {id}")))
}

/// Makes of the order what `change` says, and writes down who decided so.
async fn decided(
    mut tx: Tx,
    change: &OrderChange,
    decision: &NewDecision,
    payment: Option<PaymentId>,
) -> Result<DecisionRecord, StoreError> {
    apply_changes(&mut tx, std::slice::from_ref(change), decision.at).await?;
    let record = append(&mut tx, decision, (Some(change.order_id), payment)).await?;
    commit(tx).await?;
    Ok(record)
}

async fn insert(connection: &mut AnyConnection, new: &NewRefund) -> Result<(), StoreError> {
    let Refund {
        id,
        order,
        reference,
        token,
        to,
        amount,
        reason,
        finality,
        created_at,
        cancelled_at,
    } = &new.refund;
    let inserted = sqlx::query(
        "INSERT INTO refunds (id, order_id, reference, request_digest, chain_id, token, symbol, \
         decimals, recipient, amount, reason, min_confirmations, finality_tag, proof, created_at, \
         cancelled_at, state) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
         ON CONFLICT (order_id, reference) DO NOTHING",
    )
    .bind(id.to_string())
    .bind(order.to_string())
    .bind(reference.as_str())
    .bind(new.request_digest.as_str())
    .bind(chain_number(token.chain_id)?)
    .bind(address(&token.address))
    .bind(token.symbol.as_str())
    .bind(i64::from(token.decimals.get()))
    .bind(address(to))
    .bind(amount.to_string())
    .bind(reason.as_str())
    .bind(i64::from(finality.min_confirmations()))
    .bind(finality.tag().map(FinalityTag::name))
    .bind(finality.proof().name())
    .bind(created_at.unix_ms())
    .bind(cancelled_at.map(Timestamp::unix_ms))
    .bind(RefundStatus::Prepared.name())
    .execute(connection)
    .await
    .map_err(failed("write a refund"))?;
    // A twin was faster: read again, and find it.
    moved_on(inserted.rows_affected(), id)
}
