//! Payments by themselves.

use serde::{Deserialize, Serialize};

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact, not a state"
)]
pub struct Payment {
    /// Its id, `pay_…`.
    pub id: String,
    /// The order that it belongs to, if it belongs to one.
    #[serde(default)]
    pub order: Option<String>,
    /// The chain's id.
    pub chain_id: u64,
    /// The transaction.
    pub tx_hash: String,
    /// The log's index in its block.
    pub log_index: u64,
    /// The block's height.
    pub block_number: u64,
    /// The block.
    pub block_hash: String,
    /// The token's contract.
    pub token: String,
    /// Who paid.
    pub from: String,
    /// The address that was paid.
    pub to: String,
    /// How much.
    pub amount: String,
    /// What it is to the order, or what it is without one, such as `unmatched`.
    pub status: String,
    /// Blocks that stand on it, its own included. Events do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<u64>,
    /// What shows that its block holds it: `receipts_root` or `none`. Events do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Whether an operator gave it to its order.
    #[serde(default)]
    pub assigned: bool,
    /// Whether it came after the deadline.
    pub late: bool,
    /// Whether the issuer of the token has frozen the address that was paid. Events do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<bool>,
    /// When it was first seen.
    pub detected_at: String,
}

/// A page of payments, those first that were seen last.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PaymentPage {
    /// The payments.
    pub data: Vec<Payment>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// Which payments a list is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListPayments {
    /// Statuses, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A chain's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The token's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The address that was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_hash: Option<String>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// First seen at this time or later, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_from: Option<String>,
    /// First seen before this time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected_before: Option<String>,
    /// `detected_at` for those first that were seen first, or `-detected_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
