//! Flushes of deposit addresses to their treasuries.

use serde::{Deserialize, Serialize};

/// A deposit address that was flushed to its treasury.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Sweep {
    /// Its id, which is that of its transfer.
    pub id: String,
    /// `detected`, `completed` or `reverted`.
    pub status: String,
    /// The order whose deposit address it was.
    pub order: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The deposit address.
    pub address: String,
    /// Where the money is now.
    pub treasury: String,
    /// The token's contract.
    pub token: String,
    /// How much it was.
    pub amount: String,
    /// The transaction.
    pub tx_hash: String,
    /// The log's index in its block.
    pub log_index: u64,
    /// The block's height.
    pub block_number: u64,
    /// The block.
    pub block_hash: String,
    /// The block's time.
    pub block_time: String,
    /// When it was first seen.
    pub detected_at: String,
    /// When it was found to have left its chain, if it did.
    pub reverted_at: Option<String>,
}

/// A page of sweeps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct SweepPage {
    /// The sweeps.
    pub data: Vec<Sweep>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// Which sweeps a list is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListSweeps {
    /// Statuses, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// A chain's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The token's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The deposit address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The order whose deposit address it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// The transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_hash: Option<String>,
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
