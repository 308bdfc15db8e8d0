//! The chain `anvil`, whose blocks a test chooses, reconciled as the daemon does it.

use paywatch_core::{
    Address, B256, Block, BlockNumber, Cause, ChainHeads, Loose, Movements, OrderId,
    RecordedTransfer, Tags, Timestamp, Transfer, TransferId, U256, reassess, refunds_after,
};
use paywatch_store::{ChainCommit, OrderChange, Touch};
use serde_json::Value;

use crate::api::{Api, chain_id};

/// The one chain of a test, after its first block.
pub(crate) struct Chain {
    tip: BlockNumber,
    logs: u64,
}

fn hash(number: u64) -> B256 {
    B256::from(U256::from(number))
}

impl Chain {
    pub(crate) const fn new() -> Self {
        Self { tip: 1, logs: 0 }
    }

    /// Mines a block in which orders are paid (how much, by whom) and the treasury sends (to whom,
    /// how much). Returns the transactions of what was sent.
    pub(crate) async fn mine(
        &mut self,
        api: &Api,
        paid: &[(&Value, &str, &str)],
        sent: &[(&str, &str)],
    ) -> Vec<String> {
        self.tip = self.tip.saturating_add(1);
        let transfers: Vec<(Transfer, OrderId)> = paid
            .iter()
            .map(|(order, amount, payer)| {
                let to = order["options"][0]["address"].as_str().unwrap();
                let order = order["id"].as_str().unwrap().parse().unwrap();
                (self.transfer(api, payer, to, amount), order)
            })
            .collect();
        let treasury = Address::repeat_byte(0x77).to_string();
        let sent: Vec<Transfer> = sent
            .iter()
            .map(|(to, amount)| self.transfer(api, &treasury, to, amount))
            .collect();
        let txs = sent.iter().map(|sent| sent.tx_hash.to_string()).collect();
        let sent = sent.into_iter().map(|sent| (sent, Loose::Sent)).collect();
        self.commit(api, transfers, sent).await;
        txs
    }

    /// Mines a block in which an order's deposit address is flushed. Returns the transfer's id.
    pub(crate) async fn flush(&mut self, api: &Api, order: &Value, amount: &str) -> String {
        self.tip = self.tip.saturating_add(1);
        let deposit = order["options"][0]["address"].as_str().unwrap();
        let treasury = Address::repeat_byte(0x77).to_string();
        let flush = self.transfer(api, deposit, &treasury, amount);
        let id = flush.payment_id().to_string();
        self.commit(api, Vec::new(), vec![(flush, Loose::Moved)])
            .await;
        id
    }

    fn transfer(&mut self, api: &Api, from: &str, to: &str, amount: &str) -> Transfer {
        self.logs = self.logs.saturating_add(1);
        Transfer {
            id: TransferId {
                chain_id: chain_id(31_337),
                block_hash: hash(self.tip),
                log_index: self.logs,
            },
            block_number: self.tip,
            block_timestamp: now(api),
            tx_hash: hash(self.logs.saturating_add(1_000_000)),
            token: Address::repeat_byte(0x55),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            amount: amount.parse().unwrap(),
            paid_through: None,
        }
    }

    async fn commit(
        &self,
        api: &Api,
        transfers: Vec<(Transfer, OrderId)>,
        loose: Vec<(Transfer, Loose)>,
    ) {
        let chains = api.store.chains().await.unwrap();
        let before = chains
            .iter()
            .find(|it| it.heads.chain_id == chain_id(31_337))
            .unwrap();
        let tip = Block {
            number: self.tip,
            hash: hash(self.tip),
            parent_hash: before.heads.tip.hash,
            timestamp: now(api),
        };
        let heads = before.heads.moved_to(tip, Tags::default());
        let sent = loose.iter().filter(|(_, loose)| *loose == Loose::Sent);
        let sent = sent.map(|(transfer, _)| transfer.clone()).collect();
        let touch = Touch {
            chain_id: chain_id(31_337),
            orders: transfers.iter().map(|(_, order)| *order).collect(),
            loose: loose.iter().map(|(transfer, _)| transfer.id).collect(),
            sent,
            struck: [].into(),
            retract_above: None,
            covered_time: tip.timestamp,
            most_due: 9,
        };
        let changes = changes(api, &touch, &transfers, heads).await;
        let update = ChainCommit {
            chain_id: chain_id(31_337),
            expected: Some(before.heads.tip.to_ref()),
            heads,
            node_head: self.tip,
            retract_above: None,
            first_covered: Some(self.tip),
            blocks: vec![tip],
            keep_blocks: 64,
            transfers,
            disproved: Vec::new(),
            proofs: Vec::new(),
            changes,
            deferred: Vec::new(),
            chain_events: Vec::new(),
            loose,
            payment_events: Vec::new(),
            freezes: Vec::new(),
            imports: Vec::new(),
            at: now(api),
        };
        api.store.commit_update(&update).await.unwrap();
    }
}

fn now(api: &Api) -> Timestamp {
    use paywatch_api::Clock as _;
    api.clock.now()
}

/// What becomes of the orders that a block touches.
async fn changes(
    api: &Api,
    touch: &Touch,
    came: &[(Transfer, OrderId)],
    heads: ChainHeads,
) -> Vec<OrderChange> {
    let found = api.store.books_to_assess(touch).await.unwrap();
    let mut all_heads = found.heads;
    all_heads.insert(heads.chain_id, heads);
    let refunds = found.books.iter().flat_map(|book| book.refunds.clone());
    let refunds = refunds_after(refunds, |_| false, &touch.sent);
    let mut changes = Vec::new();
    for book in &found.books {
        let of_order = came.iter().filter(|(_, order)| *order == book.order.id);
        let of_order = of_order.map(|(transfer, _)| RecordedTransfer::from(transfer.clone()));
        let transfers: Vec<_> = book.transfers.iter().cloned().chain(of_order).collect();
        let mut refunds = refunds.clone();
        refunds.retain(|it| it.refund.order == book.order.id);
        let moved = Movements {
            transfers: &transfers,
            refunds: &refunds,
        };
        let now = reassess(
            &book.order,
            &book.snapshot,
            moved,
            &all_heads,
            Cause::Chains,
        )
        .unwrap();
        if now.snapshot != book.snapshot {
            changes.push(OrderChange {
                order_id: book.order.id,
                expected_version: book.version,
                confirmed_at_tip: now.assessment.confirmed_at_tip(),
                snapshot: now.snapshot,
                events: now.events,
            });
        }
    }
    changes
}
