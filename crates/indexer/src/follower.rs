//! Follows one chain from a start to its head, and then along.

mod cover;
mod read;
mod span;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use paywatch_core::{
    AmountError, Block, BlockNumber, BlockRef, ChainId, ForkBelowWindow, Token, Window,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::follower::read::{Found, Position, Reader, Step};
use crate::follower::span::Span;
use crate::follower::trouble::Trouble;
use crate::{ChainSource, ChainUpdate, SourceError};

/// How a chain is followed.
#[derive(Clone, Debug)]
pub struct FollowSettings {
    /// The chain.
    pub chain_id: ChainId,
    /// The tokens that count, all of this chain. Without any, blocks are followed and no logs.
    pub tokens: Vec<Token>,
    /// How long to wait at the head before the node is asked again.
    pub poll_interval: Duration,
    /// How many headers are remembered to find forks in: 512, for example.
    pub window: usize,
    /// The distance from the head up to which blocks are taken one by one, and below which the
    /// chain is taken for settled: 64, for example. At least 1.
    pub near: u64,
    /// The widest range of blocks that logs are asked for at once.
    pub max_range: u64,
    /// Whether the node is asked for its `finalized` block.
    pub ask_finalized: bool,
}

/// Where following begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// After the stored recent blocks, oldest first; the last is the cursor.
    Resume {
        /// The stored blocks.
        recent: Vec<Block>,
    },
    /// This is the first block to be covered.
    At(BlockNumber),
    /// The node's head is the first block to be covered.
    Head,
}

/// Why a chain is not followed any further. Going on would be guessing.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The chains part below everything that is remembered.
    #[error(
        "chain {chain_id}: the node's chain is not the one that was followed; what left it cannot \
         be told any more"
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
         {finalized} which it had called final", common.number
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
    /// [`Start::Resume`] without a block.
    #[error("chain {chain_id}: there is no stored block to go on from")]
    NothingToResume {
        /// The chain.
        chain_id: ChainId,
    },
}

/// What [`Follower::next`] waits for before it asks the node again.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// The end of a pause after trouble.
    Until(Instant),
    /// A hint from the source, or at the latest this moment.
    NewsOr(Instant),
}

/// Follows one chain. It holds where it stands, and nothing about payments.
#[derive(Debug)]
pub struct Follower {
    source: Arc<dyn ChainSource>,
    settings: FollowSettings,
    position: Position,
    /// The highest covered block that the node called final.
    finalized: Option<BlockNumber>,
    span: Span,
    trouble: Trouble,
    wait: Option<Wait>,
}

impl Follower {
    /// A follower that begins at `start`. Nothing is asked before [`Self::next`].
    #[must_use]
    pub fn new(source: Arc<dyn ChainSource>, settings: FollowSettings, start: Start) -> Self {
        let position = match start {
            Start::Head => Position::Head,
            Start::At(number) => Position::At(number),
            Start::Resume { recent } => Window::from_blocks(&recent, settings.window)
                .map_or(Position::Nowhere, Position::On),
        };
        Self {
            position,
            finalized: None,
            span: Span::new(settings.max_range),
            trouble: Trouble::new(settings.chain_id),
            wait: None,
            source,
            settings,
        }
    }

    /// What keeps the follower from reading, in words for the operator; `None` while all is well.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Option<String>> {
        self.trouble.watch()
    }

    /// The next step of the chain. Waits for it as long as it takes, through every trouble that
    /// may pass.
    ///
    /// Dropping the future loses nothing: the next call reads the same step again. A returned
    /// update is taken for committed; if it was not, make a new follower from the stored blocks.
    ///
    /// # Errors
    /// [`FollowError`] when going on would be guessing. The next call meets the same again.
    pub async fn next(&mut self) -> Result<ChainUpdate, FollowError> {
        loop {
            self.wait().await;
            let asked_at = Instant::now();
            match self.reader().read(&self.position).await {
                Ok(Step::Idle) => {
                    self.trouble.is_over();
                    self.wait_for_news(asked_at);
                },
                Ok(Step::Found(found)) => return Ok(self.advance(*found, asked_at)),
                Err(Halt::Stop(error)) => return Err(error),
                Err(Halt::Retry(error)) => self.retry(&error),
            }
        }
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            source: self.source.as_ref(),
            settings: &self.settings,
            finalized: self.finalized,
            width: self.span.width(),
        }
    }

    async fn wait(&mut self) {
        match self.wait {
            None => {},
            Some(Wait::Until(end)) => sleep_until(end).await,
            Some(Wait::NewsOr(end)) => {
                tokio::select! {
                    () = self.source.woken() => {},
                    () = sleep_until(end) => {},
                }
            },
        }
        self.wait = None;
    }

    fn wait_for_news(&mut self, asked_at: Instant) {
        let end = asked_at.checked_add(self.settings.poll_interval);
        self.wait = end.map(Wait::NewsOr);
    }

    /// Makes what was found the position. Everything before this only read.
    fn advance(&mut self, found: Found, asked_at: Instant) -> ChainUpdate {
        let Found {
            update,
            window,
            width,
        } = found;
        self.trouble.is_over();
        self.span.served(width);
        if update.tip.number >= update.node_head {
            self.wait_for_news(asked_at);
        }
        let final_here = update.finalized.map(|number| number.min(update.tip.number));
        self.finalized = self.finalized.max(final_here);
        self.position = Position::On(window);
        update
    }

    fn retry(&mut self, error: &SourceError) {
        if let SourceError::TooWide { suggested, .. } = error
            && self.span.narrow(*suggested)
        {
            tracing::debug!(
                chain.id = %self.settings.chain_id,
                span.blocks = self.span.width(),
                "the node does not serve so much at once; asking for less"
            );
            return;
        }
        let pause = self.trouble.with(error);
        self.wait = Instant::now().checked_add(pause).map(Wait::Until);
    }
}

/// Why a step could not be read.
#[derive(Debug)]
enum Halt {
    /// Read it again.
    Retry(SourceError),
    /// Stop.
    Stop(FollowError),
}

impl<E: Into<SourceError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}
