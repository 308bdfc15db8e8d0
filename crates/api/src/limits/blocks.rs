//! Who is blocked, and how an operator ends it.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::limits::table::{Blocked, Subject};
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;
use crate::wire::time;

/// Who is blocked now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BlockList {
    /// Those first whose block ends first.
    data: Vec<BlockView>,
}

/// Somebody who is blocked for a while, because requests went on after they were refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Block)]
pub(crate) struct BlockView {
    /// Its id.
    #[schema(example = "blk_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    id: String,
    /// `key` or `address`.
    #[schema(example = "address")]
    kind: &'static str,
    /// The id of the key, or the address; in IPv6 the network.
    #[schema(example = "203.0.113.7")]
    subject: String,
    /// When it began.
    #[schema(example = "2026-11-23T14:50:12.120Z")]
    since: String,
    /// When it ends by itself.
    #[schema(example = "2026-11-23T15:00:12.120Z")]
    until: String,
}

impl From<Blocked> for BlockView {
    fn from(blocked: Blocked) -> Self {
        let kind = match blocked.subject {
            Subject::Key(_) | Subject::DropIn(_) => "key",
            Subject::Address(_) | Subject::OtherAddresses => "address",
        };
        Self {
            id: blocked.id,
            kind,
            subject: blocked.subject.to_string(),
            since: time(blocked.since),
            until: time(blocked.until),
        }
    }
}

/// List who is blocked
///
/// By this instance, since it was started.
#[utoipa::path(
    get, path = "/v1/limits/blocked", operation_id = "list_blocked", tag = "limits", security(("api_key" = [])),
    responses(
        (status = 200, description = "All of them", body = BlockList),
    )
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Json<BlockList> {
    let blocked = state.limits.blocked(state.clock.now());
    Json(BlockList {
        data: blocked.into_iter().map(BlockView::from).collect(),
    })
}

/// Lift a block
///
/// Whoever it was may call again, as if for the first time.
#[utoipa::path(
    delete, path = "/v1/limits/blocked/{id}", operation_id = "lift_block", tag = "limits", security(("api_key" = [])),
    params(("id" = String, Path, description = "The block's id")),
    responses(
        (status = 200, description = "What was lifted", body = BlockView),
        (status = 404, description = "There is no such block, or it has ended", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn lift(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<BlockView>, Problem> {
    let missing = || Problem::because(Code::NotFound, "nobody is blocked under this id");
    let Path(id) = id.map_err(|_no_text| missing())?;
    let lifted = state.limits.lift(&id, state.clock.now());
    let lifted = lifted.ok_or_else(missing)?;
    tracing::info!(limit.subject = %lifted.subject, by = %caller, "a block was lifted");
    Ok(Json(lifted.into()))
}
