//! Whether anything was told meanwhile: one question to the database for all who wait.

use std::sync::Arc;
use std::time::Duration;

use paywatch_store::{Store, StoreError};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// How often it is asked, however many wait.
const EVERY: Duration = Duration::from_millis(100);

/// How far the event log was known to go, and when it was asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes(Arc<Mutex<Option<(Instant, u64)>>>);

impl Changes {
    /// The number of the last event, as it was a moment ago at most.
    pub(crate) async fn last(&self, store: &Store) -> Result<u64, StoreError> {
        let mut known = self.0.lock().await;
        if let Some((asked_at, seq)) = *known
            && asked_at.elapsed() < EVERY
        {
            return Ok(seq);
        }
        let seq = store.last_event().await?;
        *known = Some((Instant::now(), seq));
        Ok(seq)
    }

    /// Waits until the last event is another than number `seq`; `false` if it still is when it is
    /// `until`.
    pub(crate) async fn any_after(
        &self,
        store: &Store,
        seq: u64,
        until: Instant,
    ) -> Result<bool, StoreError> {
        loop {
            let now = Instant::now();
            if now >= until {
                return Ok(false);
            }
            let next = now.checked_add(EVERY).unwrap_or(until);
            sleep_until(next.min(until)).await;
            if self.last(store).await? != seq {
                return Ok(true);
            }
        }
    }
}
