//! What operators decide about refunds that are prepared.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use paywatch_core::{
    Cause, DecisionKind, Loose, PaymentId, Reason, RecordedRefund, RefundId, reassess,
};
use paywatch_store::{BookedPlace, OrderBooks, OrderChange};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::body::read_object;
use crate::deciding::{Decide, Trouble, anew_while_stale, new_decision, read_reason};
use crate::orders::request::text;
use crate::orders::{self, heads};
use crate::payments;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::refunds::view::RefundView;
use crate::refunds::{find, read_id, shown};
use crate::state::ApiState;

/// By which payment, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LinkRefund {
    /// The id of the payment, which left one of your addresses: its status is `sent`.
    #[schema(example = "pay_5f1d7a84db00d2fce00b31a7fc73224f")]
    payment: String,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(example = "the exchange took its fee from what we sent")]
    reason: String,
}

/// Give a refund up
///
/// Only before it is sent: make sure that nobody has signed it. What is sent after that is not
/// recognised. Cancelling twice is cancelling once.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/cancel", operation_id = "cancel_refund", tag = "refunds", security(("api_key" = [])),
    params(("id" = String, Path, description = "The refund's id")),
    request_body = Decide,
    responses(
        (status = 200, description = "The refund, cancelled", body = RefundView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such refund", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It was sent", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "No reason, or a field that does not exist", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<RefundView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let reason = read_reason(&object, &["reason"])?;
    let id = read_id(id)?;
    anew_while_stale(|| try_cancel(&state, &caller, &id, &reason)).await?;
    Ok(Json(shown(&state, &find(&state, &id).await?).await?))
}

/// Say by which payment a refund was carried out
///
/// For what was not sent as prepared: another amount, or to another address. It must have left one
/// of your addresses, in the refund's token on its chain, and carry no other refund out. What was
/// sent counts, not what was prepared.
#[utoipa::path(
    post, path = "/v1/refunds/{id}/link", operation_id = "link_refund", tag = "refunds", security(("api_key" = [])),
    params(("id" = String, Path, description = "The refund's id")),
    request_body = LinkRefund,
    responses(
        (status = 200, description = "The refund", body = RefundView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such refund or payment", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The refund does not wait, or the payment is not such a one", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn link(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<RefundView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let payment = text("payment", object.get("payment")).and_then(|text| {
        let parsed = text.parse::<PaymentId>();
        parsed.map_err(|error| FieldError::new("payment", "invalid", error))
    });
    let reason = read_reason(&object, &["payment", "reason"]);
    let (payment, reason) = match (payment, reason) {
        (Ok(payment), Ok(reason)) => (payment, reason),
        (Ok(_), Err(problem)) => return Err(problem),
        (Err(error), Ok(_)) => return Err(Problem::fields(vec![error])),
        (Err(error), Err(problem)) => return Err(problem.and(error)),
    };
    let id = read_id(id)?;
    anew_while_stale(|| try_link(&state, &caller, (&id, &payment), &reason)).await?;
    Ok(Json(shown(&state, &find(&state, &id).await?).await?))
}

fn refused(detail: impl std::fmt::Display) -> Trouble {
    Problem::because(Code::Refused, detail).into()
}

async fn try_cancel(
    state: &ApiState,
    caller: &Caller,
    id: &RefundId,
    reason: &Reason,
) -> Result<(), Trouble> {
    let recorded = find(state, id).await?.recorded;
    let Some(after) = recorded.cancel(state.clock.now()).map_err(refused)? else {
        return Ok(());
    };
    let kind = DecisionKind::CancelRefund;
    let change = change(state, &with(state, after).await?, kind).await?;
    let detail = format!("{} of {id} not sent back", recorded.refund.amount);
    let new = new_decision(state, caller, kind, reason, detail);
    let written = state.store.cancel_refund(id, &change, &new).await?;
    tracing::info!(refund.id = %id, decision.id = written.id, decision.by = written.by, "refund {id}: {}", written.detail);
    Ok(())
}

async fn try_link(
    state: &ApiState,
    caller: &Caller,
    (id, payment): (&RefundId, &PaymentId),
    reason: &Reason,
) -> Result<(), Trouble> {
    let recorded = find(state, id).await?.recorded;
    let booked = payments::find(state, payment).await?;
    if booked.reverted_at.is_some() {
        return Err(refused(format!("{payment} has left its chain")));
    }
    if booked.place != BookedPlace::Loose(Loose::Sent) {
        let detail = format!("{payment} did not leave one of your addresses for somebody else's");
        return Err(refused(detail));
    }
    if let Some(other) = state.store.refund_by(payment).await? {
        let other = other.recorded.refund.id;
        return Err(refused(format!("{payment} carries {other} out")));
    }
    let (sent, kind) = (booked.recorded.transfer.amount, DecisionKind::LinkRefund);
    let after = recorded.link(booked.recorded).map_err(refused)?;
    let change = change(state, &with(state, after).await?, kind).await?;
    let detail = format!("{id} over {} was sent as {sent}", recorded.refund.amount);
    let new = new_decision(state, caller, kind, reason, detail);
    let written = state.store.link_refund(id, payment, &change, &new).await?;
    tracing::info!(refund.id = %id, payment.id = %payment, decision.id = written.id, decision.by = written.by, "refund {id}: {}", written.detail);
    Ok(())
}

/// The books of the order of `refund`, in which it is as it is given.
async fn with(state: &ApiState, refund: RecordedRefund) -> Result<OrderBooks, Problem> {
    let record = orders::find(state, refund.refund.order).await?;
    let mut books = OrderBooks::from(record);
    for known in &mut books.refunds {
        if known.refund.id == refund.refund.id {
            *known = refund.clone();
        }
    }
    Ok(books)
}

/// What the order of `books` becomes by a decision about its refunds.
pub(super) async fn change(
    state: &ApiState,
    books: &OrderBooks,
    kind: DecisionKind,
) -> Result<OrderChange, Trouble> {
    let heads = heads(state).await?;
    let (moved, cause) = (books.moved(), Cause::Decision(kind));
    let after = reassess(&books.order, &books.snapshot, moved, &heads, cause);
    let after = after.map_err(refused)?;
    Ok(OrderChange {
        order_id: books.order.id,
        expected_version: books.version,
        confirmed_at_tip: after.assessment.confirmed_at_tip(),
        snapshot: after.snapshot,
        events: after.events,
    })
}
