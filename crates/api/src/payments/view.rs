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
    /// Blocks that stand on it, its own included.
    #[schema(example = 3)]
    confirmations: u64,
    /// What shows that its block holds it, beyond a node's word: `receipts_root` (`GET
    /// /v1/payments/{id}/proof` gives the evidence) or `none`.
    #[schema(example = "receipts_root")]
    proof: &'static str,
    /// Whether an operator gave it to its order.
    assigned: bool,
    /// Whether it came after the deadline.
    late: bool,
    /// Whether the token's issuer has frozen the address that was paid: what lies there cannot be
    /// moved. Do not deliver for it before you know more.
    frozen: bool,
    /// When it was first seen.
    #[schema(example = "2026-11-23T14:50:10.004Z")]
    detected_at: String,
}

/// What a payment is, beside its transfer.
struct Standing {
    order: Option<OrderId>,
    /// Its status while it is on its chain.
    status: &'static str,
    is_late: bool,
    detected_at: Timestamp,
    reverted_at: Option<Timestamp>,
}

const fn status(state: PaymentState) -> &'static str {
    match state {
        PaymentState::Seen => "detected",
        PaymentState::Confirmed => "confirmed",
        PaymentState::Ignored(because) => because.name(),
    }
}

impl PaymentView {
    /// A payment of an order, as things stand at `present`.
    pub(crate) fn of(order: OrderId, record: &PaymentRecord, present: &Present) -> Self {
        let standing = Standing {
            order: Some(order),
            status: status(record.state),
            is_late: record.is_late,
            detected_at: record.detected_at,
            reverted_at: record.reverted_at,
        };
        Self::new(&record.recorded, &standing, present)
    }

    /// A payment by itself, as things stand at `present`.
    pub(crate) fn booked(booked: &BookedTransfer, present: &Present) -> Self {
        let (order, status, is_late) = match booked.place {
            BookedPlace::Order { id, state, is_late } => (Some(id), status(state), is_late),
            BookedPlace::Loose(loose) => (None, loose.name(), false),
        };
        let standing = Standing {
            order,
            status,
            is_late,
            detected_at: booked.detected_at,
            reverted_at: booked.reverted_at,
        };
        Self::new(&booked.recorded, &standing, present)
    }

    fn new(recorded: &RecordedTransfer, standing: &Standing, present: &Present) -> Self {
        let transfer = &recorded.transfer;
        let is_on_chain = standing.reverted_at.is_none();
        let confirmations = present
            .heads
            .get(&transfer.id.chain_id)
            .filter(|_| is_on_chain)
            .map_or(0, |heads| heads.confirmations(transfer.block_number));
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
            status: if is_on_chain {
                standing.status
            } else {
                "reverted"
            },
            confirmations,
            proof: recorded.proof.name(),
            assigned: recorded.assigned.is_some(),
            late: standing.is_late,
            frozen: present.is_frozen(transfer),
            detected_at: time(standing.detected_at),
        }
    }
}
