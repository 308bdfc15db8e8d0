//! Commits one update of a chain together with everything that follows from it.

use std::collections::BTreeSet;

use paywatch_core::{BlockNumber, BlockRef, ChainHeads, ChainId, OrderId, Timestamp, Transfer};
use paywatch_indexer::ChainUpdate;
use paywatch_store::{ChainCommit, OrderChange, Store, StoreError, Touch};

use crate::address_book::AddressBook;
use crate::decide::{DecideError, News, decide};

/// How often a commit is decided anew because an order changed meanwhile.
const ATTEMPTS: u32 = 16;

/// Applies the updates of one chain.
#[derive(Debug)]
pub struct Reconciler {
    store: Store,
    addresses: AddressBook,
    keep_blocks: u32,
}

/// What an update did.
#[derive(Debug)]
pub struct Applied {
    /// The transfers that were recorded.
    pub transfers: usize,
    /// The orders that changed, and how.
    pub changes: Vec<OrderChange>,
}

/// Why an update was not committed. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The store stands elsewhere than the follower: follow again from the stored blocks.
    #[error("the stored cursor of chain {chain_id} is not where its follower stands")]
    CursorMoved {
        /// The chain.
        chain_id: ChainId,
    },
    /// The chain took back what it had called final, possibly before this program was started:
    /// stop it. What is mined anew below that block must not pass for final at once.
    #[error(
        "chain {chain_id} parts from the books at block {common}, below block {finalized} which it \
         had called final; make sure that the endpoint is right before anything else"
    )]
    ForkBelowFinalized {
        /// The chain.
        chain_id: ChainId,
        /// The last common block.
        common: BlockNumber,
        /// The highest final block in the books.
        finalized: BlockNumber,
    },
    /// The books are in doubt: stop the chain.
    #[error("an order cannot be decided")]
    Undecidable(#[from] DecideError),
    /// The database failed: try again.
    #[error("the database did not take the update")]
    Store(#[from] StoreError),
}

impl Reconciler {
    /// A reconciler that keeps the last `keep_blocks` headers for finding forks after a restart.
    #[must_use]
    pub fn new(store: Store, keep_blocks: u32) -> Self {
        Self {
            store,
            addresses: AddressBook::default(),
            keep_blocks,
        }
    }

    /// Applies `update` at the wall-clock time `at`, in one transaction.
    ///
    /// # Errors
    /// [`ReconcileError`]; in every case nothing was written.
    pub async fn apply(
        &mut self,
        update: &ChainUpdate,
        at: Timestamp,
    ) -> Result<Applied, ReconcileError> {
        self.addresses.read_on(&self.store).await?;
        let transfers = self.payments_in(update);
        let mut attempts = 0_u32;
        loop {
            attempts = attempts.saturating_add(1);
            let commit = self.prepare(update, transfers.clone(), at).await?;
            match self.store.commit_update(&commit).await {
                Ok(()) => {
                    return Ok(Applied {
                        transfers: transfers.len(),
                        changes: commit.changes,
                    });
                },
                Err(StoreError::Stale { .. }) if attempts < ATTEMPTS => {
                    tracing::debug!(chain.id = %update.chain_id, attempts, "an order changed meanwhile; deciding again");
                },
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn payments_in(&self, update: &ChainUpdate) -> Vec<(Transfer, OrderId)> {
        update
            .blocks
            .iter()
            .flat_map(|covered| &covered.transfers)
            .filter_map(|transfer| {
                self.addresses
                    .order_paid_by(transfer)
                    .map(|order| (transfer.clone(), order))
            })
            .collect()
    }

    async fn prepare(
        &self,
        update: &ChainUpdate,
        transfers: Vec<(Transfer, OrderId)>,
        at: Timestamp,
    ) -> Result<ChainCommit, ReconcileError> {
        let chain_id = update.chain_id;
        let retract_above = update.retract_above.map(|common| common.number);
        let touch = Touch {
            chain_id,
            orders: transfers
                .iter()
                .map(|(_, order)| *order)
                .collect::<BTreeSet<_>>(),
            retract_above,
            covered_time: update.tip.timestamp,
        };
        let (heads, books) = self.store.books_to_assess(&touch).await?;
        let stored = heads.get(&chain_id);
        let cursor: Option<BlockRef> = stored.map(|heads| heads.tip.to_ref());
        if cursor != update.previous {
            return Err(ReconcileError::CursorMoved { chain_id });
        }
        if let (Some(common), Some(finalized)) =
            (retract_above, stored.and_then(|heads| heads.finalized))
            && common < finalized
        {
            return Err(ReconcileError::ForkBelowFinalized {
                chain_id,
                common,
                finalized,
            });
        }
        let moved = stored
            .copied()
            .unwrap_or_else(|| ChainHeads::starting_at(chain_id, update.tip))
            .moved_to(update.tip, update.finalized);
        let news = News {
            heads: moved,
            retract_above,
            transfers: &transfers,
        };
        let changes = decide(&books, &heads, &news)?;
        Ok(ChainCommit {
            chain_id,
            expected: update.previous,
            heads: moved,
            node_head: update.node_head,
            retract_above,
            blocks: update.blocks.iter().map(|covered| covered.block).collect(),
            keep_blocks: self.keep_blocks,
            transfers,
            changes,
            at,
        })
    }
}
