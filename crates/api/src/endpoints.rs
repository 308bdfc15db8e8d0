//! Webhooks: who is told of events, and what of it has arrived.

pub(crate) mod create;
pub(crate) mod deliveries;
mod desk;
pub(crate) mod manage;
pub(crate) mod redeliver;
mod request;
mod shown_url;
mod view;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use paywatch_core::EndpointId;
use paywatch_store::EndpointRecord;
use serde::Serialize;
use utoipa::ToSchema;

pub use crate::endpoints::deliveries::{DeliveryView, DeliveryWithRequests};
pub use crate::endpoints::desk::WebhookDesk;
pub use crate::endpoints::shown_url::shown_url;
pub use crate::endpoints::view::{EndpointView, signature_of};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// All who are told of events.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpointList)]
pub(crate) struct EndpointList {
    /// Oldest first.
    data: Vec<EndpointView>,
}

/// List webhooks
///
/// And whoever else is told of events: those have another `kind`, and are set up in the
/// configuration. They can be disabled, enabled and told again, but not changed here.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints", operation_id = "list_webhook_endpoints", tag = "webhooks", security(("api_key" = [])),
    responses(
        (status = 200, description = "All of them", body = EndpointList),
        (status = 404, description = "This daemon sends no webhooks", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<EndpointList>, Problem> {
    let desk = desk(&state)?;
    let now = state.clock.now();
    let endpoints = state.store.endpoints().await?;
    let pending = state.store.all_pending_deliveries().await?;
    let data = endpoints.iter().map(|endpoint| {
        let pending = pending.get(&endpoint.id).copied().unwrap_or_default();
        EndpointView::new(endpoint, pending, (desk, now))
    });
    Ok(Json(EndpointList {
        data: data.collect(),
    }))
}

/// Read a webhook
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}", operation_id = "read_webhook_endpoint", tag = "webhooks", security(("api_key" = [])),
    params(("id" = String, Path, description = "The endpoint's id", example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    responses(
        (status = 200, description = "The endpoint", body = EndpointView),
        (status = 404, description = "There is no such endpoint", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<EndpointView>, Problem> {
    let found = find(&state, read_id(id)?).await?;
    Ok(Json(shown(&state, &found).await?))
}

/// What knows of webhooks. Without it nothing would be delivered, so that there is nothing to manage
/// either: none of the routes is there.
fn desk(state: &ApiState) -> Result<&dyn WebhookDesk, Problem> {
    let desk = state.desk.as_deref();
    desk.ok_or_else(|| Problem::because(Code::NotFound, "this daemon sends no webhooks"))
}

/// The endpoint's id in a path.
fn read_id(id: Result<Path<String>, PathRejection>) -> Result<EndpointId, Problem> {
    let Path(id) = id.map_err(|error| Problem::because(Code::NotFound, error))?;
    parse_id(&id)
}

fn parse_id(id: &str) -> Result<EndpointId, Problem> {
    id.parse().map_err(|error| {
        let detail = format!("{id:?} is not an endpoint's id: {error}");
        Problem::because(Code::NotFound, detail)
    })
}

/// The endpoint, which must exist.
async fn find(state: &ApiState, id: EndpointId) -> Result<EndpointRecord, Problem> {
    let _there_are_webhooks = desk(state)?;
    let found = state.store.endpoint(id).await?;
    found.ok_or_else(|| missing(id))
}

fn missing(id: EndpointId) -> Problem {
    Problem::because(Code::NotFound, format!("there is no endpoint {id}"))
}

/// The endpoint as it is shown now.
async fn shown(state: &ApiState, found: &EndpointRecord) -> Result<EndpointView, Problem> {
    let desk = desk(state)?;
    let pending = state.store.pending_deliveries(found.id).await?;
    let now = state.clock.now();
    Ok(EndpointView::new(found, pending, (desk, now)))
}

/// What the audit log calls an endpoint.
fn called(endpoint: &EndpointRecord) -> String {
    format!("{} \"{}\"", endpoint.id, endpoint.name)
}
