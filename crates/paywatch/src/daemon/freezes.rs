//! Which addresses are asked for being frozen, from the configuration.

use std::sync::Arc;
use std::time::Duration;

use paywatch_indexer::Pool;
use paywatch_reconciler::FreezeCheck;
use paywatch_store::Store;

use crate::config::ChainConfig;

/// How often tokens are asked, beside what their logs say.
const EVERY: Duration = Duration::from_secs(24 * 3_600);

/// The check of the treasury and the wallets of `chain`.
pub(super) fn check(chain: &ChainConfig, source: Arc<Pool>, store: Store) -> FreezeCheck {
    let mut addresses = vec![chain.treasury];
    addresses.extend(chain.wallets.iter().filter(|one| **one != chain.treasury));
    FreezeCheck {
        store,
        source,
        tokens: chain.tokens.clone(),
        addresses,
        every: EVERY,
    }
}
