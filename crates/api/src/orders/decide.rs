//! What operators decide about orders.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use paywatch_core::{Cause, OrderDecision, OrderId, Reason, Refusal, decide_order, reassess};
use paywatch_store::{OrderBooks, OrderChange, OrderRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::body::read_object;
use crate::deciding::{Decide, Trouble, anew_while_stale, new_decision, read_reason};
use crate::orders::request::text;
use crate::orders::view::OrderView;
use crate::orders::{find, heads, shown};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::ApiState;
use crate::wire::{read_time, time};

/// Until when, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExtendOrder {
    /// The new deadline, in RFC 3339, not before the old one.
    #[schema(example = "2026-11-24T15:42:00Z")]
    expires_at: String,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(example = "the customer's exchange is slow")]
    reason: String,
}

/// Cancel an order
///
/// It is not to be paid any more; what comes is attached, and does not count. Its addresses stay
/// watched. An order that is paid cannot be cancelled: refund it. Cancelling twice is cancelling
/// once.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", operation_id = "cancel_order", tag = "decisions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id")),
    request_body = Decide,
    responses(
        (status = 200, description = "The order, cancelled", body = OrderView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is paid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or a field that does not exist", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<OrderView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let reason = read_reason(&object, &["reason"])?;
    decide(&state, &caller, id, OrderDecision::Cancel, reason).await
}

/// Put an order's deadline off
///
/// Also for an order that has expired: it can be paid again.
#[utoipa::path(
    post, path = "/v1/orders/{id}/extend", operation_id = "extend_order", tag = "decisions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id")),
    request_body = ExtendOrder,
    responses(
        (status = 200, description = "The order with its new deadline", body = OrderView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is paid or cancelled, or the time is before its deadline", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn extend(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<OrderView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let until = text("expires_at", object.get("expires_at")).and_then(|text| {
        let wrong = || FieldError::new("expires_at", "invalid", "must be a time in RFC 3339");
        read_time(text).ok_or_else(wrong)
    });
    let reason = read_reason(&object, &["expires_at", "reason"]);
    match (until, reason) {
        (Ok(until), Ok(reason)) => {
            decide(&state, &caller, id, OrderDecision::Extend { until }, reason).await
        },
        (Ok(_), Err(problem)) => Err(problem),
        (Err(error), Ok(_)) => Err(Problem::fields(vec![error])),
        (Err(error), Err(problem)) => Err(problem.and(error)),
    }
}

/// Accept what has arrived for an order
///
/// What is there is enough, late money that was held included: the order is paid, and completed
/// once all of it is confirmed.
#[utoipa::path(
    post, path = "/v1/orders/{id}/accept", operation_id = "accept_order", tag = "decisions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id")),
    request_body = Decide,
    responses(
        (status = 200, description = "The order", body = OrderView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Nothing has arrived that does not count already, or it is cancelled", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or a field that does not exist", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn accept(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<OrderView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let reason = read_reason(&object, &["reason"])?;
    decide(&state, &caller, id, OrderDecision::Accept, reason).await
}

/// Takes the decision, anew if the order changed meanwhile, and shows the order.
async fn decide(
    state: &ApiState,
    caller: &Caller,
    id: Result<Path<String>, PathRejection>,
    decision: OrderDecision,
    reason: Reason,
) -> Result<Json<OrderView>, Problem> {
    let id = crate::orders::read_id(id)?;
    anew_while_stale(|| try_once(state, caller, id, decision, &reason)).await?;
    Ok(Json(shown(state, id).await?))
}

async fn try_once(
    state: &ApiState,
    caller: &Caller,
    id: OrderId,
    decision: OrderDecision,
    reason: &Reason,
) -> Result<(), Trouble> {
    let record = find(state, id).await?;
    let detail = detail(decision, &record);
    let books = OrderBooks::from(record);
    let (heads, now) = (heads(state).await?, state.clock.now());
    let refused = |refusal: Refusal| Problem::because(Code::Refused, refusal);
    let decided = decide_order(
        &books.order,
        &books.snapshot,
        books.moved(),
        &heads,
        (decision, now),
    );
    let Some(order) = decided.map_err(refused)? else {
        return Ok(());
    };
    let cause = Cause::Decision(decision.kind());
    let after = reassess(&order, &books.snapshot, books.moved(), &heads, cause);
    let after = after.map_err(|cause| refused(cause.into()))?;
    let change = OrderChange {
        order_id: id,
        expected_version: books.version,
        confirmed_at_tip: after.assessment.confirmed_at_tip(),
        snapshot: after.snapshot,
        events: after.events,
    };
    let new = new_decision(state, caller, decision.kind(), reason, detail);
    let written = state.store.decide_order(&order, &change, &new).await?;
    tracing::info!(
        order.id = %id,
        decision.id = written.id,
        decision.by = written.by,
        "order {id}: {}", written.detail
    );
    Ok(())
}

/// What the decision changes, for people.
fn detail(decision: OrderDecision, record: &OrderRecord) -> String {
    let snapshot = &record.snapshot;
    let order = &record.order;
    match decision {
        OrderDecision::Cancel => format!(
            "cancelled while {}, with {} of {} paid",
            snapshot.status, snapshot.counted, order.amount
        ),
        OrderDecision::Extend { until } => format!(
            "deadline put off from {} to {}",
            time(order.expires_at),
            time(until)
        ),
        OrderDecision::Accept => format!(
            "accepted while {}, with {} of {} paid and {} held",
            snapshot.status,
            snapshot.counted,
            order.amount,
            snapshot.received.less(snapshot.counted)
        ),
    }
}
