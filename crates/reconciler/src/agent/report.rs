//! What the log is told.

use std::error::Error;

use paywatch_core::{ChainEvent, ChainId};
use paywatch_indexer::ChainUpdate;

use crate::Applied;
use crate::agent::progress;

/// Writes into the log what an update did.
pub(super) fn tell(update: &ChainUpdate, applied: &Applied) {
    tracing::debug!(
        chain.id = %update.chain_id,
        block.number = update.tip.number,
        transfers = applied.transfers,
        "covered"
    );
    tell_applied(update.chain_id, applied);
}

pub(super) fn tell_applied(chain_id: ChainId, applied: &Applied) {
    applied.chain_events.iter().for_each(tell_event);
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

/// Something that happened to the chain itself: into the log and the metrics.
pub(super) fn tell_event(event: &ChainEvent) {
    progress::told(event);
    tracing::warn!(chain.id = %event.chain_id, event = %event.kind, "{}: {}", event.kind, event.detail);
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
