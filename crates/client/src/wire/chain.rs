//! Chains, and whether they are followed.

use serde::{Deserialize, Serialize};

use crate::wire::Token;

/// The tokens, as they come.
#[derive(Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) data: Vec<TokenOfChain>,
}

/// A token that counts, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TokenOfChain {
    /// The chain's id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The token.
    #[serde(flatten)]
    pub token: Token,
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
