//! What the log is told.

use paywatch_core::{ChainEvent, ChainId, EventKind};
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
    for event in &applied.payment_events {
        progress::unmatched(event);
        if event.kind == EventKind::SweepCompleted {
            tracing::info!(
                chain.id = %chain_id,
                payment.id = %event.payment,
                event = %event.kind,
                "{}: {}", event.kind, event.detail
            );
            continue;
        }
        tracing::warn!(
            chain.id = %chain_id,
            payment.id = %event.payment,
            event = %event.kind,
            "{}: {}", event.kind, event.detail
        );
    }
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
