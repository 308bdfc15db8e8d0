//! Transfers of contracts that are no configured token: what a payer may have sent instead of money.

mod query;
pub(crate) mod view;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::look_alikes::view::LookAlikeView;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// A page, that first which was heard of last.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LookAlikeList {
    /// What came, by contract and address.
    data: Vec<LookAlikeView>,
    /// Pass it as `cursor` for the next page.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// List look-alikes
///
/// Transfers to addresses of yours by contracts that are no configured token, whatever they call
/// themselves. None of it is money, counts for an order or is told as an event; it is here so that
/// "I have paid!" can be answered. They are looked for every few minutes, in final blocks, for the
/// addresses of orders that are open or ended less than a week ago and for your own; the oldest are
/// forgotten when there are too many.
#[utoipa::path(
    get, path = "/v1/look-alikes", operation_id = "list_look_alikes", tag = "payments", security(("api_key" = [])),
    params(
        ("chain" = Option<String>, Query, description = "On this chain, by name or id"),
        ("address" = Option<String>, Query, description = "To this address"),
        ("order" = Option<String>, Query, description = "To a deposit address of this order", example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 if not given"),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = LookAlikeList),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<LookAlikeList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = query::read(&pairs, &state.shop).map_err(Problem::fields)?;
    let mut found = state
        .store
        .look_alikes(&asked.filter, asked.after, asked.length.one_more())
        .await?;
    let has_more = asked.length.cut(&mut found);
    Ok(Json(LookAlikeList {
        data: found.iter().map(LookAlikeView::of).collect(),
        next_cursor: found.last().filter(|_| has_more).map(query::cursor),
        has_more,
    }))
}
