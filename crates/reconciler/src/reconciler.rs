//! Commits one update of a chain together with everything that follows from it.

mod found;
mod work;

use std::sync::Arc;

use paywatch_core::{
    Address, Amount, BlockNumber, ChainEvent, ChainId, PaymentEvent, Timestamp, Token, TransferId,
};
use paywatch_indexer::ChainUpdate;
use paywatch_store::{
    Assessable, ChainCommit, Imported, OrderChange, PaymentProof, Store, StoreError,
};

use crate::address_book::AddressBook;
use crate::decide::{DecideError, News, decide};
use crate::prove::Unproved;
use crate::reconciler::found::Found;

/// How often a commit is decided anew because an order changed meanwhile.
const ATTEMPTS: u32 = 16;

/// How many orders may expire in one commit: others wait for as long as it takes.
const MOST_DUE: u32 = 250;

/// Applies the updates of one chain.
#[derive(Debug)]
pub struct Reconciler {
    pub(crate) store: Store,
    pub(crate) addresses: Arc<AddressBook>,
    keep_blocks: u32,
    dust: Amount,
    pub(crate) contracts: Contracts,
    pub(crate) unproved: Unproved,
}

/// The contracts of a chain whose logs count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contracts {
    pub(crate) tokens: Vec<Token>,
    pub(crate) receivers: Vec<Address>,
}

/// What an update did.
#[derive(Debug)]
pub struct Applied {
    /// The transfers that were recorded.
    pub transfers: usize,
    /// The orders that changed, and how.
    pub changes: Vec<OrderChange>,
    /// What was told of the chain itself.
    pub chain_events: Vec<ChainEvent>,
    /// What was told of payments that belong to no order.
    pub payment_events: Vec<PaymentEvent>,
    /// Whether a payment on the chain still waits to be final.
    pub is_waiting: bool,
    /// Whether orders that may expire now were left for later.
    pub due: Due,
}

/// Whether orders that may expire now were left for later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// All of them were looked at.
    AllSeen,
    /// Some are left.
    More,
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

/// What was shown of payments since the last commit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// Payments that their blocks hold.
    pub(crate) proofs: Vec<PaymentProof>,
    /// Payments that their blocks do not hold.
    pub(crate) disproved: Vec<TransferId>,
    /// What is to be told of it.
    pub(crate) events: Vec<ChainEvent>,
    /// Payments that an operator wants in the books; whose they are follows from the update.
    pub(crate) imports: Vec<Imported>,
}

/// An update and what else goes into its commit.
struct Work<'a> {
    update: &'a ChainUpdate,
    shown: Shown,
    found: Found,
    by: By,
    at: Timestamp,
}

/// What a commit leaves to do.
#[derive(Clone, Copy, Debug)]
struct Left {
    is_waiting: bool,
    due: Due,
}

/// On whose word the cursor moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The chain's.
    Chain,
    /// An operator's, who may set it back below what was final.
    Operator,
}

impl Reconciler {
    /// A reconciler that keeps the last `keep_blocks` headers for finding forks after a restart.
    #[must_use]
    pub fn new(store: Store, addresses: Arc<AddressBook>, keep_blocks: u32) -> Self {
        Self {
            store,
            addresses,
            keep_blocks,
            dust: Amount::ZERO,
            contracts: Contracts::default(),
            unproved: Unproved::default(),
        }
    }

    /// This reconciler, which does not look at unmatched payments of less than `dust`.
    #[must_use]
    pub fn with_dust(self, dust: Amount) -> Self {
        Self { dust, ..self }
    }

    /// This reconciler, for a chain with these tokens and payment receivers: it proves payments, and
    /// tells what issuers do with their tokens.
    #[must_use]
    pub fn with_contracts(self, tokens: Vec<Token>, receivers: Vec<Address>) -> Self {
        Self {
            contracts: Contracts { tokens, receivers },
            ..self
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
        self.apply_shown(update, Shown::default(), By::Chain, at)
            .await
    }

    /// Applies `update`, and what was shown of payments, in one transaction.
    pub(crate) async fn apply_shown(
        &mut self,
        update: &ChainUpdate,
        shown: Shown,
        by: By,
        at: Timestamp,
    ) -> Result<Applied, ReconcileError> {
        let found = self.found_in(update).await?;
        let work = Work {
            update,
            shown,
            found,
            by,
            at,
        };
        let mut attempts = 0_u32;
        loop {
            attempts = attempts.saturating_add(1);
            let (commit, left) = self.prepare(&work).await?;
            match self.store.commit_update(&commit).await {
                Ok(()) => {
                    self.unproved.applied(update, work.found.to_prove());
                    return Ok(Applied {
                        transfers: work.found.count(),
                        changes: commit.changes,
                        chain_events: commit.chain_events,
                        payment_events: commit.payment_events,
                        is_waiting: left.is_waiting,
                        due: left.due,
                    });
                },
                Err(StoreError::Stale { .. }) if attempts < ATTEMPTS => {
                    tracing::debug!(chain.id = %update.chain_id, attempts, "an order changed meanwhile; deciding again");
                },
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The commit of `work`, and what is left to do after it.
    async fn prepare(&self, work: &Work<'_>) -> Result<(ChainCommit, Left), ReconcileError> {
        let update = work.update;
        let chain_id = update.chain_id;
        let touch = work.touch();
        let Assessable {
            heads,
            books,
            deferred,
            has_more_due,
            known,
            gone,
            flushes,
            flushes_gone,
        } = self.store.books_to_assess(&touch).await?;
        let stored = heads.get(&chain_id);
        let moved = work.heads_after(stored)?;
        let news = News {
            heads: moved,
            retract_above: touch.retract_above,
            transfers: &work.found.to_orders,
            sent: &touch.sent,
            proved: &work
                .shown
                .proofs
                .iter()
                .map(|proof| proof.transfer)
                .collect(),
            disproved: &work.shown.disproved.iter().copied().collect(),
        };
        let decision = decide(&books, &heads, &news)?;
        let commit = ChainCommit {
            chain_id,
            expected: update.previous,
            heads: moved,
            node_head: update.node_head,
            retract_above: touch.retract_above,
            first_covered: update.covers_from,
            blocks: update
                .below
                .iter()
                .copied()
                .chain(update.blocks.iter().map(|covered| covered.block))
                .collect(),
            keep_blocks: self.keep_blocks,
            transfers: work.transfers(),
            loose: work.found.loose.clone(),
            freezes: work.found.freezes.clone(),
            disproved: work.shown.disproved.clone(),
            proofs: work.shown.proofs.clone(),
            changes: decision.changes,
            deferred,
            chain_events: work.chain_events(stored),
            payment_events: [
                work.payment_events(&known, &gone),
                work.sweep_events(&flushes, &flushes_gone, &moved),
            ]
            .concat(),
            imports: work.imports(),
            at: work.at,
        };
        let left = Left {
            is_waiting: decision.is_waiting,
            due: if has_more_due {
                Due::More
            } else {
                Due::AllSeen
            },
        };
        Ok((commit, left))
    }
}
