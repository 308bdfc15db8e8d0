//! What an update makes of refunds.

use std::collections::BTreeMap;

use paywatch_core::{OrderId, PaymentId, RefundId, RefundStatus};
use sqlx::AnyConnection;

use crate::batch::{Value, insert, rows_of};
use crate::error::{StoreError, failed};
use crate::fields::{Fields, chain_number, maybe_number};
use crate::record::{ChainCommit, OrderChange};

/// What the books hold of one refund.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Standing {
    status: RefundStatus,
    /// What carries it out now.
    payment: Option<PaymentId>,
}

/// Writes what the refunds have become. The snapshots must name exactly those that are there; one
/// that names none is of an order that has none, or its version would be another.
pub(crate) async fn apply(
    connection: &mut AnyConnection,
    changes: &BTreeMap<OrderId, &OrderChange>,
) -> Result<(), StoreError> {
    let with_refunds: BTreeMap<OrderId, &OrderChange> = changes
        .iter()
        .filter(|(_, change)| !change.snapshot.refunds.is_empty())
        .map(|(id, change)| (*id, *change))
        .collect();
    let mut stored = standings(connection, &with_refunds).await?;
    let (mut changed, mut rows, mut tips) = (Vec::new(), Vec::new(), Vec::new());
    for (order_id, change) in &with_refunds {
        let stored = stored.remove(order_id).unwrap_or_default();
        let refunds = &change.snapshot.refunds;
        if !refunds.keys().eq(stored.keys()) {
            let what =
                format!("the snapshot of order {order_id} names other refunds than the books");
            return Err(StoreError::refused(what));
        }
        for (id, state) in refunds {
            let transfer = state.transfer();
            let now = Standing {
                status: state.status(),
                payment: transfer.as_ref().map(PaymentId::of),
            };
            if stored.get(id) == Some(&now) {
                continue;
            }
            let payment = now.payment.map(|payment| payment.to_string());
            let row: [Value; 3] = [
                id.to_string().into(),
                now.status.name().into(),
                payment.clone().into(),
            ];
            changed.push([Value::from(id.to_string())]);
            rows.push(row);
            if let (Some(transfer), Some(payment)) = (transfer, payment) {
                let tip = change.confirmed_at_tip.get(&transfer).copied();
                let row: [Value; 2] = [payment.into(), maybe_number(tip, "block")?.into()];
                tips.push(row);
            }
        }
    }
    // Two refunds may change places with their transfers, and one transfer is never for two.
    let before = "UPDATE refunds SET state = 'prepared' FROM (";
    let after = ") AS new WHERE id = new.column1 AND state IN ('sent', 'confirmed')";
    insert(connection, &changed, before, after, "write refunds").await?;
    let before = "UPDATE refunds SET state = new.column2, \
        payment_id = COALESCE(new.column3, payment_id) FROM (";
    let after = ") AS new WHERE id = new.column1";
    insert(connection, &rows, before, after, "write refunds").await?;
    let before = "UPDATE transfers SET confirmed_at_tip = new.column2 FROM (";
    let after = ") AS new WHERE payment_id = new.column1";
    let what = "write what was sent back";
    insert(connection, &tips, before, after, what)
        .await
        .map(drop)
}

/// What the books hold of the refunds of the orders in `changes`.
async fn standings(
    connection: &mut AnyConnection,
    changes: &BTreeMap<OrderId, &OrderChange>,
) -> Result<BTreeMap<OrderId, BTreeMap<RefundId, Standing>>, StoreError> {
    let ids: Vec<String> = changes.keys().map(ToString::to_string).collect();
    let before = "SELECT order_id, id, state, \
        CASE WHEN state IN ('sent', 'confirmed') THEN payment_id END AS payment_id \
        FROM refunds WHERE order_id IN";
    let mut stored: BTreeMap<OrderId, BTreeMap<RefundId, Standing>> = BTreeMap::new();
    for row in rows_of(connection, &ids, before, "", "read refunds").await? {
        let fields = Fields::of(&row, "refunds", "id");
        let standing = Standing {
            status: fields.parsed("state")?,
            payment: fields.maybe_parsed("payment_id")?,
        };
        let of_order = stored.entry(fields.parsed("order_id")?).or_default();
        of_order.insert(fields.parsed("id")?, standing);
    }
    Ok(stored)
}

/// Refuses an update that takes away what was sent for a refund without a word of it.
pub(crate) async fn none_is_left_behind(
    connection: &mut AnyConnection,
    update: &ChainCommit,
) -> Result<(), StoreError> {
    if update.retract_above.is_none() && update.disproved.is_empty() {
        return Ok(());
    }
    let left: Option<String> = sqlx::query_scalar(
        "SELECT refunds.id FROM refunds JOIN transfers \
         ON transfers.payment_id = refunds.payment_id WHERE refunds.chain_id = $1 \
         AND refunds.state IN ('sent', 'confirmed') AND transfers.canonical = 0 LIMIT 1",
    )
    .bind(chain_number(update.chain_id)?)
    .fetch_optional(connection)
    .await
    .map_err(failed("look for refunds that are not sent any more"))?;
    match left {
        None => Ok(()),
        Some(id) => Err(StoreError::refused(format!(
            "what was sent for refund {id} left the chain without a word of it"
        ))),
    }
}
