//! What goes over the wire. Amounts are decimal strings, times RFC 3339.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What makes an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateOrder {
    /// The merchant's own name for it, unique.
    pub reference: String,
    /// What is asked, like "100.5".
    pub amount: String,
    /// Whether the amount is only the least that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_amount: Option<bool>,
    /// How much less is still enough; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<String>,
    /// The same as a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_percent: Option<String>,
    /// The names or ids of the chains that it may be paid on; all if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chains: Option<Vec<String>>,
    /// The symbols of the tokens that it may be paid in; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<String>>,
    /// How long it may be paid, like "30m"; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    /// `accept` or `hold`; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_payments: Option<String>,
    /// The merchant's own notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What a list of orders is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListOrders {
    /// Statuses, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The merchant's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A chain's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// One of its pay-to addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A transaction that paid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_hash: Option<String>,
    /// Made at this time or later, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from: Option<String>,
    /// Made before this time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Page {
    /// The orders.
    pub data: Vec<Order>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Order {
    /// Its id, `ord_…`.
    pub id: String,
    /// The merchant's own name for it.
    pub reference: String,
    /// Where it stands.
    pub status: String,
    /// What else is to be said.
    pub flags: Vec<String>,
    /// What is asked.
    pub amount: String,
    /// Whether that is only the least that is wanted.
    #[serde(default)]
    pub any_amount: bool,
    /// How much less is still enough.
    #[serde(default)]
    pub tolerance: String,
    /// What an operator has called enough.
    #[serde(default)]
    pub accepted: Option<String>,
    /// All that arrived.
    pub received: String,
    /// What of it is confirmed.
    pub confirmed: String,
    /// What is still to be paid.
    pub remaining: String,
    /// What came beyond the asked amount.
    pub excess: String,
    /// What arrived and does not count.
    pub ignored: String,
    /// The ways to pay it.
    pub options: Vec<PaymentOption>,
    /// What was paid.
    pub payments: Vec<Payment>,
    /// The chains that a passed deadline still waits for.
    #[serde(default)]
    pub waiting_for_chains: Vec<String>,
    /// What happens with money after the deadline: `accept` or `hold`.
    pub late_policy: String,
    /// Its deadline.
    pub expires_at: String,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// The merchant's own notes.
    pub metadata: BTreeMap<String, String>,
}

/// What an operator decided.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Decision {
    /// Its id, `dec_…`.
    pub id: String,
    /// What was decided: `cancel`, `extend`, `accept`, `assign`, `unassign` or `write_off`.
    pub kind: String,
    /// About which order.
    pub order: Option<String>,
    /// About which payment.
    pub payment: Option<String>,
    /// Why.
    pub reason: String,
    /// Whose key it was.
    pub decided_by: String,
    /// What it changed.
    pub detail: String,
    /// When.
    pub decided_at: String,
    /// Covers all of this and the digest before it.
    pub digest: String,
}

/// A page of decisions, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DecisionPage {
    /// The decisions.
    pub data: Vec<Decision>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// Which decisions a list is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListDecisions {
    /// About this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// About this payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Token {
    /// What people call it.
    pub symbol: String,
    /// Its contract.
    pub address: String,
    /// Decimals of its base unit.
    pub decimals: u8,
}

/// One way to pay an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PaymentOption {
    /// The chain's id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The token.
    pub token: Token,
    /// How the money reaches the merchant.
    pub method: String,
    /// Where to send it.
    pub address: String,
    /// How much, as a decimal.
    pub amount: String,
    /// How much, as the token counts.
    pub amount_base_units: String,
    /// All of it as an EIP-681 URI.
    pub uri: String,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Payment {
    /// Its id, `pay_…`.
    pub id: String,
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
    /// What it is to the order.
    pub status: String,
    /// Blocks that stand on it, its own included.
    pub confirmations: u64,
    /// What shows that its block holds it: `receipts_root` or `none`.
    pub proof: String,
    /// Whether it came after the deadline.
    pub late: bool,
    /// When it was first seen.
    pub detected_at: String,
}

/// A chain and how far it is covered.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Chain {
    /// Its id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The tokens that count.
    pub tokens: Vec<Token>,
    /// Where the money goes.
    pub treasury: String,
    /// The factory that deposit addresses are derived from.
    pub factory: String,
    /// The node's latest block.
    pub head: Option<u64>,
    /// Up to where every log is in the books.
    pub covered_up_to: Option<CoveredBlock>,
    /// The first block that was read.
    pub started_at_block: Option<u64>,
    /// How many blocks are still to be read.
    pub lag_blocks: Option<u64>,
    /// How long ago the last covered block was made, in seconds.
    pub lag_seconds: Option<u64>,
    /// The highest covered block that the node calls final.
    pub finalized: Option<u64>,
    /// The highest covered block that the node calls safe.
    pub safe: Option<u64>,
    /// When a payment on it is confirmed.
    pub finality: Finality,
    /// How its loop is.
    pub condition: String,
    /// What is wrong, if something is.
    pub cause: Option<String>,
    /// Since when it is wrong.
    pub since: Option<String>,
}

/// When a payment is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Finality {
    /// Blocks that must stand on it, its own included.
    pub confirmations: u32,
    /// The tag that must have reached it, if any.
    pub tag: Option<String>,
    /// What must have been shown of it: `receipts_root` or `none`.
    pub proof: String,
    /// Other rules for smaller orders.
    pub tiers: Vec<FinalityTier>,
}

/// A rule for orders up to an amount.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct FinalityTier {
    /// The largest amount that it is for.
    pub up_to: String,
    /// Blocks that must stand on a payment, its own included.
    pub confirmations: u32,
    /// The tag that must have reached it, if any.
    pub tag: Option<String>,
}

/// The last covered block of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct CoveredBlock {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: String,
    /// When it was made.
    pub timestamp: String,
}

/// Whether the daemon does all of its work.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Readiness {
    /// Whether it does.
    pub ready: bool,
    /// `ok`, or `unreachable`.
    pub database: String,
    /// How each chain's loop is.
    pub chains: Vec<ChainReadiness>,
}

/// How a chain's loop is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ChainReadiness {
    /// The chain's id.
    pub id: u64,
    /// The chain's name.
    pub name: String,
    /// `starting`, `following`, `degraded` or `stopped`.
    pub condition: String,
    /// What is wrong, if something is.
    pub cause: Option<String>,
    /// Since when it is wrong.
    pub since: Option<String>,
}
