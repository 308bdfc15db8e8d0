//! Covers history: ranges of blocks at the same time, handed on in their order.

use std::fmt;
use std::sync::Arc;

use futures::FutureExt;
use futures::stream::{FuturesOrdered, StreamExt};
use paywatch_core::{Block, BlockNumber, BlockRef, Tags, Window};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio_util::task::AbortOnDropHandle;

use crate::follower::FollowSettings;
use crate::follower::cover::{Coverer, coverer, headers_at};
use crate::follower::error::Halt;
use crate::follower::read::{Depth, Found, LOOK_BACK, Position};
use crate::{ChainSource, ChainUpdate, CoveredBlock, SourceError, WatchList};

/// How many times more ranges are begun than asked for at the same time, so that there is always
/// one to ask for while others are committed.
const AHEAD: usize = 3;
/// Ranges are handed on together up to about so many blocks.
const TOGETHER: usize = 64;

/// A range that was covered.
struct Chunk {
    from: BlockNumber,
    blocks: Vec<CoveredBlock>,
    /// Linked headers that end with the range's last.
    recent: Vec<Block>,
}

/// Ranges from where the follower stands to where the chain is not settled any more.
pub(super) struct Backfill {
    coverer: Coverer,
    /// The first block that no range was begun for.
    next: BlockNumber,
    /// The last block to be covered.
    last: BlockNumber,
    max_range: u64,
    /// Lets so many of them ask at the same time.
    at_once: Arc<Semaphore>,
    /// How many may be begun and not handed on.
    ahead: usize,
    window: usize,
    node_head: BlockNumber,
    /// In tasks of their own, so that they go on while what came before is committed.
    under_way: FuturesOrdered<AbortOnDropHandle<Result<Chunk, Halt>>>,
    /// What came after the ranges that were handed on last.
    trouble: Option<Halt>,
}

impl fmt::Debug for Backfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Backfill({}..={})", self.next, self.last)
    }
}

/// How far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) first: BlockNumber,
    pub(crate) last: BlockNumber,
    pub(crate) node_head: BlockNumber,
}

/// History by itself, without a position that it leads to.
#[derive(Debug)]
pub(crate) struct History(Backfill);

impl History {
    pub(crate) async fn new(
        source: &Arc<dyn ChainSource>,
        watch_list: &dyn WatchList,
        settings: &FollowSettings,
        extent: Extent,
    ) -> Result<Self, Halt> {
        let coverer = coverer(source, watch_list, settings, Depth::History).await?;
        Ok(Self(Backfill::new(coverer, extent, settings)))
    }

    pub(crate) async fn next(&mut self) -> Result<Option<ChainUpdate>, Halt> {
        let found = self.0.next(&Position::Nowhere).await?;
        Ok(found.map(|found| found.update))
    }
}

impl Backfill {
    pub(super) fn new(coverer: Coverer, extent: Extent, settings: &FollowSettings) -> Self {
        Self {
            coverer,
            next: extent.first,
            last: extent.last,
            max_range: settings.max_range.max(1),
            at_once: Arc::new(Semaphore::new(settings.ranges_at_once.max(1))),
            ahead: settings.ranges_at_once.max(1).saturating_mul(AHEAD),
            window: settings.window,
            node_head: extent.node_head,
            under_way: FuturesOrdered::new(),
            trouble: None,
        }
    }

    /// The next range after `position`; `None` when all are covered. Dropping the future loses
    /// nothing.
    pub(super) async fn next(&mut self, position: &Position) -> Result<Option<Found>, Halt> {
        self.begin_more();
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        let Some(first) = self.under_way.next().await else {
            return Ok(None);
        };
        let chunk = self.with_what_is_ready(done(first)?);
        // They go on while this is committed.
        self.begin_more();
        let Chunk {
            from,
            blocks,
            recent,
        } = chunk;
        let previous: Option<BlockRef> = match position {
            Position::On(window) => Some(window.tip().to_ref()),
            Position::Head | Position::At(_) | Position::Nowhere => None,
        };
        let Some(window) = Window::from_blocks(&recent, self.window) else {
            return Ok(None);
        };
        let tip = *window.tip();
        let below = recent
            .into_iter()
            .filter(|block| block.number < tip.number)
            .collect();
        Ok(Some(Found {
            update: ChainUpdate {
                chain_id: self.coverer.chain_id,
                previous,
                retract_above: None,
                blocks,
                covers_from: Some(from),
                below,
                tip,
                tags: Tags::default(),
                node_head: self.node_head,
            },
            window,
            depth: Depth::History,
        }))
    }

    /// Joins `chunk` and those after it that are there already: many small commits take longer than
    /// a large one.
    fn with_what_is_ready(&mut self, mut chunk: Chunk) -> Chunk {
        while chunk.blocks.len() < TOGETHER
            && let Some(Some(next)) = self.under_way.next().now_or_never()
        {
            match done(next) {
                Ok(next) => {
                    // The last of each range is there for its header only.
                    if chunk.blocks.last().is_some_and(CoveredBlock::is_empty) {
                        chunk.blocks.pop();
                    }
                    chunk.blocks.extend(next.blocks);
                    chunk.recent = next.recent;
                },
                Err(trouble) => {
                    self.trouble = Some(trouble);
                    break;
                },
            }
        }
        chunk
    }

    fn begin_more(&mut self) {
        while self.under_way.len() < self.ahead && self.next <= self.last {
            let width = self.coverer.source.best_width().unwrap_or(self.max_range);
            let width = width.clamp(1, self.max_range);
            let from = self.next;
            let to = from.saturating_add(width.saturating_sub(1)).min(self.last);
            self.next = to.saturating_add(1);
            let last = self.last;
            let coverer = self.coverer.clone();
            let at_once = Arc::clone(&self.at_once);
            let task =
                tokio::spawn(async move { chunk(&coverer, &at_once, (from, to), last).await });
            self.under_way.push_back(AbortOnDropHandle::new(task));
        }
    }
}

/// What a task came to.
fn done(outcome: Result<Result<Chunk, Halt>, JoinError>) -> Result<Chunk, Halt> {
    outcome.map_err(|cause| SourceError::Later {
        after: None,
        cause: Box::new(cause),
    })?
}

async fn chunk(
    coverer: &Coverer,
    at_once: &Semaphore,
    (from, to): (BlockNumber, BlockNumber),
    end: BlockNumber,
) -> Result<Chunk, Halt> {
    // Logs are large, so only some come at the same time. It is never closed.
    let turn = at_once.acquire().await;
    let logs = async {
        let logs = coverer.logs_of_range(from, to).await;
        drop(turn);
        logs
    };
    let (logs, below) = tokio::join!(logs, below_the_end(coverer, to, end));
    let (logs, mut recent) = (logs?, below?);
    let (blocks, last) = coverer.with_headers(logs, to).await?;
    coverer.source.agreed(last.block.to_ref()).await?;
    let is_linked = recent
        .last()
        .is_none_or(|below| below.hash == last.block.parent_hash);
    if !is_linked {
        return Err(crate::Contradiction::Unlinked { number: to }.into());
    }
    recent.push(last.block);
    Ok(Chunk {
        from,
        blocks,
        recent,
    })
}

/// The blocks below `to`, if history ends there: forks begin there, and need something to part from.
async fn below_the_end(
    coverer: &Coverer,
    to: BlockNumber,
    end: BlockNumber,
) -> Result<Vec<Block>, Halt> {
    if to != end {
        return Ok(Vec::new());
    }
    let numbers: Vec<_> = (to.saturating_sub(LOOK_BACK)..to).collect();
    let headers = headers_at(coverer.source.as_ref(), &numbers).await?;
    Ok(headers.iter().map(|header| header.block).collect())
}
