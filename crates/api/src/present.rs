//! What payments are shown by: how far the chains are covered, and which addresses are frozen now.

use std::collections::BTreeSet;

use paywatch_core::{Address, ChainId, Heads, Transfer};
use paywatch_store::StoreError;

use crate::orders::heads;
use crate::state::ApiState;

/// How things stand now, beside the orders and payments themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Present {
    /// How far the chains are covered.
    pub(crate) heads: Heads,
    /// Chain, token and address of each that its token's issuer froze.
    pub(crate) frozen: BTreeSet<(ChainId, Address, Address)>,
}

impl Present {
    /// What the books say now.
    pub(crate) async fn read(state: &ApiState) -> Result<Self, StoreError> {
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
