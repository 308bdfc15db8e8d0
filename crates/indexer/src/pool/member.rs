//! One endpoint of a pool: its limits, and what is known about its health.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use paywatch_core::BlockNumber;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::pool::Endpoint;
use crate::pool::span::Span;
use crate::{ChainSource, SourceError, in_one_line};

/// The first rest after a failure.
const SHORTEST: Duration = Duration::from_millis(200);
/// The longest rest after what passes by itself.
pub(super) const LONGEST: Duration = Duration::from_secs(20);
/// The same, where there is no other to ask.
pub(super) const LONGEST_ALONE: Duration = Duration::from_secs(4);
/// The rest of an endpoint that somebody has to mend.
const UNUSABLE: Duration = Duration::from_secs(60);
/// However long an endpoint asks us to wait, it is asked again after this.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// How often it is looked whether there is room for a question that nothing rests on.
const ASIDE_PAUSE: Duration = Duration::from_millis(50);
/// Latencies in one step of this are taken for the same.
const LATENCY_STEP_MS: u128 = 50;

/// One endpoint.
pub(super) struct Member {
    name: String,
    source: Arc<dyn ChainSource>,
    priority: u32,
    pace: Option<DefaultDirectRateLimiter>,
    slots: Semaphore,
    at_once: usize,
    longest: Duration,
    health: Mutex<Health>,
}

/// What is known about an endpoint.
struct Health {
    is_verified: bool,
    rest_until: Option<Instant>,
    trouble: Option<String>,
    backoff: Option<ExponentialBackoff>,
    /// A moving average.
    latency: Duration,
    head: BlockNumber,
    head_since: Instant,
    span: Span,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Member {
    /// A member that is passed over for at most `longest` when it does not answer.
    pub(super) fn new(endpoint: Endpoint, max_range: u64, longest: Duration) -> Self {
        Self {
            name: endpoint.name,
            source: endpoint.source,
            priority: endpoint.priority,
            pace: endpoint
                .requests_per_second
                .map(|rate| RateLimiter::direct(Quota::per_second(rate))),
            slots: Semaphore::new(endpoint.at_once.max(1)),
            at_once: endpoint.at_once.max(1),
            longest,
            health: Mutex::new(Health {
                is_verified: false,
                rest_until: None,
                trouble: None,
                backoff: None,
                latency: Duration::ZERO,
                head: 0,
                head_since: Instant::now(),
                span: Span::new(max_range),
            }),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn source(&self) -> &Arc<dyn ChainSource> {
        &self.source
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those with the least are asked first.
    pub(super) fn rank(&self) -> (u32, u128) {
        let steps = self
            .health()
            .latency
            .as_millis()
            .checked_div(LATENCY_STEP_MS);
        (self.priority, steps.unwrap_or_default())
    }

    pub(super) fn is_resting(&self) -> bool {
        self.rests_for().is_some()
    }

    /// How long it is not to be asked yet.
    pub(super) fn rests_for(&self) -> Option<Duration> {
        let until = self.health().rest_until?;
        until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// What was wrong with it last, in words.
    pub(super) fn trouble(&self) -> Option<String> {
        let trouble = self.health().trouble.clone()?;
        Some(format!("{}: {trouble}", self.name))
    }

    pub(super) fn is_verified(&self) -> bool {
        self.health().is_verified
    }

    pub(super) fn set_verified(&self) {
        self.health().is_verified = true;
    }

    pub(super) fn head(&self) -> BlockNumber {
        self.health().head
    }

    pub(super) fn saw_head(&self, number: BlockNumber) {
        let mut health = self.health();
        if number > health.head {
            health.head = number;
            health.head_since = Instant::now();
        }
    }

    /// How long its head has not moved.
    pub(super) fn head_stood_for(&self) -> Duration {
        self.health().head_since.elapsed()
    }

    /// How many blocks it is best asked for at once.
    pub(super) fn width(&self) -> u64 {
        self.health().span.width()
    }

    pub(super) fn span<R>(&self, change: impl FnOnce(&mut Span) -> R) -> R {
        change(&mut self.health().span)
    }

    /// Lets `question` go out within this endpoint's limits, and remembers how it went.
    pub(super) async fn timed<T>(
        &self,
        question: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let _slot = self.slots.acquire().await;
        self.keep_pace().await;
        let asked_at = Instant::now();
        let answer = question.await;
        match &answer {
            Ok(_) => self.answered(asked_at.elapsed()),
            Err(error) => self.failed(error),
        }
        answer
    }

    /// The same for what nothing rests on: it waits until others could still ask at the same time,
    /// if so many may, and how it went says nothing of this endpoint.
    pub(super) async fn aside<T>(
        &self,
        question: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let free = self.at_once.min(2);
        let _slot = loop {
            if self.slots.available_permits() >= free
                && let Ok(slot) = self.slots.try_acquire()
            {
                break slot;
            }
            sleep(ASIDE_PAUSE).await;
        };
        self.keep_pace().await;
        question.await
    }

    async fn keep_pace(&self) {
        let Some(pace) = &self.pace else { return };
        while let Err(not_until) = pace.check() {
            sleep(not_until.wait_time_from(DefaultClock::default().now())).await;
        }
    }

    fn answered(&self, took: Duration) {
        let mut health = self.health();
        let sum = health.latency.saturating_mul(7).saturating_add(took);
        health.latency = sum.checked_div(8).unwrap_or(took);
        health.backoff = None;
        if health.trouble.take().is_some() {
            tracing::info!(endpoint = self.name, "the endpoint serves again");
        }
    }

    fn failed(&self, error: &SourceError) {
        let mut health = self.health();
        let step = health
            .backoff
            .get_or_insert_with(backoff)
            .next()
            .unwrap_or(LONGEST)
            .min(self.longest);
        let rest = match error {
            SourceError::Later { after, .. } => {
                // Whatever answers behind the address after it was gone may be somebody else.
                health.is_verified = false;
                step.max(after.unwrap_or_default().min(LONGEST_ASKED))
            },
            SourceError::Unusable { .. } => UNUSABLE,
            // It answers; whether it is believed is for the pool to say.
            SourceError::TooWide { .. }
            | SourceError::Lagging { .. }
            | SourceError::Inconsistent { .. }
            | SourceError::Unprovable { .. }
            | SourceError::NoAnswer { .. } => {
                health.backoff = None;
                return;
            },
        };
        drop(health);
        self.rest(rest, in_one_line(error));
        if matches!(error, SourceError::Unusable { .. }) {
            tracing::error!(
                endpoint = self.name,
                cause = in_one_line(error),
                "the endpoint cannot serve this chain; mend its URL, key or plan, or configure another"
            );
        }
    }

    /// It is not asked for a while.
    pub(super) fn rest(&self, rest: Duration, trouble: String) {
        let mut health = self.health();
        let until = Instant::now().checked_add(rest);
        health.rest_until = health.rest_until.max(until);
        if health.trouble.is_none() {
            tracing::warn!(
                endpoint = self.name,
                cause = trouble,
                rest_ms = rest.as_millis(),
                "the endpoint is passed over for now"
            );
        }
        health.trouble = Some(trouble);
    }

    /// It is not of this chain.
    pub(super) fn refuse(&self, what: &str) -> SourceError {
        let error = SourceError::Unusable {
            cause: format!("{}: {what}", self.name).into(),
        };
        self.failed(&error);
        error
    }
}

fn backoff() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(SHORTEST)
        .with_max_delay(LONGEST)
        .with_jitter()
        .without_max_times()
        .build()
}
