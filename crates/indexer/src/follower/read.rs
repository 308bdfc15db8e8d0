//! Reads one step of a chain without changing anything: all of it, or an error.

use std::sync::Arc;

use paywatch_core::{Advance, Block, BlockNumber, BlockRef, Tags, Window};

use crate::follower::FollowSettings;
use crate::follower::backfill::{Backfill, Extent};
use crate::follower::cover::{Coverer, coverer, headers_at};
use crate::follower::error::{FollowError, Halt};
use crate::follower::tags::Settled;
use crate::{ChainSource, ChainUpdate, Contradiction, CoveredBlock, Header, NotThere, WatchList};

/// How many blocks are taken at once near the head.
const BATCH: u64 = 64;
/// How many headers below the first covered block, or below the end of history, are remembered, so
/// that a fork there has somewhere to part from.
pub(super) const LOOK_BACK: u64 = 64;

/// Where a follower stands.
#[derive(Clone, Debug)]
pub(super) enum Position {
    /// Before its first block, which will be the node's head.
    Head,
    /// Before its first block, which will be this one.
    At(BlockNumber),
    /// On the window's tip.
    On(Window),
    /// Told to go on from nothing.
    Nowhere,
}

/// How far from the head something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The chain may still change there.
    NearHead,
    /// It is settled there.
    History,
}

/// What reading a step came to.
#[derive(Debug)]
pub(super) enum Step {
    /// There is nothing new.
    Idle,
    /// There is history to be covered first.
    Far(Box<Backfill>),
    /// The chain moved.
    Found(Box<Found>),
}

/// A step, and where the follower stands after it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) update: ChainUpdate,
    pub(super) window: Window,
    pub(super) depth: Depth,
}

/// What was read of the chain itself.
enum Covered {
    Blocks(Box<Covering>),
    Far(Box<Backfill>),
    Nothing,
}

/// Blocks that follow each other, and what they follow.
struct Covering {
    retract_above: Option<BlockRef>,
    below: Vec<Block>,
    blocks: Vec<CoveredBlock>,
    window: Window,
}

/// Everything that reading a step depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) source: &'a Arc<dyn ChainSource>,
    pub(super) watch_list: &'a dyn WatchList,
    pub(super) settings: &'a FollowSettings,
    pub(super) settled: &'a Settled,
}

impl Reader<'_> {
    /// Reads the next step from `position`.
    pub(super) async fn read(&self, position: &Position) -> Result<Step, Halt> {
        let chain_id = self.settings.chain_id;
        let head = self.source.latest().await?;
        let (previous, covered) = match position {
            Position::Nowhere => {
                return Err(Halt::stop(FollowError::NothingToResume { chain_id }));
            },
            Position::Head => (None, self.begin(head.block.number, &head).await?),
            Position::At(first) if *first > head.block.number => return Ok(Step::Idle),
            Position::At(first) => (None, self.begin(*first, &head).await?),
            Position::On(window) => {
                let tip = window.tip();
                let covered = if *tip == head.block {
                    self.only_finality(window)
                } else {
                    self.follow(window, &head).await?
                };
                (Some(tip.to_ref()), covered)
            },
        };
        let covering = match covered {
            Covered::Nothing => return Ok(Step::Idle),
            Covered::Far(backfill) => return Ok(Step::Far(backfill)),
            Covered::Blocks(covering) => *covering,
        };
        let Covering {
            retract_above,
            below,
            blocks,
            window,
        } = covering;
        if let Some(last) = blocks.last() {
            self.source.agreed(last.block.to_ref()).await?;
        }
        Ok(Step::Found(Box::new(Found {
            update: ChainUpdate {
                chain_id,
                previous,
                retract_above,
                covers_from: blocks.first().map(|covered| covered.block.number),
                blocks,
                below,
                tip: *window.tip(),
                tags: Tags::default(),
                node_head: head.block.number,
            },
            window,
            depth: Depth::NearHead,
        })))
    }

    /// The tip stayed; nothing, if finality did too.
    fn only_finality(&self, window: &Window) -> Covered {
        if !self.settled.has_news(self.settings.chain_id, window) {
            return Covered::Nothing;
        }
        Covered::Blocks(Box::new(Covering {
            retract_above: None,
            below: Vec::new(),
            blocks: Vec::new(),
            window: window.clone(),
        }))
    }

    /// The first step: covers `first` and what follows.
    async fn begin(&self, first: BlockNumber, head: &Header) -> Result<Covered, Halt> {
        if self.is_far(head.block.number.saturating_sub(first)) {
            return self.history(first, head).await;
        }
        let lowest = first.saturating_sub(LOOK_BACK);
        let to = last_of(first).min(head.block.number);
        let headers = self.run(lowest, to, head).await?;
        if let Some(lowest) = headers.first() {
            self.source.agreed(lowest.block.to_ref()).await?;
        }
        let coverer = self.coverer().await?;
        let (below, covered) =
            headers.split_at(headers.partition_point(|header| header.block.number < first));
        let blocks: Vec<_> = headers.iter().map(|header| header.block).collect();
        let window =
            Window::from_blocks(&blocks, self.settings.window).ok_or(NotThere { number: first })?;
        Ok(Covered::Blocks(Box::new(Covering {
            retract_above: None,
            below: below.iter().map(|header| header.block).collect(),
            blocks: coverer.cover_linked(covered).await?,
            window,
        })))
    }

    /// A step from the window's tip; nothing, if the node is merely behind.
    async fn follow(&self, window: &Window, head: &Header) -> Result<Covered, Halt> {
        let tip = window.tip();
        if head.block.number <= tip.number {
            return self.not_ahead(window, head).await;
        }
        let first = tip.number.saturating_add(1);
        if self.is_far(head.block.number.saturating_sub(tip.number)) {
            let theirs = self.header(tip.number).await?;
            return if theirs.block.hash == tip.hash {
                self.history(first, head).await
            } else {
                self.reorg(window, theirs).await
            };
        }
        let to = last_of(first).min(head.block.number);
        let coverer = self.coverer().await?;
        let (headers, logs) = tokio::join!(
            self.run(first, to, head),
            coverer.ahead_of_headers(first, to)
        );
        let headers = headers?;
        let mut longer = window.clone();
        for header in &headers {
            if !longer.push(header.block) {
                let lowest = headers.first().ok_or(NotThere { number: first })?;
                return self.reorg(window, lowest.clone()).await;
            }
        }
        let blocks = match logs {
            Some(logs) => coverer.cover_run(&headers, logs?).await?,
            None => coverer.cover_linked(&headers).await?,
        };
        Ok(Covered::Blocks(Box::new(Covering {
            retract_above: None,
            below: Vec::new(),
            blocks,
            window: longer,
        })))
    }

    /// A head at or below our tip is a node that lags, until its hash says otherwise.
    async fn not_ahead(&self, window: &Window, head: &Header) -> Result<Covered, Halt> {
        match window.at(head.block.number) {
            Some(ours) if ours.hash == head.block.hash => {
                tracing::debug!(
                    chain.id = %self.settings.chain_id,
                    block.number = head.block.number,
                    tip.number = window.tip().number,
                    "the node is behind what it showed before"
                );
                Ok(Covered::Nothing)
            },
            Some(_) => self.reorg(window, head.clone()).await,
            None => {
                let number = window.tip().number;
                Err(NotThere { number }.into())
            },
        }
    }

    /// Walks back from `theirs`, a block of another branch, to the last common one, and takes the
    /// other branch from there.
    async fn reorg(&self, window: &Window, theirs: Header) -> Result<Covered, Halt> {
        let chain_id = self.settings.chain_id;
        let mut branch = vec![theirs.clone()];
        let mut lowest = theirs;
        let common = loop {
            let advance = match window.advance(&lowest.block) {
                Ok(advance) => advance,
                Err(source) => {
                    self.source.agreed(lowest.block.to_ref()).await?;
                    return Err(Halt::stop(FollowError::ForkBelowWindow {
                        chain_id,
                        source,
                    }));
                },
            };
            match advance {
                Advance::Forked { common } => break common,
                Advance::WalkBack { to } => {
                    let below = self.header(to).await?;
                    if below.block.hash != lowest.block.parent_hash {
                        return Err(unlinked(&lowest).into());
                    }
                    branch.push(below.clone());
                    lowest = below;
                },
                // The node has changed its mind while it was asked.
                Advance::Known | Advance::Extends | Advance::Gap { .. } => {
                    return Err(unlinked(&lowest).into());
                },
            }
        };
        // One endpoint's word takes nothing back.
        if let Some(lowest) = branch.last() {
            self.source.agreed(lowest.block.to_ref()).await?;
        }
        if let Some(finalized) = self.settled.finalized()
            && common.number < finalized
        {
            return Err(Halt::stop(FollowError::ForkBelowFinalized {
                chain_id,
                common,
                finalized,
            }));
        }
        let shared = self.header(common.number).await?;
        if shared.block.to_ref() != common {
            return Err(unlinked(&lowest).into());
        }
        branch.reverse();
        let mut window = window.clone();
        if !window.retract_to(shared.block) {
            return Err(unlinked(&lowest).into());
        }
        for header in &branch {
            if !window.push(header.block) {
                return Err(unlinked(header).into());
            }
        }
        let coverer = self.coverer().await?;
        Ok(Covered::Blocks(Box::new(Covering {
            retract_above: Some(common),
            below: Vec::new(),
            blocks: coverer.cover_linked(&branch).await?,
            window,
        })))
    }

    /// History from `first` to where the chain is not settled any more.
    async fn history(&self, first: BlockNumber, head: &Header) -> Result<Covered, Halt> {
        let last = head.block.number.saturating_sub(self.near()).max(first);
        let extent = Extent {
            first,
            last,
            node_head: head.block.number,
        };
        let coverer = coverer(self.source, self.watch_list, self.settings, Depth::History).await?;
        let backfill = Backfill::new(coverer, extent, self.settings);
        Ok(Covered::Far(Box::new(backfill)))
    }

    async fn coverer(&self) -> Result<Coverer, Halt> {
        coverer(self.source, self.watch_list, self.settings, Depth::NearHead).await
    }

    /// The headers from `from` to `to`, each standing on the one before. What was announced is not
    /// asked for again.
    async fn run(
        &self,
        from: BlockNumber,
        to: BlockNumber,
        head: &Header,
    ) -> Result<Vec<Header>, Halt> {
        let mut known = vec![head.clone()];
        let mut lowest = head.block;
        while lowest.number > from
            && let Some(below) = self.source.announced(lowest.parent_hash)
            && below.block.number.checked_add(1) == Some(lowest.number)
        {
            lowest = below.block;
            known.push(below);
        }
        let missing: Vec<_> = (from..=to.min(lowest.number.saturating_sub(1))).collect();
        let mut headers = if lowest.number == from {
            Vec::new()
        } else {
            headers_at(self.source.as_ref(), &missing).await?
        };
        headers.extend(known.into_iter().rev());
        headers.retain(|header| header.block.number <= to);
        for (below, above) in headers.iter().zip(headers.iter().skip(1)) {
            if above.block.parent_hash != below.block.hash {
                return Err(unlinked(above).into());
            }
        }
        Ok(headers)
    }

    /// The node's header at `number`.
    async fn header(&self, number: BlockNumber) -> Result<Header, Halt> {
        let headers = headers_at(self.source.as_ref(), &[number]).await?;
        let header = headers.into_iter().next();
        header.ok_or_else(|| NotThere { number }.into())
    }

    fn near(&self) -> u64 {
        self.settings.near.max(1)
    }

    fn is_far(&self, distance: u64) -> bool {
        distance > self.near()
    }
}

/// The last of a batch from `first`.
const fn last_of(first: BlockNumber) -> BlockNumber {
    first.saturating_add(BATCH.saturating_sub(1))
}

const fn unlinked(above: &Header) -> Contradiction {
    Contradiction::Unlinked {
        number: above.block.number,
    }
}
