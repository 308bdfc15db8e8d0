//! Orders that may expire, looked at in parts, while the chain goes on being read.

use std::future::Future;
use std::pin::Pin;

use paywatch_indexer::{ChainUpdate, Interest};

use crate::agent::{ChainAgent, End, Loop};
use crate::reconciler::{Applied, Due};

impl ChainAgent {
    /// Looks at the next part of the orders that the last update left behind.
    pub(super) async fn sweep(&self, state: &mut Loop) -> Result<(), End> {
        let Some(update) = state.left_due.take() else {
            return Ok(());
        };
        let applied = self.commit(&mut state.reconciler, &update).await?;
        self.committed(state, &update, &applied);
        Ok(())
    }

    /// Takes note of what `update` did.
    pub(super) fn committed(&self, state: &mut Loop, update: &ChainUpdate, applied: &Applied) {
        state.interest = if applied.is_waiting {
            Interest::Waiting
        } else {
            Interest::Idle
        };
        state.has_unproved |= self.settings.proofs && applied.transfers > 0;
        state.progress.saw(update, applied);
        state.untold.extend(state.vigil.saw(update));
        state.left_due = (applied.due == Due::More)
            .then(|| ChainUpdate::standing(update.chain_id, update.tip, update.node_head));
    }
}

/// Runs `work` to its end, and `other` beside it; what came of that, if it ended first. Otherwise
/// it can be waited for on.
pub(super) async fn beside<W: Future, O: Future>(
    work: W,
    mut other: Pin<&mut O>,
) -> (W::Output, Option<O::Output>) {
    tokio::pin!(work);
    let mut ended = None;
    loop {
        tokio::select! {
            done = &mut work => return (done, ended),
            output = other.as_mut(), if ended.is_none() => ended = Some(output),
        }
    }
}
