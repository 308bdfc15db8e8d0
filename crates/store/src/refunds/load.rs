//! Rows of refunds, each with the transfer that carries it out.

use paywatch_core::{
    Decimals, FinalityRule, OrderId, Outgoing, RecordedRefund, Refund, RefundState, RefundStatus,
    Token,
};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use crate::batch::{Statement, rows_of};
use crate::error::StoreError;
use crate::fields::Fields;
use crate::load::recorded;
use crate::record::RefundRecord;

/// Names the columns once. Those of the transfer have their own names.
macro_rules! columns {
    () => {
        "SELECT refunds.id AS refund_id, refunds.order_id AS of_order, refunds.reference, \
         refunds.request_digest, refunds.chain_id AS on_chain, refunds.token AS in_token, \
         refunds.symbol, refunds.decimals, refunds.recipient AS to_whom, refunds.amount AS prepared, \
         refunds.reason, refunds.min_confirmations, refunds.finality_tag, \
         refunds.proof AS asked_proof, refunds.created_at, refunds.cancelled_at, \
         refunds.state AS status, refunds.payment_id, transfers.chain_id, transfers.block_hash, \
         transfers.log_index, transfers.block_number, transfers.block_timestamp, transfers.tx_hash, \
         transfers.token, transfers.sender, transfers.recipient, transfers.amount, \
         transfers.canonical, transfers.confirmed_at_tip, transfers.proof, \
         transfers.assigned_confirmations, transfers.assigned_tag, transfers.assigned_proof, \
         transfers.paid_receiver, transfers.paid_payer, transfers.paid_ref FROM refunds \
         LEFT JOIN transfers ON transfers.payment_id = refunds.payment_id"
    };
}

const ALL: &str = columns!();
const OF_ORDERS: &str = concat!(columns!(), " WHERE refunds.order_id IN");

/// Begins a statement over all refunds.
pub(super) fn all() -> Statement {
    Statement::new(ALL)
}

/// The refunds of some orders, oldest first.
pub(crate) async fn of_orders(
    connection: &mut AnyConnection,
    orders: &[String],
) -> Result<Vec<RefundRecord>, StoreError> {
    let after = "ORDER BY refunds.created_at, refunds.id";
    let rows = rows_of(connection, orders, OF_ORDERS, after, "read refunds").await?;
    rows.iter().map(record).collect()
}

/// The refund that meets `conditions`: each a constant piece and the value that follows it.
pub(super) async fn one(
    connection: &mut AnyConnection,
    conditions: &[(&'static str, String)],
) -> Result<Option<RefundRecord>, StoreError> {
    let mut statement = all();
    for (piece, value) in conditions {
        statement.push(piece).bind(value.as_str());
    }
    let rows = statement.rows(connection, "read a refund").await?;
    rows.first().map(record).transpose()
}

/// A refund and what carries it out.
pub(super) fn record(row: &AnyRow) -> Result<RefundRecord, StoreError> {
    let fields = Fields::of(row, "refunds", "refund_id");
    let status: RefundStatus = fields.parsed("status")?;
    let is_there = match status {
        RefundStatus::Sent | RefundStatus::Confirmed => true,
        RefundStatus::Prepared | RefundStatus::Cancelled => false,
    };
    let outgoing = match fields.maybe_parsed::<paywatch_core::PaymentId>("payment_id")? {
        None => Outgoing::None,
        Some(_) if !is_there => Outgoing::Gone(Box::new(recorded(fields)?.transfer)),
        Some(_) if fields.flag("canonical")? => Outgoing::There(Box::new(recorded(fields)?)),
        Some(_) => return Err(fields.corrupt("status", "what was sent is not on its chain")),
    };
    let recorded = RecordedRefund {
        refund: refund(fields)?,
        outgoing,
    };
    let sent = recorded.sent().map(|sent| sent.transfer.id);
    let state = match (status, sent) {
        (RefundStatus::Prepared, None) => RefundState::Prepared,
        (RefundStatus::Cancelled, None) => RefundState::Cancelled,
        (RefundStatus::Sent, Some(id)) => RefundState::Sent(id),
        (RefundStatus::Confirmed, Some(id)) => RefundState::Confirmed(id),
        (RefundStatus::Sent | RefundStatus::Confirmed, None)
        | (RefundStatus::Prepared | RefundStatus::Cancelled, Some(_)) => {
            return Err(fields.corrupt("status", "it contradicts what was sent"));
        },
    };
    Ok(RefundRecord {
        recorded,
        state,
        request_digest: fields.text("request_digest")?,
    })
}

fn refund(fields: Fields<'_>) -> Result<Refund, StoreError> {
    let decimals = Decimals::new(fields.number("decimals")?)
        .map_err(|cause| fields.corrupt("decimals", cause))?;
    let rule = FinalityRule::confirmations(fields.number("min_confirmations")?)
        .map_err(|cause| fields.corrupt("min_confirmations", cause))?
        .and_proof(fields.parsed("asked_proof")?);
    Ok(Refund {
        id: fields.parsed("refund_id")?,
        order: fields.parsed::<OrderId>("of_order")?,
        reference: fields.parsed("reference")?,
        token: Token {
            chain_id: fields.chain_id("on_chain")?,
            address: fields.parsed("in_token")?,
            symbol: fields.text("symbol")?,
            decimals,
        },
        to: fields.parsed("to_whom")?,
        amount: fields.parsed("prepared")?,
        reason: fields.parsed("reason")?,
        finality: match fields.maybe_parsed("finality_tag")? {
            Some(tag) => rule.and_tag(tag),
            None => rule,
        },
        created_at: fields.time("created_at")?,
        cancelled_at: fields.maybe_time("cancelled_at")?,
    })
}
