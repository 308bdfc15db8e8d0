//! What is shown of a chain's progress: the log while history is read, and metrics.

use std::time::Duration;

use metrics::{counter, gauge};
use paywatch_core::{BlockNumber, ChainId, PaymentEvent};
use paywatch_indexer::ChainUpdate;
use tokio::time::Instant;

use crate::reconciler::Applied;

/// How often progress through history is logged.
const EVERY: Duration = Duration::from_secs(5);
/// So far below the head, blocks are history.
const FAR: u64 = 256;

/// How fast history is read.
#[derive(Debug)]
pub(super) struct Progress {
    chain: String,
    chain_id: ChainId,
    logged: Option<(Instant, BlockNumber)>,
}

impl Progress {
    pub(super) fn new(chain_id: ChainId) -> Self {
        Self {
            chain: chain_id.to_string(),
            chain_id,
            logged: None,
        }
    }

    /// Takes note of a committed update.
    pub(super) fn saw(&mut self, update: &ChainUpdate, applied: &Applied) {
        let chain = self.chain.clone();
        gauge!("paywatch_chain_covered_block", "chain" => chain.clone())
            .set(height(update.tip.number));
        gauge!("paywatch_chain_head_block", "chain" => chain.clone()).set(height(update.node_head));
        if let Some(finalized) = update.tags.finalized {
            gauge!("paywatch_chain_finalized_block", "chain" => chain.clone())
                .set(height(finalized));
        }
        if update.retract_above.is_some() {
            counter!("paywatch_chain_reorgs_total", "chain" => chain.clone()).increment(1);
        }
        let transfers = u64::try_from(applied.transfers).unwrap_or(u64::MAX);
        counter!("paywatch_chain_payments_total", "chain" => chain).increment(transfers);
        self.log(update);
    }

    fn log(&mut self, update: &ChainUpdate) {
        let left = update.node_head.saturating_sub(update.tip.number);
        if left < FAR {
            if self.logged.take().is_some() {
                tracing::info!(chain.id = %self.chain_id, block.number = update.tip.number, "history is read");
            }
            return;
        }
        let Some((at, number)) = self.logged else {
            self.logged = Some((Instant::now(), update.tip.number));
            return;
        };
        let elapsed = at.elapsed();
        if elapsed < EVERY {
            return;
        }
        let read = update.tip.number.saturating_sub(number);
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let rate = read.saturating_mul(1_000).checked_div(millis).unwrap_or(0);
        let left_s = left.checked_div(rate);
        tracing::info!(
            chain.id = %self.chain_id,
            block.number = update.tip.number,
            blocks.left = left,
            blocks.per_s = rate,
            left_s,
            "reading history"
        );
        self.logged = Some((Instant::now(), update.tip.number));
    }
}

/// Counts what happened to payments of no order.
pub(super) fn unmatched(event: &PaymentEvent) {
    let labels = [
        ("chain", event.chain_id.to_string()),
        ("event", event.kind.name().to_owned()),
    ];
    counter!("paywatch_payment_events_total", &labels).increment(1);
}

/// Counts what was told of a chain.
pub(crate) fn told(event: &paywatch_core::ChainEvent) {
    let chain = event.chain_id.to_string();
    let kind = event.kind.name();
    counter!("paywatch_chain_events_total", "chain" => chain, "kind" => kind).increment(1);
}

/// A height as a metric: exact up to four billion blocks.
fn height(number: BlockNumber) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
