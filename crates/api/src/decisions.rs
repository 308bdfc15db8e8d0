//! The audit log: what operators decided, and why.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use paywatch_store::{DecisionFilter, DecisionRecord, Page};
use serde::Serialize;
use utoipa::ToSchema;

use crate::parameters::{PageLength, read_each, unknown};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::ApiState;
use crate::wire::{cursor, parsed, read_cursor, time};

/// The parameters of the list.
const PARAMETERS: [&str; 4] = ["order", "payment", "limit", "cursor"];

/// A page of decisions, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DecisionList {
    /// The decisions.
    data: Vec<DecisionView>,
    /// Pass it as `cursor` for the next page.
    #[schema(example = "c1f")]
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// What an operator decided. It is written once and never changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
pub(crate) struct DecisionView {
    /// Its id.
    #[schema(example = "dec_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    id: String,
    /// `cancel`, `extend`, `accept`, `assign`, `unassign`, `write_off`, `import`, `refund`,
    /// `cancel_refund`, `link_refund`, `create_key`, `rotate_key`, `revoke_key`, `create_endpoint`,
    /// `change_endpoint`, `rotate_secret`, `disable_endpoint`, `enable_endpoint` or `redeliver`.
    #[schema(example = "extend")]
    kind: &'static str,
    /// The order that it is about.
    order: Option<String>,
    /// The payment that it is about.
    payment: Option<String>,
    /// Why.
    #[schema(example = "the customer's exchange is slow")]
    reason: String,
    /// Whose key it was; at the command line, which user of the machine.
    #[schema(example = "shop (key_0190a6d2b3c4)")]
    decided_by: String,
    /// What it changed.
    detail: String,
    /// When.
    #[schema(example = "2026-11-23T14:50:12.120Z")]
    decided_at: String,
    /// Covers all of this and the digest of the decision before it (Keccak-256), so that a later
    /// change of the log shows.
    digest: String,
}

impl From<DecisionRecord> for DecisionView {
    fn from(record: DecisionRecord) -> Self {
        Self {
            id: record.id,
            kind: record.kind.name(),
            order: record.order.map(|id| id.to_string()),
            payment: record.payment.map(|id| id.to_string()),
            reason: record.reason.as_str().to_owned(),
            decided_by: record.by,
            detail: record.detail,
            decided_at: time(record.at),
            digest: record.digest,
        }
    }
}

/// List decisions
///
/// The audit log, newest first.
#[utoipa::path(
    get, path = "/v1/decisions", operation_id = "list_decisions", tag = "decisions", security(("api_key" = [])),
    params(
        ("order" = Option<String>, Query, description = "About this order"),
        ("payment" = Option<String>, Query, description = "About this payment"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 if not given"),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = DecisionList),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<DecisionList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let asked = read(&pairs).map_err(Problem::fields)?;
    let page = Page {
        before_seq: asked.before_seq,
        limit: asked.length.one_more(),
    };
    let mut found = state.store.decisions(&asked.filter, page).await?;
    let has_more = asked.length.cut(&mut found);
    let next_cursor = found
        .last()
        .filter(|_| has_more)
        .map(|last| cursor(last.seq));
    Ok(Json(DecisionList {
        data: found.into_iter().map(DecisionView::from).collect(),
        next_cursor,
        has_more,
    }))
}

/// Which are asked for.
#[derive(Debug, Default)]
struct Asked {
    filter: DecisionFilter,
    before_seq: Option<u64>,
    length: PageLength,
}

fn read(pairs: &[(String, String)]) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked::default();
    read_each(pairs, &[], |name, value| {
        match name {
            "order" => asked.filter.order = Some(parsed(name, value)?),
            "payment" => asked.filter.payment = Some(parsed(name, value)?),
            "limit" => asked.length = PageLength::read(value)?,
            "cursor" => asked.before_seq = Some(read_cursor(value)?),
            _unknown => return Err(unknown(name, &PARAMETERS)),
        }
        Ok(())
    })?;
    Ok(asked)
}
