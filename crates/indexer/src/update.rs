//! What following a chain yields.

use paywatch_core::{Block, BlockNumber, BlockRef, ChainId, Tags, TokenNotice, Transfer};

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
    /// The first block that this covers, if it covers any; nothing between it and the tip is left
    /// out.
    pub covers_from: Option<BlockNumber>,
    /// Headers below the first covered block of a chain that is just being started, so that a fork
    /// right after the start has somewhere to part from. Not covered.
    pub below: Vec<Block>,
    /// The last covered block after this update. Equals the old one if only finality moved.
    pub tip: Block,
    /// The blocks that the node calls settled, as far as they were asked for and are known to be
    /// of the followed chain. They may lie above the tip.
    pub tags: Tags,
    /// The node's own latest block, for the display of lag.
    pub node_head: BlockNumber,
}

impl ChainUpdate {
    /// An update that leaves the chain where it is, at `tip`.
    #[must_use]
    pub fn standing(chain_id: ChainId, tip: Block, node_head: BlockNumber) -> Self {
        Self {
            chain_id,
            previous: Some(tip.to_ref()),
            retract_above: None,
            blocks: Vec::new(),
            covers_from: None,
            below: Vec::new(),
            tip,
            tags: Tags::default(),
            node_head,
        }
    }
}

/// A block, and all that is wanted of the logs in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredBlock {
    /// The block.
    pub block: Block,
    /// Its transfers in the order of their logs.
    pub transfers: Vec<Transfer>,
    /// What tokens said of their levers, in the order of their logs.
    pub notices: Vec<TokenNotice>,
}

impl CoveredBlock {
    /// A block in which nothing is of interest.
    #[must_use]
    pub const fn empty(block: Block) -> Self {
        Self {
            block,
            transfers: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// Whether nothing in it is of interest.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.transfers.is_empty() && self.notices.is_empty()
    }
}
