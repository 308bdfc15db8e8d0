//! What is no news when look-alikes are looked for, from the configuration.

use std::sync::Arc;

use paywatch_indexer::Pool;
use paywatch_reconciler::{LookAlikeSettings, LookAlikeWatch};
use paywatch_store::{Promises, Store};

use crate::config::{ChainConfig, Config};
use crate::daemon::chain::{receivers, tokens};
use crate::daemon::own_addresses;

/// The watch of `chain`, unless it is off. Treasuries are looked for in any case: whether what
/// leaves them is recorded is another question.
pub(super) fn watch(
    config: &Config,
    chain: &ChainConfig,
    promises: &Promises,
    (source, store): (Arc<Pool>, Store),
) -> Option<LookAlikeWatch> {
    let mut own = own_addresses(config);
    own.insert(chain.treasury);
    let settings = LookAlikeSettings {
        chain_id: chain.id,
        rule: chain.finality.above(),
        tokens: tokens(chain, promises),
        known: receivers(chain, promises),
        own,
        every: chain.look_alikes?,
        max_range: chain.max_range,
    };
    Some(LookAlikeWatch::new(store, source, settings))
}
