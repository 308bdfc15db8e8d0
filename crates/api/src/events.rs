//! The event log over HTTP: pages of it, one event, and a stream.

pub(crate) mod channel;
pub(crate) mod feed;
pub(crate) mod keys_in_use;
pub(crate) mod listener;
mod query;
mod render;
pub(crate) mod stream;
pub(crate) mod then;
mod view;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use paywatch_store::EventPage;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::events::query::Asked;
pub use crate::events::render::{EventRenderer, ForeignEvent, RenderedEvent};
use crate::events::view::EventView;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// The parameters of a list.
const PARAMETERS: [&str; 5] = ["after", "types", "order", "limit", "timeout"];

/// A page of events, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventList {
    /// The events.
    #[schema(value_type = Vec<EventView>)]
    data: Vec<Box<RawValue>>,
    /// Pass it as `after` to go on: up to here the log was read, also where nothing was wanted.
    #[schema(example = 31)]
    next_after: u64,
    /// Whether there may be more already.
    has_more: bool,
}

/// List events
///
/// Oldest first, and none is ever missed: read on with `after={next_after}`. Each event holds the
/// state of its object after the change that it tells of.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "list_events", tag = "events", security(("api_key" = [])),
    params(
        ("after" = Option<u64>, Query, description = "Only events whose sequence is greater; all, if not given", example = 30),
        ("types" = Option<String>, Query, description = "One or several, separated by commas; `order.*` is all that begin so", example = "order.completed,payment.*"),
        ("order" = Option<String>, Query, description = "Of this order", example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        ("limit" = Option<u32>, Query, description = "1 to 500, 100 if not given", minimum = 1, maximum = 500),
        ("timeout" = Option<u64>, Query, description = "If there is none, wait for one for so many seconds: 0 to 30, 0 if not given", minimum = 0, maximum = 30),
    ),
    responses(
        (status = 200, description = "A page", body = EventList),
        (status = 400, description = "The query cannot be understood", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<EventList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = query::read(&pairs, &PARAMETERS).map_err(Problem::fields)?;
    let page = until(&state, &asked).await?;
    let rendered = state.event_renderer().render(&page.events).await?;
    let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let data = rendered.into_iter().map(|event| {
        RawValue::from_string(event.json.as_ref().to_owned()).map_err(|error| {
            tracing::error!(event.id = event.id, error = %error, "an event is no JSON");
            Problem::new(Code::Internal)
        })
    });
    let data: Vec<_> = data.collect::<Result<_, _>>()?;
    Ok(Json(EventList {
        has_more: data.len() >= limit,
        next_after: page.read_up_to,
        data,
    }))
}

/// The wanted events, once there is one or the time is over.
async fn until(state: &ApiState, asked: &Asked) -> Result<EventPage, Problem> {
    let end = Instant::now().checked_add(asked.timeout);
    let mut after = asked.after.unwrap_or_default();
    loop {
        // Before the page: what is told after this is not missed.
        let seq = state.changes.last(&state.store).await?;
        let page = state
            .store
            .events(&asked.filter, after, asked.limit)
            .await?;
        let (Some(end), true) = (end, page.events.is_empty()) else {
            return Ok(page);
        };
        after = page.read_up_to;
        if !state.changes.any_after(&state.store, seq, end).await? {
            return Ok(page);
        }
    }
}

/// `text`, if events can have such an id. What is none never comes to the database, of which one kind
/// takes texts that another refuses.
pub(crate) fn read_event_id(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("evt_")?.as_bytes();
    let is_hex = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    (digits.len() == 32 && digits.iter().all(is_hex)).then_some(text)
}

/// Read an event
#[utoipa::path(
    get, path = "/v1/events/{id}", operation_id = "read_event", tag = "events", security(("api_key" = [])),
    params(("id" = String, Path, description = "The event's id", example = "evt_7f83b1657ff1fc53b92dc18148a1d65d")),
    responses(
        (status = 200, description = "The event", body = EventView),
        (status = 404, description = "There is no such event", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|error| Problem::because(Code::NotFound, error))?;
    let missing = || Problem::because(Code::NotFound, format!("there is no event {id:?}"));
    let known = read_event_id(&id).ok_or_else(missing)?;
    let record = state.store.event(known).await?.ok_or_else(missing)?;
    let rendered = state.event_renderer().render(&[record]).await?;
    let event = rendered.first().ok_or_else(missing)?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(CONTENT_TYPE, json)], event.json.as_ref().to_owned()).into_response())
}
