//! The loop of a chain goes on while many orders expire at once.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{
    Address, Amount, Asking, BlockNumber, ChainId, Decimals, FinalityRule, FinalityTag, LatePolicy,
    Order, OrderId, OrderStatus, PaymentMethod, PaymentOption, Timestamp, Token,
};
use paywatch_indexer::FollowSettings;
use paywatch_reconciler::{AddressBook, AgentSettings, ChainAgent};
use paywatch_simulator::bulk::payee;
use paywatch_simulator::{Faults, Ledger as _, SimChain, SimNode};
use paywatch_store::{History, NewOrder, OrderFilter, Page, Store};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const START_S: u64 = 1_000_000;
const DEADLINE_S: u64 = START_S + 500;
/// So many that they take many commits.
const ORDERS: u64 = 10_000;
const PATIENCE: Duration = Duration::from_secs(120);

fn token() -> Token {
    Token {
        chain_id: ChainId::new(901).unwrap(),
        address: Address::repeat_byte(0x70),
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(6).unwrap(),
    }
}

fn order(number: u64) -> Order {
    Order {
        id: OrderId::from_bytes(u128::from(number).to_be_bytes()),
        reference: format!("INV-{number}").parse().unwrap(),
        amount: "100".parse().unwrap(),
        asking: Asking::Exactly,
        accepted: None,
        tolerance: Amount::ZERO,
        late_policy: LatePolicy::Accept,
        options: vec![PaymentOption {
            token: token(),
            address: payee(number),
            method: PaymentMethod::DepositAddress {
                factory: Address::repeat_byte(0xfa),
                treasury: Address::repeat_byte(0xee),
            },
            finality: FinalityRule::confirmations(2).unwrap(),
        }],
        created_at: Timestamp::from_unix_s(START_S).unwrap(),
        expires_at: Timestamp::from_unix_s(DEADLINE_S).unwrap(),
        grace_ms: 0,
        cancelled_at: None,
        metadata: BTreeMap::new(),
    }
}

fn agent(store: &Store, chain: &Arc<SimChain>) -> ChainAgent {
    let follow = FollowSettings {
        chain_id: chain.chain_id(),
        receivers: Vec::new(),
        tokens: vec![token()],
        poll_interval: Duration::from_millis(1),
        watchdog: Duration::from_secs(5),
        gather: Duration::ZERO,
        window: 64,
        near: 64,
        max_range: 100,
        ranges_at_once: 1,
        filter_up_to: 200,
        blooms: true,
        tags: vec![FinalityTag::Finalized],
        tag_interval: Duration::from_secs(1),
    };
    let settings = AgentSettings {
        checked_tokens: follow.tokens.clone(),
        follow,
        first_block: None,
        proofs: false,
        dust: Amount::ZERO,
        stall_after: None,
        finality_stall_after: None,
    };
    let node = SimNode::new(Arc::clone(chain), Faults::new(1, Vec::new()));
    let book = Arc::new(AddressBook::new(store.clone()));
    let clock = Arc::new(|| Timestamp::EPOCH);
    ChainAgent::new(store.clone(), book, Arc::new(node), settings, clock)
}

async fn tip(store: &Store) -> Option<BlockNumber> {
    let chains = store.chains().await.unwrap();
    chains.first().map(|chain| chain.heads.tip.number)
}

async fn has_open(store: &Store) -> bool {
    let filter = OrderFilter {
        statuses: vec![OrderStatus::AwaitingPayment],
        ..OrderFilter::default()
    };
    let page = Page {
        before_seq: None,
        limit: 1,
    };
    !store.orders(&filter, page).await.unwrap().orders.is_empty()
}

/// Waits until the chain is covered up to a block of this height or a higher one.
async fn covered(store: &Store, height: BlockNumber) {
    while tip(store).await.is_none_or(|tip| tip < height) {
        sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_committed_while_many_orders_expire() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("books.sqlite").display());
    let store = Store::open(&url.parse().unwrap()).await.unwrap();
    let histories: Vec<_> = (0..ORDERS)
        .map(|number| History {
            new: NewOrder {
                order: order(number),
                request_digest: format!("{number:064x}"),
                slots: Vec::new(),
                callback: None,
            },
            transfers: Vec::new(),
            changes: Vec::new(),
        })
        .collect();
    store.fill(&histories).await.unwrap();
    let tokens = vec![(token().address, 6)];
    let chain = Arc::new(SimChain::new(token().chain_id, START_S, 1, tokens));
    chain.mine(Vec::new());
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(agent(&store, &chain).run(shutdown.clone()));
    timeout(PATIENCE, covered(&store, 1)).await.unwrap();

    let late = chain.mine_at(DEADLINE_S + 1, Vec::new()).header.number;
    timeout(PATIENCE, covered(&store, late)).await.unwrap();
    for height in late + 1..=late + 3 {
        chain.mine(Vec::new());
        timeout(PATIENCE, covered(&store, height)).await.unwrap();
    }
    assert!(has_open(&store).await, "the chain waited for its orders");

    let all_expired = async {
        while has_open(&store).await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, all_expired).await.unwrap();
    shutdown.cancel();
    running.await.unwrap();
}
