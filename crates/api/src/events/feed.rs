//! One reader of the log for all who listen: what it reads is put into JSON once, however many are
//! told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use paywatch_core::OrderId;
use paywatch_store::{EventFilter, StoreError};
use tokio::sync::{Semaphore, SemaphorePermit, broadcast};
use tokio::time::{Instant, sleep};

use crate::events::render::RenderedEvent;
use crate::state::ApiState;

/// How many events a listener may be behind before it has to read them itself.
const KEPT: usize = 1_024;
/// How many are read at once.
pub(super) const AT_ONCE: u32 = 200;
/// How many listeners read for themselves at the same time.
const READERS: usize = 2;
/// For how long the reader waits for an event before it looks whether anybody listens.
const WAIT: Duration = Duration::from_secs(1);

/// An event as a stream tells it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(super) seq: u64,
    pub(crate) order: Option<OrderId>,
    kind: &'static str,
    /// A message of Server-Sent Events.
    pub(super) frame: Bytes,
}

/// What everybody listens to. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Feed(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    news: broadcast::Sender<Told>,
    is_read: Mutex<bool>,
    readers: Semaphore,
}

impl Default for Feed {
    fn default() -> Self {
        let (news, _nobody_yet) = broadcast::channel(KEPT);
        Self(Arc::new(Shared {
            news,
            is_read: Mutex::new(false),
            readers: Semaphore::new(READERS),
        }))
    }
}

impl Feed {
    /// Everything that is told from about now on, and something at once if anything was ever told.
    /// What is read from the books after this call, and again when a number is not the next one, has
    /// no gap.
    pub(crate) fn listen(&self, state: &ApiState) -> broadcast::Receiver<Told> {
        let news = self.0.news.subscribe();
        let was_read = std::mem::replace(&mut *self.0.is_read(), true);
        if !was_read {
            tokio::spawn(read_on(Arc::clone(&self.0), state.clone()));
        }
        news
    }

    /// Leave to read the log for oneself.
    pub(super) async fn reader(&self) -> Option<SemaphorePermit<'_>> {
        self.0.readers.acquire().await.ok()
    }
}

impl Shared {
    fn is_read(&self) -> MutexGuard<'_, bool> {
        self.is_read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the reader has nobody left to read for, and ends.
    fn ends(&self) -> bool {
        // Whoever listens next finds out under the same lock.
        let mut is_read = self.is_read();
        let is_heard = self.news.receiver_count() > 0;
        *is_read = is_heard;
        !is_heard
    }
}

impl Told {
    pub(super) fn of(event: &RenderedEvent) -> Self {
        let RenderedEvent {
            seq, kind, json, ..
        } = event;
        Self {
            seq: *seq,
            order: event.order,
            kind,
            frame: format!("id: {seq}\nevent: {kind}\ndata: {json}\n\n").into(),
        }
    }

    /// Whether it meets `filter`.
    pub(super) fn meets(&self, filter: &EventFilter) -> bool {
        let is_kind = filter.kinds.is_empty() || filter.kinds.contains(&self.kind);
        is_kind && filter.order.is_none_or(|order| self.order == Some(order))
    }
}

/// Tells what is written from now on, as long as anybody listens.
async fn read_on(shared: Arc<Shared>, state: ApiState) {
    let mut place = None;
    while !shared.ends() {
        match next(&shared, &state, place).await {
            Ok(read_up_to) => place = Some(read_up_to),
            Err(error) => {
                tracing::warn!(error = %error, "the events cannot be read on; trying again");
                sleep(WAIT).await;
            },
        }
    }
}

/// Tells what is written after `place`, if it is within a while; returns how far it has read.
async fn next(shared: &Shared, state: &ApiState, place: Option<u64>) -> Result<u64, StoreError> {
    let Some(place) = place else {
        // Whoever listened first may have read the books before the last event was written. He is told
        // of it, and finds out by its number what else he does not know.
        let last = state.changes.last(&state.store).await?;
        return Ok(last.saturating_sub(1));
    };
    let until = Instant::now().checked_add(WAIT);
    if let Some(until) = until
        && state.changes.last(&state.store).await? <= place
        && !state.changes.any_after(&state.store, place, until).await?
    {
        return Ok(place);
    }
    let records = state.store.events_after(place, AT_ONCE).await?;
    let mut read_up_to = place;
    for event in state.event_renderer().render(&records).await? {
        read_up_to = event.seq;
        // Nobody listens any more: the next one reads from the books.
        let _nobody = shared.news.send(Told::of(&event));
    }
    Ok(read_up_to)
}
