//! Events as they are written, over Server-Sent Events.

use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use tokio::time::{Instant, sleep};

use crate::auth::Caller;
use crate::events::channel::{mark, stopped, stream};
use crate::events::listener::Listener;
use crate::events::query;
use crate::limits::Subject;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// The parameters of a stream.
const PARAMETERS: [&str; 3] = ["after", "types", "order"];
/// Where a client says up to which message it has come (HTML, Server-sent events).
const LAST_EVENT_ID: &str = "last-event-id";
/// How often it is asked whether a key is still worth something.
const EVERY: Duration = Duration::from_secs(2);

/// Follow events
///
/// Server-Sent Events, for as long as you stay: `id` is the sequence, `event` the type, `data` the
/// event as `GET /v1/events/{id}` answers it, in one line. Come back with the last `id` as
/// `Last-Event-ID`, and you have missed nothing; browsers do so by themselves. When nothing happens, a
/// message without `data` comes every 15 seconds, with the `id` up to which there is nothing to ask
/// for. The stream ends when its key does, or the daemon.
#[utoipa::path(
    get, path = "/v1/events/stream", operation_id = "stream_events", tag = "events", security(("api_key" = [])),
    params(
        ("after" = Option<u64>, Query, description = "Begin after this sequence; with what happens from now on, if not given", example = 30),
        ("types" = Option<String>, Query, description = "One or several, separated by commas; `order.*` is all that begin so", example = "order.completed,payment.*"),
        ("order" = Option<String>, Query, description = "Of this order", example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        ("Last-Event-ID" = Option<u64>, Header, description = "The same as `after`, which it goes before", example = 30),
    ),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "The query or Last-Event-ID cannot be understood", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn follow(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = query::read(&pairs, &PARAMETERS).map_err(Problem::fields)?;
    let known = last_known(request.headers())?;
    let place = match known.or(asked.after) {
        Some(place) => place,
        // Not what is remembered: what the client has done before this is told by no event later.
        None => state.store.last_event().await?,
    };
    let subject = Subject::Key(caller.id().to_owned());
    let room = match state.streams.take(subject, state.limits.settings.streams) {
        Ok(room) => room,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let ends = (stopped(request.extensions()), ended(state.clone(), caller));
    let over = async move {
        tokio::select! {
            () = ends.0 => {},
            () = ends.1 => {},
        }
    };
    Ok(stream((room, &mark(place)), over, |to| async move {
        let listener = Listener {
            filter: asked.filter,
            state,
            place,
            to,
            quiet_since: Instant::now(),
        };
        // He is gone, and nothing is left to say.
        let _gone = listener.tell().await;
    }))
}

/// The place in the log that a client has come to.
fn last_known(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let place = query::read_place("Last-Event-ID", text);
    place.map(Some).map_err(|error| {
        let detail = format!("Last-Event-ID {}", error.detail);
        Problem::because(Code::MalformedHeader, detail)
    })
}

/// Waits until the caller's key is worth nothing any more.
async fn ended(state: ApiState, caller: Caller) {
    loop {
        sleep(EVERY).await;
        match state.keys_in_use.is_valid(&state, caller.id()).await {
            Ok(true) => {},
            Ok(false) => return,
            Err(error) => tracing::debug!(error = %error, "a key cannot be looked up"),
        }
    }
}
