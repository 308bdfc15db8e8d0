//! What a commit is made of, beside the orders.

use std::collections::BTreeSet;

use paywatch_core::{
    BlockNumber, BlockRef, ChainEvent, ChainEventKind, ChainHeads, EventKind, Loose, OrderId,
    PaymentEvent, Transfer, TransferId,
};
use paywatch_indexer::ChainUpdate;
use paywatch_store::{Flush, Imported, Touch};

use crate::reconciler::{By, MOST_DUE, ReconcileError, Work};

impl Work<'_> {
    /// What is to be read before it can be decided.
    pub(super) fn touch(&self) -> Touch {
        let (found, update) = (&self.found, self.update);
        Touch {
            chain_id: update.chain_id,
            orders: found.to_orders.iter().map(|(_, order)| *order).collect(),
            loose: found.loose.iter().map(|(loose, _)| loose.id).collect(),
            sent: found.sent(),
            struck: self.shown.disproved.iter().copied().collect(),
            retract_above: update.retract_above.map(|common| common.number),
            covered_time: update.tip.timestamp,
            most_due: MOST_DUE,
        }
    }

    /// The chain's heads after this, if it fits on the `stored` ones.
    pub(super) fn heads_after(
        &self,
        stored: Option<&ChainHeads>,
    ) -> Result<ChainHeads, ReconcileError> {
        let update = self.update;
        let chain_id = update.chain_id;
        if stored.map(|heads| heads.tip.to_ref()) != update.previous {
            return Err(ReconcileError::CursorMoved { chain_id });
        }
        if let (Some(common), Some(finalized)) = (
            update.retract_above,
            stored.and_then(|heads| heads.finalized),
        ) && common.number < finalized
            && self.by == By::Chain
        {
            return Err(ReconcileError::ForkBelowFinalized {
                chain_id,
                common: common.number,
                finalized,
            });
        }
        let mut moved = stored
            .copied()
            .unwrap_or_else(|| ChainHeads::starting_at(chain_id, update.tip))
            .moved_to(update.tip, update.tags);
        if self.by == By::Operator {
            moved.safe = moved.safe.min(Some(update.tip.number));
            moved.finalized = moved.finalized.min(Some(update.tip.number));
        }
        Ok(moved)
    }

    /// The transfers that the update brings to orders.
    pub(super) fn transfers(&self) -> Vec<(Transfer, OrderId)> {
        let to_orders = self.found.to_orders.iter();
        to_orders
            .map(|(recorded, order)| (recorded.transfer.clone(), *order))
            .collect()
    }

    /// What is told of payments that belong to no order: those that are `gone`, and those that
    /// were not `known` before.
    pub(super) fn payment_events(
        &self,
        known: &BTreeSet<TransferId>,
        gone: &[Transfer],
    ) -> Vec<PaymentEvent> {
        let reverted = gone
            .iter()
            .map(|transfer| PaymentEvent::of(transfer, EventKind::PaymentReverted));
        let is_news = |transfer: &Transfer| {
            // One that was struck may have been an order's by what was told of it before.
            !known.contains(&transfer.id)
                || gone.iter().any(|gone| gone.id == transfer.id)
                || self.shown.disproved.contains(&transfer.id)
        };
        let come = self
            .found
            .loose
            .iter()
            .filter(|(transfer, loose)| *loose == Loose::Unmatched && is_news(transfer))
            .map(|(transfer, _)| PaymentEvent::of(transfer, EventKind::PaymentUnmatched));
        reverted.chain(come).collect()
    }

    /// What is told of flushes: those that were final and are `gone`, and those that are final under
    /// `heads`.
    pub(super) fn sweep_events(
        &self,
        flushes: &[Flush],
        gone: &[Transfer],
        heads: &ChainHeads,
    ) -> Vec<PaymentEvent> {
        let reverted = gone
            .iter()
            .map(|transfer| PaymentEvent::of(transfer, EventKind::SweepReverted));
        let above = self.update.retract_above.map(|common| common.number);
        let struck = &self.shown.disproved;
        let is_there = move |flush: &&Flush| {
            let transfer = &flush.recorded.transfer;
            let is_below = above.is_none_or(|above| transfer.block_number <= above);
            // One that was struck waits anew, as it really is.
            is_below && !struck.contains(&transfer.id)
        };
        let is_final = move |flush: &&Flush| {
            let mut rules = flush.rules.iter();
            rules.all(|rule| rule.confirm(&flush.recorded, heads).is_some())
        };
        let completed = flushes
            .iter()
            .filter(is_there)
            .filter(is_final)
            .map(|flush| PaymentEvent::of(&flush.recorded.transfer, EventKind::SweepCompleted));
        reverted.chain(completed).collect()
    }

    /// The payments that an operator wants in the books, each with its order.
    pub(super) fn imports(&self) -> Vec<Imported> {
        let imports = self.shown.imports.iter();
        imports
            .map(|wanted| {
                let mut found = self.found.to_orders.iter();
                let of = found
                    .find(|(recorded, _)| recorded.transfer.payment_id() == wanted.payment)
                    .map(|(_, order)| *order);
                Imported {
                    order: of,
                    ..wanted.clone()
                }
            })
            .collect()
    }

    pub(super) fn chain_events(&self, stored: Option<&ChainHeads>) -> Vec<ChainEvent> {
        let reorged = match self.by {
            By::Chain => reorged(self.update, stored.map(|heads| heads.tip.to_ref())),
            By::Operator => None,
        };
        reorged
            .into_iter()
            .chain(self.shown.events.iter().cloned())
            .chain(self.found.alerts.iter().cloned())
            .collect()
    }
}

/// What is told when covered blocks left their chain.
fn reorged(update: &ChainUpdate, cursor: Option<BlockRef>) -> Option<ChainEvent> {
    let common: BlockNumber = update.retract_above?.number;
    let before = cursor?.number;
    let depth = before.saturating_sub(common);
    Some(ChainEvent {
        chain_id: update.chain_id,
        kind: ChainEventKind::Reorged,
        detail: format!(
            "{depth} covered blocks above block {common} left the chain; it is covered to block {} \
             of the new branch",
            update.tip.number
        ),
    })
}
