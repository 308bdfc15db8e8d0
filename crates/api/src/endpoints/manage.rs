//! Endpoints are changed, disabled and enabled.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use paywatch_core::{DecisionKind, EndpointId, EndpointKind};
use paywatch_store::{DisabledBy, EndpointChange, EndpointOutcome, EndpointRecord, NewDecision};

use crate::auth::Caller;
use crate::body::read_object;
use crate::deciding::{Decide, new_decision, read_reason};
use crate::endpoints::request::{self, ChangeEndpoint, Changed};
use crate::endpoints::view::EndpointView;
use crate::endpoints::{called, desk, find, missing, read_id, shown, shown_url};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// Change a webhook
///
/// What is still to be delivered goes to the new URL as well. What is not given stays.
#[utoipa::path(
    patch, path = "/v1/webhook-endpoints/{id}", operation_id = "change_webhook_endpoint", tag = "webhooks", security(("api_key" = [])),
    params(("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    request_body = ChangeEndpoint,
    responses(
        (status = 200, description = "The endpoint", body = EndpointView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is no webhook, or another one has the name", body = ProblemBody, content_type = "application/problem+json",
            example = json!({"type": "/docs/problems#refused", "title": "As things stand, this cannot be done", "status": 409, "code": "refused", "detail": "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b \"bus\" is of kind nats and cannot be changed here: it is set up in the configuration", "request_id": "5f1d7a84-db00-42fc-9e00-b31a7fc73224"})),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn change(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<EndpointView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let known = find(&state, read_id(id)?).await?;
    only_webhooks(&known, "changed")?;
    let desk = desk(&state)?;
    let asked = request::change(&object, known.format, &|url| desk.check_url(url))
        .map_err(Problem::fields)?;
    let detail = format!("{}: {}", called(&known), in_words(&asked));
    let kind = DecisionKind::ChangeEndpoint;
    let decision = new_decision(&state, &caller, kind, &asked.reason, detail);
    let change = EndpointChange {
        name: asked.name.map(|name| name.to_string()),
        url: asked.url,
        types: asked.types,
    };
    let store = &state.store;
    match store.change_endpoint(known.id, &change, &decision).await? {
        EndpointOutcome::Done(changed) => {
            told(&known, &decision);
            Ok(Json(shown(&state, &changed).await?))
        },
        EndpointOutcome::NameTaken(other) => Err(taken(&change.name.unwrap_or_default(), other)),
        EndpointOutcome::Missing | EndpointOutcome::Full => Err(missing(known.id)),
    }
}

/// Tell an endpoint nothing any more
///
/// What is still to be delivered is dropped, and can be told again once it is enabled. Disabling
/// twice is disabling once. One that answers 410 is disabled by itself.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/disable", operation_id = "disable_webhook_endpoint", tag = "webhooks", security(("api_key" = [])),
    params(("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    request_body = Decide,
    responses(
        (status = 200, description = "The endpoint, disabled", body = EndpointView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or a field that does not exist", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn disable(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<EndpointView>, Problem> {
    let what = (DecisionKind::DisableEndpoint, "is told nothing any more");
    let (known, decision) = decided(&state, &caller, (id, request), what).await?;
    let (store, because) = (&state.store, (decision.reason.as_str(), decision.at));
    if store
        .disable_endpoint(known.id, because, DisabledBy::Operator(&decision))
        .await?
    {
        told(&known, &decision);
    }
    as_it_is_now(&state, known.id).await
}

/// Tell an endpoint again
///
/// Of what happens from now on. What it missed is told with `redeliver`. Enabling twice is enabling
/// once.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/enable", operation_id = "enable_webhook_endpoint", tag = "webhooks", security(("api_key" = [])),
    params(("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    request_body = Decide,
    responses(
        (status = 200, description = "The endpoint, enabled", body = EndpointView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or a field that does not exist", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enable(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<EndpointView>, Problem> {
    let what = (DecisionKind::EnableEndpoint, "is told again");
    let (known, decision) = decided(&state, &caller, (id, request), what).await?;
    if state.store.enable_endpoint(known.id, &decision).await? {
        told(&known, &decision);
    }
    as_it_is_now(&state, known.id).await
}

/// The endpoint that a request is about, and the decision about it that it gives a reason for.
async fn decided(
    state: &ApiState,
    caller: &Caller,
    (id, request): (Result<Path<String>, PathRejection>, Request),
    (kind, what): (DecisionKind, &str),
) -> Result<(EndpointRecord, NewDecision), Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let reason = read_reason(&object, &["reason"])?;
    let known = find(state, read_id(id)?).await?;
    let detail = format!("{} {what}", called(&known));
    let decision = new_decision(state, caller, kind, &reason, detail);
    Ok((known, decision))
}

/// The endpoint after a decision about it.
async fn as_it_is_now(state: &ApiState, id: EndpointId) -> Result<Json<EndpointView>, Problem> {
    let now = find(state, id).await?;
    Ok(Json(shown(state, &now).await?))
}

fn told(endpoint: &EndpointRecord, decision: &NewDecision) {
    tracing::info!(
        endpoint.id = %endpoint.id,
        decision.id = decision.id,
        decision.by = decision.by,
        "{}", decision.detail
    );
}

fn in_words(asked: &Changed) -> String {
    let name = asked.name.as_ref().map(|name| format!("called \"{name}\""));
    let url = asked.url.as_ref().map(|url| {
        let url = shown_url(EndpointKind::Webhook, url);
        format!("at {}", url.unwrap_or_default())
    });
    let types = asked.types.as_ref().map(|types| format!("told of {types}"));
    let all: Vec<String> = [name, url, types].into_iter().flatten().collect();
    all.join(", ")
}

/// Refuses what is set up in the configuration: the next start would change it back.
pub(super) fn only_webhooks(endpoint: &EndpointRecord, what: &str) -> Result<(), Problem> {
    match endpoint.kind {
        EndpointKind::Webhook => Ok(()),
        EndpointKind::Callbacks
        | EndpointKind::Nats
        | EndpointKind::Kafka
        | EndpointKind::Email
        | EndpointKind::Message => {
            let detail = format!(
                "{} is of kind {} and cannot be {what} here: it is set up in the configuration",
                called(endpoint),
                endpoint.kind
            );
            Err(Problem::because(Code::Refused, detail))
        },
    }
}

/// Refuses a name.
pub(super) fn taken(name: &str, other: EndpointId) -> Problem {
    let detail = format!("\"{name}\" is the name of {other}; take another, or change that one");
    Problem::because(Code::Refused, detail)
}
