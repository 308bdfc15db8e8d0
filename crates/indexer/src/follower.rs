//! Follows one chain from a start to its head, and then along.

mod backfill;
mod cover;
mod error;
mod join;
mod read;
mod tags;
mod trouble;

use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{Address, Block, BlockNumber, ChainId, FinalityTag, Token, Window};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub(crate) use crate::follower::backfill::{Extent, History};
pub use crate::follower::error::FollowError;
pub(crate) use crate::follower::error::Halt;
pub use crate::follower::tags::Interest;

use crate::follower::backfill::Backfill;
use crate::follower::read::{Found, Position, Reader, Step};
use crate::follower::tags::Settled;
use crate::follower::trouble::Trouble;
use crate::{ChainSource, ChainUpdate, SourceError, WatchList};

/// How a chain is followed.
#[derive(Clone, Debug)]
pub struct FollowSettings {
    /// The chain.
    pub chain_id: ChainId,
    /// The tokens that count, all of this chain. Without any, blocks are followed and no logs.
    pub tokens: Vec<Token>,
    /// The payment receivers whose word for a payment counts.
    pub receivers: Vec<Address>,
    /// How long to wait at the head before the node is asked again.
    pub poll_interval: Duration,
    /// How long to wait instead while new blocks are announced.
    pub watchdog: Duration,
    /// How long to let new blocks gather, so that a chain of many small ones is taken in runs.
    pub gather: Duration,
    /// How many headers are remembered to find forks in: 512, for example.
    pub window: usize,
    /// The distance from the head up to which blocks are linked one to the other, and below which
    /// the chain is taken for settled: 64, for example. At least 1.
    pub near: u64,
    /// The widest range of blocks that logs are asked for at once.
    pub max_range: u64,
    /// How many such ranges are asked for at the same time.
    pub ranges_at_once: usize,
    /// Up to how many watched addresses the node filters by recipient.
    pub filter_up_to: usize,
    /// Whether the chain's blooms mean anything.
    pub blooms: bool,
    /// The tags that the node is asked for.
    pub tags: Vec<FinalityTag>,
    /// How often, while a payment waits to be final. Otherwise a tenth as often.
    pub tag_interval: Duration,
}

/// Where following begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// After the stored recent blocks, oldest first; the last is the cursor.
    Resume {
        /// The stored blocks.
        recent: Vec<Block>,
        /// The highest block that was known to be final.
        finalized: Option<BlockNumber>,
    },
    /// This is the first block to be covered.
    At(BlockNumber),
    /// The node's head is the first block to be covered.
    Head,
}

/// What [`Follower::next`] waits for before it asks the node again.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// The end of a pause after trouble.
    Until(Instant),
    /// A hint from the source, though not before the first of these moments, and at the latest
    /// the second.
    News(Instant, Instant),
}

/// Follows one chain. It holds where it stands, and nothing about payments.
#[derive(Debug)]
pub struct Follower {
    source: Arc<dyn ChainSource>,
    watch_list: Arc<dyn WatchList>,
    settings: FollowSettings,
    position: Position,
    settled: Settled,
    backfill: Option<Box<Backfill>>,
    trouble: Trouble,
    wait: Option<Wait>,
}

impl Follower {
    /// A follower that begins at `start`. Nothing is asked before [`Self::next`].
    #[must_use]
    pub fn new(
        source: Arc<dyn ChainSource>,
        watch_list: Arc<dyn WatchList>,
        settings: FollowSettings,
        start: Start,
    ) -> Self {
        let (position, finalized) = match start {
            Start::Head => (Position::Head, None),
            Start::At(number) => (Position::At(number), None),
            Start::Resume { recent, finalized } => {
                let window = Window::from_blocks(&recent, settings.window);
                (window.map_or(Position::Nowhere, Position::On), finalized)
            },
        };
        Self {
            position,
            settled: Settled::new(finalized),
            backfill: None,
            trouble: Trouble::new(settings.chain_id),
            wait: None,
            source,
            watch_list,
            settings,
        }
    }

    /// What keeps the follower from reading, in words for the operator; `None` while all is well.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Option<String>> {
        self.trouble.watch()
    }

    /// Whether a payment waits for a tag, so that the node should be asked more often.
    pub const fn expect_finality(&mut self, interest: Interest) {
        self.settled.expect(interest);
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
            match self.step().await {
                Ok(Step::Idle) => {
                    self.trouble.is_over();
                    self.wait_for_news(asked_at);
                },
                Ok(Step::Far(backfill)) => self.backfill = Some(backfill),
                Ok(Step::Found(found)) => return Ok(self.advance(*found, asked_at)),
                Err(Halt::Stop(error)) => return Err(*error),
                Err(Halt::Retry(error)) => self.retry(&error),
            }
        }
    }

    async fn step(&mut self) -> Result<Step, Halt> {
        if let Some(backfill) = &mut self.backfill {
            match backfill.next(&self.position).await {
                Ok(Some(found)) => return Ok(Step::Found(Box::new(found))),
                Ok(None) => self.backfill = None,
                Err(halt) => {
                    self.backfill = None;
                    return Err(halt);
                },
            }
        }
        // Asked for before the head: what is then found to stand on our blocks proves that those
        // which are final are ours, and not of a branch that the node has left meanwhile.
        self.settled
            .ask(self.source.as_ref(), &self.settings)
            .await?;
        let reader = Reader {
            source: &self.source,
            watch_list: self.watch_list.as_ref(),
            settings: &self.settings,
            settled: &self.settled,
        };
        reader.read(&self.position).await
    }

    async fn wait(&mut self) {
        match self.wait {
            None => {},
            Some(Wait::Until(end)) => sleep_until(end).await,
            Some(Wait::News(first, last)) => {
                sleep_until(first).await;
                tokio::select! {
                    () = self.source.woken() => {},
                    () = sleep_until(last) => {},
                }
            },
        }
        self.wait = None;
    }

    fn wait_for_news(&mut self, asked_at: Instant) {
        let interval = if self.source.announces() {
            self.settings.watchdog.max(self.settings.poll_interval)
        } else {
            self.settings.poll_interval
        };
        let first = asked_at.checked_add(self.settings.gather);
        let last = asked_at.checked_add(interval.max(self.settings.gather));
        self.wait = first.zip(last).map(|(first, last)| Wait::News(first, last));
    }

    /// Makes what was found the position. Everything before this only read.
    fn advance(&mut self, found: Found, asked_at: Instant) -> ChainUpdate {
        let Found {
            mut update,
            window,
            depth,
        } = found;
        self.trouble.is_over();
        if update.tip.number >= update.node_head {
            self.wait_for_news(asked_at);
        }
        update.tags = self
            .settled
            .moved_to(self.settings.chain_id, &window, depth);
        self.position = Position::On(window);
        update
    }

    fn retry(&mut self, error: &SourceError) {
        let pause = self.trouble.with(error);
        self.wait = Instant::now().checked_add(pause).map(Wait::Until);
    }
}
