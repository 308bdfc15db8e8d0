//! Transfers of contracts that are no token of the merchant's.

use serde::{Deserialize, Serialize};

/// What one contract has sent to one address. It is no money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LookAlike {
    /// `look_alike` or `unknown_token`.
    pub kind: String,
    /// The chain's id.
    pub chain_id: u64,
    /// The contract.
    pub contract: String,
    /// The address that it names.
    pub to: String,
    /// What it calls its symbol.
    pub symbol: Option<String>,
    /// What it calls itself.
    pub name: Option<String>,
    /// What it says of its decimals.
    pub decimals: Option<u8>,
    /// How many transfers there were.
    pub transfers: u64,
    /// What the last one says, in the contract's own units.
    pub last_value: String,
    /// The first transfer.
    pub first: LookAlikeTransfer,
    /// The last transfer.
    pub last: LookAlikeTransfer,
}

/// Where such a transfer stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LookAlikeTransfer {
    /// The height of its block.
    pub block_number: u64,
    /// The time of that block.
    pub block_time: String,
    /// Its transaction.
    pub tx_hash: String,
}

/// How many of them came to an order's own addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LookAlikeCounts {
    /// All of them.
    pub transfers: u64,
    /// Those of contracts that look like a token of the merchant's.
    pub of_look_alikes: u64,
}

/// A page, that first which was heard of last.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct LookAlikePage {
    /// What was sent.
    pub data: Vec<LookAlike>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// Which of them a list is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListLookAlikes {
    /// A chain's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// The address that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The order whose own addresses were named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
