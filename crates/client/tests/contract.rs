//! The client's own types against the real API, over a real socket: what a merchant's service
//! relies on.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use paywatch_api::{
    ApiState, ChainCondition, ChainOffer, ConditionBoard, LimitSettings, ServeSettings, Shop,
    SystemClock, keys, router, serve,
};
use paywatch_client::{Client, ClientError, CreateOrder, ListOrders, Problem};
use paywatch_core::{
    Address, B256, Block, ChainHeads, ChainId, Decimals, DecisionKind, FinalityRule, LatePolicy,
    MethodKind, SlotTerms, Timestamp, Token, Tolerance,
};
use paywatch_store::{ChainCommit, KeyRate, KeyTerms, NewDecision, Store};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

/// A running API with one chain, `anvil`.
struct Server {
    url: Url,
    client: Client,
    board: ConditionBoard,
    store: Store,
    _folder: TempDir,
}

fn anvil() -> ChainId {
    ChainId::new(31_337).expect("a chain's id")
}

/// Amounts a hundredth apart, at most two hundredths more than asked.
fn exact() -> SlotTerms {
    let amount = |text: &str| text.parse().expect("an amount");
    SlotTerms::new(amount("0.01"), amount("0.02"), 60_000).expect("a step")
}

fn shop() -> Shop {
    let token = Token {
        chain_id: anvil(),
        address: Address::repeat_byte(0x55),
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(6).expect("at most 18"),
    };
    let chain = ChainOffer {
        id: anvil(),
        name: "anvil".to_owned(),
        tokens: vec![token],
        treasury: Address::repeat_byte(0x77),
        factory: Address::repeat_byte(0x44),
        receiver: None,
        wallets: vec![Address::repeat_byte(0x33)],
        finality: FinalityRule::confirmations(3).expect("at least 1").into(),
    };
    Shop {
        chains: vec![chain],
        default_expiry: Duration::from_secs(3_600),
        max_expiry: Duration::from_secs(86_400),
        grace: Duration::ZERO,
        late_policy: LatePolicy::Hold,
        tolerance: Tolerance::default(),
        tokens: None,
        methods: vec![MethodKind::DepositAddress],
        exact: exact(),
        body_limit: 4_096,
    }
}

/// Makes a key for what `terms` say.
async fn key(store: &Store, terms: KeyTerms) -> SecretString {
    let (key, stored) = keys::mint_with("shop", terms, Timestamp::EPOCH);
    let decision = NewDecision {
        id: format!("dec_{}", stored.id),
        kind: DecisionKind::CreateKey,
        reason: "for a test".parse().expect("a reason"),
        by: "tester".to_owned(),
        detail: String::new(),
        at: Timestamp::EPOCH,
    };
    let made = store.create_api_key(&stored, &decision).await;
    made.expect("a key");
    key
}

impl Server {
    /// Starts it behind the path `/pay`, as a merchant's proxy may.
    async fn start() -> Self {
        // Of several tests in one process, the first installs it.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("books.db").display());
        let store = Store::open(&url.parse().expect("a database's URL")).await;
        let store = store.expect("a database");
        let key = key(&store, KeyTerms::unlimited()).await;
        let board = ConditionBoard::new([anvil()]);
        let limits = LimitSettings {
            block_after: 2,
            ..LimitSettings::default()
        };
        let state = ApiState::new(store.clone(), shop(), board.clone(), Arc::new(SystemClock))
            .with_limits(limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let app = axum::Router::new().nest("/pay", router(state));
        let never = std::future::pending();
        tokio::spawn(serve(listener, app, ServeSettings::default(), never));
        let url: Url = format!("http://{address}/pay").parse().expect("a URL");
        let client = Client::new(url.clone(), key).expect("a client");
        Self {
            url,
            client,
            board,
            store,
            _folder: folder,
        }
    }
}

impl Server {
    /// Reads the chain's first block: before that, nobody may be told to pay there.
    async fn covers_anvil(&self) {
        let tip = Block {
            number: 1,
            hash: B256::repeat_byte(1),
            parent_hash: B256::ZERO,
            timestamp: Timestamp::EPOCH,
        };
        let update = ChainCommit {
            chain_id: anvil(),
            expected: None,
            heads: ChainHeads::starting_at(anvil(), tip),
            node_head: 1,
            retract_above: None,
            first_covered: Some(tip.number),
            blocks: vec![tip],
            keep_blocks: 64,
            transfers: Vec::new(),
            disproved: Vec::new(),
            proofs: Vec::new(),
            changes: Vec::new(),
            deferred: Vec::new(),
            chain_events: Vec::new(),
            loose: Vec::new(),
            payment_events: Vec::new(),
            imports: Vec::new(),
            freezes: Vec::new(),
            at: Timestamp::EPOCH,
        };
        self.store.commit_update(&update).await.expect("a block");
    }
}

fn request(reference: &str, amount: &str) -> CreateOrder {
    CreateOrder {
        reference: reference.to_owned(),
        amount: amount.to_owned(),
        ..CreateOrder::default()
    }
}

fn problem<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Problem {
    match result {
        Err(ClientError::Problem(problem)) => *problem,
        Ok(_)
        | Err(
            ClientError::Unreachable { .. }
            | ClientError::Unexpected { .. }
            | ClientError::Setup { .. },
        ) => panic!("not a problem: {result:?}"),
    }
}

#[tokio::test]
async fn an_order_is_made_read_and_listed() {
    let server = Server::start().await;
    server.covers_anvil().await;
    let asked = CreateOrder {
        chains: Some(vec!["anvil".to_owned()]),
        expires_in: Some("30m".to_owned()),
        metadata: [("customer".to_owned(), "42".to_owned())].into(),
        ..request("INV-1001", "100.5")
    };
    let order = server.client.create_order(&asked).await.expect("an order");
    assert_eq!(order.reference, "INV-1001");
    assert_eq!(order.status, "awaiting_payment");
    assert_eq!(
        (order.amount.as_str(), order.remaining.as_str()),
        ("100.5", "100.5")
    );
    assert_eq!(order.late_policy, "hold");
    assert_eq!(order.metadata, asked.metadata);
    let option = &order.options[0];
    assert_eq!((option.chain.as_str(), option.chain_id), ("anvil", 31_337));
    assert_eq!(option.method, "deposit_address");
    assert_eq!(option.amount_base_units, "100500000");
    assert!(option.uri.starts_with("ethereum:0x"), "{}", option.uri);

    let again = server.client.create_order(&asked).await;
    assert_eq!(again.expect("the same order"), order);
    assert_eq!(
        server.client.order(&order.id).await.expect("it is there"),
        order
    );
    let other = server.client.create_order(&request("INV-1002", "1")).await;
    let other = other.expect("another order");
    let first_of = ListOrders {
        limit: Some(1),
        status: Some("awaiting_payment".to_owned()),
        chain: Some("anvil".to_owned()),
        ..ListOrders::default()
    };
    let page = server.client.orders(&first_of).await.expect("a page");
    assert_eq!((page.data, page.has_more), (vec![other], true));
    let next = ListOrders {
        cursor: page.next_cursor,
        ..first_of
    };
    let page = server.client.orders(&next).await.expect("a page");
    assert_eq!(
        (page.data, page.has_more, page.next_cursor),
        (vec![order], false, None)
    );
}

#[tokio::test]
async fn chains_and_readiness_are_read_ready_or_not() {
    let server = Server::start().await;
    let chains = server.client.chains().await.expect("the chains");
    assert_eq!((chains.len(), chains[0].name.as_str()), (1, "anvil"));
    assert_eq!(chains[0].finality.confirmations, 3);
    assert_eq!(
        (&chains[0].covered_up_to, chains[0].lag_blocks),
        (&None, None)
    );

    let ready = server.client.ready().await.expect("an answer");
    assert!(
        !ready.ready && ready.chains[0].condition == "starting",
        "{ready:?}"
    );
    server.board.set(anvil(), ChainCondition::Following);
    let ready = server.client.ready().await.expect("an answer");
    assert!(ready.ready && ready.database == "ok", "{ready:?}");
}

#[tokio::test]
async fn a_refusal_says_what_to_change() {
    let server = Server::start().await;
    let refused = problem(server.client.create_order(&request("", "1e3")).await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (422, "invalid_fields")
    );
    let fields: Vec<_> = refused.errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["reference", "amount"]);
    let text = refused.to_string();
    assert!(
        text.contains("amount: not a plain decimal number"),
        "{text}"
    );

    let missing = "ord_00000000000000000000000000000000";
    let refused = problem(server.client.order(missing).await);
    assert_eq!((refused.status, refused.code.as_str()), (404, "not_found"));
    assert!(refused.to_string().contains(missing), "{refused}");

    let wrong = Client::new(server.url.clone(), "pw_live_wrong".into()).expect("a client");
    let refused = problem(wrong.chains().await);
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (401, "unauthorized")
    );
    assert!(refused.to_string().contains("key"), "{refused}");
}

#[tokio::test]
async fn what_is_not_paywatch_is_told_from_nobody() {
    let server = Server::start().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = elsewhere.local_addr().expect("an address");
    drop(elsewhere);
    let url: Url = format!("http://{address}").parse().expect("a URL");
    let client = Client::new(url, "pw_live_1".into()).expect("a client");
    let nobody = client.chains().await.expect_err("nobody is there");
    assert!(
        matches!(nobody, ClientError::Unreachable { .. }),
        "{nobody:?}"
    );
    assert!(
        nobody.to_string().contains("is `paywatch run` running"),
        "{nobody}"
    );

    // Beside the API, this server answers without a body.
    let beside = server.url.join("/beside").expect("a URL");
    let client = Client::new(beside, "pw_live_1".into()).expect("a client");
    let stranger = client.chains().await.expect_err("it is not paywatch");
    assert!(
        matches!(stranger, ClientError::Unexpected { .. }),
        "{stranger:?}"
    );
    assert!(stranger.to_string().contains("check the URL"), "{stranger}");
}

#[tokio::test]
async fn nothing_is_sent_that_cannot_be_meant() {
    let server = Server::start().await;
    for id in ["", "../chains", "ord_1?x=1", "ord 1"] {
        let refused = server.client.order(id).await.expect_err("it is no id");
        assert!(matches!(refused, ClientError::Setup { .. }), "{refused:?}");
    }
    for url in [
        "ftp://127.0.0.1",
        "mailto:shop@example.org",
        "localhost:8080",
    ] {
        let refused = Client::new(url.parse().expect("a URL"), "k".into());
        let refused = refused.expect_err("it is not of HTTP");
        assert!(refused.to_string().contains("http://"), "{refused}");
    }
}

#[tokio::test]
async fn a_block_is_seen_and_lifted() {
    let server = Server::start().await;
    let once = KeyTerms {
        rate: Some(KeyRate {
            per_minute: NonZeroU32::MIN,
            burst: NonZeroU32::MIN,
        }),
        ..KeyTerms::unlimited()
    };
    let key = key(&server.store, once).await;
    let hasty = Client::new(server.url.clone(), key).expect("a client");
    hasty.chains().await.expect("the first call");
    for code in ["rate_limited", "rate_limited", "blocked", "blocked"] {
        let problem = problem(hasty.chains().await);
        assert_eq!(problem.code, code);
    }
    let blocks = server.client.blocked().await.expect("a list");
    let [block] = blocks.as_slice() else {
        panic!("{blocks:?}");
    };
    assert_eq!(block.kind, "key");
    let lifted = server
        .client
        .unblock(&block.id)
        .await
        .expect("it is lifted");
    assert_eq!(&lifted, block);
    hasty.chains().await.expect("as if for the first time");
    assert_eq!(
        problem(server.client.unblock(&block.id).await).code,
        "not_found"
    );
}
