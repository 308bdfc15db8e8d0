//! A refund as the API shows it. Pure: records in, JSON types out.

use paywatch_contracts::erc20;
use paywatch_core::{
    AddressForm, Heads, RecordedRefund, RecordedTransfer, Refund, RefundState, RefundStatus,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::state::Shop;
use crate::wire::{TokenView, address, time};

/// What is said of every refund that is to be sent.
const BEFORE_SENDING: [&str; 2] = [
    "send to an address that the customer gave you: an exchange pays from wallets that many share, \
     and what goes back to such a wallet is lost to the customer",
    "send exactly this amount, once, from one of send_from: anything else is not recognised",
];

/// Money that goes back for an order. Amounts are decimal strings.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub(crate) struct RefundView {
    /// Its id.
    #[schema(example = "ref_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    pub(crate) id: String,
    /// The order.
    #[schema(example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    order: String,
    /// Your own name for it.
    #[schema(example = "R-1")]
    reference: String,
    /// `prepared` (nothing was sent), `sent` (it is on its chain, not yet final), `confirmed` or
    /// `cancelled`.
    #[schema(example = "prepared")]
    status: &'static str,
    /// The chain's id (EIP-155).
    #[schema(example = 137)]
    chain_id: u64,
    /// The chain's name in the configuration.
    #[schema(example = "polygon")]
    chain: String,
    token: TokenView,
    /// To whom.
    to: String,
    /// How much.
    #[schema(example = "40")]
    amount: String,
    /// The same as the token counts it.
    #[schema(example = "40000000")]
    amount_base_units: String,
    /// Why.
    #[schema(example = "it came back broken")]
    reason: String,
    /// Your addresses from which it is recognised.
    send_from: Vec<String>,
    /// What your wallet is to sign and send, while the refund waits for that.
    transaction: Option<UnsignedTransaction>,
    /// The same as a URI for wallets (EIP-681); on Tron, which has none, the recipient alone.
    uri: Option<String>,
    /// Where the URI is drawn as a QR code.
    #[schema(example = "/v1/refunds/ref_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b/qr.svg")]
    qr: Option<String>,
    /// What carries it out.
    payment: Option<RefundPayment>,
    /// What to mind before it is sent.
    pub(crate) warnings: Vec<String>,
    /// When it was prepared.
    #[schema(example = "2026-11-23T14:42:00.000Z")]
    created_at: String,
    /// When it was given up.
    cancelled_at: Option<String>,
}

/// A transaction that your wallet is to sign.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UnsignedTransaction {
    /// The chain's id (EIP-155).
    #[schema(example = 137)]
    chain_id: u64,
    /// The token's contract.
    to: String,
    /// The call of its `transfer`.
    #[schema(example = "0xa9059cbb…")]
    data: String,
    /// None of the chain's own coin.
    #[schema(example = "0")]
    value: &'static str,
}

/// The transfer that carries a refund out.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RefundPayment {
    /// Its id, as in `GET /v1/payments/{id}`.
    #[schema(example = "pay_5f1d7a84db00d2fce00b31a7fc73224f")]
    id: String,
    /// The transaction.
    tx_hash: String,
    /// The block's height.
    block_number: u64,
    /// Which of your addresses sent it.
    from: String,
    /// Who got it.
    to: String,
    /// How much was sent: what was prepared, unless an operator linked it.
    #[schema(example = "40")]
    amount: String,
    /// Blocks that stand on it, its own included. Not in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3, nullable = false)]
    confirmations: Option<u64>,
}

/// `recorded`, which is in `state`, with the chains covered up to `heads`, if that is to be shown.
pub(crate) fn refund(
    recorded: &RecordedRefund,
    state: RefundState,
    heads: Option<&Heads>,
    shop: &Shop,
) -> RefundView {
    let refund = &recorded.refund;
    let chain_id = refund.token.chain_id;
    let written = |of| address(chain_id, of);
    // Checked when it was prepared, so it is payable exactly.
    let units = refund.amount.to_base_units(refund.token.decimals);
    let units = units.unwrap_or_default();
    let is_open = state.status() == RefundStatus::Prepared;
    let chain = shop.chains.iter().find(|chain| chain.id == chain_id);
    let mine = chain.map(|chain| std::iter::once(chain.treasury).chain(chain.wallets.clone()));
    RefundView {
        id: refund.id.to_string(),
        order: refund.order.to_string(),
        reference: refund.reference.to_string(),
        status: state.status().name(),
        chain_id: chain_id.get(),
        chain: shop.name_of(chain_id),
        token: (&refund.token).into(),
        to: written(refund.to),
        amount: refund.amount.to_string(),
        amount_base_units: units.to_string(),
        reason: refund.reason.as_str().to_owned(),
        send_from: mine.into_iter().flatten().map(written).collect(),
        transaction: is_open.then(|| UnsignedTransaction {
            chain_id: chain_id.get(),
            to: written(refund.token.address),
            data: erc20::transfer(refund.to, units).to_string(),
            value: "0",
        }),
        uri: is_open.then(|| uri(refund)),
        qr: is_open.then(|| format!("/v1/refunds/{}/qr.svg", refund.id)),
        payment: recorded.sent().map(|sent| payment(sent, heads)),
        warnings: if is_open {
            BEFORE_SENDING.map(str::to_owned).into()
        } else {
            Vec::new()
        },
        created_at: time(refund.created_at),
        cancelled_at: refund.cancelled_at.map(time),
    }
}

fn payment(sent: &RecordedTransfer, heads: Option<&Heads>) -> RefundPayment {
    let transfer = &sent.transfer;
    let written = |of| address(transfer.id.chain_id, of);
    let here = |heads: &Heads| {
        let heads = heads.get(&transfer.id.chain_id);
        heads.map_or(0, |heads| heads.confirmations(transfer.block_number))
    };
    RefundPayment {
        id: transfer.payment_id().to_string(),
        tx_hash: transfer.tx_hash.to_string(),
        block_number: transfer.block_number,
        from: written(transfer.from),
        to: written(transfer.to),
        amount: transfer.amount.to_string(),
        confirmations: heads.map(here),
    }
}

/// What a wallet reads to send `refund` (EIP-681); on Tron the recipient alone.
pub(crate) fn uri(refund: &Refund) -> String {
    let chain_id = refund.token.chain_id;
    let to = address(chain_id, refund.to);
    match AddressForm::of(chain_id) {
        AddressForm::Tron => to,
        AddressForm::Eip55 => {
            let contract = address(chain_id, refund.token.address);
            let units = refund.amount.to_base_units(refund.token.decimals);
            let units = units.unwrap_or_default();
            format!("ethereum:{contract}@{chain_id}/transfer?address={to}&uint256={units}")
        },
    }
}
