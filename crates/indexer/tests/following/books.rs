//! What a store would hold after the updates of a follower, checked as they come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{Block, BlockNumber, FinalityTag, TokenNotice, Transfer};
use paywatch_indexer::{
    ChainUpdate, Endpoint, Everybody, FollowError, FollowSettings, Follower, Pool, PoolSettings,
    Start, WatchList,
};
use tokio::time::timeout;

use crate::chain::{Chain, RECEIVER, chain_id, token};

/// Longer than any trouble in these tests lasts, in virtual time.
const LONG: Duration = Duration::from_secs(24 * 3600);

/// The committed updates.
#[derive(Debug, Default)]
pub(crate) struct Books {
    blocks: BTreeMap<BlockNumber, (Block, Vec<Transfer>)>,
    notices: BTreeMap<BlockNumber, Vec<TokenNotice>>,
    /// Headers that are remembered and were not covered.
    below: BTreeMap<BlockNumber, Block>,
    tip: Option<Block>,
    pub(crate) retracted: usize,
}

pub(crate) fn settings() -> FollowSettings {
    FollowSettings {
        chain_id: chain_id(),
        tokens: vec![token()],
        receivers: vec![RECEIVER],
        poll_interval: Duration::from_secs(5),
        watchdog: Duration::from_secs(20),
        gather: Duration::ZERO,
        window: 64,
        near: 8,
        max_range: 1_000,
        ranges_at_once: 4,
        filter_up_to: 10,
        blooms: true,
        tags: vec![FinalityTag::Finalized],
        tag_interval: Duration::from_secs(5),
    }
}

pub(crate) fn follower(chain: &Chain, start: Start) -> Follower {
    follower_with(chain, settings(), start)
}

/// A follower of `chain` through a pool of this one endpoint, as the daemon has it.
pub(crate) fn follower_with(chain: &Chain, settings: FollowSettings, start: Start) -> Follower {
    follower_for(chain, Arc::new(Everybody), settings, start)
}

/// The same, for those on `watch_list`.
pub(crate) fn follower_for(
    chain: &Chain,
    watch_list: Arc<dyn WatchList>,
    settings: FollowSettings,
    start: Start,
) -> Follower {
    let endpoint = Endpoint {
        name: "node".to_owned(),
        source: Arc::new(chain.clone()),
        priority: 0,
        requests_per_second: None,
        at_once: 16,
    };
    let pooled = PoolSettings {
        chain_id: chain_id(),
        agreement: 1,
        max_range: settings.max_range,
        head_patience: Duration::from_secs(60),
        blooms: true,
        proof: paywatch_core::Proof::None,
        genesis: None,
    };
    let pool = Pool::new(vec![endpoint], pooled).unwrap();
    Follower::new(Arc::new(pool), watch_list, settings, start)
}

/// The next update, which must come.
pub(crate) async fn next(follower: &mut Follower) -> Result<ChainUpdate, FollowError> {
    timeout(LONG, follower.next())
        .await
        .expect("an update within a day")
}

impl Books {
    /// Commits `update`, which must stand on what is there.
    pub(crate) fn commit(&mut self, update: &ChainUpdate) {
        assert_eq!(update.chain_id, chain_id());
        assert_eq!(update.previous, self.tip.map(|tip| tip.to_ref()));
        let mut base = self.tip.map(|tip| tip.to_ref());
        if let Some(common) = update.retract_above {
            self.retracted += 1;
            if let Some((stored, _)) = self.blocks.get(&common.number) {
                assert_eq!(stored.to_ref(), common, "it parts from a block of ours");
            }
            self.blocks.retain(|number, _| *number <= common.number);
            self.notices.retain(|number, _| *number <= common.number);
            base = Some(common);
        }
        self.below
            .extend(update.below.iter().map(|block| (block.number, *block)));
        for covered in &update.blocks {
            let block = covered.block;
            if let Some(base) = base {
                assert!(block.number > base.number, "{base:?} then {block:?}");
                if block.number == base.number + 1 {
                    assert_eq!(block.parent_hash, base.hash);
                }
            }
            for transfer in &covered.transfers {
                assert_eq!(transfer.id.block_hash, block.hash);
                assert_eq!(transfer.block_timestamp, block.timestamp);
            }
            base = Some(block.to_ref());
            self.blocks
                .insert(block.number, (block, covered.transfers.clone()));
            self.notices.insert(block.number, covered.notices.clone());
        }
        assert_eq!(
            Some(update.tip.to_ref()),
            base,
            "the tip is the last covered block"
        );
        self.tip = Some(update.tip);
    }

    /// Commits updates until the chain's head is covered.
    pub(crate) async fn catch_up(&mut self, follower: &mut Follower, chain: &Chain) {
        while self.tip != Some(chain.head()) {
            let update = next(follower).await.unwrap();
            self.commit(&update);
        }
    }

    pub(crate) fn tip(&self) -> Option<Block> {
        self.tip
    }

    /// The lowest covered block.
    pub(crate) fn lowest(&self) -> BlockNumber {
        *self.blocks.keys().next().unwrap()
    }

    /// All transfers in the books.
    pub(crate) fn transfers(&self) -> Vec<Transfer> {
        self.blocks
            .values()
            .flat_map(|(_, transfers)| transfers.clone())
            .collect()
    }

    /// Where a new process would begin.
    pub(crate) fn start(&self, first: BlockNumber) -> Start {
        if self.tip.is_none() {
            return Start::At(first);
        }
        let mut recent = self.below.clone();
        recent.extend(
            self.blocks
                .iter()
                .map(|(number, (block, _))| (*number, *block)),
        );
        let tip = self.tip.map(|tip| tip.number).unwrap_or_default();
        recent.retain(|number, _| *number <= tip);
        let recent = recent.into_values().collect();
        Start::Resume {
            recent,
            finalized: None,
        }
    }

    /// All notices in the books.
    pub(crate) fn notices(&self) -> Vec<TokenNotice> {
        self.notices.values().flatten().cloned().collect()
    }
}
