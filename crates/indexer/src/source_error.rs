//! Why a source did not answer, split by what the caller does next.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use paywatch_core::{BlockNumber, TimeError};

use crate::{CallAt, DecodeError};

/// What lies under a [`SourceError`].
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why a source did not answer.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Ask again later: unreachable, too slow, out of order, or too many requests.
    #[error("the node does not answer now")]
    Later {
        /// How long the node asked us to wait.
        after: Option<Duration>,
        /// What happened.
        #[source]
        cause: Cause,
    },
    /// Ask for fewer blocks at once.
    #[error("the node does not serve so much at once")]
    TooWide {
        /// How many blocks the node said that it serves.
        suggested: Option<u64>,
        /// What it said.
        #[source]
        cause: Cause,
    },
    /// The node, or the one of several behind its address that answered, is behind. Never the same
    /// as "no logs".
    #[error("the node does not have that block yet")]
    Lagging {
        /// What it said.
        #[source]
        cause: Cause,
    },
    /// Two answers, or an answer and its question, cannot both be true.
    #[error("the node contradicts itself")]
    Inconsistent {
        /// How.
        #[from]
        cause: Contradiction,
    },
    /// What the node gave to prove a block does not prove it.
    #[error("block {number} cannot be proved by what the node gives")]
    Unprovable {
        /// The block.
        number: BlockNumber,
        /// What does not fit.
        #[source]
        cause: Cause,
    },
    /// The node is well, and has no answer to this call: asking it again changes nothing.
    #[error("the call has no answer")]
    NoAnswer {
        /// Why.
        #[from]
        cause: CallFailure,
    },
    /// The endpoint cannot serve this chain until somebody changes something.
    #[error("the endpoint cannot be used")]
    Unusable {
        /// Why not.
        #[source]
        cause: Cause,
    },
}

/// Why a call of a contract has no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallFailure {
    /// The node has thrown the state away, as all but archive nodes do after a while.
    #[error(
        "the node has no state for {at}: name a newer block, or an archive node among the endpoints"
    )]
    NoState {
        /// Where the call was to be made.
        at: CallAt,
        /// What the node said.
        #[source]
        cause: Option<Cause>,
    },
    /// The contract refused.
    #[error("the contract {to} refused the call")]
    Reverted {
        /// The contract.
        to: Address,
        /// What the node said.
        #[source]
        cause: Option<Cause>,
    },
    /// Another kind of answer than the function gives.
    #[error(
        "the contract {to} answers {answer}, which is no balance; is it a token of this chain?"
    )]
    Odd {
        /// The contract.
        to: Address,
        /// What it answered.
        answer: Bytes,
    },
}

/// A block that should be there and is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has no block {number}")]
pub struct NotThere {
    /// The height.
    pub number: BlockNumber,
}

impl From<NotThere> for SourceError {
    fn from(cause: NotThere) -> Self {
        Self::Lagging {
            cause: Box::new(cause),
        }
    }
}

/// How answers of a node contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Another block than the one that was asked for.
    #[error("asked for block {asked}, it answered with block {answered}")]
    OtherNumber {
        /// The height asked for.
        asked: BlockNumber,
        /// The height answered.
        answered: BlockNumber,
    },
    /// The receipt of another transaction.
    #[error("asked for transaction {asked}, it answered with {answered}")]
    OtherTransaction {
        /// The one asked for.
        asked: B256,
        /// The one answered.
        answered: B256,
    },
    /// More or fewer answers than questions.
    #[error("asked for {asked} blocks, it answered with {answered}")]
    OtherCount {
        /// How many were asked for.
        asked: usize,
        /// How many came.
        answered: usize,
    },
    /// A header that does not stand on the one below it; most often the chain is just changing.
    #[error("block {number} does not stand on the block that it showed below")]
    Unlinked {
        /// The upper one's height.
        number: BlockNumber,
    },
    /// A block changed between two questions.
    #[error("block {number} changed from {before} to {after} between two questions")]
    Changed {
        /// The height.
        number: BlockNumber,
        /// The hash before.
        before: B256,
        /// The hash after.
        after: B256,
    },
    /// A log that the question did not cover.
    #[error("asked for the logs of {asked}, got one of block {number} ({hash})")]
    ForeignLog {
        /// The question.
        asked: String,
        /// The log's block.
        number: BlockNumber,
        /// The log's block.
        hash: B256,
    },
    /// A log of a contract that was not asked for.
    #[error("got a log of the contract {token}, which was not asked for, in transaction {tx_hash}")]
    ForeignToken {
        /// The contract.
        token: Address,
        /// The log's transaction.
        tx_hash: B256,
    },
    /// The same log twice.
    #[error("log {log_index} of block {number} came twice")]
    RepeatedLog {
        /// The log's block.
        number: BlockNumber,
        /// The log.
        log_index: u64,
    },
    /// A log of a configured token that is no `Transfer` as ERC-20 has it.
    #[error("a log cannot be read")]
    Undecodable(#[from] DecodeError),
    /// A field of a log that is not what the protocol says.
    #[error("the field {field} of a log cannot be read ({text}): {cause}")]
    Unreadable {
        /// The field.
        field: &'static str,
        /// What it held.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Endpoints gave different answers to one call.
    #[error("endpoints answer differently what was called at {at}")]
    Answers {
        /// Where it was called.
        at: CallAt,
    },
    /// Endpoints gave different logs for one block, and it could not be told which are right.
    #[error("endpoints give different logs for block {number}")]
    Disagreement {
        /// The block.
        number: BlockNumber,
    },
    /// A block whose time is none.
    #[error("block {number} has an impossible time")]
    Time {
        /// The block.
        number: BlockNumber,
        /// Why.
        #[source]
        source: TimeError,
    },
}
