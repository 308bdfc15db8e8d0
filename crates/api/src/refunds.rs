//! Refunds: what your own wallet is to send back, and what became of it. Nothing is sent from here.

pub(crate) mod decide;
pub(crate) mod prepare;
mod query;
mod recipient;
mod request;
pub(crate) mod view;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use paywatch_core::{RefundId, RefundState};
use paywatch_store::RefundRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::orders::heads;
use crate::problem::{Code, Problem, ProblemBody};
use crate::qr;
use crate::refunds::view::RefundView;
use crate::state::ApiState;

/// A page of refunds, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RefundList {
    /// The refunds.
    data: Vec<RefundView>,
    /// Pass it as `cursor` for the next page.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// List refunds
///
/// Newest first.
#[utoipa::path(
    get, path = "/v1/refunds", operation_id = "list_refunds", tag = "refunds", security(("api_key" = [])),
    params(
        ("status" = Option<String>, Query, description = "One or several, separated by commas: `prepared`, `sent`, `confirmed`, `cancelled`", example = "prepared"),
        ("order" = Option<String>, Query, description = "For this order"),
        ("chain" = Option<String>, Query, description = "On this chain, by name or id"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 if not given"),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = RefundList),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<RefundList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = query::read(&pairs, &state.shop).map_err(Problem::fields)?;
    let mut found = state
        .store
        .refunds(&asked.filter, asked.before, asked.length.one_more())
        .await?;
    let has_more = asked.length.cut(&mut found);
    let heads = heads(&state).await?;
    let last = found.last().filter(|_| has_more);
    Ok(Json(RefundList {
        next_cursor: last.map(|last| last.recorded.refund.id.to_string()),
        data: found
            .iter()
            .map(|it| view::refund(&it.recorded, it.state, Some(&heads), &state.shop))
            .collect(),
        has_more,
    }))
}

/// Read a refund
#[utoipa::path(
    get, path = "/v1/refunds/{id}", operation_id = "read_refund", tag = "refunds", security(("api_key" = [])),
    params(("id" = String, Path, description = "The refund's id", example = "ref_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    responses(
        (status = 200, description = "The refund", body = RefundView),
        (status = 404, description = "There is no such refund", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<RefundView>, Problem> {
    let found = find(&state, &read_id(id)?).await?;
    Ok(Json(shown(&state, &found).await?))
}

/// Draw a refund's QR code
///
/// The refund's URI, as your wallet reads it, while the refund waits to be sent.
#[utoipa::path(
    get, path = "/v1/refunds/{id}/qr.svg", operation_id = "draw_refund", tag = "refunds", security(("api_key" = [])),
    params(("id" = String, Path, description = "The refund's id", example = "ref_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")),
    responses(
        (status = 200, description = "The code", body = String, content_type = "image/svg+xml"),
        (status = 404, description = "There is no such refund", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It does not wait to be sent", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn draw(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = read_id(id)?;
    let found = find(&state, &id).await?;
    if found.state != RefundState::Prepared {
        // Whoever still has it on a screen must not pay twice.
        let status = found.state.status();
        let detail = format!("{id} is {status} and must not be sent");
        return Err(Problem::because(Code::Refused, detail));
    }
    let uri = view::uri(&found.recorded.refund);
    let image = qr::svg(&uri, qr::USUAL_SIDE).map_err(|error| {
        tracing::error!(refund.id = %id, %error, "a refund could not be drawn");
        Problem::new(Code::Internal)
    })?;
    let svg = HeaderValue::from_static("image/svg+xml");
    Ok(([(CONTENT_TYPE, svg)], image).into_response())
}

/// The refund's id in a path.
fn read_id(id: Result<Path<String>, PathRejection>) -> Result<RefundId, Problem> {
    let Path(id) = id.map_err(|error| Problem::because(Code::NotFound, error))?;
    id.parse().map_err(|error| {
        let detail = format!("{id:?} is not a refund's id: {error}");
        Problem::because(Code::NotFound, detail)
    })
}

/// The refund, which must exist.
async fn find(state: &ApiState, id: &RefundId) -> Result<RefundRecord, Problem> {
    let found = state.store.refund(id).await?;
    found.ok_or_else(|| Problem::because(Code::NotFound, format!("there is no refund {id}")))
}

/// The refund as it is shown now.
async fn shown(state: &ApiState, found: &RefundRecord) -> Result<RefundView, Problem> {
    let heads = heads(state).await?;
    let RefundRecord {
        recorded,
        state: is,
        ..
    } = found;
    Ok(view::refund(recorded, *is, Some(&heads), &state.shop))
}
