//! What the node calls settled: asked for now and then, believed only of the followed chain.

use paywatch_core::{BlockNumber, BlockRef, ChainId, FinalityTag, Tags, Window};
use tokio::time::Instant;

use crate::follower::FollowSettings;
use crate::follower::error::Halt;
use crate::follower::read::Depth;
use crate::{ChainSource, SourceError};

/// How much rarer the tags are asked for while nobody waits for them.
const IDLE: u32 = 10;

/// Whether anybody waits for something to be final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Somebody does: the node is asked as often as configured.
    Waiting,
    /// Nobody does: it is asked a tenth as often.
    Idle,
}

/// The settled blocks, as far as they are known.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    safe: Option<BlockRef>,
    finalized: Option<BlockRef>,
    asked_at: Option<Instant>,
    interest: Interest,
    /// The highest covered block that is final.
    highest: Option<BlockNumber>,
    /// The effective tags of the last update.
    told: Tags,
}

impl Settled {
    pub(super) fn new(finalized: Option<BlockNumber>) -> Self {
        Self {
            safe: None,
            finalized: None,
            asked_at: None,
            interest: Interest::Waiting,
            highest: finalized,
            told: Tags {
                safe: None,
                finalized,
            },
        }
    }

    pub(super) const fn expect(&mut self, interest: Interest) {
        self.interest = interest;
    }

    /// The highest covered block that is final: nothing at or below it may fork.
    pub(super) const fn finalized(&self) -> Option<BlockNumber> {
        self.highest
    }

    /// Asks the node, if it is time to.
    pub(super) async fn ask(
        &mut self,
        source: &dyn ChainSource,
        settings: &FollowSettings,
    ) -> Result<(), Halt> {
        let interval = match self.interest {
            Interest::Waiting => settings.tag_interval,
            Interest::Idle => settings.tag_interval.saturating_mul(IDLE),
        };
        if self.asked_at.is_some_and(|at| at.elapsed() < interval) {
            return Ok(());
        }
        for tag in &settings.tags {
            let answer: Result<_, SourceError> = source.tagged(*tag).await;
            match tag {
                FinalityTag::Safe => self.safe = answer?,
                FinalityTag::Finalized => self.finalized = answer?,
            }
        }
        self.asked_at = Some(Instant::now());
        Ok(())
    }

    /// Whether the tags would say more of the chain in `window` than was told.
    pub(super) fn has_news(&self, chain_id: ChainId, window: &Window) -> bool {
        let now = self.effective(chain_id, window, Depth::NearHead);
        now.safe > self.told.safe || now.finalized > self.told.finalized
    }

    /// The tags, as far as they are of the chain in `window`, which was just taken on.
    pub(super) fn moved_to(&mut self, chain_id: ChainId, window: &Window, depth: Depth) -> Tags {
        let tags = self.effective(chain_id, window, depth);
        self.highest = self.highest.max(tags.finalized);
        self.told = Tags {
            safe: self.told.safe.max(tags.safe),
            finalized: self.told.finalized.max(tags.finalized),
        };
        tags
    }

    fn effective(&self, chain_id: ChainId, window: &Window, depth: Depth) -> Tags {
        let of_ours = |tagged: Option<BlockRef>| {
            tagged.and_then(|block| of_chain(chain_id, window, block, depth))
        };
        Tags {
            safe: of_ours(self.safe),
            finalized: of_ours(self.finalized),
        }
    }
}

/// Up to where `tagged` says something of the chain in `window`.
fn of_chain(
    chain_id: ChainId,
    window: &Window,
    tagged: BlockRef,
    depth: Depth,
) -> Option<BlockNumber> {
    let tip = window.tip().number;
    if tagged.number > tip {
        // Far below the head everything is of the node's chain; near it, that shows soon.
        return (depth == Depth::History).then_some(tip);
    }
    match window.at(tagged.number) {
        // Below what is remembered: the chain in the window stands on it.
        None => Some(tagged.number),
        Some(ours) if ours.hash == tagged.hash => Some(tagged.number),
        Some(ours) => {
            tracing::warn!(
                chain.id = %chain_id,
                block.number = tagged.number,
                block.hash = %tagged.hash,
                ours = %ours.hash,
                "the node calls a block settled that is of another branch; nothing is confirmed by it"
            );
            None
        },
    }
}
