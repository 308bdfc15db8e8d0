//! Which refund each transfer carries out that left one of the merchant's addresses.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Outgoing, RecordedRefund, RecordedTransfer, Refund, RefundId, Transfer, TransferId};

/// By how much the clock of a chain may be behind ours: what was sent longer than that before a
/// refund was prepared is not the refund.
const SKEW_MS: i64 = 120_000;

/// Which of `sent` carries out which of `refunds`. `sent` left one of the merchant's addresses for
/// somebody else's, and is on its chain.
///
/// What carried a refund out before it was mined anew does so again. Any other goes to the refund
/// that has waited for longest of those over exactly its amount, to its recipient, in its token, that
/// were prepared before it was sent. No transfer is for two refunds, and no refund has two. The order
/// of both lists, and telling a transfer twice, makes no difference.
#[must_use]
pub fn match_refunds<'a>(
    refunds: &[RecordedRefund],
    sent: impl IntoIterator<Item = &'a Transfer>,
) -> BTreeMap<RefundId, &'a Transfer> {
    let linked: BTreeSet<TransferId> = refunds
        .iter()
        .filter_map(|recorded| Some(recorded.sent()?.transfer.id))
        .collect();
    // In the order of their chain, which for two in one block is that of their logs.
    let mut free: BTreeMap<_, &Transfer> = sent
        .into_iter()
        .filter(|transfer| !linked.contains(&transfer.id))
        .map(|transfer| {
            let id = transfer.id;
            let place = (id.chain_id, transfer.block_number, id.log_index);
            ((place, id.block_hash), transfer)
        })
        .collect();
    let mut waiting: BTreeMap<_, &RecordedRefund> = refunds
        .iter()
        .filter(|recorded| recorded.is_open())
        .map(|recorded| {
            let refund = &recorded.refund;
            ((refund.created_at, refund.id), recorded)
        })
        .collect();
    let mut matched = BTreeMap::new();
    let rules: [fn(&RecordedRefund, &Transfer) -> bool; 2] = [
        |recorded, transfer| recorded.was_sent_by(transfer),
        |recorded, transfer| recorded.refund.is_sent_by(transfer),
    ];
    for rule in rules {
        free.retain(|_, transfer| {
            let mut fitting = waiting.iter();
            let found = fitting.find(|(_, recorded)| rule(recorded, transfer));
            let Some(place) = found.map(|(place, _)| *place) else {
                return true;
            };
            waiting.remove(&place);
            let (_, id) = place;
            matched.insert(id, *transfer);
            false
        });
    }
    matched
}

/// What `refunds` are once the transfers for which `is_gone` holds have left their chains, and those
/// of `sent` came.
#[must_use]
pub fn refunds_after<'a>(
    refunds: impl IntoIterator<Item = RecordedRefund>,
    is_gone: impl Fn(&Transfer) -> bool,
    sent: impl IntoIterator<Item = &'a Transfer>,
) -> Vec<RecordedRefund> {
    let mut after: Vec<RecordedRefund> = refunds
        .into_iter()
        .map(|recorded| recorded.without(&is_gone))
        .collect();
    let matched = match_refunds(&after, sent);
    for recorded in &mut after {
        if let Some(transfer) = matched.get(&recorded.refund.id) {
            let sent = RecordedTransfer::from((*transfer).clone());
            recorded.outgoing = Outgoing::There(Box::new(sent));
        }
    }
    after
}

impl RecordedRefund {
    /// Whether `transfer` is what carried it out before, mined anew.
    fn was_sent_by(&self, transfer: &Transfer) -> bool {
        match &self.outgoing {
            Outgoing::Gone(before) => {
                before.id.chain_id == transfer.id.chain_id
                    && before.tx_hash == transfer.tx_hash
                    && before.token == transfer.token
                    && before.from == transfer.from
                    && before.to == transfer.to
                    && before.amount == transfer.amount
            },
            Outgoing::None | Outgoing::There(_) => false,
        }
    }
}

impl Refund {
    /// Whether `transfer` is what was prepared.
    fn is_sent_by(&self, transfer: &Transfer) -> bool {
        let prepared = self.created_at.unix_ms().saturating_sub(SKEW_MS);
        self.is_in_token_of(transfer)
            && self.to == transfer.to
            && self.amount == transfer.amount
            && prepared <= transfer.block_timestamp.unix_ms()
    }
}
