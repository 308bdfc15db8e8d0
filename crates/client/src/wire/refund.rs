//! Money that goes back.

use serde::{Deserialize, Serialize};

use crate::wire::Token;

/// What makes a refund.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PrepareRefund {
    /// The merchant's own name for it, unique among those of the order.
    pub reference: String,
    /// The name or id of the chain on which it is sent.
    pub chain: String,
    /// The token's symbol; the one that the order was paid in if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// How much, like "40.5"; all that is left if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// To whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Back to whoever paid, instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_payer: Option<bool>,
    /// Why.
    pub reason: String,
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Refund {
    /// Its id, `ref_…`.
    pub id: String,
    /// The order.
    pub order: String,
    /// The merchant's own name for it.
    pub reference: String,
    /// `prepared`, `sent`, `confirmed` or `cancelled`.
    pub status: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The token.
    pub token: Token,
    /// To whom.
    pub to: String,
    /// How much.
    pub amount: String,
    /// How much, as the token counts.
    pub amount_base_units: String,
    /// Why.
    pub reason: String,
    /// The merchant's addresses from which it is recognised.
    pub send_from: Vec<String>,
    /// What the merchant's wallet is to sign and send.
    pub transaction: Option<UnsignedTransaction>,
    /// The same as an EIP-681 URI.
    pub uri: Option<String>,
    /// Where the URI is drawn as a QR code.
    pub qr: Option<String>,
    /// What carries it out.
    pub payment: Option<RefundPayment>,
    /// What to mind before it is sent.
    pub warnings: Vec<String>,
    /// When it was prepared.
    pub created_at: String,
    /// When it was given up.
    pub cancelled_at: Option<String>,
}

/// A transaction that a wallet is to sign.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct UnsignedTransaction {
    /// The chain's id.
    pub chain_id: u64,
    /// Its recipient: the token's contract.
    pub to: String,
    /// Its data, in hex.
    pub data: String,
    /// What it carries of the chain's own coin: nothing.
    pub value: String,
}

/// The transfer that carries a refund out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RefundPayment {
    /// Its id, `pay_…`.
    pub id: String,
    /// The transaction.
    pub tx_hash: String,
    /// The block's height.
    pub block_number: u64,
    /// Which of the merchant's addresses sent it.
    pub from: String,
    /// Who got it.
    pub to: String,
    /// How much was sent.
    pub amount: String,
    /// Blocks that stand on it, its own included. Events do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<u64>,
}

/// A page of refunds, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct RefundPage {
    /// The refunds.
    pub data: Vec<Refund>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// Which refunds a list is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListRefunds {
    /// Statuses, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// A chain's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
