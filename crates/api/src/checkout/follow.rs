//! What has become of an order, told to its payer as it happens.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use paywatch_core::{CheckoutToken, OrderId};
use paywatch_store::{OrderRecord, StoreError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, timeout_at};

use crate::checkout::standing::{Standing, standing};
use crate::checkout::{Found, find};
use crate::client_address::client_address;
use crate::events::channel::{stopped, stream};
use crate::events::feed::Told;
use crate::events::listener::KEEP_ALIVE;
use crate::limits::Subject;
use crate::orders::heads;
use crate::present::Present;
use crate::problem::{Problem, ProblemBody};
use crate::state::ApiState;

/// How often it is looked how many blocks stand on a payment, of which no event tells.
const DEEPER: Duration = Duration::from_secs(2);

/// Follow what becomes of an order, as its payer sees it
///
/// Server-Sent Events: `status` with what `GET /pay/{token}/status` answers, at once and whenever
/// its `revision` changes, and `alive` with the same every 15 seconds.
#[utoipa::path(
    get, path = "/pay/{token}/stream", operation_id = "stream_checkout", tag = "checkout",
    params(("token" = String, Path, description = "The end of the order's checkout_url", example = "chk_5f1d7a84db00d2fce00b31a7fc73224f")),
    responses(
        (status = 200, description = "What becomes of it", body = String, content_type = "text/event-stream"),
        (status = 404, description = "There is no such page", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many pages are open there: ask for the status", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn follow(
    State(state): State<ApiState>,
    token: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Found { record, .. } = find(&state, token).await?;
    let Some(token) = record.checkout else {
        return Err(super::missing());
    };
    let trusted = &state.access.trusted_proxies;
    let address = client_address(request.extensions(), request.headers(), trusted);
    let settings = state.limits.settings.streams;
    let place = match state.streams.take(Subject::at(address), settings) {
        Ok(place) => place,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let over = stopped(request.extensions());
    let order = record.order.id;
    Ok(stream((place, ""), over, |to| async move {
        tell(&state, (order, token), &to).await;
    }))
}

/// Tells what becomes of an order, until nobody listens or the order cannot be read.
async fn tell(state: &ApiState, (order, token): (OrderId, CheckoutToken), to: &Sender<Bytes>) {
    // Before the order is read: what happens after that is heard.
    let mut ear = Ear::of(state, order);
    let mut record = None;
    let mut known = String::new();
    let mut told_at = Instant::now();
    loop {
        let is_quiet = told_at.elapsed() >= KEEP_ALIVE;
        if is_quiet {
            record = None;
        }
        let Some(standing) = look(state, token, (&mut record, &known)).await else {
            return;
        };
        let is_new = standing.revision != known;
        if is_new || is_quiet {
            let name = if is_new { "status" } else { "alive" };
            // A struct of strings and numbers always has a JSON form.
            let json = serde_json::to_string(&standing).unwrap_or_default();
            let frame = format!("event: {name}\ndata: {json}\n\n");
            if to.send(frame.into()).await.is_err() {
                return;
            }
            told_at = Instant::now();
            known.clone_from(&standing.revision);
        }
        match ear.hear(look_again(&standing, told_at)).await {
            Woken::ByNews => record = None,
            Woken::ByTime => {},
        }
    }
}

/// How the order stands. It is read if it is not `kept`, or would have something else told of it than
/// what is `known`; the blocks on top of it are looked up once for all pages.
async fn look(
    state: &ApiState,
    token: CheckoutToken,
    (kept, known): (&mut Option<OrderRecord>, &str),
) -> Option<Standing> {
    let read = async {
        if let Some(record) = &*kept {
            let present = Present::read(state).await?;
            let standing = standing(record, &present.heads, state.clock.now());
            if standing.revision == known {
                return Ok(Some(standing));
            }
        }
        *kept = state.store.order_by_checkout(token).await?;
        let heads = heads(state).await?;
        let now = state.clock.now();
        let standing = kept.as_ref().map(|record| standing(record, &heads, now));
        Ok::<_, StoreError>(standing)
    };
    read.await.unwrap_or_else(|error| {
        // The page asks by itself then.
        tracing::debug!(error = %error, "an order cannot be followed");
        None
    })
}

/// When it is looked again, whatever is heard.
fn look_again(standing: &Standing, told_at: Instant) -> Option<Instant> {
    if standing.confirmations.is_some() {
        return Instant::now().checked_add(DEEPER);
    }
    told_at.checked_add(KEEP_ALIVE)
}

/// Why it is looked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// Something may have happened to the order.
    ByNews,
    ByTime,
}

/// Hears what happens to an order.
struct Ear {
    news: Receiver<Told>,
    order: OrderId,
    /// Whether any news came yet: the first may be all that is told of what happened before.
    has_heard: bool,
}

impl Ear {
    fn of(state: &ApiState, order: OrderId) -> Self {
        Self {
            news: state.feed.listen(state),
            order,
            has_heard: false,
        }
    }

    /// Waits until something happens to the order, until the first news, or until `end`.
    async fn hear(&mut self, end: Option<Instant>) -> Woken {
        let end = end.unwrap_or_else(Instant::now);
        loop {
            match timeout_at(end, self.news.recv()).await {
                Ok(Ok(told)) => {
                    let is_first = !std::mem::replace(&mut self.has_heard, true);
                    if is_first || told.order == Some(self.order) {
                        return Woken::ByNews;
                    }
                },
                Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) => return Woken::ByNews,
                Err(_elapsed) => return Woken::ByTime,
            }
        }
    }
}
