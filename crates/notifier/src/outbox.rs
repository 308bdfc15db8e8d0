//! Queues what the event log tells for those who want to know, and leads the lanes that deliver it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{EndpointId, EndpointKind};
use paywatch_store::{EndpointRecord, Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::lane::{Lane, LaneSettings, Orders, Shared};
use crate::post::in_one_line;
use crate::telling::{Carrier, Clock, Render};

/// For how long an endpoint is this program's.
const LEASE: Duration = Duration::from_secs(10);
/// How often that is renewed.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// How often the log is looked at though nothing was committed here: other programs write, too.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// However much is committed here, the endpoints are looked at no more often.
const LOOK_AT_MOST_EVERY: Duration = Duration::from_millis(100);
/// How long commits are let gather before they are queued.
const GATHER: Duration = Duration::from_millis(4);
/// Events that are queued in one transaction.
const QUEUE_AT_ONCE: u32 = 1_000;
/// How long to wait for what is under way when the program ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells everybody who wants to know of what the event log holds.
pub struct Outbox {
    shared: Shared,
    carriers: BTreeMap<EndpointId, Arc<dyn Carrier>>,
    webhooks: Arc<dyn Carrier>,
    /// What this program is called where several work on one database.
    name: String,
    led: BTreeMap<EndpointId, Led>,
    lanes: JoinSet<()>,
    /// Until when what it leads is its own.
    leased_until: Instant,
    /// When the endpoints were looked at last.
    looked_at: Instant,
}

/// An endpoint that is this program's for now.
struct Led {
    endpoint: watch::Sender<Option<Arc<EndpointRecord>>>,
    queued_to: u64,
    /// Its lanes by server; whoever has a URL of his own has one without a name.
    lanes: BTreeMap<String, Arc<Notify>>,
    /// Whether servers that there was nothing for may have something to be delivered.
    look_for_lanes: bool,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("name", &self.name)
            .field("led", &self.led.len())
            .finish_non_exhaustive()
    }
}

impl Outbox {
    /// Delivers from `store` what `render` puts into words, to webhooks by `webhooks`.
    #[must_use]
    pub fn new(
        store: Store,
        render: Arc<dyn Render>,
        webhooks: Arc<dyn Carrier>,
        clock: Arc<dyn Clock>,
        name: String,
    ) -> Self {
        Self {
            shared: Shared {
                store,
                render,
                clock,
                settings: Arc::new(LaneSettings::default()),
            },
            carriers: BTreeMap::new(),
            webhooks,
            name,
            led: BTreeMap::new(),
            lanes: JoinSet::new(),
            leased_until: Instant::now(),
            looked_at: Instant::now(),
        }
    }

    /// This, with these settings.
    #[must_use]
    pub fn with_settings(mut self, settings: LaneSettings) -> Self {
        self.shared.settings = Arc::new(settings);
        self
    }

    /// This, and `endpoint` is reached by `carrier`.
    #[must_use]
    pub fn with_carrier(mut self, endpoint: EndpointId, carrier: Arc<dyn Carrier>) -> Self {
        self.carriers.insert(endpoint, carrier);
        self
    }

    /// Delivers until `stop` resolves. What is under way then is waited for, for a while.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let mut commits = self.shared.store.commits();
        let mut renew_at = Instant::now();
        tokio::pin!(stop);
        loop {
            commits.mark_unchanged();
            let begun = Instant::now();
            let turn: Result<(), StoreError> = tokio::select! {
                turn = self.turn(&mut renew_at) => turn,
                () = &mut stop => break,
            };
            if let Err(error) = turn {
                tracing::warn!(
                    error = %in_one_line(&error),
                    "events wait to be queued for delivery"
                );
            }
            let look_at = if self.looked_at < begun {
                after(self.looked_at, LOOK_AT_MOST_EVERY)
            } else {
                after(begun, LOOK_EVERY)
            };
            tokio::select! {
                () = &mut stop => break,
                _changed = commits.changed() => sleep(GATHER).await,
                () = sleep_until(renew_at.min(look_at)) => {},
            }
            self.watch_lanes();
        }
        self.end().await;
    }

    /// Learns what is new, and queues it.
    async fn turn(&mut self, renew_at: &mut Instant) -> Result<(), StoreError> {
        let now = Instant::now();
        if self.leased_until <= now {
            // It could not be renewed: somebody else may deliver by now.
            self.let_go(|_| false);
        }
        if *renew_at <= now {
            self.lease().await?;
            *renew_at = later(RENEW_EVERY);
        } else if now.duration_since(self.looked_at) >= LOOK_AT_MOST_EVERY {
            self.look().await?;
        }
        self.queue_all().await
    }

    /// A lane ends when it is told to. One that broke off is begun anew, with all others.
    fn watch_lanes(&mut self) {
        while let Some(ended) = self.lanes.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "deliveries broke off; they are begun anew");
                self.let_go(|_| false);
                self.leased_until = Instant::now();
            }
        }
    }

    /// Takes the endpoints that nobody else delivers to, and keeps those that this program has.
    async fn lease(&mut self) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let until = now.plus_ms(ms(LEASE)).unwrap_or(now);
        let leased_until = later(LEASE);
        let leased = self
            .shared
            .store
            .lease_endpoints(&self.name, (now, until))
            .await?;
        self.leased_until = leased_until;
        self.looked_at = Instant::now();
        let ids: Vec<EndpointId> = leased.iter().map(|endpoint| endpoint.id).collect();
        self.let_go(|id| ids.contains(&id));
        let leased = leased.into_iter();
        let reachable: Vec<_> = leased.filter(|it| self.carrier(it).is_some()).collect();
        for endpoint in reachable {
            self.lead(endpoint);
        }
        Ok(())
    }

    /// Learns what has changed about the endpoints.
    async fn look(&mut self) -> Result<(), StoreError> {
        let all = self.shared.store.endpoints().await?;
        self.looked_at = Instant::now();
        let is_able = |endpoint: &&EndpointRecord| endpoint.disabled.is_none();
        let able: Vec<EndpointId> = all.iter().filter(is_able).map(|it| it.id).collect();
        self.let_go(|id| able.contains(&id));
        for endpoint in all {
            if self.led.contains_key(&endpoint.id) {
                self.lead(endpoint);
            } else if endpoint.disabled.is_none() && self.carrier(&endpoint).is_some() {
                // Nobody has it yet, or somebody else does.
                self.lease_one_soon(&endpoint).await?;
            }
        }
        Ok(())
    }

    /// Takes an endpoint that was made just now, if nobody was quicker.
    async fn lease_one_soon(&mut self, endpoint: &EndpointRecord) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let age = now.unix_ms().saturating_sub(endpoint.created_at.unix_ms());
        if age < ms(RENEW_EVERY) {
            self.lease().await?;
        }
        Ok(())
    }

    fn carrier(&self, endpoint: &EndpointRecord) -> Option<Arc<dyn Carrier>> {
        match endpoint.kind {
            EndpointKind::Webhook | EndpointKind::Callbacks => Some(Arc::clone(&self.webhooks)),
            EndpointKind::Nats
            | EndpointKind::Kafka
            | EndpointKind::Email
            | EndpointKind::Message => self.carriers.get(&endpoint.id).cloned(),
        }
    }

    fn let_go(&mut self, keep: impl Fn(EndpointId) -> bool) {
        self.led.retain(|id, led| {
            let kept = keep(*id);
            if !kept {
                led.endpoint.send_replace(None);
            }
            kept
        });
    }

    fn lead(&mut self, endpoint: EndpointRecord) {
        let id = endpoint.id;
        let queued_to = endpoint.queued_to;
        let led = self.led.entry(id).or_insert_with(|| Led {
            endpoint: watch::Sender::new(None),
            queued_to,
            lanes: BTreeMap::new(),
            look_for_lanes: true,
        });
        led.queued_to = queued_to;
        led.endpoint.send_if_modified(|known| {
            let is_same = known
                .as_ref()
                .is_some_and(|it| it.changes == endpoint.changes);
            if !is_same {
                // It may be told of something again.
                led.look_for_lanes = true;
                *known = Some(Arc::new(endpoint));
            }
            !is_same
        });
    }

    async fn queue_all(&mut self) -> Result<(), StoreError> {
        let last = self.shared.store.last_event().await?;
        let has_news = |led: &&Led| led.queued_to < last || led.look_for_lanes;
        let led = self.led.iter().filter(|(_, led)| has_news(led));
        let ids: Vec<EndpointId> = led.map(|(id, _)| *id).collect();
        for id in ids {
            let queued = self.queue(id).await;
            if let Err(StoreError::Stale { .. }) = queued {
                // What it is told next has to be told as it was changed to.
                self.look().await?;
                match self.queue(id).await {
                    // It was disabled, or somebody else has it: the next turn tells.
                    Err(StoreError::Stale { .. }) | Ok(()) => {},
                    Err(error) => return Err(error),
                }
            } else {
                queued?;
            }
        }
        Ok(())
    }

    async fn queue(&mut self, id: EndpointId) -> Result<(), StoreError> {
        loop {
            let Some(led) = self.led.get_mut(&id) else {
                return Ok(());
            };
            let Some(endpoint) = led.endpoint.borrow().clone() else {
                return Ok(());
            };
            let from = EndpointRecord {
                queued_to: led.queued_to,
                ..endpoint.as_ref().clone()
            };
            let (store, now) = (&self.shared.store, self.shared.clock.now());
            let queued = store.queue_deliveries(&from, QUEUE_AT_ONCE, now).await?;
            led.queued_to = queued.queued_to;
            if led.look_for_lanes || queued.count > 0 {
                let origins = match endpoint.kind {
                    EndpointKind::Callbacks => store.origins(id).await?,
                    EndpointKind::Webhook
                    | EndpointKind::Nats
                    | EndpointKind::Kafka
                    | EndpointKind::Email
                    | EndpointKind::Message => [String::new()].into(),
                };
                led.look_for_lanes = false;
                self.start_lanes(id, origins);
            }
            if !queued.is_more {
                return Ok(());
            }
        }
    }

    /// Starts the lanes that there are none of yet, and tells the others that there is more.
    fn start_lanes(&mut self, id: EndpointId, origins: impl IntoIterator<Item = String>) {
        for origin in origins {
            let Some(led) = self.led.get_mut(&id) else {
                return;
            };
            if let Some(more) = led.lanes.get(&origin) {
                more.notify_one();
                continue;
            }
            let Some(endpoint) = led.endpoint.borrow().clone() else {
                return;
            };
            let more = Arc::new(Notify::new());
            let orders = Orders {
                endpoint: led.endpoint.subscribe(),
                more: Arc::clone(&more),
            };
            led.lanes.insert(origin.clone(), more);
            if let Some(carrier) = self.carrier(&endpoint) {
                let shared = self.shared.clone();
                let lane = Lane::new(shared, carrier, (&endpoint, origin), orders);
                self.lanes.spawn(lane.run());
            }
        }
    }

    async fn end(mut self) {
        self.let_go(|_| false);
        let all = async { while self.lanes.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            tracing::warn!("some deliveries were under way for too long; they will be made again");
        }
        if let Err(error) = self.shared.store.release_endpoints(&self.name).await {
            tracing::debug!(
                error = %in_one_line(&error),
                "endpoints are not given back; others wait until the lease ends"
            );
        }
    }
}

fn later(pause: Duration) -> Instant {
    after(Instant::now(), pause)
}

fn after(moment: Instant, pause: Duration) -> Instant {
    moment.checked_add(pause).unwrap_or(moment)
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
