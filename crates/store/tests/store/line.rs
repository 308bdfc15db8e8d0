//! A chain whose blocks a story chooses, reconciled as the daemon does it.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    Block, Cause, ChainHeads, Loose, Movements, Order, RecordedRefund, RecordedTransfer, Tags,
    Transfer, TransferId, assess, events_between, refunds_after,
};
use paywatch_store::{ChainCommit, OrderBooks, OrderChange, Store, StoreError, Touch};

use crate::books::{address, amount, at, chain, hash, usdt};

/// Seconds from one block to the next.
const STEP: u64 = 10;

/// One chain and what is committed of it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: u64,
    pub(crate) heads: Option<ChainHeads>,
    blocks: BTreeMap<u64, Block>,
}

/// Block `number` of a branch whose blocks all have parents of the same branch, down to `from`.
pub(crate) fn block(chain_id: u64, number: u64, branch: u8) -> Block {
    let kind = branch
        .wrapping_mul(16)
        .wrapping_add(u8::try_from(chain_id % 16).unwrap());
    Block {
        number,
        hash: hash(kind, number),
        parent_hash: hash(kind, number - 1),
        timestamp: at(number * STEP),
    }
}

/// The payment of `paid` to `order` in `block`, as its log `log_index`.
pub(crate) fn pay(chain_id: u64, block: Block, order: &Order, paid: (&str, u64)) -> Transfer {
    let (paid, log_index) = paid;
    Transfer {
        id: TransferId {
            chain_id: chain(chain_id),
            block_hash: block.hash,
            log_index,
        },
        block_number: block.number,
        block_timestamp: block.timestamp,
        tx_hash: hash(0xEE, block.number * 100 + log_index),
        token: usdt(chain_id).address,
        from: address(0xF0, log_index),
        to: order.options[0].address,
        amount: amount(paid),
        paid_through: None,
    }
}

impl Line {
    pub(crate) fn new(id: u64) -> Self {
        Self {
            id,
            heads: None,
            blocks: BTreeMap::new(),
        }
    }

    /// Covers blocks `numbers` of a branch, in which `payments` (block, order, amount) happen.
    /// What is covered above the first of them is retracted.
    pub(crate) async fn cover(
        &mut self,
        store: &Store,
        branch: u8,
        numbers: std::ops::RangeInclusive<u64>,
        payments: &[(u64, &Order, &str)],
    ) -> Result<(), StoreError> {
        let update = self.update(store, branch, numbers, payments).await?;
        self.commit(store, update).await
    }

    /// Commits `update`, and stands where it leads.
    pub(crate) async fn commit(
        &mut self,
        store: &Store,
        update: ChainCommit,
    ) -> Result<(), StoreError> {
        store.commit_update(&update).await?;
        self.heads = Some(update.heads);
        self.blocks
            .retain(|number, _| update.retract_above.is_none_or(|above| *number <= above));
        self.blocks
            .extend(update.blocks.iter().map(|block| (block.number, *block)));
        Ok(())
    }

    /// The commit of what [`Line::cover`] covers, decided on the books as they are now.
    pub(crate) async fn update(
        &self,
        store: &Store,
        branch: u8,
        numbers: std::ops::RangeInclusive<u64>,
        payments: &[(u64, &Order, &str)],
    ) -> Result<ChainCommit, StoreError> {
        self.update_sending(store, branch, numbers, (payments, &[]))
            .await
    }

    /// The same, and in block `n` of the branch leaves what is `sent`.
    pub(crate) async fn update_sending(
        &self,
        store: &Store,
        branch: u8,
        numbers: std::ops::RangeInclusive<u64>,
        (payments, sent): (&[(u64, &Order, &str)], &[Transfer]),
    ) -> Result<ChainCommit, StoreError> {
        let first = *numbers.start();
        let blocks: Vec<Block> = numbers
            .map(|number| block(self.id, number, branch))
            .collect();
        let tip = *blocks.last().unwrap();
        let transfers: Vec<_> = (0..)
            .zip(payments)
            .map(|(index, (number, order, paid))| {
                let block = block(self.id, *number, branch);
                (pay(self.id, block, order, (paid, index)), order.id)
            })
            .collect();
        let start = ChainHeads::starting_at(chain(self.id), tip);
        let heads = self
            .heads
            .map_or(start, |heads| heads.moved_to(tip, Tags::default()));
        let is_fork = self.heads.is_some_and(|heads| heads.tip.number >= first);
        let retract_above = is_fork.then(|| first - 1);
        let touch = Touch {
            chain_id: chain(self.id),
            orders: transfers.iter().map(|(_, order)| *order).collect(),
            retract_above,
            covered_time: heads.covered_time,
            loose: BTreeSet::new(),
            sent: sent.to_vec(),
            struck: BTreeSet::new(),
            most_due: 100,
        };
        let touched = store.books_to_assess(&touch).await?;
        let (mut all_heads, books) = (touched.heads, touched.books);
        all_heads.insert(chain(self.id), heads);
        let mut update = ChainCommit {
            chain_id: chain(self.id),
            expected: self.heads.map(|heads| heads.tip.to_ref()),
            heads,
            node_head: tip.number + 3,
            retract_above,
            first_covered: Some(first),
            blocks,
            keep_blocks: 8,
            transfers,
            freezes: Vec::new(),
            disproved: Vec::new(),
            proofs: Vec::new(),
            changes: Vec::new(),
            deferred: touched.deferred,
            chain_events: Vec::new(),
            loose: sent
                .iter()
                .map(|sent| (sent.clone(), Loose::Sent))
                .collect(),
            payment_events: Vec::new(),
            imports: Vec::new(),
            at: at(1_000_000 + tip.number),
        };
        let all = books.iter().flat_map(|book| book.refunds.clone());
        let refunds = refunds_after(all, |it| is_gone(&update, it), sent);
        update.changes = books
            .iter()
            .filter_map(|book| decide(book, &refunds, &update, &all_heads))
            .collect();
        Ok(update)
    }
}

/// Whether `update` takes a transfer away.
fn is_gone(update: &ChainCommit, transfer: &Transfer) -> bool {
    let above = update.retract_above;
    transfer.id.chain_id == update.chain_id
        && above.is_some_and(|above| transfer.block_number > above)
}

/// What `update` makes of one order, whose refunds are among `refunds`.
fn decide(
    book: &OrderBooks,
    refunds: &[RecordedRefund],
    update: &ChainCommit,
    heads: &paywatch_core::Heads,
) -> Option<OrderChange> {
    let kept = book
        .transfers
        .iter()
        .filter(|recorded| !is_gone(update, &recorded.transfer))
        .cloned();
    let new = update
        .transfers
        .iter()
        .filter(|(_, order)| *order == book.order.id);
    let transfers: Vec<RecordedTransfer> = kept
        .chain(new.map(|(transfer, _)| RecordedTransfer::from(transfer.clone())))
        .collect();
    let refunds = refunds.iter().cloned();
    let refunds: Vec<_> = refunds
        .filter(|it| it.refund.order == book.order.id)
        .collect();
    let moved = Movements {
        transfers: &transfers,
        refunds: &refunds,
    };
    let assessment = assess(&book.order, moved, heads).unwrap();
    let snapshot = assessment.snapshot(&book.snapshot, Cause::Chains);
    if snapshot == book.snapshot {
        return None;
    }
    let events = events_between(&book.snapshot, &snapshot, Cause::Chains).unwrap();
    Some(OrderChange {
        order_id: book.order.id,
        expected_version: book.version,
        snapshot,
        confirmed_at_tip: assessment.confirmed_at_tip(),
        events,
    })
}
