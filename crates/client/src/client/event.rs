//! The calls about events, and following them.

use std::time::Duration;

use reqwest::{Method, Response};

use crate::client::{Client, TIMEOUT, check_id};
use crate::error::{ClientError, Problem};
use crate::wire::{Event, EventPage, ListEvents};

/// A stream has no end of its own; this is as good as never.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Events as they are written.
#[derive(Debug)]
pub struct EventStream {
    client: Client,
    response: Response,
    text: Vec<u8>,
    place: Option<u64>,
}

impl Client {
    /// A page of events, oldest first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events(&self, list: &ListEvents) -> Result<EventPage, ClientError> {
        let request = self.request(Method::GET, "v1/events")?.query(list);
        let waits = Duration::from_secs(list.timeout.unwrap_or_default());
        self.answer(request.timeout(TIMEOUT.saturating_add(waits)))
            .await
    }

    /// The events after this place in the log, some hundred of them, and where to go on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events_after(&self, place: u64) -> Result<EventPage, ClientError> {
        let list = ListEvents {
            after: Some(place),
            ..ListEvents::default()
        };
        self.events(&list).await
    }

    /// The event `id`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn event(&self, id: &str) -> Result<Event, ClientError> {
        check_id(id, "an event's")?;
        self.answer(self.request(Method::GET, &format!("v1/events/{id}"))?)
            .await
    }

    /// Follows events: those after [`ListEvents::after`], or those from now on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn follow_events(&self, list: &ListEvents) -> Result<EventStream, ClientError> {
        let request = self.request(Method::GET, "v1/events/stream")?.query(list);
        let response = request.timeout(NEVER).send().await;
        let response = response.map_err(|source| self.unreachable(source))?;
        let status = response.status();
        if !status.is_success() {
            let body = response.bytes().await;
            let body = body.map_err(|source| self.unreachable(source))?;
            let problem: Problem = self.read(status, &body)?;
            return Err(ClientError::Problem(Box::new(problem)));
        }
        Ok(EventStream {
            client: self.clone(),
            response,
            text: Vec::new(),
            place: list.after,
        })
    }
}

impl EventStream {
    /// The next event, however long it takes; `None` once the daemon has ended the stream. Follow
    /// again after [`Self::place`] then, and nothing is missed.
    ///
    /// # Errors
    /// [`ClientError`], above all when the connection breaks: the same goes for that.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            while let Some(message) = self.message() {
                if let Some(event) = self.take(&message)? {
                    return Ok(Some(event));
                }
            }
            let more = self.response.chunk().await;
            match more.map_err(|source| self.client.unreachable(source))? {
                Some(bytes) => self.text.extend_from_slice(&bytes),
                None => return Ok(None),
            }
        }
    }

    /// The place in the log up to which everything has been told, once that is known.
    #[must_use]
    pub const fn place(&self) -> Option<u64> {
        self.place
    }

    /// The next whole message that has come.
    fn message(&mut self) -> Option<Vec<u8>> {
        let end = self.text.windows(2).position(|two| two == b"\n\n")?;
        let rest = self.text.split_off(end.saturating_add(2));
        Some(std::mem::replace(&mut self.text, rest))
    }

    /// The event that a message holds, if it holds one.
    fn take(&mut self, message: &[u8]) -> Result<Option<Event>, ClientError> {
        let text = String::from_utf8_lossy(message);
        let of = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let event = of("data").map(|data| {
            let status = self.response.status();
            self.client.read(status, data.as_bytes())
        });
        let event = event.transpose()?;
        // Not before the event could be read.
        if let Some(place) = of("id").and_then(|id| id.parse().ok()) {
            self.place = Some(place);
        }
        Ok(event)
    }
}
