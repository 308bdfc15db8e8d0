//! Reads one step of a chain without changing anything: all of it, or an error.

use paywatch_core::{Advance, Block, BlockNumber, BlockRef, Window};

use crate::follower::{FollowError, FollowSettings, Halt};
use crate::{ChainSource, ChainUpdate, Contradiction, CoveredBlock, NotThere};

/// How many blocks are taken at once near the head.
const BATCH: u64 = 32;
/// How many headers below the first covered block are remembered, so that a fork right after the
/// start has somewhere to part from.
const LOOK_BACK: u64 = 16;

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

/// What reading a step came to.
#[derive(Debug)]
pub(super) enum Step {
    /// There is nothing new.
    Idle,
    /// The chain moved.
    Found(Box<Found>),
}

/// A step, and where the follower stands after it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) update: ChainUpdate,
    pub(super) window: Window,
    /// How many blocks were taken at once.
    pub(super) width: u64,
}

/// What was read of the chain itself.
struct Covered {
    retract_above: Option<BlockRef>,
    blocks: Vec<CoveredBlock>,
    window: Window,
    width: u64,
}

impl Covered {
    fn one_by_one(
        retract_above: Option<BlockRef>,
        blocks: Vec<CoveredBlock>,
        window: Window,
    ) -> Self {
        let width = u64::try_from(blocks.len()).unwrap_or(u64::MAX);
        Self {
            retract_above,
            blocks,
            window,
            width,
        }
    }
}

/// Everything that reading a step depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) source: &'a dyn ChainSource,
    pub(super) settings: &'a FollowSettings,
    /// The highest covered block that the node called final.
    pub(super) finalized: Option<BlockNumber>,
    /// How many blocks may be asked for at once.
    pub(super) width: u64,
}

impl Reader<'_> {
    /// Reads the next step from `position`.
    pub(super) async fn read(&self, position: &Position) -> Result<Step, Halt> {
        // Asked for first: what is then found to stand on our blocks proves that those which are
        // final are ours, and not of a branch that the node has left meanwhile.
        let finalized = if self.settings.ask_finalized {
            self.source.finalized().await?
        } else {
            None
        };
        let head = self.source.latest().await?;
        let (previous, covered) = match position {
            Position::Nowhere => {
                let chain_id = self.settings.chain_id;
                return Err(Halt::Stop(FollowError::NothingToResume { chain_id }));
            },
            Position::Head => (None, self.begin(head.number, &head).await?),
            Position::At(first) if *first > head.number => return Ok(Step::Idle),
            Position::At(first) => (None, self.begin(*first, &head).await?),
            Position::On(window) => {
                let tip = window.tip();
                let covered = if *tip == head {
                    self.only_finality(window, finalized)
                } else {
                    self.follow(window, &head).await?
                };
                let Some(covered) = covered else {
                    return Ok(Step::Idle);
                };
                (Some(tip.to_ref()), covered)
            },
        };
        let update = ChainUpdate {
            chain_id: self.settings.chain_id,
            previous,
            retract_above: covered.retract_above,
            blocks: covered.blocks,
            tip: *covered.window.tip(),
            finalized,
            node_head: head.number,
        };
        Ok(Step::Found(Box::new(Found {
            update,
            window: covered.window,
            width: covered.width,
        })))
    }

    /// The tip stayed; `None` if finality did too.
    fn only_finality(&self, window: &Window, finalized: Option<BlockNumber>) -> Option<Covered> {
        let here = finalized.map(|number| number.min(window.tip().number));
        (here > self.finalized).then(|| Covered {
            retract_above: None,
            blocks: Vec::new(),
            window: window.clone(),
            width: 0,
        })
    }

    /// The first step: covers `first` and what follows.
    async fn begin(&self, first: BlockNumber, head: &Block) -> Result<Covered, Halt> {
        if self.is_far(head.number.saturating_sub(first)) {
            return self.range(first, head).await;
        }
        let lowest = first.saturating_sub(LOOK_BACK);
        let headers = self.run(lowest, self.batch_end(first, head), head).await?;
        let (_below, covered) = split_at(&headers, first);
        let window = Window::from_blocks(&headers, self.settings.window)
            .ok_or(NotThere { number: first })?;
        let blocks = self.cover_each(covered).await?;
        Ok(Covered::one_by_one(None, blocks, window))
    }

    /// A step from the window's tip; `None` if the node is merely behind.
    async fn follow(&self, window: &Window, head: &Block) -> Result<Option<Covered>, Halt> {
        let tip = window.tip();
        if head.number <= tip.number {
            return self.not_ahead(window, head).await;
        }
        let first = tip.number.saturating_add(1);
        if self.is_far(head.number.saturating_sub(tip.number)) {
            let theirs = self.header(tip.number).await?;
            return Ok(Some(if theirs.hash == tip.hash {
                self.range(first, head).await?
            } else {
                self.reorg(window, theirs).await?
            }));
        }
        let headers = self.run(first, self.batch_end(first, head), head).await?;
        let lowest = *headers.first().ok_or(NotThere { number: first })?;
        let mut longer = window.clone();
        for header in &headers {
            if !longer.push(*header) {
                return Ok(Some(self.reorg(window, lowest).await?));
            }
        }
        let blocks = self.cover_each(&headers).await?;
        Ok(Some(Covered::one_by_one(None, blocks, longer)))
    }

    /// A head at or below our tip is a node that lags, until its hash says otherwise.
    async fn not_ahead(&self, window: &Window, head: &Block) -> Result<Option<Covered>, Halt> {
        match window.at(head.number) {
            Some(ours) if ours.hash == head.hash => {
                tracing::debug!(
                    chain.id = %self.settings.chain_id,
                    block.number = head.number,
                    tip.number = window.tip().number,
                    "the node is behind what it showed before"
                );
                Ok(None)
            },
            Some(_) => self.reorg(window, *head).await.map(Some),
            None => {
                let number = window.tip().number;
                Err(NotThere { number }.into())
            },
        }
    }

    /// Walks back from `theirs`, a block of another branch, to the last common one, and takes the
    /// other branch from there.
    async fn reorg(&self, window: &Window, theirs: Block) -> Result<Covered, Halt> {
        let chain_id = self.settings.chain_id;
        let mut branch = vec![theirs];
        let mut lowest = theirs;
        let common = loop {
            let advance = window
                .advance(&lowest)
                .map_err(|source| Halt::Stop(FollowError::ForkBelowWindow { chain_id, source }))?;
            match advance {
                Advance::Forked { common } => break common,
                Advance::WalkBack { to } => {
                    let below = self.header(to).await?;
                    if below.hash != lowest.parent_hash {
                        return Err(unlinked(&lowest).into());
                    }
                    branch.push(below);
                    lowest = below;
                },
                // The node has changed its mind while it was asked.
                Advance::Known | Advance::Extends | Advance::Gap { .. } => {
                    return Err(unlinked(&lowest).into());
                },
            }
        };
        if let Some(finalized) = self.finalized
            && common.number < finalized
        {
            return Err(Halt::Stop(FollowError::ForkBelowFinalized {
                chain_id,
                common,
                finalized,
            }));
        }
        let shared = self.header(common.number).await?;
        branch.reverse();
        branch.truncate(usize::try_from(self.batch()).unwrap_or(usize::MAX));
        let mut shorter = window.clone();
        if !shorter.retract_to(shared) {
            return Err(Contradiction::Changed {
                number: common.number,
                before: common.hash,
                after: shared.hash,
            }
            .into());
        }
        for block in &branch {
            if !shorter.push(*block) {
                return Err(unlinked(block).into());
            }
        }
        let blocks = self.cover_each(&branch).await?;
        Ok(Covered::one_by_one(Some(common), blocks, shorter))
    }

    /// Covers settled blocks, as many as may be asked for at once.
    async fn range(&self, from: BlockNumber, head: &Block) -> Result<Covered, Halt> {
        let settled = head.number.saturating_sub(self.near()).max(from);
        let to = last_of(from, self.width).min(settled);
        let (blocks, last) = self.cover_range(from, to).await?;
        Ok(Covered {
            retract_above: None,
            blocks,
            // What lies below is not linked to it, so it is not remembered.
            window: Window::new(last, self.settings.window),
            width: self.width.min(to.saturating_sub(from).saturating_add(1)),
        })
    }

    /// The headers from `from` to `to`, each standing on the one before. `head` is not asked for
    /// again.
    async fn run(
        &self,
        from: BlockNumber,
        to: BlockNumber,
        head: &Block,
    ) -> Result<Vec<Block>, Halt> {
        let missing: Vec<_> = (from..=to)
            .filter(|number| *number != head.number)
            .collect();
        let mut headers = self.headers(&missing).await?;
        if to == head.number {
            headers.push(*head);
        }
        for (below, above) in headers.iter().zip(headers.iter().skip(1)) {
            if above.parent_hash != below.hash {
                return Err(unlinked(above).into());
            }
        }
        Ok(headers)
    }

    /// The node's header at `number`.
    async fn header(&self, number: BlockNumber) -> Result<Block, Halt> {
        let answered = self.source.block(number).await?;
        checked(number, answered)
    }

    /// The node's headers at `numbers`, ascending; neighbours stand on each other.
    pub(super) async fn headers(&self, numbers: &[BlockNumber]) -> Result<Vec<Block>, Halt> {
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.source.blocks(numbers).await?;
        if answers.len() != numbers.len() {
            return Err(Contradiction::OtherCount {
                asked: numbers.len(),
                answered: answers.len(),
            }
            .into());
        }
        let headers = numbers
            .iter()
            .zip(answers)
            .map(|(number, answered)| checked(*number, answered))
            .collect::<Result<Vec<_>, _>>()?;
        for (below, above) in headers.iter().zip(headers.iter().skip(1)) {
            let adjoin = below.number.checked_add(1) == Some(above.number);
            if adjoin && above.parent_hash != below.hash {
                return Err(unlinked(above).into());
            }
        }
        Ok(headers)
    }

    const fn batch(&self) -> u64 {
        if self.width < BATCH {
            self.width
        } else {
            BATCH
        }
    }

    fn batch_end(&self, first: BlockNumber, head: &Block) -> BlockNumber {
        last_of(first, self.batch()).min(head.number)
    }

    fn near(&self) -> u64 {
        self.settings.near.max(1)
    }

    fn is_far(&self, distance: u64) -> bool {
        distance > self.near()
    }
}

/// The last of `count` blocks from `first`.
const fn last_of(first: BlockNumber, count: u64) -> BlockNumber {
    first.saturating_add(count.saturating_sub(1))
}

fn checked(asked: BlockNumber, answered: Option<Block>) -> Result<Block, Halt> {
    let block = answered.ok_or(NotThere { number: asked })?;
    if block.number != asked {
        return Err(Contradiction::OtherNumber {
            asked,
            answered: block.number,
        }
        .into());
    }
    Ok(block)
}

/// The headers below `first`, and those from it on.
fn split_at(headers: &[Block], first: BlockNumber) -> (&[Block], &[Block]) {
    headers.split_at(headers.partition_point(|header| header.number < first))
}

const fn unlinked(above: &Block) -> Contradiction {
    Contradiction::Unlinked {
        number: above.number,
    }
}
