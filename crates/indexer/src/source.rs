//! What a chain must be able to answer to be followed.

use std::fmt::{self, Debug};

use alloy_primitives::{Address, B256, Bloom, Bytes, U256};
use async_trait::async_trait;
use paywatch_core::{Block, BlockNumber, BlockRef, ChainId, FinalityTag, TokenNoticeKind};
use paywatch_proof::BlockEvidence;

use crate::{Contradiction, LogFilter, Paid, SourceError, TxReceipt};

/// A view of one chain: a node, or several behind a [`crate::Pool`]; in tests a simulated one.
/// Every answer may be stale; whoever asks checks that answers fit together.
#[async_trait]
pub trait ChainSource: Send + Sync + Debug {
    /// Which chain it is.
    async fn chain_id(&self) -> Result<ChainId, SourceError>;

    /// The token's own `decimals()`. [`SourceError::Unusable`] names the token when there is no
    /// such contract.
    async fn token_decimals(&self, token: Address) -> Result<u8, SourceError>;

    /// The newest block.
    async fn latest(&self) -> Result<Header, SourceError>;

    /// The newest block that the node calls settled by `tag`; `None` where it has no such notion
    /// or there is none yet.
    async fn tagged(&self, tag: FinalityTag) -> Result<Option<BlockRef>, SourceError>;

    /// The canonical blocks at `numbers`, in that order; `None` where the node has none.
    async fn headers(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Header>>, SourceError>;

    /// The logs that the query and the filter cover, all of them. A block that the node
    /// does not have is [`SourceError::Lagging`], never an empty answer.
    async fn transfer_logs(
        &self,
        query: &LogQuery,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError>;

    /// The `Transfer` logs, as ERC-20 has them, that any contract wrote in the canonical blocks
    /// `from` to `to` and that name one of `recipients`. What is written otherwise is left out.
    ///
    /// It is asked aside: one endpoint's word is enough, and one that refuses it is no worse for
    /// everything else.
    async fn transfers_to(
        &self,
        _blocks: (BlockNumber, BlockNumber),
        _recipients: &[Address],
    ) -> Result<Vec<TransferLog>, SourceError> {
        Err(SourceError::Unusable {
            cause: "it cannot be asked for the logs of every contract".into(),
        })
    }

    /// What a stranger's contract answers after the newest block. Asked aside, as
    /// [`Self::transfers_to`]: what such a contract does is nobody's fault.
    async fn call_stranger(&self, call: &Call) -> Result<Bytes, SourceError> {
        self.call(call.to, call.data.clone(), CallAt::Latest).await
    }

    /// Header and receipts of `block`, unchecked.
    async fn evidence(&self, block: BlockRef) -> Result<BlockEvidence, SourceError>;

    /// What came of the transaction `tx`; `None` while it is in no block.
    async fn receipt(&self, tx: B256) -> Result<Option<TxReceipt>, SourceError>;

    /// What the contract at `to` answers to `data`, without changing anything.
    /// [`SourceError::NoAnswer`] when it refuses, or when the node has no state for that block.
    async fn call(&self, to: Address, data: Bytes, at: CallAt) -> Result<Bytes, SourceError>;

    /// What contracts answer to several calls at the same block, in that order; at best in one
    /// request, so that whoever has many asks for some of them at a time.
    async fn calls(&self, calls: &[Call], at: CallAt) -> Result<Vec<Bytes>, SourceError> {
        let mut answers = Vec::with_capacity(calls.len());
        for call in calls {
            answers.push(self.call(call.to, call.data.clone(), at).await?);
        }
        Ok(answers)
    }

    /// Whether enough sources have `block` on their chain, where more than one must.
    async fn agreed(&self, _block: BlockRef) -> Result<(), SourceError> {
        Ok(())
    }

    /// Resolves when something may have happened. A source that cannot know never resolves.
    /// Dropping the future loses at most a hint.
    async fn woken(&self);

    /// Whether new blocks are being announced right now, so that polling can be rare.
    fn announces(&self) -> bool {
        false
    }

    /// How often announcements stopped although there were new blocks.
    fn silences(&self) -> u64 {
        0
    }

    /// The header with this hash, if it was announced lately.
    fn announced(&self, _hash: B256) -> Option<Header> {
        None
    }

    /// How many blocks are best asked for at once.
    fn best_width(&self) -> Option<u64> {
        None
    }
}

/// A call of a contract that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract.
    pub to: Address,
    /// The selector of the function, and its arguments.
    pub data: Bytes,
}

/// After which block a contract is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallAt {
    /// The newest that the node has.
    Latest,
    /// The canonical one at this height.
    Number(BlockNumber),
    /// This one and no other (EIP-1898).
    Block(BlockRef),
}

impl fmt::Display for CallAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("the newest block"),
            Self::Number(number) => write!(f, "block {number}"),
            Self::Block(block) => write!(f, "block {} ({})", block.number, block.hash),
        }
    }
}

/// The answer to a single call.
pub(crate) fn only(answers: Vec<Bytes>) -> Result<Bytes, SourceError> {
    let missing = Contradiction::OtherCount {
        asked: 1,
        answered: 0,
    };
    Ok(answers.into_iter().next().ok_or(missing)?)
}

/// A block, and the summary of its logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The block.
    pub block: Block,
    /// Its `logsBloom`: what it does not hold, no log of the block has. On some chains it means
    /// nothing.
    pub bloom: Bloom,
}

/// Which blocks' logs are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogQuery {
    /// This one block, by hash: a node that does not have it must say so.
    Block(Box<Header>),
    /// The canonical blocks of these heights, both included.
    Range {
        /// The first.
        from: BlockNumber,
        /// The last.
        to: BlockNumber,
    },
}

impl LogQuery {
    /// A question for one block's logs.
    #[must_use]
    pub fn block(header: &Header) -> Self {
        Self::Block(Box::new(header.clone()))
    }

    /// How many blocks it covers.
    #[must_use]
    pub const fn width(&self) -> u64 {
        match self {
            Self::Block(_) => 1,
            Self::Range { from, to } => to.saturating_sub(*from).saturating_add(1),
        }
    }
}

impl fmt::Display for LogQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(header) => {
                let block = header.block;
                write!(f, "block {} ({})", block.number, block.hash)
            },
            Self::Range { from, to } => write!(f, "blocks {from} to {to}"),
        }
    }
}

/// What a node answered when it was asked for logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogAnswer {
    /// The wanted transfers.
    pub transfers: Vec<TransferLog>,
    /// What receivers said of payments to those who are watched.
    pub paid: Vec<PaidLog>,
    /// What tokens said of their levers.
    pub notices: Vec<NoticeLog>,
    /// How many transfers came, wanted or not.
    pub seen: u64,
}

/// Where a log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPlace {
    /// The height of its block.
    pub block_number: BlockNumber,
    /// Its index within the block.
    pub log_index: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// Its transaction.
    pub tx_hash: B256,
}

/// A `Paid` log of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidLog {
    /// Where it stands.
    pub place: LogPlace,
    /// The contract that wrote it.
    pub receiver: Address,
    /// What it says.
    pub said: Paid,
}

/// A log in which a token tells of a lever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLog {
    /// Where it stands.
    pub place: LogPlace,
    /// The contract that wrote it.
    pub token: Address,
    /// What it says.
    pub kind: TokenNoticeKind,
}

impl TransferLog {
    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> LogPlace {
        LogPlace {
            block_number: self.block_number,
            log_index: self.log_index,
            block_hash: self.block_hash,
            tx_hash: self.tx_hash,
        }
    }
}

impl LogAnswer {
    /// Puts everything in the order of the chain.
    pub fn sort(&mut self) {
        self.transfers
            .sort_by_key(|log| (log.block_number, log.log_index));
        self.paid.sort_by_key(|log| log.place);
        self.notices.sort_by_key(|log| log.place);
    }

    /// Whether both hold the same logs, in the same order.
    #[must_use]
    pub fn says_what(&self, other: &Self) -> bool {
        self.transfers == other.transfers
            && self.paid == other.paid
            && self.notices == other.notices
    }

    /// Adds `more`.
    pub fn extend(&mut self, more: Self) {
        self.transfers.extend(more.transfers);
        self.paid.extend(more.paid);
        self.notices.extend(more.notices);
        self.seen = self.seen.saturating_add(more.seen);
    }

    /// Leaves out what is in the block at `number`.
    pub fn forget_block(&mut self, number: BlockNumber) {
        self.transfers.retain(|log| log.block_number != number);
        self.paid.retain(|log| log.place.block_number != number);
        self.notices.retain(|log| log.place.block_number != number);
    }

    /// Where its logs stand.
    pub fn places(&self) -> impl Iterator<Item = LogPlace> {
        let transfers = self.transfers.iter().map(TransferLog::place);
        let paid = self.paid.iter().map(|log| log.place);
        let notices = self.notices.iter().map(|log| log.place);
        transfers.chain(paid).chain(notices)
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
