//! The loop of one chain: follow, reconcile, commit, prove.

mod progress;
mod report;
mod steps;
mod sweep;
mod vigil;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{Amount, BlockNumber, ChainEvent, ChainEventKind, Timestamp, Token};
use paywatch_indexer::{
    Alarm, ChainSource, ChainUpdate, FollowError, FollowSettings, Follower, Interest, in_one_line,
};
use paywatch_store::Store;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

pub(crate) use crate::agent::progress::told;

use crate::address_book::AddressBook;
use crate::agent::progress::Progress;
use crate::agent::sweep::beside;
use crate::agent::vigil::Vigil;
use crate::reconciler::Reconciler;

/// The wall clock, as a value that tests can drive.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How long to wait before a failed verification or database is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// How often payments that could not be proved are tried again while nothing else happens.
const PROVE_AGAIN: Duration = Duration::from_secs(5);

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

/// How a chain's loop works.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// How the chain is followed.
    pub follow: FollowSettings,
    /// The tokens whose decimals the node must confirm before it is followed: those that are
    /// configured. Others, which older orders name, may be gone.
    pub checked_tokens: Vec<Token>,
    /// Where it begins if it was never followed; at the node's head, if nothing is said.
    pub first_block: Option<BlockNumber>,
    /// Whether payments are to be proved.
    pub proofs: bool,
    /// Less than this is not looked at if it belongs to no order.
    pub dust: Amount,
    /// After how long without a new block the chain has stalled; never, if nothing is said.
    pub stall_after: Option<Duration>,
    /// After how long without a new final block its finality has.
    pub finality_stall_after: Option<Duration>,
}

/// The loop of one chain.
pub struct ChainAgent {
    store: Store,
    addresses: Arc<AddressBook>,
    source: Arc<dyn ChainSource>,
    alarms: Option<broadcast::Receiver<Alarm>>,
    settings: AgentSettings,
    now: Now,
    state: watch::Sender<AgentState>,
}

impl fmt::Debug for ChainAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainAgent")
            .field("chain_id", &self.settings.follow.chain_id)
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

/// What the inner loop goes on with.
enum Next {
    Update(Box<ChainUpdate>),
    Failed(Box<FollowError>),
    ProveAgain,
    End(End),
}

/// What the inner loop keeps beside the follower.
struct Loop {
    reconciler: Reconciler,
    vigil: Vigil,
    progress: Progress,
    alarms: Option<broadcast::Receiver<Alarm>>,
    /// What could not be told yet.
    untold: Vec<ChainEvent>,
    has_unproved: bool,
    /// Where the chain stands, if the last update left orders behind that may expire.
    left_due: Option<ChainUpdate>,
    /// Whether a payment on the chain still waits to be final.
    interest: Interest,
}

impl ChainAgent {
    /// An agent that begins at the stored cursor, or where `settings` say.
    #[must_use]
    pub fn new(
        store: Store,
        addresses: Arc<AddressBook>,
        source: Arc<dyn ChainSource>,
        settings: AgentSettings,
        now: Now,
    ) -> Self {
        let (state, _) = watch::channel(AgentState::Starting);
        Self {
            store,
            addresses,
            source,
            alarms: None,
            settings,
            now,
            state,
        }
    }

    /// This agent, which also passes on what its source should be known for.
    #[must_use]
    pub fn with_alarms(self, alarms: broadcast::Receiver<Alarm>) -> Self {
        Self {
            alarms: Some(alarms),
            ..self
        }
    }

    /// How the loop is, now and later.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<AgentState> {
        self.state.subscribe()
    }

    /// Runs until `shutdown`. A chain that stopped is followed again once its cursor was set back.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut alarms = self.alarms.take();
        if shutdown
            .run_until_cancelled(self.verified())
            .await
            .is_none()
        {
            return;
        }
        loop {
            let mut state = self.begin_loop(alarms.take());
            let end = Box::pin(self.follow(&mut state, &shutdown)).await;
            alarms = state.alarms.take();
            match end {
                End::Shutdown => return,
                End::CursorMoved => {
                    tracing::warn!(chain.id = %self.settings.follow.chain_id, "the stored cursor moved; following again from it");
                },
                End::Stopped(cause) => {
                    self.stopped(cause, &mut state).await;
                    let moved = shutdown.run_until_cancelled(self.cursor_moved()).await;
                    if moved.is_none() {
                        return;
                    }
                },
            }
        }
    }

    fn begin_loop(&self, alarms: Option<broadcast::Receiver<Alarm>>) -> Loop {
        let follow = &self.settings.follow;
        let keep_blocks = u32::try_from(follow.window).unwrap_or(u32::MAX);
        Loop {
            reconciler: Reconciler::new(
                self.store.clone(),
                Arc::clone(&self.addresses),
                keep_blocks,
            )
            .with_dust(self.settings.dust)
            .with_contracts(follow.tokens.clone(), follow.receivers.clone()),
            vigil: Vigil::new(
                follow.chain_id,
                self.settings.stall_after,
                self.settings.finality_stall_after,
            ),
            progress: Progress::new(follow.chain_id),
            alarms,
            untold: Vec::new(),
            has_unproved: self.settings.proofs,
            left_due: None,
            interest: Interest::Idle,
        }
    }

    async fn stopped(&self, cause: String, state: &mut Loop) {
        let chain_id = self.settings.follow.chain_id;
        tracing::error!(chain.id = %chain_id, cause, "chain stopped");
        state.untold.push(ChainEvent {
            chain_id,
            kind: ChainEventKind::Stopped,
            detail: cause.clone(),
        });
        self.tell(state).await;
        self.state.send_replace(AgentState::Stopped {
            since: (self.now)(),
            cause,
        });
    }

    /// Waits until somebody else moves the stored cursor.
    async fn cursor_moved(&self) {
        let stopped_at = self.cursor().await;
        loop {
            sleep(PAUSE).await;
            if let (Ok(now), Ok(then)) = (self.cursor().await, &stopped_at)
                && now != *then
            {
                return;
            }
        }
    }

    /// Says, once per spell and cause, that something is amiss.
    fn waiting(&self, what: &str, cause: String) {
        let is_news = !matches!(&*self.state.borrow(), AgentState::Waiting { cause: known, .. } if *known == cause);
        if is_news {
            tracing::error!(chain.id = %self.settings.follow.chain_id, cause, "{what}; trying again");
            self.state.send_replace(AgentState::Waiting {
                since: (self.now)(),
                cause,
            });
        }
    }

    async fn follow(&self, state: &mut Loop, shutdown: &CancellationToken) -> End {
        let Some(mut follower) = shutdown.run_until_cancelled(self.follower()).await else {
            return End::Shutdown;
        };
        loop {
            self.tell(state).await;
            let next = Box::pin(self.next(&mut follower, state));
            let next = shutdown.run_until_cancelled(next).await;
            let update = match next {
                None => return End::Shutdown,
                Some(Next::Failed(error)) => return End::Stopped(in_one_line(error.as_ref())),
                Some(Next::End(end)) => return end,
                Some(Next::Update(update)) => Some(update),
                Some(Next::ProveAgain) => None,
            };
            if let Some(update) = update {
                let committed = self.commit(&mut state.reconciler, &update);
                match shutdown.run_until_cancelled(committed).await {
                    None => return End::Shutdown,
                    Some(Err(end)) => return end,
                    Some(Ok(applied)) => self.committed(state, &update, &applied),
                }
            }
            if state.has_unproved {
                match shutdown.run_until_cancelled(self.prove(state)).await {
                    None => return End::Shutdown,
                    Some(Err(end)) => return end,
                    Some(Ok(())) => {},
                }
            }
        }
    }

    /// The next update; meanwhile, says how the node does, and what stands still.
    async fn next(&self, follower: &mut Follower, state: &mut Loop) -> Next {
        follower.expect_finality(state.interest);
        let mut health = follower.health();
        let next = follower.next();
        tokio::pin!(next);
        let prove_at = Instant::now().checked_add(PROVE_AGAIN);
        loop {
            self.tell(state).await;
            tokio::select! {
                update = &mut next => return self.found(state, update),
                Ok(()) = health.changed() => {
                    let trouble = health.borrow_and_update().clone();
                    match trouble {
                        Some(cause) => self.waiting("the node does not serve", cause),
                        None => self.following(),
                    }
                },
                Some(alarm) = heard(&mut state.alarms) => state.untold.push(ChainEvent {
                    chain_id: self.settings.follow.chain_id,
                    kind: alarm.kind,
                    detail: alarm.detail,
                }),
                () = until(state.vigil.due()) => state.untold.extend(state.vigil.check()),
                () = until(prove_at), if state.has_unproved => return Next::ProveAgain,
                () = std::future::ready(()), if state.left_due.is_some() => {
                    // The chain is read on meanwhile: the books are what takes time.
                    let (swept, update) = beside(self.sweep(state), next.as_mut()).await;
                    if let Err(end) = swept {
                        return Next::End(end);
                    }
                    if let Some(update) = update {
                        return self.found(state, update);
                    }
                },
            }
        }
    }

    fn found(&self, state: &mut Loop, update: Result<ChainUpdate, FollowError>) -> Next {
        state
            .untold
            .extend(state.vigil.heard(self.source.silences()));
        match update {
            Ok(update) => Next::Update(Box::new(update)),
            Err(error) => Next::Failed(Box::new(error)),
        }
    }

    fn following(&self) {
        self.state.send_if_modified(|state| {
            let changed = *state != AgentState::Following;
            *state = AgentState::Following;
            changed
        });
    }
}

/// The next alarm; never, where there are none.
async fn heard(alarms: &mut Option<broadcast::Receiver<Alarm>>) -> Option<Alarm> {
    let Some(receiver) = alarms else {
        return std::future::pending().await;
    };
    match receiver.recv().await {
        Ok(alarm) => Some(alarm),
        // More of the same: what was kept comes next.
        Err(broadcast::error::RecvError::Lagged(_)) => None,
        Err(broadcast::error::RecvError::Closed) => {
            *alarms = None;
            std::future::pending().await
        },
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
