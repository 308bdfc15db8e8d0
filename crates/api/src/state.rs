//! What the handlers need: the store, the shop's offer, the chains' conditions, a clock.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use paywatch_core::{
    Address, AddressForm, ChainId, FinalityPolicy, LatePolicy, MethodKind, SlotTerms, Timestamp,
    Token, Tolerance,
};
use paywatch_store::{OrderRecord, Store};

use crate::changes::Changes;
use crate::checkout::Checkout;
use crate::condition::ConditionBoard;
use crate::endpoints::WebhookDesk;
use crate::epusdt::Epusdt;
use crate::events::feed::Feed;
use crate::events::keys_in_use::KeysInUse;
use crate::idempotency::Attempts;
use crate::limits::streams::Streams;
use crate::limits::{LimitSettings, Limits};
use crate::orders::callbacks::Callbacks;
use crate::present::LastLook;

/// A wall clock.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .ok()
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .and_then(|ms| Timestamp::from_unix_ms(ms).ok())
            .unwrap_or(Timestamp::EPOCH)
    }
}

/// The metrics of the program.
pub trait Metrics: Send + Sync + fmt::Debug {
    /// All of them, in the text format of Prometheus.
    fn render(&self) -> String;
}

/// What orders may ask for.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The chains on which money is taken.
    pub chains: Vec<ChainOffer>,
    /// How long an order may be paid if it does not say.
    pub default_expiry: Duration,
    /// How long an order may be paid at most.
    pub max_expiry: Duration,
    /// For how long after the deadline money is still in time if an order does not say.
    pub grace: Duration,
    /// What happens with money after the deadline.
    pub late_policy: LatePolicy,
    /// How much less than the asked amount is still enough.
    pub tolerance: Tolerance,
    /// The symbols of the tokens that an order may be paid in if it does not say; all, if there
    /// are none.
    pub tokens: Option<Vec<String>>,
    /// The methods by which an order may be paid if it does not say.
    pub methods: Vec<MethodKind>,
    /// How exact amounts are told apart.
    pub exact: SlotTerms,
    /// The largest request body, in bytes.
    pub body_limit: usize,
}

/// A chain on which money is taken.
#[derive(Clone, Debug)]
pub struct ChainOffer {
    /// Its id.
    pub id: ChainId,
    /// What the merchant calls it.
    pub name: String,
    /// The tokens that count.
    pub tokens: Vec<Token>,
    /// Where the money goes.
    pub treasury: Address,
    /// The factory that deposit addresses are derived from.
    pub factory: Address,
    /// The payment receiver, if orders may be paid by calling it.
    pub receiver: Option<Address>,
    /// Wallets at which orders may be paid by exact amounts.
    pub wallets: Vec<Address>,
    /// When a payment is confirmed.
    pub finality: FinalityPolicy,
}

impl ChainOffer {
    /// Whether an order can be paid here by `method`. Tron derives CREATE2 addresses in a way of
    /// its own (TIP-26), and the factory would not have the same address there.
    #[must_use]
    pub fn has(&self, method: MethodKind) -> bool {
        match method {
            MethodKind::DepositAddress => AddressForm::of(self.id) == AddressForm::Eip55,
            MethodKind::Contract => self.receiver.is_some(),
            MethodKind::ExactAmount => !self.wallets.is_empty(),
        }
    }
}

impl ChainOffer {
    /// How an order is paid here by scanning an address.
    pub(crate) fn scanned(&self) -> Option<MethodKind> {
        let methods = [MethodKind::DepositAddress, MethodKind::ExactAmount];
        methods.into_iter().find(|method| self.has(*method))
    }
}

impl Shop {
    /// The chain with this name or id.
    #[must_use]
    pub fn chain(&self, name_or_id: &str) -> Option<&ChainOffer> {
        self.chains
            .iter()
            .find(|chain| chain.name == name_or_id || chain.id.to_string() == name_or_id)
    }

    /// What to tell somebody who names a chain that is not here.
    pub(crate) fn not_configured(&self, name: &str) -> String {
        let known: Vec<_> = self
            .chains
            .iter()
            .map(|chain| chain.name.as_str())
            .collect();
        format!("{name:?} is not configured; known are {}", known.join(", "))
    }

    /// What to call a chain that an order names; its number if it is no longer configured.
    #[must_use]
    pub fn name_of(&self, id: ChainId) -> String {
        let known = self.chains.iter().find(|chain| chain.id == id);
        known.map_or_else(|| id.to_string(), |chain| chain.name.clone())
    }
}

/// How requests come in.
#[derive(Clone, Debug)]
pub struct Access {
    /// The proxies whose word on the client's address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// How old a signature may be, in milliseconds.
    pub signature_window_ms: i64,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            signature_window_ms: 300_000,
            body_timeout: Duration::from_secs(10),
        }
    }
}

/// What every handler gets. Cheap to clone: each request does so many times.
#[derive(Clone, Debug)]
pub struct ApiState(Arc<Parts>);

/// What an [`ApiState`] holds.
#[derive(Clone, Debug)]
pub struct Parts {
    pub(crate) store: Store,
    pub(crate) shop: Arc<Shop>,
    pub(crate) board: ConditionBoard,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Option<Arc<dyn Metrics>>,
    pub(crate) checkout: Option<Arc<Checkout>>,
    pub(crate) desk: Option<Arc<dyn WebhookDesk>>,
    pub(crate) attempts: Attempts,
    pub(crate) changes: Changes,
    pub(crate) access: Access,
    pub(crate) limits: Arc<Limits>,
    pub(crate) feed: Feed,
    pub(crate) streams: Streams,
    pub(crate) keys_in_use: KeysInUse,
    pub(crate) callbacks: Callbacks,
    pub(crate) last_look: LastLook,
    pub(crate) epusdt: Option<Arc<Epusdt>>,
}

impl ApiState {
    /// Puts together what the handlers need.
    #[must_use]
    pub fn new(store: Store, shop: Shop, board: ConditionBoard, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Parts {
            store,
            shop: Arc::new(shop),
            board,
            clock,
            metrics: None,
            checkout: None,
            desk: None,
            attempts: Attempts::default(),
            changes: Changes::default(),
            access: Access::default(),
            limits: Arc::new(Limits::new(LimitSettings::default())),
            feed: Feed::default(),
            streams: Streams::default(),
            keys_in_use: KeysInUse::default(),
            callbacks: Callbacks::default(),
            last_look: LastLook::default(),
            epusdt: None,
        }))
    }

    fn with(mut self, set: impl FnOnce(&mut Parts)) -> Self {
        set(Arc::make_mut(&mut self.0));
        self
    }

    /// This, and what an earlier process of the same name had begun and not answered may be asked
    /// again at once. No two that run at a time have one name.
    #[must_use]
    pub fn with_name(self, name: &str) -> Self {
        self.with(|parts| parts.attempts = Attempts::of(name))
    }

    /// This, with requests that come in by `access`.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        self.with(|parts| parts.access = access)
    }

    /// This, with these limits.
    #[must_use]
    pub fn with_limits(self, limits: LimitSettings) -> Self {
        self.with(|parts| parts.limits = Arc::new(Limits::new(limits)))
    }

    /// This, and `/metrics` shows `metrics`.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<dyn Metrics>) -> Self {
        self.with(|parts| parts.metrics = Some(metrics))
    }

    /// This, and orders may name where they are told of, as far as `callbacks` allow it.
    #[must_use]
    pub fn with_callbacks(self, callbacks: Callbacks) -> Self {
        self.with(|parts| parts.callbacks = callbacks)
    }

    /// This, and plugins for epusdt are served.
    #[must_use]
    pub fn with_epusdt(self, epusdt: Epusdt) -> Self {
        self.with(|parts| parts.epusdt = Some(Arc::new(epusdt)))
    }

    /// This, and orders have pages of their own on which they are paid.
    #[must_use]
    pub fn with_checkout(self, checkout: Checkout) -> Self {
        self.with(|parts| parts.checkout = Some(Arc::new(checkout)))
    }

    /// This, and webhooks can be managed.
    #[must_use]
    pub fn with_webhooks(self, desk: Arc<dyn WebhookDesk>) -> Self {
        self.with(|parts| parts.desk = Some(desk))
    }

    /// How many streams are open.
    #[must_use]
    pub fn open_streams(&self) -> usize {
        self.streams.count()
    }

    /// Where an order is paid; `None` if no pages are shown.
    pub(crate) fn checkout_url(&self, record: &OrderRecord) -> Option<String> {
        Some(self.checkout.as_ref()?.url(record.checkout?))
    }
}

impl Deref for ApiState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
