//! What has become of an order, told to its payer as it happens.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use paywatch_core::{CheckoutToken, OrderId};
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
    let mut news = state.feed.listen(state);
    // The first news may be all that is told of what happened between the two.
    let mut heard = Heard::Nothing;
    let mut known = String::new();
    let mut told_at = Instant::now();
    while let Some(standing) = read(state, token).await {
        let is_new = standing.revision != known;
        if is_new || told_at.elapsed() >= KEEP_ALIVE {
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
        let end = look_again(&standing, told_at);
        heard = hear((&mut news, heard), order, end).await;
    }
}

async fn read(state: &ApiState, token: CheckoutToken) -> Option<Standing> {
    let read = async {
        let record = state.store.order_by_checkout(token).await?;
        Ok::<_, paywatch_store::StoreError>((record, heads(state).await?))
    };
    match read.await {
        Ok((record, heads)) => Some(standing(&record?, &heads, state.clock.now())),
        Err(error) => {
            // The page asks by itself then.
            tracing::debug!(error = %error, "an order cannot be followed");
            None
        },
    }
}

/// When it is looked again, whatever is heard.
fn look_again(standing: &Standing, told_at: Instant) -> Option<Instant> {
    if standing.confirmations.is_some() {
        return Instant::now().checked_add(DEEPER);
    }
    told_at.checked_add(KEEP_ALIVE)
}

/// What of the news was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
}

/// Waits until something happens to `order`, until the first news, or until `end`.
async fn hear(
    (news, mut heard): (&mut Receiver<Told>, Heard),
    order: OrderId,
    end: Option<Instant>,
) -> Heard {
    let end = end.unwrap_or_else(Instant::now);
    loop {
        match timeout_at(end, news.recv()).await {
            Ok(Ok(told)) => {
                let is_first = std::mem::replace(&mut heard, Heard::Something) == Heard::Nothing;
                if is_first || told.order == Some(order) {
                    return heard;
                }
            },
            Ok(Err(RecvError::Lagged(_) | RecvError::Closed)) | Err(_) => return heard,
        }
    }
}
