//! What payments are shown by: how far the chains are covered, and which addresses are frozen now.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use paywatch_core::{Address, ChainId, Heads, Transfer};
use paywatch_store::StoreError;

use crate::orders::heads;
use crate::state::ApiState;

/// For how long it may be that nobody looks: other programs may write to the books, too.
const REMEMBERED: Duration = Duration::from_secs(1);

/// How things stood when somebody looked, which is so until this program commits something.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastLook(Arc<Mutex<Option<Look>>>);

#[derive(Clone, Debug)]
struct Look {
    present: Arc<Present>,
    /// What this program had committed before.
    commits: u64,
    at: Instant,
}

impl LastLook {
    fn get(&self, commits: u64) -> Option<Arc<Present>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.as_ref()?;
        let is_good = last.commits == commits && last.at.elapsed() < REMEMBERED;
        is_good.then(|| Arc::clone(&last.present))
    }

    fn keep(&self, look: Look) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(look);
    }
}

/// How things stand now, beside the orders and payments themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Present {
    /// How far the chains are covered.
    pub(crate) heads: Heads,
    /// Chain, token and address of each that its token's issuer froze.
    pub(crate) frozen: BTreeSet<(ChainId, Address, Address)>,
}

impl Present {
    /// What the books say now; what another program wrote may be missing for a second.
    pub(crate) async fn read(state: &ApiState) -> Result<Arc<Self>, StoreError> {
        let (commits, at) = (*state.store.commits().borrow(), Instant::now());
        if let Some(present) = state.last_look.get(commits) {
            return Ok(present);
        }
        let present = Arc::new(Self::look(state).await?);
        state.last_look.keep(Look {
            present: Arc::clone(&present),
            commits,
            at,
        });
        Ok(present)
    }

    async fn look(state: &ApiState) -> Result<Self, StoreError> {
        let frozen = state.store.frozen(None).await?;
        let frozen = frozen.into_iter();
        Ok(Self {
            heads: heads(state).await?,
            frozen: frozen
                .map(|frozen| (frozen.chain_id, frozen.token, frozen.address))
                .collect(),
        })
    }

    /// Whether the address that `transfer` paid is frozen for its token.
    pub(crate) fn is_frozen(&self, transfer: &Transfer) -> bool {
        let key = (transfer.id.chain_id, transfer.token, transfer.to);
        self.frozen.contains(&key)
    }
}
