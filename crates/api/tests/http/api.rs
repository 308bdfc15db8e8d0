//! An API over an empty SQLite database, with a key, a driven clock and two chains.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use paywatch_api::{
    Access, ApiState, ChainOffer, Checkout, Clock, ConditionBoard, LimitSettings, Shop, keys,
    router,
};
use paywatch_core::{
    Address, B256, Block, ChainHeads, ChainId, Decimals, DecisionKind, FinalityRule, LatePolicy,
    MethodKind, SlotTerms, Timestamp, Token, Tolerance,
};
use paywatch_store::{ChainCommit, KeyRate, KeyTerms, NewDecision, Store};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::desk::Desk;

/// The largest body that this API takes.
pub(crate) const BODY_LIMIT: usize = 4_096;
/// One of EIP-55's own examples.
pub(crate) const CHECKSUMMED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
/// Where payers reach it.
pub(crate) const PAY_AT: &str = "https://pay.example.com/shop";
/// What the merchant calls himself.
pub(crate) const HOSTILE: &str = "Tea & <script>alert(\"1\")</script>";
/// When every test begins.
const START_MS: i64 = 1_700_000_000_000;

/// Where requests come from that say nothing else.
const PEER: &str = "192.0.2.1:4000";

/// A clock that goes only when told.
#[derive(Debug)]
pub(crate) struct DrivenClock(AtomicI64);

impl Clock for DrivenClock {
    fn now(&self) -> Timestamp {
        let ms = self.0.load(Ordering::SeqCst);
        Timestamp::from_unix_ms(ms).expect("a time that a test set")
    }
}

/// An API and what is behind it.
pub(crate) struct Api {
    pub(crate) router: Router,
    state: ApiState,
    shop: Shop,
    key: SecretString,
    pub(crate) key_id: String,
    pub(crate) store: Store,
    pub(crate) board: ConditionBoard,
    pub(crate) clock: Arc<DrivenClock>,
    _folder: TempDir,
}

/// What the API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) fn chain_id(id: u64) -> ChainId {
    ChainId::new(id).expect("a chain's id")
}

fn chain(id: u64, name: &str, decimals: u8) -> ChainOffer {
    ChainOffer {
        id: chain_id(id),
        name: name.to_owned(),
        tokens: vec![Token {
            chain_id: chain_id(id),
            address: Address::repeat_byte(0x55),
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(decimals).expect("at most 18"),
        }],
        treasury: Address::repeat_byte(0x77),
        factory: CHECKSUMMED.parse().expect("an address"),
        receiver: None,
        wallets: vec![Address::repeat_byte(0x33)],
        finality: FinalityRule::confirmations(3).expect("at least 1").into(),
    }
}

/// Amounts a hundredth apart, at most two hundredths more than asked.
fn exact() -> SlotTerms {
    let amount = |text: &str| text.parse().expect("an amount");
    SlotTerms::new(amount("0.01"), amount("0.02"), 60_000).expect("a step")
}

impl Api {
    /// An API that takes USDT on `anvil` (31337, 6 decimals) and `bnb` (56, 18 decimals), both of
    /// which are read up to a block made a minute ago.
    pub(crate) async fn open() -> Self {
        let api = Self::open_unread().await;
        for chain in [31_337, 56] {
            api.cover(chain).await;
        }
        api
    }

    /// Reads the first block of `chain`.
    pub(crate) async fn cover(&self, chain: u64) {
        let tip = Block {
            number: 1,
            hash: B256::repeat_byte(0x01),
            parent_hash: B256::ZERO,
            timestamp: Timestamp::from_unix_ms(START_MS.saturating_sub(60_000)).expect("a time"),
        };
        let update = ChainCommit {
            chain_id: chain_id(chain),
            expected: None,
            heads: ChainHeads::starting_at(chain_id(chain), tip),
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
            at: self.clock.now(),
        };
        self.store.commit_update(&update).await.expect("a block");
    }

    /// The same, before any block was read.
    pub(crate) async fn open_unread() -> Self {
        let clock = Arc::new(DrivenClock(AtomicI64::new(START_MS)));
        Self::with_clock(Arc::clone(&clock), clock).await
    }

    /// An API whose handlers look at another clock.
    pub(crate) async fn with_clock(clock: Arc<DrivenClock>, shown: Arc<dyn Clock>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("books.db").display());
        let store = Store::open(&url.parse().expect("a database's URL"))
            .await
            .expect("a database");
        let (key, key_id) = mint(&store, KeyTerms::unlimited(), clock.now()).await;
        let shop = Shop {
            chains: vec![chain(31_337, "anvil", 6), chain(56, "bnb", 18)],
            default_expiry: Duration::from_secs(3_600),
            max_expiry: Duration::from_secs(86_400),
            grace: Duration::ZERO,
            late_policy: LatePolicy::Accept,
            tolerance: Tolerance::default(),
            tokens: None,
            methods: vec![MethodKind::DepositAddress],
            exact: exact(),
            body_limit: BODY_LIMIT,
        };
        let board = ConditionBoard::new([chain_id(31_337), chain_id(56)]);
        let checkout = Checkout {
            public_url: PAY_AT.to_owned(),
            merchant_name: Some(HOSTILE.to_owned()),
            chain_titles: [(chain_id(56), "BNB Smart Chain (BEP-20)".to_owned())].into(),
        };
        let state = ApiState::new(store.clone(), shop.clone(), board.clone(), shown);
        let desk = Arc::new(Desk::default());
        let state = state.with_checkout(checkout).with_webhooks(desk);
        Self {
            // Nobody calls too often where the clock stands still.
            router: router(state.clone().with_limits(limits(600, 100_000))),
            state,
            shop,
            key,
            key_id,
            store,
            board,
            clock,
            _folder: folder,
        }
    }

    /// The same with something more.
    pub(crate) fn serving(self, more: impl FnOnce(ApiState) -> ApiState) -> Self {
        let state = more(self.state.clone());
        Self {
            router: router(state.clone().with_limits(limits(600, 100_000))),
            state,
            ..self
        }
    }

    /// The same with these limits, and requests that come in by `access`.
    pub(crate) fn with(self, limits: LimitSettings, access: Access) -> Self {
        let state = self.state.clone().with_limits(limits).with_access(access);
        Self {
            router: router(state),
            ..self
        }
    }

    /// The same with no webhooks.
    pub(crate) fn without_webhooks(self) -> Self {
        let (store, clock) = (self.store.clone(), Arc::clone(&self.clock));
        let state = ApiState::new(store, self.shop.clone(), self.board.clone(), clock);
        Self {
            router: router(state),
            ..self
        }
    }

    pub(crate) fn open_streams(&self) -> usize {
        self.state.open_streams()
    }

    /// Another key, for what `terms` say: what to send as authorization, and its id.
    pub(crate) async fn another_key(&self, terms: KeyTerms) -> (String, String) {
        let (key, id) = mint(&self.store, terms, self.clock.now()).await;
        (format!("Bearer {}", key.expose_secret()), id)
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds.saturating_mul(1_000), Ordering::SeqCst);
    }

    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.key.expose_secret())
    }

    /// The key itself.
    pub(crate) fn bare_key(&self) -> &str {
        self.key.expose_secret()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().unix_ms()
    }

    /// Sends `request` as it is. Whatever the answer, it carries the request's id.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.open_body(request).await.into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.expect("a body"),
        }
    }

    /// The same, and leaves the body of the answer to be read.
    pub(crate) async fn open_body(&self, mut request: Request<Body>) -> Response {
        if request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .is_none()
        {
            let peer: SocketAddr = PEER.parse().expect("an address");
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.expect("an answer");
        assert!(answer.headers().contains_key("x-request-id"), "{answer:?}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", self.authorization());
        self.send(request.body(Body::empty()).expect("a request"))
            .await
    }

    /// Asks for an order with this body.
    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/v1/orders")
            .header("authorization", self.authorization())
            .header("content-type", "application/json")
            .body(body.into());
        self.send(request.expect("a request")).await
    }

    /// Makes an order of 100.
    pub(crate) async fn order(&self, reference: &str) -> Value {
        let body = serde_json::json!({"reference": reference, "amount": "100"});
        let answer = self.post(body.to_string()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()
    }

    /// The references of the orders that `query` finds.
    pub(crate) async fn references(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/v1/orders?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let page = answer.json();
        let orders = page["data"].as_array().expect("a list");
        orders
            .iter()
            .map(|order| order["reference"].as_str().expect("a text").to_owned())
            .collect()
    }
}

/// So many requests a minute and so many at once.
pub(crate) fn limits(per_minute: u32, burst: u32) -> LimitSettings {
    let number = |number| NonZeroU32::new(number).expect("at least 1");
    LimitSettings {
        rate: KeyRate {
            per_minute: number(per_minute),
            burst: number(burst),
        },
        ..LimitSettings::default()
    }
}

async fn mint(store: &Store, terms: KeyTerms, now: Timestamp) -> (SecretString, String) {
    let (key, stored) = keys::mint_with("shop", terms, now);
    let decision = decision(DecisionKind::CreateKey, &stored.id, now);
    store
        .create_api_key(&stored, &decision)
        .await
        .expect("a key");
    (key, stored.id)
}

/// What somebody at the command line decides about a key.
pub(crate) fn decision(kind: DecisionKind, key: &str, at: Timestamp) -> NewDecision {
    NewDecision {
        id: format!("dec_{kind}_{key}"),
        kind,
        reason: "for a test".parse().expect("a reason"),
        by: "tester".to_owned(),
        detail: key.to_owned(),
        at,
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The problem that the answer must be, with this status and code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!(self.status.as_u16(), status, "{problem}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(
            problem["type"],
            format!("/docs/problems#{code}"),
            "{problem}"
        );
        assert!(problem["title"].is_string(), "{problem}");
        assert_eq!(
            problem["request_id"].as_str(),
            self.header("x-request-id"),
            "{problem}"
        );
        problem
    }
}
