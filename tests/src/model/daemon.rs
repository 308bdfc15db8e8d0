//! One life of the process: pool, follower and reconciler over the books.

use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{BlockNumber, Timestamp};
use paywatch_indexer::{Follower, Interest, Pool, Start, WatchList, in_one_line};
use paywatch_reconciler::{AddressBook, Reconciler};
use paywatch_simulator::SimNode;
use paywatch_store::Store;
use tokio::time::timeout;

use crate::model::hold::{HeldBook, hold};
use crate::model::plan::{Plan, TREASURY, WALLET, chain_id};

/// How often proving is tried after an update.
const PROVINGS: u32 = 3;

/// A process.
pub(crate) struct Daemon {
    store: Store,
    pool: Arc<Pool>,
    follower: Follower,
    reconciler: Reconciler,
    plan: Plan,
}

impl Daemon {
    /// Starts from the books, as the real one does.
    pub(crate) async fn start(
        store: &Store,
        nodes: &[Arc<SimNode>],
        plan: &Plan,
        first: Option<BlockNumber>,
    ) -> Result<Self, String> {
        let pool = Pool::new(plan.endpoints(nodes), plan.pool()).map_err(|e| e.to_string())?;
        let pool = Arc::new(pool);
        let book = Arc::new(AddressBook::with_own(store.clone(), [TREASURY, WALLET]));
        let (recent, chains) = hold(async {
            let recent = store.recent_blocks(chain_id()).await;
            (recent, store.chains().await)
        })
        .await;
        let recent = recent.map_err(|e| e.to_string())?;
        let chains = chains.map_err(|e| e.to_string())?;
        let start = match first {
            _ if !recent.is_empty() => Start::Resume {
                recent,
                finalized: chains.first().and_then(|chain| chain.heads.finalized),
            },
            Some(first) => Start::At(first),
            None => Start::Head,
        };
        let watch_list: Arc<dyn WatchList> = Arc::new(HeldBook(Arc::clone(&book)));
        let source: Arc<Pool> = Arc::clone(&pool);
        Ok(Self {
            follower: Follower::new(source, watch_list, plan.follow.clone(), start),
            reconciler: Reconciler::new(store.clone(), book, 512)
                .with_contracts(plan.follow.tokens.clone(), plan.follow.receivers.clone()),
            store: store.clone(),
            pool,
            plan: plan.clone(),
        })
    }

    /// Reads a step, if there is one before `patience` is over, commits it, and proves what it
    /// can. Returns whether anything was read, and how many blocks are still to be proved.
    pub(crate) async fn works(&mut self, patience: Duration) -> Result<(bool, usize), String> {
        let update = match timeout(patience, self.follower.next()).await {
            Err(_) => None,
            Ok(Ok(update)) => Some(update),
            Ok(Err(error)) => return Err(format!("the chain stopped: {}", in_one_line(&error))),
        };
        if let Some(update) = &update {
            tracing::debug!(
                from = update.covers_from,
                tip = update.tip.number,
                retract_above = update.retract_above.map(|block| block.number),
                transfers = update
                    .blocks
                    .iter()
                    .map(|block| block.transfers.len())
                    .sum::<usize>(),
                finalized = update.tags.finalized,
                "read"
            );
            let applied = hold(self.reconciler.apply(update, now())).await;
            let applied = applied.map_err(|error| in_one_line(&error))?;
            self.follower.expect_finality(if applied.is_waiting {
                Interest::Waiting
            } else {
                Interest::Idle
            });
        }
        let mut left = 0;
        if self.plan.proof == paywatch_core::Proof::ReceiptsRoot {
            for _ in 0..PROVINGS {
                let proved = hold(self.reconciler.prove(self.pool.as_ref(), now())).await;
                left = proved.map_err(|error| in_one_line(&error))?.left;
                if left == 0 {
                    break;
                }
            }
        }
        Ok((update.is_some(), left))
    }

    /// How far the books are.
    pub(crate) async fn covered(&self) -> Result<Option<paywatch_core::Block>, String> {
        let chains = hold(self.store.chains()).await;
        let chains = chains.map_err(|error| in_one_line(&error))?;
        Ok(chains.first().map(|chain| chain.heads.tip))
    }
}

/// A wall clock that means nothing here: deadlines go by the time of the chain.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_s(1_800_000_000).expect("it is a time")
}
