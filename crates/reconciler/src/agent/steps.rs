//! The single steps of a chain's loop, tried again until they are done.

use std::sync::Arc;

use paywatch_core::BlockRef;
use paywatch_indexer::{ChainUpdate, Follower, Start, VerifyError, WatchList, in_one_line, verify};
use paywatch_store::StoreError;
use tokio::time::sleep;

use crate::agent::report::{tell, tell_applied, tell_event};
use crate::agent::{ChainAgent, End, Loop, PAUSE};
use crate::reconciler::{Applied, ReconcileError, Reconciler};

impl ChainAgent {
    /// Waits until the node is the configured chain with the configured tokens.
    pub(super) async fn verified(&self) {
        loop {
            match verify(
                self.source.as_ref(),
                self.settings.follow.chain_id,
                &self.settings.checked_tokens,
            )
            .await
            {
                Ok(()) => return,
                Err(error) => self.wait_for_node(&error).await,
            }
        }
    }

    async fn wait_for_node(&self, error: &VerifyError) {
        self.waiting("the node could not be verified", in_one_line(error));
        sleep(PAUSE).await;
    }

    /// Tells what is to be told of the chain. What the database does not take is tried again.
    pub(super) async fn tell(&self, state: &mut Loop) {
        while let Some(event) = state.untold.first() {
            if let Err(error) = self.store.tell_of_chain(event, (self.now)()).await {
                tracing::warn!(chain.id = %event.chain_id, cause = in_one_line(&error), "an event could not be written; trying again");
                return;
            }
            tell_event(event);
            state.untold.remove(0);
        }
    }

    /// Commits `update`, trying again while the database fails.
    pub(super) async fn commit(
        &self,
        reconciler: &mut Reconciler,
        update: &ChainUpdate,
    ) -> Result<Applied, End> {
        loop {
            match reconciler.apply(update, (self.now)()).await {
                Ok(applied) => {
                    self.following();
                    tell(update, &applied);
                    return Ok(applied);
                },
                Err(ReconcileError::CursorMoved { .. }) => return Err(End::CursorMoved),
                Err(
                    error @ (ReconcileError::Undecidable(_)
                    | ReconcileError::ForkBelowFinalized { .. }),
                ) => return Err(End::Stopped(in_one_line(&error))),
                Err(ReconcileError::Store(error)) => {
                    self.waiting("the database does not take the update", in_one_line(&error));
                    sleep(PAUSE).await;
                },
            }
        }
    }

    /// Proves what can be proved now.
    pub(super) async fn prove(&self, state: &mut Loop) -> Result<(), End> {
        let proved = state
            .reconciler
            .prove(self.source.as_ref(), (self.now)())
            .await;
        match proved {
            Ok(proved) => {
                state.has_unproved = proved.left > 0;
                if let Some(applied) = proved.applied {
                    tell_applied(self.settings.follow.chain_id, &applied);
                }
                if let Some(trouble) = proved.trouble {
                    tracing::warn!(
                        chain.id = %self.settings.follow.chain_id,
                        cause = in_one_line(&trouble),
                        blocks.left = proved.left,
                        "payments cannot be proved yet, so they are not confirmed; trying again"
                    );
                }
                Ok(())
            },
            Err(ReconcileError::CursorMoved { .. }) => Err(End::CursorMoved),
            Err(
                error
                @ (ReconcileError::Undecidable(_) | ReconcileError::ForkBelowFinalized { .. }),
            ) => Err(End::Stopped(in_one_line(&error))),
            Err(ReconcileError::Store(error)) => {
                self.waiting("the database does not take a proof", in_one_line(&error));
                sleep(PAUSE).await;
                Ok(())
            },
        }
    }

    /// A follower that begins where the store stands.
    pub(super) async fn follower(&self) -> Follower {
        let start = loop {
            match self.start().await {
                Ok(start) => break start,
                Err(error) => {
                    self.waiting("the database does not answer", in_one_line(&error));
                    sleep(PAUSE).await;
                },
            }
        };
        let watch_list: Arc<dyn WatchList> = self.addresses.clone();
        Follower::new(
            Arc::clone(&self.source),
            watch_list,
            self.settings.follow.clone(),
            start,
        )
    }

    async fn start(&self) -> Result<Start, StoreError> {
        let chain_id = self.settings.follow.chain_id;
        let recent = self.store.recent_blocks(chain_id).await?;
        let chains = self.store.chains().await?;
        let finalized = chains
            .iter()
            .find(|chain| chain.heads.chain_id == chain_id)
            .and_then(|chain| chain.heads.finalized);
        Ok(match self.settings.first_block {
            _ if !recent.is_empty() => Start::Resume { recent, finalized },
            Some(first) => Start::At(first),
            None => Start::Head,
        })
    }

    pub(super) async fn cursor(&self) -> Result<Option<BlockRef>, StoreError> {
        let chains = self.store.chains().await?;
        Ok(chains
            .iter()
            .find(|chain| chain.heads.chain_id == self.settings.follow.chain_id)
            .map(|chain| chain.heads.tip.to_ref()))
    }
}
