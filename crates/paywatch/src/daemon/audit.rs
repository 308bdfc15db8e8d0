//! What is audited, from the configuration.

use std::sync::Arc;
use std::time::Duration;

use paywatch_indexer::ChainSource;
use paywatch_reconciler::{AuditedChain, DailyAudit};
use paywatch_store::Store;

use crate::config::{ChainConfig, Config};
use crate::daemon::own_addresses;

/// The audit of `chains` that runs by itself. Without a watched treasury there is none: what leaves
/// deposit addresses is not recorded then.
pub(super) fn daily(
    config: &Config,
    store: &Store,
    chains: Vec<AuditedChain>,
    every: Duration,
) -> Option<DailyAudit> {
    if !config.watches_treasury {
        tracing::warn!(
            "the books are not audited: with treasury.watch = false, what leaves deposit addresses \
             is not recorded"
        );
        return None;
    }
    Some(DailyAudit {
        store: store.clone(),
        chains,
        every,
    })
}

/// `chain` as it is audited by what `source` says.
pub(crate) fn audited(
    config: &Config,
    chain: &ChainConfig,
    source: Arc<dyn ChainSource>,
) -> AuditedChain {
    AuditedChain {
        chain_id: chain.id,
        source,
        tokens: chain.tokens.clone(),
        own: own_addresses(config),
        rule: chain.finality.above(),
    }
}
