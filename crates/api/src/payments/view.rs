//! A payment as the API shows it. Pure: records in, JSON types out.

use paywatch_core::{OrderId, PaymentState, RecordedTransfer, Timestamp};
use paywatch_store::{BookedPlace, BookedTransfer, PaymentRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::present::Present;
use crate::wire::{address, time};

/// A transfer to one of your addresses.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact, not a state"
)]
pub(crate) struct PaymentView {
    /// Its id: that of the log, so a payment mined again in another block has another.
    #[schema(example = "pay_5f1d7a84db00d2fce00b31a7fc73224f")]
    id: String,
    /// The order that it belongs to, if it belongs to one.
    #[schema(example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    order: Option<String>,
    /// The chain's id.
    #[schema(example = 137)]
    chain_id: u64,
    /// The transaction, which may hold other payments as well.
    tx_hash: String,
    /// The log's index in its block.
    #[schema(example = 0)]
    log_index: u64,
    /// The block's height.
    #[schema(example = 12)]
    block_number: u64,
    /// The block.
    block_hash: String,
    /// The token's contract.
    token: String,
    /// Who paid, as the token says; a bridge or an exchange, often.
    from: String,
    /// The address that was paid.
    to: String,
    /// How much arrived.
    #[schema(example = "40")]
    amount: String,
    /// `detected`, `confirmed`, `reverted` (it left its chain), or why it does not count for its
    /// order: `not_accepted`, `held_late`, `order_cancelled`. Without an order: `unmatched` (money
    /// that nobody claims), `moved` (from another address of yours, as a flush does), `dust`,
    /// `zero_value`, `written_off`.
    #[schema(example = "confirmed")]
    status: &'static str,
    /// Blocks that stand on it, its own included. Not in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3, nullable = false)]
    confirmations: Option<u64>,
    /// What shows that its block holds it, beyond a node's word: `receipts_root` (`GET
    /// /v1/payments/{id}/proof` gives the evidence) or `none`. Not in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "receipts_root", nullable = false)]
    proof: Option<&'static str>,
    /// Whether an operator gave it to its order.
    assigned: bool,
    /// Whether it came after the deadline.
    late: bool,
    /// Whether the token's issuer has frozen the address that was paid: what lies there cannot be
    /// moved. Do not deliver for it before you know more. Not in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    frozen: Option<bool>,
    /// When it was first seen.
    #[schema(example = "2026-11-23T14:50:10.004Z")]
    detected_at: String,
}

/// What a payment is, beside its transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact, not a state"
)]
pub(crate) struct Standing {
    pub(crate) order: Option<OrderId>,
    pub(crate) status: &'static str,
    pub(crate) is_late: bool,
    pub(crate) is_assigned: bool,
    pub(crate) detected_at: Timestamp,
}

/// What a payment is called that has left its chain.
pub(crate) const REVERTED: &str = "reverted";

/// What a payment of an order is called while it is on its chain.
pub(crate) const fn status(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Seen => "detected",
        PaymentState::Confirmed => "confirmed",
        PaymentState::Ignored(because) => because.name(),
    }
}

impl PaymentView {
    /// A payment of an order, as things stand at `present`, if that is to be shown.
    pub(crate) fn of(order: OrderId, record: &PaymentRecord, present: Option<&Present>) -> Self {
        let standing = Standing {
            order: Some(order),
            status: match record.reverted_at {
                None => status(record.state),
                Some(_) => REVERTED,
            },
            is_late: record.is_late,
            is_assigned: record.recorded.assigned.is_some(),
            detected_at: record.detected_at,
        };
        Self::new(&record.recorded, standing, present)
    }

    /// A payment by itself, as things stand at `present`.
    pub(crate) fn booked(booked: &BookedTransfer, present: &Present) -> Self {
        let (order, status, is_late) = match booked.place {
            BookedPlace::Order { id, state, is_late } => (Some(id), status(state), is_late),
            BookedPlace::Loose(loose) => (None, loose.name(), false),
        };
        let standing = Standing {
            order,
            status: match booked.reverted_at {
                None => status,
                Some(_) => REVERTED,
            },
            is_late,
            is_assigned: booked.recorded.assigned.is_some(),
            detected_at: booked.detected_at,
        };
        Self::new(&booked.recorded, standing, Some(present))
    }

    /// A payment that stands so, as things stand at `present`, if that is to be shown.
    pub(crate) fn new(
        recorded: &RecordedTransfer,
        standing: Standing,
        present: Option<&Present>,
    ) -> Self {
        let transfer = &recorded.transfer;
        let is_on_chain = standing.status != REVERTED;
        let confirmations = |present: &Present| {
            let heads = present.heads.get(&transfer.id.chain_id);
            let heads = heads.filter(|_| is_on_chain);
            heads.map_or(0, |heads| heads.confirmations(transfer.block_number))
        };
        let written = |of| address(transfer.id.chain_id, of);
        Self {
            id: transfer.payment_id().to_string(),
            order: standing.order.map(|id| id.to_string()),
            chain_id: transfer.id.chain_id.get(),
            tx_hash: transfer.tx_hash.to_string(),
            log_index: transfer.id.log_index,
            block_number: transfer.block_number,
            block_hash: transfer.id.block_hash.to_string(),
            token: written(transfer.token),
            from: written(transfer.from),
            to: written(transfer.to),
            amount: transfer.amount.to_string(),
            status: standing.status,
            confirmations: present.map(confirmations),
            proof: present.map(|_| recorded.proof.name()),
            assigned: standing.is_assigned,
            late: standing.is_late,
            frozen: present.map(|present| present.is_frozen(transfer)),
            detected_at: time(standing.detected_at),
        }
    }
}
