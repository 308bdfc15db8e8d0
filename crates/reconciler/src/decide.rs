//! What an update of a chain makes of the orders that it touches: a function of values.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    BlockNumber, Cause, ChainHeads, Heads, OrderId, PaymentState, Proof, ReassessError,
    RecordedTransfer, Transfer, TransferId, reassess,
};
use paywatch_store::{OrderBooks, OrderChange};

/// What one update says about the orders.
#[derive(Clone, Copy, Debug)]
pub struct News<'a> {
    /// How far the chain is covered after the update.
    pub heads: ChainHeads,
    /// Everything of this chain above this block is gone.
    pub retract_above: Option<BlockNumber>,
    /// The transfers that the update brought, each with the order whose address it paid.
    pub transfers: &'a [(RecordedTransfer, OrderId)],
    /// Transfers of which it was shown that their blocks hold them.
    pub proved: &'a BTreeSet<TransferId>,
    /// Transfers of which it was shown that their blocks do not.
    pub disproved: &'a BTreeSet<TransferId>,
}

/// An order that cannot be decided. The chain stops: guessing about money is worse.
#[derive(Debug, thiserror::Error)]
#[error("order {order} cannot be decided")]
pub struct DecideError {
    /// The order.
    pub order: OrderId,
    /// Why not.
    pub source: ReassessError,
}

/// What news comes to.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What changes. Orders for which nothing does are left out.
    pub changes: Vec<OrderChange>,
    /// Whether a payment on the news' chain still waits to be final.
    pub is_waiting: bool,
}

/// What changes for the orders in `books`, which were read under `heads`, through `news`.
///
/// # Errors
/// [`DecideError`] names the first order that cannot be decided.
pub fn decide(
    books: &[OrderBooks],
    heads: &Heads,
    news: &News<'_>,
) -> Result<Decision, DecideError> {
    let mut heads = heads.clone();
    heads.insert(news.heads.chain_id, news.heads);
    let mut decision = Decision::default();
    for book in books {
        let change = decide_one(book, &heads, news)?;
        let snapshot = change
            .as_ref()
            .map_or(&book.snapshot, |change| &change.snapshot);
        decision.is_waiting |= snapshot
            .payments
            .iter()
            .any(|(id, state)| id.chain_id == news.heads.chain_id && *state == PaymentState::Seen);
        decision.changes.extend(change);
    }
    Ok(decision)
}

fn decide_one(
    book: &OrderBooks,
    heads: &Heads,
    news: &News<'_>,
) -> Result<Option<OrderChange>, DecideError> {
    let order = book.order.id;
    let transfers = transfers_after(book, news);
    let reassessed = reassess(
        &book.order,
        &book.snapshot,
        &transfers,
        heads,
        Cause::Chains,
    )
    .map_err(|source| DecideError { order, source })?;
    if reassessed.snapshot == book.snapshot {
        return Ok(None);
    }
    Ok(Some(OrderChange {
        order_id: order,
        expected_version: book.version,
        confirmed_at_tip: reassessed.assessment.confirmed_at_tip(),
        snapshot: reassessed.snapshot,
        events: reassessed.events,
    }))
}

/// The order's transfers that are on their chains once the news is applied.
fn transfers_after(book: &OrderBooks, news: &News<'_>) -> Vec<RecordedTransfer> {
    let is_gone = |transfer: &Transfer| {
        let is_above = transfer.id.chain_id == news.heads.chain_id
            && news
                .retract_above
                .is_some_and(|common| transfer.block_number > common);
        is_above || news.disproved.contains(&transfer.id)
    };
    let kept = book
        .transfers
        .iter()
        .filter(|recorded| !is_gone(&recorded.transfer))
        .cloned();
    let new = news
        .transfers
        .iter()
        .filter(|(_, order)| *order == book.order.id)
        .map(|(recorded, _)| recorded.clone());
    // A replayed transfer must not take away what is recorded about it.
    let mut by_id: BTreeMap<TransferId, RecordedTransfer> = new
        .map(|recorded| (recorded.transfer.id, recorded))
        .collect();
    by_id.extend(kept.map(|recorded| (recorded.transfer.id, recorded)));
    for id in news.proved {
        if let Some(recorded) = by_id.get_mut(id) {
            recorded.proof = Proof::ReceiptsRoot;
        }
    }
    by_id.into_values().collect()
}
