//! A payment and an order as one row.

use std::collections::BTreeMap;

use paywatch_core::{Address, AddressForm, ChainId, Reference, Token};
use paywatch_store::{BookedPlace, BookedTransfer, OrderRecord};
use serde::Serialize;

use crate::config::Config;
use crate::output::rfc3339;

/// How chains and tokens are called.
pub(super) struct Names {
    pub(super) chains: BTreeMap<ChainId, String>,
    pub(super) tokens: BTreeMap<(ChainId, Address), Token>,
}

impl Names {
    pub(super) fn of(config: &Config) -> Self {
        let chains = config.chains.iter();
        let tokens = config.chains.iter().flat_map(|chain| &chain.tokens);
        Self {
            chains: chains.map(|chain| (chain.id, chain.name.clone())).collect(),
            tokens: tokens
                .map(|token| ((token.chain_id, token.address), token.clone()))
                .collect(),
        }
    }

    /// The chain's name in the configuration, or its id if it is not there any more.
    pub(super) fn chain(&self, id: ChainId) -> String {
        self.chains
            .get(&id)
            .cloned()
            .unwrap_or_else(|| id.to_string())
    }

    /// The token's symbol, or its address if it is not configured any more.
    pub(super) fn symbol(&self, chain: ChainId, token: Address) -> String {
        let known = self.tokens.get(&(chain, token));
        known.map_or_else(
            || AddressForm::of(chain).write(&token),
            |token| token.symbol.clone(),
        )
    }
}

/// What a transfer is: what it is to its order, why it has none, or that it left its chain.
pub(super) fn status(booked: &BookedTransfer) -> &'static str {
    match (booked.reverted_at, booked.place) {
        (Some(_), _) => "reverted",
        (None, BookedPlace::Order { state, .. }) => state.name(),
        (None, BookedPlace::Loose(loose)) => loose.name(),
    }
}

/// A payment.
#[derive(Debug, Serialize)]
pub(super) struct PaymentRow {
    payment: String,
    status: &'static str,
    order: Option<String>,
    reference: Option<String>,
    chain: String,
    chain_id: u64,
    token: String,
    token_address: String,
    amount: String,
    from: String,
    to: String,
    tx_hash: String,
    log_index: u64,
    block_number: u64,
    block_hash: String,
    block_time: String,
    late: bool,
    /// What made it the order's: the address that was paid, or an operator.
    matched_by: Option<&'static str>,
    proof: &'static str,
    detected_at: String,
    reverted_at: Option<String>,
}

impl PaymentRow {
    /// The headings of its columns, in the order of its fields.
    pub(super) const HEADINGS: [&str; 21] = [
        "payment",
        "status",
        "order",
        "reference",
        "chain",
        "chain_id",
        "token",
        "token_address",
        "amount",
        "from",
        "to",
        "tx_hash",
        "log_index",
        "block_number",
        "block_hash",
        "block_time",
        "late",
        "matched_by",
        "proof",
        "detected_at",
        "reverted_at",
    ];

    pub(super) fn of(
        booked: &BookedTransfer,
        reference: Option<&Reference>,
        names: &Names,
    ) -> Self {
        let transfer = &booked.recorded.transfer;
        let chain = transfer.id.chain_id;
        let form = AddressForm::of(chain);
        let is_late = match booked.place {
            BookedPlace::Order { is_late, .. } => is_late,
            BookedPlace::Loose(_) => false,
        };
        Self {
            payment: transfer.payment_id().to_string(),
            status: status(booked),
            order: booked.order().map(|order| order.to_string()),
            reference: reference.map(ToString::to_string),
            chain: names.chain(chain),
            chain_id: chain.get(),
            token: names.symbol(chain, transfer.token),
            token_address: form.write(&transfer.token),
            amount: transfer.amount.to_string(),
            from: form.write(&transfer.from),
            to: form.write(&transfer.to),
            tx_hash: transfer.tx_hash.to_string(),
            log_index: transfer.id.log_index,
            block_number: transfer.block_number,
            block_hash: transfer.id.block_hash.to_string(),
            block_time: rfc3339(transfer.block_timestamp),
            late: is_late,
            matched_by: booked.order().map(|_order| match booked.recorded.assigned {
                Some(_) => "operator",
                None => "address",
            }),
            proof: booked.recorded.proof.name(),
            detected_at: rfc3339(booked.detected_at),
            reverted_at: booked.reverted_at.map(rfc3339),
        }
    }
}

/// An order.
#[derive(Debug, Serialize)]
pub(super) struct OrderRow {
    order: String,
    reference: String,
    status: &'static str,
    flags: String,
    amount: String,
    tolerance: String,
    received: String,
    counted: String,
    ignored: String,
    confirmed: String,
    excess: String,
    payments: usize,
    created_at: String,
    expires_at: String,
    cancelled_at: Option<String>,
    updated_at: String,
    /// A JSON object as text, so that it is one cell.
    metadata: String,
}

impl OrderRow {
    /// The headings of its columns, in the order of its fields.
    pub(super) const HEADINGS: [&str; 17] = [
        "order",
        "reference",
        "status",
        "flags",
        "amount",
        "tolerance",
        "received",
        "counted",
        "ignored",
        "confirmed",
        "excess",
        "payments",
        "created_at",
        "expires_at",
        "cancelled_at",
        "updated_at",
        "metadata",
    ];

    pub(super) fn of(record: &OrderRecord) -> anyhow::Result<Self> {
        let OrderRecord {
            order, snapshot, ..
        } = record;
        Ok(Self {
            order: order.id.to_string(),
            reference: order.reference.to_string(),
            status: snapshot.status.name(),
            flags: snapshot.flags.names().join(" "),
            amount: order.amount.to_string(),
            tolerance: order.tolerance.to_string(),
            received: snapshot.received.to_string(),
            counted: snapshot.counted.to_string(),
            ignored: snapshot.received.less(snapshot.counted).to_string(),
            confirmed: snapshot.confirmed.to_string(),
            excess: snapshot.excess.to_string(),
            payments: snapshot.payments.len(),
            created_at: rfc3339(order.created_at),
            expires_at: rfc3339(order.expires_at),
            cancelled_at: order.cancelled_at.map(rfc3339),
            updated_at: rfc3339(record.updated_at),
            metadata: serde_json::to_string(&order.metadata)?,
        })
    }
}
