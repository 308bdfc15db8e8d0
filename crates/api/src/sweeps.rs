//! Sweeps: deposit addresses that were flushed to their treasuries.

mod query;
mod view;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::fields::{Fields, Shown};
use crate::payments;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;
use crate::sweeps::view::SweepView;
use crate::wire::{bound_cursor, unbound};

/// A page of sweeps.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweepList {
    /// The sweeps.
    #[schema(value_type = Vec<SweepView>)]
    data: Vec<Shown<SweepView>>,
    /// Pass it as `cursor` for the next page.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// List sweeps
///
/// Flushes of deposit addresses to their treasuries, whoever sent them, those first that were seen
/// last, or first. They are seen while their treasury is watched: the one that is configured, and
/// those among your wallets. A cursor belongs to the list that gave it: go on with the same filters
/// and order.
#[utoipa::path(
    get, path = "/v1/sweeps", operation_id = "list_sweeps", tag = "payments", security(("api_key" = [])),
    params(
        ("status" = Option<String>, Query, description = "One or several, separated by commas: `detected`, `completed`, `reverted`", example = "completed"),
        ("chain" = Option<String>, Query, description = "On this chain, by name or id"),
        ("token" = Option<String>, Query, description = "Of the token with this address"),
        ("address" = Option<String>, Query, description = "Of this deposit address"),
        ("order" = Option<String>, Query, description = "Of the deposit addresses of this order"),
        ("tx_hash" = Option<String>, Query, description = "In this transaction"),
        ("detected_from" = Option<String>, Query, description = "First seen at this time or later, RFC 3339"),
        ("detected_before" = Option<String>, Query, description = "First seen before this time, RFC 3339"),
        ("sort" = Option<String>, Query, description = "-detected_at (seen last first, if not given) or detected_at (seen first first)", example = "detected_at"),
        ("fields" = Option<String>, Query, description = "Only these fields of each, separated by commas", example = "id,status,amount"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 if not given"),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = SweepList),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<SweepList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let pairs = unbound(pairs).map_err(Problem::field)?;
    let fields = Fields::read::<SweepView>(&pairs).map_err(Problem::field)?;
    let asked = query::read(&pairs, &state.shop).map_err(Problem::fields)?;
    let mut found = state
        .store
        .sweeps(&asked.filter, asked.after, asked.length.one_more())
        .await?;
    let has_more = asked.length.cut(&mut found);
    let last = found.last().filter(|_| has_more);
    Ok(Json(SweepList {
        data: found
            .iter()
            .map(|sweep| fields.of(SweepView::new(sweep, &state.shop)))
            .collect(),
        next_cursor: last.map(|last| bound_cursor(&query::cursor(last), &pairs)),
        has_more,
    }))
}

/// Read a sweep
#[utoipa::path(
    get, path = "/v1/sweeps/{id}", operation_id = "read_sweep", tag = "payments", security(("api_key" = [])),
    params(
        ("id" = String, Path, description = "The sweep's id", example = "pay_5f1d7a84db00d2fce00b31a7fc73224f"),
        ("fields" = Option<String>, Query, description = "Only these of its fields, separated by commas", example = "id,status"),
    ),
    responses(
        (status = 200, description = "The sweep", body = SweepView),
        (status = 404, description = "There is no such sweep", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Shown<SweepView>>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let fields = Fields::only::<SweepView>(&pairs).map_err(Problem::fields)?;
    // A sweep is a transfer, as a payment is.
    let id = payments::read_id(id)?;
    let found = state.store.sweep(&id).await?;
    let missing = || Problem::because(Code::NotFound, format!("there is no sweep {id}"));
    let sweep = found.ok_or_else(missing)?;
    Ok(Json(fields.of(SweepView::new(&sweep, &state.shop))))
}
