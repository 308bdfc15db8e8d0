//! Delivers what is due for one endpoint to one server: many at a time, those of one subject one after
//! the other, and nothing while the server does not answer.

mod work;

use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{EndpointEvent, EndpointEventKind, EndpointKind, Timestamp};
use paywatch_store::{DisabledBy, EndpointHealth, EndpointRecord, Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::circuit::{Circuit, Leave};
use crate::lane::work::{Load, News, Work};
use crate::post::in_one_line;
use crate::queue::Queue;
use crate::schedule::Schedule;
use crate::telling::{Carrier, Clock, Render};

/// So many outcomes are written together, or those of so long a time.
const RECORD_AT_ONCE: usize = 128;
const RECORD_EVERY: Duration = Duration::from_millis(15);
/// So many deliveries are held in memory.
const WINDOW: usize = 512;
/// How long to wait after the database failed.
const AFTER_TROUBLE: Duration = Duration::from_secs(1);

/// How deliveries are made.
#[derive(Clone, Debug)]
pub struct LaneSettings {
    /// How many requests may be under way to one server.
    pub at_once: usize,
    /// When what failed is tried again.
    pub schedule: Schedule,
    /// An endpoint that has failed for so long is told of.
    pub alert_after: Duration,
}

impl Default for LaneSettings {
    fn default() -> Self {
        Self {
            at_once: 16,
            schedule: Schedule::default(),
            alert_after: Duration::from_secs(3_600),
        }
    }
}

/// What all lanes share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) render: Arc<dyn Render>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Arc<LaneSettings>,
}

/// What a lane is told from outside.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    /// The endpoint as it is now; `None` when the lane is to end.
    pub(crate) endpoint: watch::Receiver<Option<Arc<EndpointRecord>>>,
    /// There may be more to deliver.
    pub(crate) more: Arc<Notify>,
}

/// Delivers for one endpoint to one server.
pub(crate) struct Lane {
    shared: Shared,
    carrier: Arc<dyn Carrier>,
    origin: String,
    orders: Orders,
    queue: Queue,
    work: Work,
    circuit: Circuit,
    health: EndpointHealth,
    /// Whether the books may hold more that is due.
    may_be_more: bool,
    /// When outcomes that are not in the books yet are to be written.
    record_by: Option<Instant>,
}

/// What a lane waits for.
#[derive(Clone, Copy, Debug)]
enum Pause {
    /// News only.
    News,
    /// News, or this time of the clock.
    Until(Timestamp),
    /// The database to recover.
    Trouble,
}

impl Lane {
    pub(crate) fn new(
        shared: Shared,
        carrier: Arc<dyn Carrier>,
        (endpoint, origin): (&EndpointRecord, String),
        orders: Orders,
    ) -> Self {
        Self {
            shared,
            carrier,
            origin,
            orders,
            queue: Queue::default(),
            work: Work::default(),
            circuit: Circuit::after(endpoint.health.failures),
            health: endpoint.health.clone(),
            may_be_more: true,
            record_by: None,
        }
    }

    /// Delivers until it is told to end. What is under way then is waited for and written down.
    pub(crate) async fn run(mut self) {
        loop {
            let endpoint = self.orders.endpoint.borrow_and_update().clone();
            let Some(endpoint) = endpoint else {
                self.end().await;
                return;
            };
            match self.step(&endpoint).await {
                Ok(pause) => self.wait(pause).await,
                Err(error) => {
                    tracing::warn!(
                        endpoint.id = %endpoint.id,
                        error = %in_one_line(&error),
                        "deliveries wait for the database"
                    );
                    self.wait(Pause::Trouble).await;
                },
            }
        }
    }

    /// Writes down what is done, takes what is due, and starts as much as may be under way.
    async fn step(&mut self, endpoint: &Arc<EndpointRecord>) -> Result<Pause, StoreError> {
        self.work.collect();
        self.learn(endpoint);
        let is_time = self.record_by.is_some_and(|by| by <= Instant::now());
        let is_much = self.work.done.len() >= RECORD_AT_ONCE || self.work.is_idle();
        if !self.work.done.is_empty() && (is_time || is_much) {
            self.record(endpoint).await?;
        }
        if self.work.done.is_empty() {
            self.follow_up(endpoint).await?;
        }
        if self.work.news.is_end() && !self.begins_anew(endpoint).await? {
            return Ok(Pause::News);
        }
        let now = self.shared.clock.now();
        let leave = match self.circuit.leave(now) {
            Leave::Full => self.shared.settings.at_once.max(1),
            Leave::One => 1,
            Leave::NoneBefore(until) => {
                self.queue.forget();
                self.work.keep(|seq| self.queue.knows(seq));
                self.may_be_more = true;
                return Ok(Pause::Until(until));
            },
        };
        if self.may_be_more && self.queue.len() < WINDOW.checked_div(2).unwrap_or(1) {
            self.refill(endpoint, now).await?;
        }
        while self.work.under_way() < leave
            && let Some(delivery) = self.queue.next()
        {
            let load = Load {
                endpoint: Arc::clone(endpoint),
                telling: self.work.telling(delivery.seq),
                delivery,
            };
            self.work.start(load, &self.carrier, &self.shared.clock);
        }
        if self.work.is_idle() && self.work.done.is_empty() && !self.may_be_more {
            let place = (endpoint.id, self.origin.as_str());
            let next = self.shared.store.next_delivery(place).await?;
            return Ok(next.map_or(Pause::News, Pause::Until));
        }
        Ok(Pause::News)
    }

    /// Takes from the books what is due.
    async fn refill(
        &mut self,
        endpoint: &EndpointRecord,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let limit = WINDOW.saturating_add(self.queue.known());
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let place = (endpoint.id, self.origin.as_str());
        // Asked for before the books: what is queued meanwhile is not missed.
        self.may_be_more = false;
        let due = self.shared.store.due_deliveries(place, now, limit).await;
        let due = due.inspect_err(|_| self.may_be_more = true)?;
        let was_full = due.len() >= WINDOW.saturating_add(self.queue.known());
        let seqs: Vec<u64> = due.iter().map(|delivery| delivery.seq).collect();
        let unknown: Vec<u64> = self.work.unknown(&seqs);
        let format = endpoint.format;
        let rendered = self.shared.render.render(&unknown, format).await;
        let rendered = rendered.inspect_err(|_| self.may_be_more = true)?;
        self.work.know(&unknown, rendered);
        self.queue.add(due);
        self.may_be_more |= was_full;
        Ok(())
    }

    /// What the outcomes say of the receiver, and what follows for the rest of their subjects.
    fn learn(&mut self, endpoint: &EndpointRecord) {
        let now = self.shared.clock.now();
        for outcome in self.work.learn(&self.shared.settings.schedule, now) {
            if self.record_by.is_none() {
                self.record_by = Instant::now().checked_add(RECORD_EVERY);
            }
            match &outcome.refusal {
                None => {
                    self.queue.taken(&outcome.delivery);
                    if self.circuit.succeeded() && self.work.news == News::None {
                        self.work.news = News::AnswersAgain;
                    }
                    self.health = EndpointHealth {
                        alerted_at: self.health.alerted_at,
                        ..EndpointHealth::default()
                    };
                },
                Some(refusal) => {
                    self.queue.failed(&outcome.delivery);
                    if refusal.counts() {
                        let roll = work::roll();
                        self.circuit.failed(now, refusal.leave_alone_for, roll);
                    }
                    self.health.failing_since.get_or_insert(now);
                    self.health.failures = self.health.failures.saturating_add(1);
                    self.health.last_failure = Some(refusal.because.clone());
                    let is_gone = refusal.is_gone() && endpoint.kind == EndpointKind::Webhook;
                    if is_gone && self.work.news != News::Ended {
                        self.work.news = News::Gone;
                    }
                },
            }
        }
        // Each order's own URL says nothing about those of others.
        if endpoint.kind == EndpointKind::Callbacks {
            self.health = EndpointHealth::default();
        }
    }

    /// Writes the outcomes into the books.
    async fn record(&mut self, endpoint: &EndpointRecord) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        let told = self.news(endpoint, now);
        let health = EndpointHealth {
            alerted_at: match told.as_ref().map(|event| event.kind) {
                Some(EndpointEventKind::Failing) => Some(now),
                Some(EndpointEventKind::Recovered | EndpointEventKind::Disabled) => None,
                None => self.health.alerted_at,
            },
            ..self.health.clone()
        };
        if let Some(event) = &told {
            tracing::warn!(endpoint.id = %endpoint.id, event = event.kind.name(), "{}", event.detail);
        }
        let store = &self.shared.store;
        store
            .record_attempts(
                endpoint.id,
                &self.work.done,
                (&health, told.as_slice()),
                now,
            )
            .await?;
        self.health = health;
        let done = std::mem::take(&mut self.work.done);
        self.queue.recorded(done.iter().map(|one| &one.delivery));
        self.work.keep(|seq| self.queue.knows(seq));
        self.record_by = None;
        self.may_be_more = true;
        Ok(())
    }

    /// Does what follows from what was learned about the receiver, once the outcomes are in the books.
    async fn follow_up(&mut self, endpoint: &EndpointRecord) -> Result<(), StoreError> {
        let (store, now) = (&self.shared.store, self.shared.clock.now());
        match self.work.news {
            News::None | News::Ended => {},
            News::AnswersAgain => {
                let place = (endpoint.id, self.origin.as_str());
                store.hasten_deliveries(place, now).await?;
                self.work.news = News::None;
                self.may_be_more = true;
            },
            News::Gone => {
                let because = "it answered 410 Gone: it wants nothing any more";
                let id = endpoint.id;
                if store
                    .disable_endpoint(id, (because, now), DisabledBy::Failures)
                    .await?
                {
                    tracing::warn!(endpoint.id = %id, "{because}");
                }
                self.work.news = News::Ended;
                self.queue.forget();
            },
        }
        Ok(())
    }

    /// Whether somebody enabled the endpoint again before the outbox saw that it was disabled.
    async fn begins_anew(&mut self, endpoint: &EndpointRecord) -> Result<bool, StoreError> {
        let now = self.shared.store.endpoint(endpoint.id).await?;
        let is_wanted = now.is_some_and(|now| now.disabled.is_none());
        if is_wanted {
            self.work.news = News::None;
            self.circuit = Circuit::default();
            self.health = EndpointHealth::default();
            self.may_be_more = true;
        }
        Ok(is_wanted)
    }

    /// What is to be told of the endpoint: that it has failed for long, or that it answers again after
    /// that was told.
    fn news(&self, endpoint: &EndpointRecord, now: Timestamp) -> Option<EndpointEvent> {
        let EndpointHealth {
            failing_since,
            alerted_at,
            last_failure,
            ..
        } = &self.health;
        let name = &endpoint.name;
        let (kind, detail) = match (failing_since, alerted_at) {
            (Some(since), None) if !self.work.news.is_end() => {
                let ms = now.unix_ms().saturating_sub(since.unix_ms());
                let patience = self.shared.settings.alert_after.as_millis();
                if ms < i64::try_from(patience).unwrap_or(i64::MAX) {
                    return None;
                }
                let minutes = ms.checked_div(60_000).unwrap_or_default();
                let because = last_failure.as_deref().unwrap_or_default();
                let detail = format!("{name} has taken nothing for {minutes} minutes: {because}");
                (EndpointEventKind::Failing, detail)
            },
            (None, Some(_)) => {
                let detail = format!("{name} takes what it is told again");
                (EndpointEventKind::Recovered, detail)
            },
            (Some(_), _) | (None, None) => return None,
        };
        Some(EndpointEvent {
            endpoint: endpoint.id,
            kind,
            detail,
        })
    }

    async fn wait(&mut self, pause: Pause) {
        let trouble = Instant::now().checked_add(AFTER_TROUBLE);
        let record_by = match pause {
            Pause::Trouble => trouble,
            Pause::News | Pause::Until(_) => self.record_by,
        };
        let clock = match pause {
            Pause::Until(at) => Some(self.shared.clock.reach(at)),
            Pause::News | Pause::Trouble => None,
        };
        let is_trouble = matches!(pause, Pause::Trouble);
        tokio::select! {
            () = self.work.one_is_done(), if !is_trouble => {},
            () = self.orders.more.notified() => self.may_be_more = true,
            changed = self.orders.endpoint.changed() => {
                self.may_be_more = true;
                // Whoever led it is gone, and so is the lane.
                if changed.is_err() {
                    self.orders.endpoint = watch::channel(None).1;
                }
            },
            () = at(record_by) => {},
            () = reached(clock) => self.may_be_more = true,
        }
    }

    /// Waits for what is under way, and writes it down as far as that is possible.
    async fn end(&mut self) {
        self.queue.forget();
        let Some(endpoint) = self.work.endpoint() else {
            return;
        };
        while !self.work.is_idle() {
            self.work.one_is_done().await;
            self.work.collect();
        }
        self.learn(&endpoint);
        if self.work.done.is_empty() {
            return;
        }
        let recorded = match self.record(&endpoint).await {
            Ok(()) => self.follow_up(&endpoint).await,
            Err(error) => Err(error),
        };
        if let Err(error) = recorded {
            tracing::warn!(
                endpoint.id = %endpoint.id,
                error = %in_one_line(&error),
                "what was delivered last is not written down, and will be delivered once more"
            );
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn reached(clock: Option<futures::future::BoxFuture<'static, ()>>) {
    match clock {
        Some(reached) => reached.await,
        None => std::future::pending().await,
    }
}
