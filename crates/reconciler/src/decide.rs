//! What an update of a chain makes of the orders that it touches: a function of values.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    BlockNumber, Cause, ChainHeads, Heads, Movements, OrderId, Outgoing, PaymentState, Proof,
    ReassessError, RecordedRefund, RecordedTransfer, RefundState, Snapshot, Transfer, TransferId,
    reassess, refunds_after,
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
    /// The transfers that the update brought from the merchant's addresses to others.
    pub sent: &'a [Transfer],
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
    /// Whether a payment, or a refund, on the news' chain still waits to be final.
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
    let mut refunds = refunds_by_order(books, news);
    let mut decision = Decision::default();
    for book in books {
        let refunds = refunds.remove(&book.order.id).unwrap_or_default();
        let change = decide_one(book, &refunds, &heads, news)?;
        let snapshot = change
            .as_ref()
            .map_or(&book.snapshot, |change| &change.snapshot);
        decision.is_waiting |= is_waiting(snapshot, news);
        decision.changes.extend(change);
    }
    Ok(decision)
}

fn decide_one(
    book: &OrderBooks,
    refunds: &[RecordedRefund],
    heads: &Heads,
    news: &News<'_>,
) -> Result<Option<OrderChange>, DecideError> {
    let order = book.order.id;
    let transfers = transfers_after(book, news);
    let moved = Movements {
        transfers: &transfers,
        refunds,
    };
    let reassessed = reassess(&book.order, &book.snapshot, moved, heads, Cause::Chains)
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

fn is_waiting(snapshot: &Snapshot, news: &News<'_>) -> bool {
    let is_here = |id: &TransferId| id.chain_id == news.heads.chain_id;
    let mut payments = snapshot.payments.iter();
    let mut refunds = snapshot.refunds.values();
    payments.any(|(id, state)| is_here(id) && *state == PaymentState::Seen)
        || refunds.any(|state| match state {
            RefundState::Sent(id) => is_here(id),
            RefundState::Prepared | RefundState::Confirmed(_) | RefundState::Cancelled => false,
        })
}

/// The refunds of all orders in `books` once the news is applied. A transfer is for one of them,
/// whatever order that is of.
fn refunds_by_order(
    books: &[OrderBooks],
    news: &News<'_>,
) -> BTreeMap<OrderId, Vec<RecordedRefund>> {
    let all = books.iter().flat_map(|book| book.refunds.iter().cloned());
    let mut by_order: BTreeMap<OrderId, Vec<RecordedRefund>> = BTreeMap::new();
    for mut recorded in refunds_after(all, |transfer| news.takes_away(transfer), news.sent) {
        if let Outgoing::There(sent) = &mut recorded.outgoing
            && news.proved.contains(&sent.transfer.id)
        {
            sent.proof = Proof::ReceiptsRoot;
        }
        let of_order = by_order.entry(recorded.refund.order).or_default();
        of_order.push(recorded);
    }
    by_order
}

impl News<'_> {
    /// Whether `transfer` is not on its chain any more.
    fn takes_away(&self, transfer: &Transfer) -> bool {
        let is_above = transfer.id.chain_id == self.heads.chain_id
            && self
                .retract_above
                .is_some_and(|common| transfer.block_number > common);
        is_above || self.disproved.contains(&transfer.id)
    }
}

/// The order's transfers that are on their chains once the news is applied.
fn transfers_after(book: &OrderBooks, news: &News<'_>) -> Vec<RecordedTransfer> {
    let kept = book
        .transfers
        .iter()
        .filter(|recorded| !news.takes_away(&recorded.transfer))
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
