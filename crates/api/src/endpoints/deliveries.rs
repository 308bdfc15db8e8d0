//! What was told to an endpoint, and how it answered.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use paywatch_core::DeliveryState;
use paywatch_store::{AttemptRecord, DeliveryRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::endpoints::{find, parse_id, read_id};
use crate::parameters::{PageLength, read_each, unknown};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::ApiState;
use crate::wire::{cursor, parsed, read_cursor, time};

/// The parameters of the list.
const PARAMETERS: [&str; 3] = ["state", "limit", "cursor"];

/// A page of deliveries, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryList {
    /// The deliveries.
    data: Vec<DeliveryView>,
    /// Pass it as `cursor` for the next page.
    #[schema(example = "c1f")]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// An event for an endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// The event's sequence.
    #[schema(example = 31)]
    sequence: u64,
    /// The event's id, which is sent as `webhook-id`.
    #[schema(example = "evt_7f83b1657ff1fc53b92dc18148a1d65d")]
    event: String,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "order.completed")]
    kind: String,
    /// `pending`, `delivered`, `failed` (given up) or `dropped` (it was disabled).
    #[schema(example = "pending")]
    state: &'static str,
    /// How many requests were sent since it was queued last.
    #[schema(example = 2)]
    attempts: u32,
    /// When it is tried next, while it is pending.
    #[schema(example = "2026-11-23T14:50:42.120Z")]
    next_attempt_at: Option<String>,
    /// When it was queued.
    #[schema(example = "2026-11-23T14:50:12.120Z")]
    queued_at: String,
    /// When it was delivered, given up or dropped.
    finished_at: Option<String>,
}

/// A delivery and its requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryWithRequests {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// Every request that was sent for it, oldest first, also before it was told again.
    requests: Vec<RequestView>,
}

/// A request, and what came back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryRequest)]
pub(crate) struct RequestView {
    /// Counts the requests of the delivery, from 1.
    #[schema(example = 1)]
    attempt: u32,
    /// When it was sent.
    #[schema(example = "2026-11-23T14:50:12.140Z")]
    sent_at: String,
    /// How long it took, in milliseconds.
    #[schema(example = 37)]
    took_ms: u32,
    /// The HTTP status of the answer; `null` if there was none.
    #[schema(example = 500)]
    status: Option<u16>,
    /// What was wrong.
    #[schema(example = "it answered 500")]
    failure: Option<String>,
    /// How the answer begins, at most 1 KiB.
    #[schema(example = "Internal Server Error")]
    answer: String,
}

impl From<DeliveryRecord> for DeliveryView {
    fn from(record: DeliveryRecord) -> Self {
        let is_pending = record.state == DeliveryState::Pending;
        Self {
            sequence: record.seq,
            event: record.event_id,
            kind: record.kind,
            state: record.state.name(),
            attempts: record.attempts,
            next_attempt_at: is_pending.then(|| time(record.next_at)),
            queued_at: time(record.queued_at),
            finished_at: record.finished_at.map(time),
        }
    }
}

impl From<(DeliveryRecord, Vec<AttemptRecord>)> for DeliveryWithRequests {
    fn from((delivery, requests): (DeliveryRecord, Vec<AttemptRecord>)) -> Self {
        Self {
            delivery: delivery.into(),
            requests: requests.into_iter().map(RequestView::from).collect(),
        }
    }
}

impl From<AttemptRecord> for RequestView {
    fn from(record: AttemptRecord) -> Self {
        Self {
            attempt: record.attempt,
            sent_at: time(record.sent_at),
            took_ms: record.took_ms,
            status: record.status,
            failure: record.failure,
            answer: record.answer,
        }
    }
}

/// List deliveries
///
/// What the endpoint is told, newest first. What is delivered or dropped is forgotten after a while
/// (`[webhooks] keep`).
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}/deliveries", operation_id = "list_deliveries", tag = "webhooks", security(("api_key" = [])),
    params(
        ("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        ("state" = Option<String>, Query, description = "One or several, separated by commas: `pending`, `delivered`, `failed`, `dropped`", example = "pending,failed"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 if not given"),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = DeliveryList),
        (status = 400, description = "The query cannot be understood", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<DeliveryList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = query(&pairs).map_err(Problem::fields)?;
    let endpoint = find(&state, read_id(id)?).await?;
    let one_more = asked.length.one_more();
    let found = state
        .store
        .deliveries(endpoint.id, &asked.states, asked.before, one_more);
    let mut found = found.await?;
    let has_more = asked.length.cut(&mut found);
    let last = found.last().filter(|_| has_more);
    Ok(Json(DeliveryList {
        next_cursor: last.map(|last| cursor(last.seq)),
        data: found.into_iter().map(DeliveryView::from).collect(),
        has_more,
    }))
}

/// Read a delivery
///
/// With every request that was sent for it, and how it was answered.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}/deliveries/{sequence}", operation_id = "read_delivery", tag = "webhooks", security(("api_key" = [])),
    params(
        ("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        ("sequence" = u64, Path, description = "The event's sequence", example = 31),
    ),
    responses(
        (status = 200, description = "The delivery", body = DeliveryWithRequests),
        (status = 404, description = "There is no such endpoint, or the event is not queued for it, or that is forgotten", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Json<DeliveryWithRequests>, Problem> {
    let Path((id, sequence)) = path.map_err(|error| Problem::because(Code::NotFound, error))?;
    let endpoint = find(&state, parse_id(&id)?).await?;
    let missing = || {
        let detail = format!("{} has no delivery {sequence}", endpoint.id);
        Problem::because(Code::NotFound, detail)
    };
    // The database counts in signed numbers.
    let seq = sequence.parse::<u64>().ok();
    let seq = seq.filter(|seq| i64::try_from(seq.saturating_add(1)).is_ok());
    let seq = seq.ok_or_else(missing)?;
    let found = state.store.delivery(endpoint.id, seq).await?;
    Ok(Json(found.ok_or_else(missing)?.into()))
}

/// Which deliveries are asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    states: Vec<DeliveryState>,
    before: Option<u64>,
    length: PageLength,
}

fn query(pairs: &[(String, String)]) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked {
        states: Vec::new(),
        before: None,
        length: PageLength::default(),
    };
    read_each(pairs, &["state"], |name, value| {
        match name {
            "state" => {
                for state in value.split(',') {
                    asked.states.push(parsed(name, state)?);
                }
            },
            "limit" => asked.length = PageLength::read(value)?,
            "cursor" => asked.before = Some(read_cursor(value)?),
            _unknown => return Err(unknown(name, &PARAMETERS)),
        }
        Ok(())
    })?;
    asked.states.sort_unstable();
    asked.states.dedup();
    Ok(asked)
}
