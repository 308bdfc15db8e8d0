//! What following a chain yields.

use paywatch_core::{Block, BlockNumber, BlockRef, ChainId, Transfer};

/// One step of a chain, to be committed with its effects in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainUpdate {
    /// The chain.
    pub chain_id: ChainId,
    /// The block that this update stands on (the cursor before it); `None` when the chain is just
    /// being started.
    pub previous: Option<BlockRef>,
    /// Everything above this block left the chain (the last common block).
    pub retract_above: Option<BlockRef>,
    /// Newly covered blocks, ascending. Near the head every block, linked by parent hash; far from
    /// the head only those that hold transfers, and the last of the range.
    pub blocks: Vec<CoveredBlock>,
    /// The last covered block after this update. Equals the old one if only finality moved.
    pub tip: Block,
    /// The number of the node's `finalized` block, if asked for and given. It may lie above the
    /// tip.
    pub finalized: Option<BlockNumber>,
    /// The node's own latest block, for the display of lag.
    pub node_head: BlockNumber,
}

/// A block and all transfers of configured tokens in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredBlock {
    /// The block.
    pub block: Block,
    /// Its transfers in the order of their logs.
    pub transfers: Vec<Transfer>,
}
