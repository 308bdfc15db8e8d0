//! Updates of a chain against a real store: what is committed, and what is refused.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod what_else;

use std::collections::BTreeMap;
use std::sync::Arc;

use paywatch_core::{
    Address, Amount, Asking, B256, Block, BlockRef, ChainId, Decimals, EventKind, FinalityRule,
    LatePolicy, Order, OrderId, OrderStatus, PaymentMethod, PaymentOption, Tags, Timestamp, Token,
    Transfer, TransferId, U256,
};
use paywatch_indexer::{ChainUpdate, CoveredBlock};
use paywatch_reconciler::{AddressBook, Applied, ReconcileError, Reconciler};
use paywatch_store::{CreateOutcome, NewOrder, Store};

const CONFIRMATIONS: u32 = 2;
const TREASURY: Address = Address::repeat_byte(0xee);

fn chain_id(id: u64) -> ChainId {
    ChainId::new(id).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn token(chain: u64) -> Token {
    Token {
        chain_id: chain_id(chain),
        address: Address::with_last_byte(u8::try_from(chain).unwrap()),
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(6).unwrap(),
    }
}

/// A shop with a store in a folder of its own.
struct Shop {
    _folder: tempfile::TempDir,
    store: Store,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("paywatch.sqlite");
        let url = format!("sqlite:{}", path.display()).parse().unwrap();
        let store = Store::open(&url).await.unwrap();
        Self {
            _folder: folder,
            store,
        }
    }

    /// An order over `asked` that may be paid to `address` on chains 1 and 2.
    async fn order(&self, number: u8, asked: &str) -> Order {
        let option = |chain| PaymentOption {
            token: token(chain),
            address: Address::repeat_byte(number),
            method: PaymentMethod::DepositAddress {
                factory: Address::repeat_byte(0xfa),
                treasury: TREASURY,
            },
            finality: FinalityRule::confirmations(CONFIRMATIONS).unwrap(),
        };
        let order = Order {
            id: OrderId::from_bytes([number; 16]),
            reference: format!("INV-{number}").parse().unwrap(),
            amount: amount(asked),
            asking: Asking::Exactly,
            accepted: None,
            tolerance: Amount::ZERO,
            late_policy: LatePolicy::Accept,
            options: vec![option(1), option(2)],
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::from_unix_s(1_000_000).unwrap(),
            grace_ms: 0,
            cancelled_at: None,
            metadata: BTreeMap::new(),
        };
        let new = NewOrder {
            order: order.clone(),
            request_digest: format!("{number:064x}"),
            slots: Vec::new(),
            callback: None,
        };
        let outcome = self.store.create_order(&new).await.unwrap();
        assert!(matches!(outcome, CreateOutcome::Created(_)));
        order
    }

    fn follows(&self, chain: u64) -> Chain {
        Chain {
            id: chain,
            reconciler: Reconciler::new(
                self.store.clone(),
                Arc::new(AddressBook::with_own(self.store.clone(), [TREASURY])),
                64,
            )
            .with_contracts(vec![token(chain)], vec![what_else::RECEIVER]),
            tip: None,
        }
    }

    async fn status(&self, order: &Order) -> (OrderStatus, String, String) {
        let record = self.store.order(order.id).await.unwrap().unwrap();
        let snapshot = record.snapshot;
        (
            snapshot.status,
            snapshot.received.to_string(),
            snapshot.confirmed.to_string(),
        )
    }

    async fn told(&self, order: &Order) -> Vec<EventKind> {
        let events = self.store.events_after(0, 1_000).await.unwrap();
        events
            .into_iter()
            .filter_map(|event| event.of_order().cloned())
            .filter(|event| event.order_id == order.id)
            .map(|event| event.event.kind)
            .collect()
    }
}

/// A chain that brings one block after the other.
struct Chain {
    id: u64,
    reconciler: Reconciler,
    tip: Option<BlockRef>,
}

impl Chain {
    fn block(&self, number: u64, branch: u8) -> Block {
        let mut hash = B256::from(U256::from(number));
        hash.0[0] = branch;
        hash.0[1] = u8::try_from(self.id).unwrap();
        Block {
            number,
            hash,
            parent_hash: self.tip.map(|tip| tip.hash).unwrap_or_default(),
            timestamp: Timestamp::from_unix_s(number).unwrap(),
        }
    }

    fn update(&self, number: u64, branch: u8, payments: &[(&Order, &str)]) -> ChainUpdate {
        let block = self.block(number, branch);
        let transfers = (0..)
            .zip(payments)
            .map(|(log_index, (order, paid))| Transfer {
                id: TransferId {
                    chain_id: chain_id(self.id),
                    block_hash: block.hash,
                    log_index,
                },
                block_number: number,
                block_timestamp: block.timestamp,
                tx_hash: B256::repeat_byte(0x77),
                token: token(self.id).address,
                from: Address::repeat_byte(0x99),
                to: order.options.first().unwrap().address,
                amount: amount(paid),
                paid_through: None,
            });
        ChainUpdate {
            chain_id: chain_id(self.id),
            previous: self.tip,
            retract_above: None,
            blocks: vec![CoveredBlock {
                block,
                transfers: transfers.collect(),
                notices: Vec::new(),
            }],
            tip: block,
            covers_from: Some(number),
            below: Vec::new(),
            tags: Tags::default(),
            node_head: number,
        }
    }

    async fn apply(&mut self, update: &ChainUpdate) -> Result<Applied, ReconcileError> {
        let applied = self.reconciler.apply(update, Timestamp::EPOCH).await?;
        self.tip = Some(update.tip.to_ref());
        Ok(applied)
    }

    async fn brings(&mut self, number: u64, payments: &[(&Order, &str)]) -> Applied {
        let update = self.update(number, 0, payments);
        self.apply(&update).await.unwrap()
    }
}

#[tokio::test]
async fn a_payment_is_seen_confirmed_and_told_once() {
    let shop = Shop::open().await;
    let order = shop.order(1, "100").await;
    let mut chain = shop.follows(1);
    chain.brings(10, &[(&order, "40")]).await;
    assert_eq!(shop.status(&order).await.0, OrderStatus::PartiallyPaid);
    chain.brings(11, &[(&order, "60")]).await;
    assert_eq!(
        shop.status(&order).await,
        (OrderStatus::Paid, "100".to_owned(), "40".to_owned())
    );
    chain.brings(12, &[]).await;
    assert_eq!(shop.status(&order).await.0, OrderStatus::Completed);
    let nothing = chain.brings(13, &[]).await;
    assert!(
        nothing.changes.is_empty(),
        "a completed order is left alone"
    );
    let told = shop.told(&order).await;
    assert_eq!(
        told.iter()
            .filter(|kind| **kind == EventKind::OrderCompleted)
            .count(),
        1
    );
    assert_eq!(told.first(), Some(&EventKind::OrderCreated));
}

#[tokio::test]
async fn an_order_made_after_the_loop_began_is_found() {
    let shop = Shop::open().await;
    let mut chain = shop.follows(1);
    chain.brings(10, &[]).await;
    let order = shop.order(1, "5").await;
    chain.brings(11, &[(&order, "5")]).await;
    assert_eq!(shop.status(&order).await.0, OrderStatus::Paid);
}

#[tokio::test]
async fn a_reorg_takes_back_what_it_removed_and_nothing_else() {
    let shop = Shop::open().await;
    let (tea, cake) = (shop.order(1, "5").await, shop.order(2, "7").await);
    let mut chain = shop.follows(1);
    chain.brings(10, &[(&tea, "5")]).await;
    chain.brings(11, &[(&cake, "7")]).await;
    assert_eq!(shop.status(&tea).await.0, OrderStatus::Completed);

    let common = chain.block(10, 0).to_ref();
    let mut update = chain.update(11, 1, &[]);
    update.retract_above = Some(common);
    chain.apply(&update).await.unwrap();

    assert_eq!(shop.status(&tea).await.0, OrderStatus::Completed);
    assert_eq!(shop.status(&cake).await.0, OrderStatus::AwaitingPayment);
    assert!(shop.told(&cake).await.contains(&EventKind::OrderReverted));
    assert!(!shop.told(&tea).await.contains(&EventKind::OrderReverted));
}

#[tokio::test]
async fn an_update_that_does_not_stand_on_the_stored_cursor_is_refused_whole() {
    let shop = Shop::open().await;
    let order = shop.order(1, "5").await;
    let mut chain = shop.follows(1);
    chain.brings(10, &[]).await;
    let mut behind = shop.follows(1);
    let update = behind.update(10, 0, &[(&order, "5")]);
    let refused = behind.apply(&update).await;
    assert!(
        matches!(refused, Err(ReconcileError::CursorMoved { .. })),
        "{refused:?}"
    );
    assert_eq!(shop.status(&order).await.1, "0");
}

#[tokio::test]
async fn what_was_final_before_a_restart_is_not_taken_back() {
    let shop = Shop::open().await;
    let order = shop.order(1, "5").await;
    let mut chain = shop.follows(1);
    chain.brings(10, &[]).await;
    let common = chain.tip;
    chain.brings(11, &[]).await;
    let mut final_now = chain.update(12, 0, &[]);
    final_now.tags.finalized = Some(12);
    chain.apply(&final_now).await.unwrap();

    let mut restarted = Chain {
        tip: chain.tip,
        ..shop.follows(1)
    };
    let mut update = restarted.update(11, 1, &[(&order, "5")]);
    update.retract_above = common;
    let refused = restarted.apply(&update).await;
    assert!(
        matches!(refused, Err(ReconcileError::ForkBelowFinalized { .. })),
        "{refused:?}"
    );
    assert_eq!(shop.status(&order).await.1, "0");
}

#[tokio::test]
async fn transfers_of_nothing_are_no_payments_of_an_order() {
    let shop = Shop::open().await;
    let order = shop.order(1, "5").await;
    let mut chain = shop.follows(1);
    let applied = chain.brings(10, &[(&order, "0")]).await;
    assert_eq!(applied.transfers, 1, "it is recorded");
    assert!(
        shop.store
            .order(order.id)
            .await
            .unwrap()
            .unwrap()
            .payments
            .is_empty()
    );
}

#[tokio::test]
async fn two_chains_that_pay_one_order_at_once_lose_nothing() {
    let shop = Shop::open().await;
    let order = shop.order(1, "40").await;
    let (one, two) = (shop.follows(1), shop.follows(2));
    let pay = |mut chain: Chain, order: Order| async move {
        for number in 1..=10 {
            chain.brings(number, &[(&order, "2")]).await;
        }
        chain.brings(11, &[]).await;
    };
    tokio::join!(pay(one, order.clone()), pay(two, order.clone()));
    let all = (OrderStatus::Completed, "40".to_owned(), "40".to_owned());
    assert_eq!(shop.status(&order).await, all);
}
