//! Why a step cannot be read, or a chain not be followed any further.

use alloy_primitives::{Address, B256};
use paywatch_core::{AmountError, BlockNumber, BlockRef, ChainId, ForkBelowWindow};

use crate::SourceError;

/// Why a chain is not followed any further. Going on would be guessing.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The chains part below everything that is remembered.
    #[error(
        "chain {chain_id}: the node's chain is not the one that was followed; what left it cannot \
         be told any more; make sure that the endpoints are right, then run `paywatch chain resync`"
    )]
    ForkBelowWindow {
        /// The chain.
        chain_id: ChainId,
        /// Where memory ends.
        #[source]
        source: ForkBelowWindow,
    },
    /// The node took back what it had called final.
    #[error(
        "chain {chain_id}: the node's chain parts from the followed one at block {}, below block \
         {finalized} which it had called final; make sure that the endpoints are right, then run \
         `paywatch chain resync`", common.number
    )]
    ForkBelowFinalized {
        /// The chain.
        chain_id: ChainId,
        /// The last common block.
        common: BlockRef,
        /// What had been final.
        finalized: BlockNumber,
    },
    /// A transfer of more than an amount can hold. No real token has so much.
    #[error(
        "chain {chain_id}: the token {symbol} ({token}) moved an impossible amount in transaction \
         {tx_hash}; check the token's address and decimals"
    )]
    ImpossibleAmount {
        /// The chain.
        chain_id: ChainId,
        /// The token's symbol.
        symbol: String,
        /// The token's contract.
        token: Address,
        /// The transaction.
        tx_hash: B256,
        /// Why it is impossible.
        #[source]
        source: AmountError,
    },
    /// [`crate::Start::Resume`] without a block.
    #[error("chain {chain_id}: there is no stored block to go on from")]
    NothingToResume {
        /// The chain.
        chain_id: ChainId,
    },
}

/// Why a step could not be read.
#[derive(Debug)]
pub(crate) enum Halt {
    /// Read it again.
    Retry(SourceError),
    /// Stop.
    Stop(Box<FollowError>),
}

impl Halt {
    pub(super) fn stop(error: FollowError) -> Self {
        Self::Stop(Box::new(error))
    }
}

impl<E: Into<SourceError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}
