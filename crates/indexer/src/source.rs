//! What a chain must be able to answer to be followed.

use std::fmt::{self, Debug};

use alloy_primitives::{Address, B256, U256};
use async_trait::async_trait;
use paywatch_core::{Block, BlockNumber, BlockRef, ChainId};

use crate::SourceError;

/// A view of one chain: a node, later several, in tests a script. Every answer may be stale; none
/// may be invented.
#[async_trait]
pub trait ChainSource: Send + Sync + Debug {
    /// Which chain it is.
    async fn chain_id(&self) -> Result<ChainId, SourceError>;

    /// The token's own `decimals()`. [`SourceError::Unusable`] names the token when there is no
    /// such contract.
    async fn token_decimals(&self, token: Address) -> Result<u8, SourceError>;

    /// The node's newest block.
    async fn latest(&self) -> Result<Block, SourceError>;

    /// The number of the newest block that the node calls `finalized`; `None` where it has no such
    /// notion or nothing is final yet.
    async fn finalized(&self) -> Result<Option<BlockNumber>, SourceError>;

    /// The canonical block at `number`; `None` if the node has none there.
    async fn block(&self, number: BlockNumber) -> Result<Option<Block>, SourceError>;

    /// The canonical blocks at `numbers`, in that order.
    async fn blocks(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Block>>, SourceError>;

    /// All `Transfer` logs of `tokens` that the query covers. A block that the node does not have
    /// is [`SourceError::Lagging`], never an empty answer.
    async fn transfer_logs(
        &self,
        query: LogQuery,
        tokens: &[Address],
    ) -> Result<Vec<TransferLog>, SourceError>;

    /// Resolves when something may have happened. A source that cannot know never resolves.
    /// Dropping the future loses at most a hint.
    async fn woken(&self);
}

/// Which blocks' logs are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogQuery {
    /// This one block, by hash: a node that does not have it must say so.
    Block(BlockRef),
    /// The canonical blocks of these heights, both included.
    Range {
        /// The first.
        from: BlockNumber,
        /// The last.
        to: BlockNumber,
    },
}

impl fmt::Display for LogQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) => write!(f, "block {} ({})", block.number, block.hash),
            Self::Range { from, to } => write!(f, "blocks {from} to {to}"),
        }
    }
}

/// A `Transfer(from, to, value)` log as the node gave it: base units, no timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferLog {
    /// The height of its block.
    pub block_number: BlockNumber,
    /// The hash of its block.
    pub block_hash: B256,
    /// Its transaction.
    pub tx_hash: B256,
    /// Its index within the block.
    pub log_index: u64,
    /// The contract that wrote it.
    pub token: Address,
    /// Who paid.
    pub from: Address,
    /// Who was paid.
    pub to: Address,
    /// How much, in the token's base units.
    pub value: U256,
}
