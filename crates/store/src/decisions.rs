//! What operators decided: carried out and written down in one transaction.

use alloy_primitives::{hex, keccak256};
use paywatch_core::{
    DecisionKind, FinalityRule, FinalityTag, Order, OrderId, PaymentEvent, PaymentId, Reason,
    Timestamp,
};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::Statement;
use crate::commit::apply_changes;
use crate::error::{StoreError, failed};
use crate::events::append_payment_events;
use crate::fields::{Fields, number};
use crate::record::{DecisionFilter, DecisionRecord, NewDecision, OrderChange, Page};
use crate::slots;
use crate::store::{Store, Tx, commit};

/// Longer pages are cut to this.
const LONGEST_PAGE: u32 = 1_000;
/// What the first decision's digest follows upon.
const GENESIS: &str = "paywatch decisions";

impl Store {
    /// Carries out what an operator decided about an order: `order` with its new terms, and what
    /// it becomes through them.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the order moved on since its books were read;
    /// [`StoreError::AmountTaken`] when it would be open again, and its exact amount is another's.
    pub async fn decide_order(
        &self,
        order: &Order,
        change: &OrderChange,
        decision: &NewDecision,
    ) -> Result<DecisionRecord, StoreError> {
        if change.order_id != order.id {
            return Err(StoreError::refused("the change is another order's"));
        }
        let mut tx = self.write().await?;
        write_terms(&mut tx, order).await?;
        apply_changes(&mut tx, std::slice::from_ref(change), decision.at).await?;
        let subject = (Some(order.id), None);
        let record = append(&mut tx, decision, subject).await?;
        slots::keep(&mut tx, std::slice::from_ref(change)).await?;
        if decision.kind == DecisionKind::Extend && !slots::are_held(&mut tx, order.id).await? {
            return Err(StoreError::AmountTaken { order: order.id });
        }
        commit(tx).await?;
        Ok(record)
    }

    /// Gives a payment of no order to an order, which makes of it what `change` says. From then on
    /// it is confirmed by `finality`.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the payment or the order moved on since their books were read.
    pub async fn assign_payment(
        &self,
        payment: &PaymentId,
        finality: FinalityRule,
        change: &OrderChange,
        decision: &NewDecision,
    ) -> Result<DecisionRecord, StoreError> {
        let order = change.order_id;
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE transfers SET order_id = $2, state = 'seen', waits_for = chain_id, \
             confirmed_at_tip = NULL, \
             assigned_confirmations = $3, assigned_tag = $4, assigned_proof = $5 \
             WHERE payment_id = $1 AND canonical = 1 AND order_id IS NULL",
        )
        .bind(payment.to_string())
        .bind(order.to_string())
        .bind(i64::from(finality.min_confirmations()))
        .bind(finality.tag().map(FinalityTag::name))
        .bind(finality.proof().name())
        .execute(&mut *tx)
        .await
        .map_err(failed("assign a payment"))?;
        moved_on(moved.rows_affected(), payment)?;
        apply_changes(&mut tx, std::slice::from_ref(change), decision.at).await?;
        let record = append(&mut tx, decision, (Some(order), Some(*payment))).await?;
        slots::keep(&mut tx, std::slice::from_ref(change)).await?;
        commit(tx).await?;
        Ok(record)
    }

    /// Takes a payment that an operator assigned away from its order again: it is unmatched, which
    /// `event` tells.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when the payment or the order moved on since their books were read.
    pub async fn unassign_payment(
        &self,
        event: &PaymentEvent,
        change: &OrderChange,
        decision: &NewDecision,
    ) -> Result<DecisionRecord, StoreError> {
        let (order, payment) = (change.order_id, event.payment);
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE transfers SET order_id = NULL, state = 'unmatched', waits_for = NULL, \
             is_late = 0, confirmed_at_tip = NULL, assigned_confirmations = NULL, \
             assigned_tag = NULL, assigned_proof = NULL WHERE payment_id = $1 AND canonical = 1 \
             AND order_id = $2 AND assigned_confirmations IS NOT NULL",
        )
        .bind(payment.to_string())
        .bind(order.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed("unassign a payment"))?;
        moved_on(moved.rows_affected(), &payment)?;
        apply_changes(&mut tx, std::slice::from_ref(change), decision.at).await?;
        append_payment_events(&mut tx, std::slice::from_ref(event), decision.at).await?;
        let record = append(&mut tx, decision, (Some(order), Some(payment))).await?;
        slots::keep(&mut tx, std::slice::from_ref(change)).await?;
        commit(tx).await?;
        Ok(record)
    }

    /// Leaves an unmatched payment alone from now on, which `event` tells.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is not unmatched any more.
    pub async fn write_off_payment(
        &self,
        event: &PaymentEvent,
        decision: &NewDecision,
    ) -> Result<DecisionRecord, StoreError> {
        let mut tx = self.write().await?;
        let moved = sqlx::query(
            "UPDATE transfers SET state = 'written_off' WHERE payment_id = $1 AND canonical = 1 \
             AND order_id IS NULL AND state = 'unmatched'",
        )
        .bind(event.payment.to_string())
        .execute(&mut *tx)
        .await
        .map_err(failed("write a payment off"))?;
        moved_on(moved.rows_affected(), &event.payment)?;
        append_payment_events(&mut tx, std::slice::from_ref(event), decision.at).await?;
        let record = append(&mut tx, decision, (None, Some(event.payment))).await?;
        commit(tx).await?;
        Ok(record)
    }

    /// A page of the decisions that meet `filter`, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decisions(
        &self,
        filter: &DecisionFilter,
        page: Page,
    ) -> Result<Vec<DecisionRecord>, StoreError> {
        let before = page
            .before_seq
            .map(|seq| number(seq, "cursor"))
            .transpose()?;
        let mut statement = Statement::new(
            "SELECT seq, id, kind, order_id, payment_id, reason, decided_by, detail, decided_at, \
             digest FROM decisions WHERE seq < ",
        );
        statement.bind(before.unwrap_or(i64::MAX));
        if let Some(order) = filter.order {
            statement.push(" AND order_id = ").bind(order.to_string());
        }
        if let Some(payment) = filter.payment {
            statement
                .push(" AND payment_id = ")
                .bind(payment.to_string());
        }
        statement
            .push(" ORDER BY seq DESC LIMIT ")
            .bind(i64::from(page.limit.min(LONGEST_PAGE)));
        let mut tx = self.read().await?;
        let rows = statement.rows(&mut tx, "read decisions").await?;
        rows.iter().map(record).collect()
    }

    /// The first decision whose digest does not fit, if any: it, or one before it, was changed
    /// after it was written.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tampered_decision(&self) -> Result<Option<DecisionRecord>, StoreError> {
        let mut tx = self.read().await?;
        let rows = Statement::new(
            "SELECT seq, id, kind, order_id, payment_id, reason, decided_by, detail, decided_at, \
             digest FROM decisions ORDER BY seq",
        )
        .rows(&mut tx, "read decisions")
        .await?;
        let mut before = GENESIS.to_owned();
        for (expected, row) in (1_u64..).zip(&rows) {
            let record = record(row)?;
            if record.seq != expected || record.digest != digest(&before, &record) {
                return Ok(Some(record));
            }
            before = record.digest;
        }
        Ok(None)
    }
}

/// Exactly one payment must have been as it was read.
fn moved_on(rows: u64, payment: &PaymentId) -> Result<(), StoreError> {
    if rows == 1 {
        return Ok(());
    }
    Err(StoreError::stale(format!("payment {payment}")))
}

/// Writes what an operator may change of an order.
async fn write_terms(tx: &mut Tx, order: &Order) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE orders SET expires_at = $2, cancelled_at = $3, late_policy = $4, accepted = $5 \
         WHERE id = $1",
    )
    .bind(order.id.to_string())
    .bind(order.closes_at().unix_ms())
    .bind(order.cancelled_at.map(Timestamp::unix_ms))
    .bind(order.late_policy.name())
    .bind(order.accepted.map(|amount| amount.to_string()))
    .execute(&mut **tx)
    .await
    .map(drop)
    .map_err(failed("write an order's terms"))
}

/// Writes a decision down. Its number comes from a counter whose row stays locked until the end of
/// the transaction, so the digest before it is known.
pub(crate) async fn append(
    connection: &mut AnyConnection,
    new: &NewDecision,
    (order, payment): (Option<OrderId>, Option<PaymentId>),
) -> Result<DecisionRecord, StoreError> {
    let seq: i64 = sqlx::query_scalar(
        "UPDATE counters SET value = value + 1 WHERE name = 'decisions' RETURNING value",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed("number a decision"))?;
    let before: Option<String> = sqlx::query_scalar("SELECT digest FROM decisions WHERE seq = $1")
        .bind(seq.saturating_sub(1))
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed("read a decision"))?;
    let mut record = DecisionRecord {
        seq: seq.unsigned_abs(),
        id: new.id.clone(),
        kind: new.kind,
        order,
        payment,
        reason: new.reason.clone(),
        by: new.by.clone(),
        detail: new.detail.clone(),
        at: new.at,
        digest: String::new(),
    };
    record.digest = digest(before.as_deref().unwrap_or(GENESIS), &record);
    sqlx::query(
        "INSERT INTO decisions (seq, id, kind, order_id, payment_id, reason, decided_by, detail, \
         decided_at, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(seq)
    .bind(record.id.as_str())
    .bind(record.kind.name())
    .bind(order.map(|order| order.to_string()))
    .bind(payment.map(|payment| payment.to_string()))
    .bind(record.reason.as_str())
    .bind(record.by.as_str())
    .bind(record.detail.as_str())
    .bind(record.at.unix_ms())
    .bind(record.digest.as_str())
    .execute(connection)
    .await
    .map_err(failed("write a decision"))?;
    Ok(record)
}

/// Keccak-256, in hex, of the digest before and all that a decision says. Each part is preceded by
/// its length, so that no two decisions run together to the same bytes.
fn digest(before: &str, record: &DecisionRecord) -> String {
    let parts = [
        before.to_owned(),
        record.seq.to_string(),
        record.id.clone(),
        record.kind.name().to_owned(),
        record.order.map(|id| id.to_string()).unwrap_or_default(),
        record.payment.map(|id| id.to_string()).unwrap_or_default(),
        record.reason.as_str().to_owned(),
        record.by.clone(),
        record.detail.clone(),
        record.at.unix_ms().to_string(),
    ];
    let mut preimage = Vec::new();
    for part in parts {
        preimage.extend_from_slice(&part.len().to_be_bytes());
        preimage.extend_from_slice(part.as_bytes());
    }
    hex::encode(keccak256(preimage))
}

fn record(row: &AnyRow) -> Result<DecisionRecord, StoreError> {
    let fields = Fields::of(row, "decisions", "id");
    Ok(DecisionRecord {
        seq: fields.number("seq")?,
        id: fields.text("id")?,
        kind: fields.parsed::<DecisionKind>("kind")?,
        order: fields.maybe_parsed("order_id")?,
        payment: fields.maybe_parsed("payment_id")?,
        reason: fields.parsed::<Reason>("reason")?,
        by: fields.text("decided_by")?,
        detail: fields.text("detail")?,
        at: fields.time("decided_at")?,
        digest: fields.text("digest")?,
    })
}
