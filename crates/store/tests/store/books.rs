//! A fresh database, and the values that stories put into it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use paywatch_core::{
    Address, Amount, Asking, B256, ChainId, Decimals, FinalityRule, LatePolicy, Order, OrderId,
    PaymentMethod, PaymentOption, Timestamp, Token, U256,
};
use paywatch_store::test_postgres::PrivatePostgres;
use paywatch_store::{
    CreateOutcome, DatabaseUrl, EventRecord, NewOrder, OrderEvent, OrderFilter, OrderPage,
    OrderRecord, Page, Store,
};
use sqlx::{AnyConnection, Connection as _, Executor as _};
use tempfile::TempDir;

/// Where the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A fresh database and a store on it.
pub(crate) struct Books {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: TempDir,
}

impl Books {
    pub(crate) async fn fresh(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.path().join("books.sqlite").display()),
            Engine::Postgres => postgres().create_database().unwrap(),
        };
        Self {
            store: open(&url).await,
            url,
            _folder: folder,
        }
    }

    /// Another fresh database of the same engine.
    pub(crate) async fn beside(&self) -> Self {
        let is_file = self.url.starts_with("sqlite:");
        Self::fresh(if is_file {
            Engine::Sqlite
        } else {
            Engine::Postgres
        })
        .await
    }

    /// Another store on the same database, as another process would have.
    pub(crate) async fn second(&self) -> Store {
        open(&self.url).await
    }

    /// Runs a statement behind the store's back.
    pub(crate) async fn tamper(&self, statement: &'static str) {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&self.url).await.unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(crate) async fn order(&self, order: &Order) -> OrderRecord {
        self.store.order(order.id).await.unwrap().unwrap()
    }

    /// Makes `order`.
    pub(crate) async fn expects(&self, order: Order) -> Order {
        expects(&self.store, order).await
    }

    /// All events, which must be numbered without gaps, in all and for each order.
    pub(crate) async fn events(&self) -> Vec<EventRecord> {
        let events = self.store.events_after(0, u32::MAX).await.unwrap();
        let mut of_order: BTreeMap<OrderId, u64> = BTreeMap::new();
        for (seq, event) in (1..).zip(&events) {
            assert_eq!(event.seq, seq, "a gap in the log");
            let Some(event) = event.of_order() else {
                continue;
            };
            let order_seq = of_order.entry(event.order_id).or_default();
            *order_seq += 1;
            assert_eq!(event.order_seq, *order_seq, "a gap in an order's events");
        }
        events
    }

    /// What the events tell of orders.
    pub(crate) async fn order_events(&self) -> Vec<OrderEvent> {
        let events = self.events().await;
        let of_orders = events.iter().filter_map(EventRecord::of_order);
        of_orders.cloned().collect()
    }

    /// The names of the events of orders, without those of orders being made.
    pub(crate) async fn told(&self) -> Vec<&'static str> {
        let events = self.order_events().await;
        let names = events.iter().map(|event| event.event.kind.name());
        names.filter(|name| *name != "order.created").collect()
    }

    pub(crate) async fn list(&self, filter: &OrderFilter) -> OrderPage {
        self.store
            .orders(
                filter,
                Page {
                    before_seq: None,
                    limit: 100,
                },
            )
            .await
            .unwrap()
    }
}

pub(crate) async fn open(url: &str) -> Store {
    let url: DatabaseUrl = url.parse().unwrap();
    Store::open(&url).await.unwrap()
}

pub(crate) async fn expects(store: &Store, order: Order) -> Order {
    let outcome = store.create_order(&requested(&order, "d1")).await.unwrap();
    let CreateOutcome::Created(record) = &outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(record.order, order);
    order
}

/// One server for all stories.
fn postgres() -> &'static PrivatePostgres {
    static SERVER: OnceLock<PrivatePostgres> = OnceLock::new();
    SERVER.get_or_init(|| match PrivatePostgres::start() {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    })
}

pub(crate) fn requested(order: &Order, digest: &str) -> NewOrder {
    NewOrder {
        order: order.clone(),
        request_digest: digest.to_owned(),
        slots: Vec::new(),
        callback: None,
    }
}

pub(crate) fn chain(id: u64) -> ChainId {
    ChainId::new(id).unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// The time `seconds` after 1970.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_s(seconds).unwrap()
}

pub(crate) fn order_id(number: u64) -> OrderId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    OrderId::from_bytes(bytes)
}

pub(crate) fn address(kind: u8, number: u64) -> Address {
    let mut address = Address::repeat_byte(kind);
    address.0[12..].copy_from_slice(&number.to_be_bytes());
    address
}

pub(crate) fn hash(kind: u8, number: u64) -> B256 {
    let mut hash = B256::from(U256::from(number));
    hash.0[0] = kind;
    hash
}

/// USDT on a chain: 18 decimals on chain 56, else 6.
pub(crate) fn usdt(chain_id: u64) -> Token {
    let decimals = if chain_id == 56 { 18 } else { 6 };
    Token {
        chain_id: chain(chain_id),
        address: address(0xDA, chain_id),
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(decimals).unwrap(),
    }
}

/// A way to pay order `number` on a chain, confirmed by two blocks.
pub(crate) fn option(number: u64, chain_id: u64) -> PaymentOption {
    PaymentOption {
        token: usdt(chain_id),
        address: address(0xA0, number),
        method: PaymentMethod::DepositAddress {
            factory: address(0xFA, chain_id),
            treasury: address(0x7E, 1),
        },
        finality: FinalityRule::confirmations(2).unwrap(),
    }
}

/// Order `number` over 100, payable on chains 1 and 56 until second 10,000.
pub(crate) fn order(number: u64) -> Order {
    Order {
        id: order_id(number),
        reference: format!("INV-{number}").parse().unwrap(),
        amount: amount("100"),
        asking: Asking::Exactly,
        accepted: None,
        tolerance: Amount::ZERO,
        late_policy: LatePolicy::Accept,
        options: vec![option(number, 1), option(number, 56)],
        created_at: at(number),
        expires_at: at(10_000),
        grace_ms: 0,
        cancelled_at: None,
        metadata: BTreeMap::new(),
    }
}
