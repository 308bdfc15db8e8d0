//! Somebody who is told of events as they are written, from some place in the log on: nothing is
//! passed over, and nothing comes twice.

use std::time::Duration;

use axum::body::Bytes;
use paywatch_store::{EventFilter, StoreError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, timeout};

use crate::events::channel::mark;
use crate::events::feed::{AT_ONCE, Told};
use crate::state::ApiState;

/// After so long without a message a mark says that the stream lives.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long to wait when the database does not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// The client has gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gone;

/// Somebody who listens.
pub(super) struct Listener {
    pub(super) state: ApiState,
    pub(super) filter: EventFilter,
    /// He knows everything up to this place in the log.
    pub(super) place: u64,
    pub(super) to: Sender<Bytes>,
    /// Since when he was told nothing.
    pub(super) quiet_since: Instant,
}

impl Listener {
    /// Tells him everything, until he is gone.
    pub(super) async fn tell(mut self) -> Result<(), Gone> {
        // Before the books are read: what is written after that comes this way.
        let mut news = self.state.feed.listen(&self.state);
        self.catch_up().await?;
        loop {
            match self.hear(&mut news).await? {
                Some(told) if told.seq <= self.place => {},
                Some(told) if told.seq == self.place.saturating_add(1) => {
                    self.place = told.seq;
                    if told.meets(&self.filter) {
                        self.send(told.frame).await?;
                    }
                },
                // A later one, or some were missed.
                Some(_) | None => self.catch_up().await?,
            }
        }
    }

    /// What is told next; nothing if some was missed.
    async fn hear(&mut self, news: &mut Receiver<Told>) -> Result<Option<Told>, Gone> {
        loop {
            let rest = KEEP_ALIVE.saturating_sub(self.quiet_since.elapsed());
            match timeout(rest, news.recv()).await {
                Ok(Ok(told)) => return Ok(Some(told)),
                Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) => return Ok(None),
                Err(_quiet) => self.say_where().await?,
            }
        }
    }

    /// Reads from the books what he does not know yet.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        loop {
            match self.read_some().await {
                Ok((told, is_all)) => {
                    for told in told {
                        self.send(told.frame).await?;
                    }
                    if is_all {
                        return Ok(());
                    }
                },
                Err(error) => {
                    tracing::debug!(error = %error, "a listener cannot be told; trying again");
                    self.say_where().await?;
                    sleep(PAUSE).await;
                },
            }
        }
    }

    /// Some of what he does not know yet, and whether it is all.
    async fn read_some(&mut self) -> Result<(Vec<Told>, bool), StoreError> {
        let state = &self.state;
        let _leave = state.feed.reader().await;
        let page = state
            .store
            .events(&self.filter, self.place, AT_ONCE)
            .await?;
        let rendered = state.event_renderer().render(&page.events).await?;
        let told: Vec<Told> = rendered.iter().map(Told::of).collect();
        self.place = page.read_up_to;
        let is_all = u32::try_from(told.len()).is_ok_and(|count| count < AT_ONCE);
        Ok((told, is_all))
    }

    /// Shows that the stream lives, and up to where he needs not ask again.
    async fn say_where(&mut self) -> Result<(), Gone> {
        let mark = mark(self.place);
        self.send(format!(":\n{mark}\n").into()).await
    }

    async fn send(&mut self, frame: Bytes) -> Result<(), Gone> {
        self.quiet_since = Instant::now();
        self.to.send(frame).await.map_err(|_closed| Gone)
    }
}
