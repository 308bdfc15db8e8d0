//! The loop of one chain: follow, reconcile, commit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{BlockNumber, Timestamp};
use paywatch_indexer::{
    ChainSource, ChainUpdate, FollowError, FollowSettings, Follower, Start, VerifyError, verify,
};
use paywatch_store::{Store, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::reconciler::{Applied, ReconcileError, Reconciler};

/// The wall clock, as a value that tests can drive.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long to wait before a failed verification or database is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// How a chain's loop is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentState {
    /// It has not read anything yet.
    Starting,
    /// It reads and commits.
    Following,
    /// Something does not answer or does not fit; it keeps trying.
    Waiting {
        /// Since when.
        since: Timestamp,
        /// What and what to do.
        cause: String,
    },
    /// It gave up, because going on would be guessing.
    Stopped {
        /// Since when.
        since: Timestamp,
        /// What and what to do.
        cause: String,
    },
}

/// The loop of one chain.
pub struct ChainAgent {
    store: Store,
    source: Arc<dyn ChainSource>,
    settings: FollowSettings,
    first_block: Option<BlockNumber>,
    now: Now,
    state: watch::Sender<AgentState>,
}

impl fmt::Debug for ChainAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainAgent")
            .field("chain_id", &self.settings.chain_id)
            .finish()
    }
}

/// Why the inner loop ended.
enum End {
    Shutdown,
    /// The store stands elsewhere: begin again from it.
    CursorMoved,
    Stopped(String),
}

impl ChainAgent {
    /// An agent that begins at the stored cursor; on a chain never followed before, at
    /// `first_block` or else at the node's head.
    #[must_use]
    pub fn new(
        store: Store,
        source: Arc<dyn ChainSource>,
        settings: FollowSettings,
        first_block: Option<BlockNumber>,
        now: Now,
    ) -> Self {
        let (state, _) = watch::channel(AgentState::Starting);
        Self {
            store,
            source,
            settings,
            first_block,
            now,
            state,
        }
    }

    /// How the loop is, now and later.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<AgentState> {
        self.state.subscribe()
    }

    /// Runs until `shutdown`, or until going on would be guessing.
    pub async fn run(self, shutdown: CancellationToken) {
        if shutdown
            .run_until_cancelled(self.verified())
            .await
            .is_none()
        {
            return;
        }
        loop {
            match self.follow(&shutdown).await {
                End::Shutdown => return,
                End::CursorMoved => {
                    tracing::warn!(chain.id = %self.settings.chain_id, "the stored cursor moved; following again from it");
                },
                End::Stopped(cause) => {
                    tracing::error!(chain.id = %self.settings.chain_id, cause, "chain stopped");
                    self.state.send_replace(AgentState::Stopped {
                        since: (self.now)(),
                        cause,
                    });
                    shutdown.cancelled().await;
                    return;
                },
            }
        }
    }

    /// Waits until the node is the configured chain with the configured tokens.
    async fn verified(&self) {
        loop {
            match verify(
                self.source.as_ref(),
                self.settings.chain_id,
                &self.settings.tokens,
            )
            .await
            {
                Ok(()) => return,
                Err(error) => self.wait_for_node(&error).await,
            }
        }
    }

    async fn wait_for_node(&self, error: &VerifyError) {
        self.waiting("the node could not be verified", describe(error));
        tokio::time::sleep(PAUSE).await;
    }

    /// Says, once per spell and cause, that something is amiss.
    fn waiting(&self, what: &str, cause: String) {
        let is_news = !matches!(&*self.state.borrow(), AgentState::Waiting { cause: known, .. } if *known == cause);
        if is_news {
            tracing::error!(chain.id = %self.settings.chain_id, cause, "{what}; trying again");
            self.state.send_replace(AgentState::Waiting {
                since: (self.now)(),
                cause,
            });
        }
    }

    async fn follow(&self, shutdown: &CancellationToken) -> End {
        let Some(mut follower) = shutdown.run_until_cancelled(self.follower()).await else {
            return End::Shutdown;
        };
        let keep_blocks = u32::try_from(self.settings.window).unwrap_or(u32::MAX);
        let mut reconciler = Reconciler::new(self.store.clone(), keep_blocks);
        loop {
            let update = match shutdown.run_until_cancelled(self.next(&mut follower)).await {
                None => return End::Shutdown,
                Some(Ok(update)) => update,
                Some(Err(error)) => return End::Stopped(describe(&error)),
            };
            match shutdown
                .run_until_cancelled(self.commit(&mut reconciler, &update))
                .await
            {
                None => return End::Shutdown,
                Some(Some(end)) => return end,
                Some(None) => {},
            }
        }
    }

    /// The next update; meanwhile, says how the node does.
    async fn next(&self, follower: &mut Follower) -> Result<ChainUpdate, FollowError> {
        let mut health = follower.health();
        let next = follower.next();
        tokio::pin!(next);
        loop {
            tokio::select! {
                update = &mut next => return update,
                Ok(()) = health.changed() => {
                    let trouble = health.borrow_and_update().clone();
                    match trouble {
                        Some(cause) => self.waiting("the node does not serve", cause),
                        None => self.following(),
                    }
                },
            }
        }
    }

    fn following(&self) {
        self.state.send_if_modified(|state| {
            let changed = *state != AgentState::Following;
            *state = AgentState::Following;
            changed
        });
    }

    /// Commits `update`, trying again while the database fails. `None` when it is done.
    async fn commit(&self, reconciler: &mut Reconciler, update: &ChainUpdate) -> Option<End> {
        loop {
            match reconciler.apply(update, (self.now)()).await {
                Ok(applied) => {
                    self.following();
                    tell(update, &applied);
                    return None;
                },
                Err(ReconcileError::CursorMoved { .. }) => return Some(End::CursorMoved),
                Err(
                    error @ (ReconcileError::Undecidable(_)
                    | ReconcileError::ForkBelowFinalized { .. }),
                ) => return Some(End::Stopped(describe(&error))),
                Err(ReconcileError::Store(error)) => {
                    self.waiting("the database does not take the update", describe(&error));
                    tokio::time::sleep(PAUSE).await;
                },
            }
        }
    }

    /// A follower that begins where the store stands.
    async fn follower(&self) -> Follower {
        let start = loop {
            match self.start().await {
                Ok(start) => break start,
                Err(error) => {
                    self.waiting("the database does not answer", describe(&error));
                    tokio::time::sleep(PAUSE).await;
                },
            }
        };
        Follower::new(Arc::clone(&self.source), self.settings.clone(), start)
    }

    async fn start(&self) -> Result<Start, StoreError> {
        let recent = self.store.recent_blocks(self.settings.chain_id).await?;
        Ok(match self.first_block {
            _ if !recent.is_empty() => Start::Resume { recent },
            Some(first) => Start::At(first),
            None => Start::Head,
        })
    }
}

/// Writes into the log what an update did.
fn tell(update: &ChainUpdate, applied: &Applied) {
    if let Some(common) = update.retract_above {
        tracing::warn!(chain.id = %update.chain_id, block.number = common.number, "reorg: everything above this block left the chain");
    }
    tracing::debug!(
        chain.id = %update.chain_id,
        block.number = update.tip.number,
        transfers = applied.transfers,
        "covered"
    );
    for change in &applied.changes {
        tracing::info!(
            chain.id = %update.chain_id,
            order.id = %change.order_id,
            status = %change.snapshot.status,
            counted = %change.snapshot.counted,
            confirmed = %change.snapshot.confirmed,
            "order {} is {}", change.order_id, change.snapshot.status
        );
    }
}

/// An error with all its causes, on one line.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
