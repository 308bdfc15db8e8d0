//! What the log is told.

use std::error::Error;

use paywatch_core::ChainId;
use paywatch_indexer::ChainUpdate;

use crate::Applied;

/// Writes into the log what an update did.
pub(super) fn tell(update: &ChainUpdate, applied: &Applied) {
    if let Some(common) = update.retract_above {
        tracing::warn!(chain.id = %update.chain_id, block.number = common.number, "reorg: everything above this block left the chain");
    }
    tracing::debug!(
        chain.id = %update.chain_id,
        block.number = update.tip.number,
        transfers = applied.transfers,
        "covered"
    );
    tell_changes(update.chain_id, applied);
}

pub(super) fn tell_changes(chain_id: ChainId, applied: &Applied) {
    for change in &applied.changes {
        tracing::info!(
            chain.id = %chain_id,
            order.id = %change.order_id,
            status = %change.snapshot.status,
            counted = %change.snapshot.counted,
            confirmed = %change.snapshot.confirmed,
            "order {} is {}", change.order_id, change.snapshot.status
        );
    }
}

/// An error with all its causes, on one line.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
