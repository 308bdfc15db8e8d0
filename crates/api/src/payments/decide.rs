//! What operators decide about payments.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use paywatch_core::{
    Cause, DecisionKind, EventKind, FinalityRule, Loose, OrderId, PaymentEvent, PaymentId, Reason,
    RecordedTransfer, reassess,
};
use paywatch_store::{BookedPlace, BookedTransfer, OrderBooks, OrderChange, OrderRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::body::read_object;
use crate::deciding::{Decide, Trouble, anew_while_stale, new_decision, read_reason};
use crate::orders::request::text;
use crate::orders::{self, heads};
use crate::payments::view::PaymentView;
use crate::payments::{find, read_id};
use crate::present::Present;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::state::ApiState;

/// To which order, and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssignPayment {
    /// The order's id.
    #[schema(example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    order: String,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(example = "the customer sent the transaction's hash")]
    reason: String,
}

/// What is decided about a payment.
#[derive(Clone, Copy, Debug)]
enum Choice {
    Assign(OrderId),
    Unassign,
    WriteOff,
}

/// Give a payment to an order
///
/// A payment that no order claims counts for the order from now on, whatever it was paid in and
/// whenever it came. It is confirmed by the rule of its chain for the order's amount, and only once
/// its block is shown to hold it, where the chain can show that.
#[utoipa::path(
    post, path = "/v1/payments/{id}/assign", operation_id = "assign_payment", tag = "decisions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The payment's id")),
    request_body = AssignPayment,
    responses(
        (status = 200, description = "The payment", body = PaymentView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such payment or order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It belongs to an order, left its chain, or the order is cancelled", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn assign(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<PaymentView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let order = text("order", object.get("order")).and_then(|text| {
        let parsed = text.parse::<OrderId>();
        parsed.map_err(|error| FieldError::new("order", "invalid", error))
    });
    let reason = read_reason(&object, &["order", "reason"]);
    match (order, reason) {
        (Ok(order), Ok(reason)) => decide(&state, &caller, id, Choice::Assign(order), reason).await,
        (Ok(_), Err(problem)) => Err(problem),
        (Err(error), Ok(_)) => Err(Problem::fields(vec![error])),
        (Err(error), Err(problem)) => Err(problem.and(error)),
    }
}

/// Take an assigned payment away from its order
///
/// It is unmatched again. What the order was paid by itself stays.
#[utoipa::path(
    post, path = "/v1/payments/{id}/unassign", operation_id = "unassign_payment", tag = "decisions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The payment's id")),
    request_body = Decide,
    responses(
        (status = 200, description = "The payment", body = PaymentView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such payment", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "No operator assigned it, or it left its chain", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn unassign(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<PaymentView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let reason = read_reason(&object, &["reason"])?;
    decide(&state, &caller, id, Choice::Unassign, reason).await
}

/// Leave an unmatched payment alone
///
/// It stays in the list, and waits for nobody any more. It can still be assigned later.
#[utoipa::path(
    post, path = "/v1/payments/{id}/write_off", operation_id = "write_off_payment", tag = "decisions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The payment's id")),
    request_body = Decide,
    responses(
        (status = 200, description = "The payment", body = PaymentView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such payment", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not unmatched, or it left its chain", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn write_off(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Json<PaymentView>, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let reason = read_reason(&object, &["reason"])?;
    decide(&state, &caller, id, Choice::WriteOff, reason).await
}

async fn decide(
    state: &ApiState,
    caller: &Caller,
    id: Result<Path<String>, PathRejection>,
    choice: Choice,
    reason: Reason,
) -> Result<Json<PaymentView>, Problem> {
    let id = read_id(id)?;
    anew_while_stale(|| try_once(state, caller, &id, choice, &reason)).await?;
    let payment = find(state, &id).await?;
    let present = Present::read(state).await?;
    Ok(Json(PaymentView::booked(&payment, &present)))
}

fn refused(detail: impl std::fmt::Display) -> Trouble {
    Problem::because(Code::Refused, detail).into()
}

async fn try_once(
    state: &ApiState,
    caller: &Caller,
    id: &PaymentId,
    choice: Choice,
    reason: &Reason,
) -> Result<(), Trouble> {
    let payment = find(state, id).await?;
    if payment.reverted_at.is_some() {
        return Err(refused(format!("{id} has left its chain")));
    }
    let transfer = &payment.recorded.transfer;
    let what = format!("{} in transaction {}", transfer.amount, transfer.tx_hash);
    let decision = |kind, detail| new_decision(state, caller, kind, reason, detail);
    let written = match choice {
        Choice::Assign(order) => {
            let (finality, change) = assigned(state, &payment, order).await?;
            let new = decision(DecisionKind::Assign, format!("{what} given to {order}"));
            let store = &state.store;
            store.assign_payment(id, finality, &change, &new).await?
        },
        Choice::Unassign => {
            let (order, change) = unassigned(state, &payment).await?;
            let event = PaymentEvent::of(transfer, EventKind::PaymentUnmatched);
            let detail = format!("{what} taken away from {order}");
            let new = decision(DecisionKind::Unassign, detail);
            state.store.unassign_payment(&event, &change, &new).await?
        },
        Choice::WriteOff => {
            if payment.place != BookedPlace::Loose(Loose::Unmatched) {
                return Err(refused(format!("{id} is not unmatched")));
            }
            let event = PaymentEvent::of(transfer, EventKind::PaymentWrittenOff);
            let new = decision(DecisionKind::WriteOff, format!("{what} written off"));
            state.store.write_off_payment(&event, &new).await?
        },
    };
    tracing::info!(
        payment.id = %id,
        decision.id = written.id,
        decision.by = written.by,
        "payment {id}: {}", written.detail
    );
    Ok(())
}

/// What `order` becomes with `payment`, and when that is confirmed.
async fn assigned(
    state: &ApiState,
    payment: &BookedTransfer,
    order: OrderId,
) -> Result<(FinalityRule, OrderChange), Trouble> {
    let id = payment.recorded.transfer.payment_id();
    match payment.place {
        BookedPlace::Loose(Loose::Unmatched | Loose::Dust | Loose::WrittenOff) => {},
        BookedPlace::Loose(loose @ (Loose::Moved | Loose::Sent | Loose::ZeroValue)) => {
            return Err(refused(format!(
                "{id} is {loose}: there is nothing to assign"
            )));
        },
        BookedPlace::Order { id: owner, .. } => {
            return Err(refused(format!("{id} belongs to {owner}")));
        },
    }
    let record = orders::find(state, order).await?;
    if record.order.cancelled_at.is_some() {
        return Err(refused(format!("{order} is cancelled")));
    }
    let chain_id = payment.recorded.transfer.id.chain_id;
    let offer = state.shop.chains.iter().find(|chain| chain.id == chain_id);
    let offer = offer.ok_or_else(|| refused(format!("chain {chain_id} is not configured")))?;
    let finality = offer.finality.rule_for(record.order.amount);
    let mut books = OrderBooks::from(record);
    books.transfers.push(RecordedTransfer {
        assigned: Some(finality),
        ..payment.recorded.clone()
    });
    let change = change(state, &books, DecisionKind::Assign).await?;
    Ok((finality, change))
}

/// What the order of `payment` becomes without it.
async fn unassigned(
    state: &ApiState,
    payment: &BookedTransfer,
) -> Result<(OrderId, OrderChange), Trouble> {
    let id = payment.recorded.transfer.payment_id();
    let Some(order) = payment
        .order()
        .filter(|_| payment.recorded.assigned.is_some())
    else {
        return Err(refused(format!("no operator has assigned {id}")));
    };
    let record: OrderRecord = orders::find(state, order).await?;
    let mut books = OrderBooks::from(record);
    books
        .transfers
        .retain(|recorded| recorded.transfer.id != payment.recorded.transfer.id);
    Ok((order, change(state, &books, DecisionKind::Unassign).await?))
}

async fn change(
    state: &ApiState,
    books: &OrderBooks,
    kind: DecisionKind,
) -> Result<OrderChange, Trouble> {
    let heads = heads(state).await?;
    let cause = Cause::Decision(kind);
    let after = reassess(&books.order, &books.snapshot, books.moved(), &heads, cause);
    let after = after.map_err(refused)?;
    Ok(OrderChange {
        order_id: books.order.id,
        expected_version: books.version,
        confirmed_at_tip: after.assessment.confirmed_at_tip(),
        snapshot: after.snapshot,
        events: after.events,
    })
}
