//! Endpoints are told once more of what they were told before, or missed.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use paywatch_core::{DecisionKind, EndpointId, Reason};
use paywatch_store::Again;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::body::read_object;
use crate::deciding::{Trouble, anew_while_stale, new_decision};
use crate::endpoints::request::{self, Redeliver};
use crate::endpoints::{called, find, read_id};
use crate::events::read_event_id;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::ApiState;

/// What is queued.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Redelivered {
    /// How many deliveries are to be made again.
    #[schema(example = 5)]
    queued: u64,
}

/// Tell an endpoint again
///
/// All that was given up, the events of a range, or one event: at once, and in order. Events keep
/// their ids, so that a receiver can drop what it has seen. What the endpoint does not want to be
/// told of is left out, and so is what is not queued for it yet: that comes by itself.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/redeliver", operation_id = "redeliver", tag = "webhooks", security(("api_key" = [])),
    params(("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    request_body = Redeliver,
    responses(
        (status = 200, description = "How many are queued", body = Redelivered),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is disabled: enable it first", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn redeliver(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<Redelivered>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let (asked, reason) = request::redeliver(&object).map_err(Problem::fields)?;
    let id = read_id(id)?;
    find(&state, id).await?;
    let (again, what) = resolve(&state, asked).await?;
    let told = anew_while_stale(|| try_once(&state, &caller, id, (again, &what), &reason));
    Ok(Json(Redelivered {
        queued: told.await?,
    }))
}

/// What is to be told again, and the words for it.
async fn resolve(state: &ApiState, asked: request::Again) -> Result<(Again, String), Problem> {
    Ok(match asked {
        request::Again::Failed => (Again::Failed, "what was given up".to_owned()),
        request::Again::Range(from, to) => {
            (Again::Range(from, to), format!("of events {from} to {to}"))
        },
        request::Again::Event(id) => {
            let missing = || {
                let detail = format!("there is no event {id:?}");
                Problem::fields(vec![FieldError::new("event", "unknown_event", detail)])
            };
            let known = read_event_id(&id).ok_or_else(missing)?;
            let event = state.store.event(known).await?.ok_or_else(missing)?;
            (Again::Range(event.seq, event.seq), format!("of {id}"))
        },
    })
}

async fn try_once(
    state: &ApiState,
    caller: &Caller,
    id: EndpointId,
    (again, what): (Again, &str),
    reason: &Reason,
) -> Result<u64, Trouble> {
    let endpoint = find(state, id).await?;
    if endpoint.disabled.is_some() {
        let detail = format!("{} is disabled; enable it first", called(&endpoint));
        return Err(Problem::because(Code::Refused, detail).into());
    }
    let detail = format!("{} is told again {what}", called(&endpoint));
    let decision = new_decision(state, caller, DecisionKind::Redeliver, reason, detail);
    let queued = state.store.redeliver(&endpoint, again, &decision).await?;
    tracing::info!(
        endpoint.id = %id,
        decision.id = decision.id,
        decision.by = decision.by,
        queued,
        "{}", decision.detail
    );
    Ok(queued)
}
