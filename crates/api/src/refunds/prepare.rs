//! Preparing a refund: checked against what arrived, and written down for your wallet to send.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use paywatch_core::{
    Amount, DecisionKind, FinalityRule, OrderId, RecordedRefund, Refund, RefundId, Refundable,
    Token,
};
use paywatch_store::{NewRefund, OrderBooks, OrderRecord};
use uuid::Uuid;

use crate::auth::Caller;
use crate::body::read_object;
use crate::deciding::{Trouble, anew_while_stale, new_decision};
use crate::orders::{self, heads};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::refunds::decide::change;
use crate::refunds::request::{self, Asked, PrepareRefund, Recipient};
use crate::refunds::view::RefundView;
use crate::refunds::{find, recipient, shown};
use crate::state::ApiState;

/// What came of it.
enum Outcome {
    Made(RefundId),
    Existing(RefundId),
}

/// Prepare a refund
///
/// The answer holds the unsigned transfer for your own wallet; nothing is sent from here. Once the
/// transfer is on its chain it is recognised, and the order says `refunded` or
/// `partially_refunded`. An order can be refunded up to what it received. The same `reference` with
/// the same content gives the same refund again (200); with another content it is refused (409).
#[utoipa::path(
    post, path = "/v1/orders/{id}/refunds", operation_id = "prepare_refund", tag = "refunds", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id")),
    request_body = PrepareRefund,
    responses(
        (status = 201, description = "The refund was prepared", body = RefundView),
        (status = 200, description = "The same request had prepared it before", body = RefundView),
        (status = 400, description = "Not JSON", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The reference belongs to another refund of the order, or there is less to give back", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "Wrong fields, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer, or the chain was never read yet", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn prepare(
    State(state): State<ApiState>,
    Extension(caller): Extension<Caller>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let object = read_object(request, state.shop.body_limit).await?;
    let order = orders::read_id(id)?;
    let asked = request::read(&object, &state.shop).map_err(Problem::fields)?;
    let outcome = anew_while_stale(|| try_once(&state, &caller, order, &asked)).await?;
    let (status, id) = match outcome {
        Outcome::Made(id) => (StatusCode::CREATED, id),
        Outcome::Existing(id) => (StatusCode::OK, id),
    };
    let mut body = shown(&state, &find(&state, &id).await?).await?;
    let record = orders::find(&state, order).await?;
    body.warnings.extend(warnings(&record, &asked));
    let location = HeaderValue::from_str(&format!("/v1/refunds/{}", body.id));
    let mut response = (status, Json(body)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// What is to be minded in this case.
fn warnings(record: &OrderRecord, asked: &Asked<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if asked.to == Recipient::Payer {
        warnings.push("make sure that the payer was no exchange".to_owned());
    }
    let snapshot = &record.snapshot;
    // What does not count is not confirmed either, and may be final all the same.
    if snapshot.confirmed < snapshot.counted {
        warnings.push(format!(
            "of {} that counted only {} is final: the chain may still take the rest back",
            snapshot.counted, snapshot.confirmed
        ));
    }
    warnings
}

async fn try_once(
    state: &ApiState,
    caller: &Caller,
    order: OrderId,
    asked: &Asked<'_>,
) -> Result<Outcome, Trouble> {
    let record = orders::find(state, order).await?;
    if let Some(before) = state.store.refund_of(order, &asked.reference).await? {
        let id = before.recorded.refund.id;
        if before.request_digest == asked.digest {
            return Ok(Outcome::Existing(id));
        }
        let reference = &asked.reference;
        let detail = format!("{reference} is the reference of {id}, made with another content");
        return Err(Problem::because(Code::ReferenceTaken, detail).into());
    }
    if !heads(state).await?.contains_key(&asked.chain.id) {
        let name = &asked.chain.name;
        let detail = format!("{name} is not read yet, so what is sent would not be seen");
        return Err(Problem::because(Code::ChainNotStarted, detail).into());
    }
    let wrong = |error: FieldError| Problem::fields(vec![error]);
    let token = token(&record, asked).map_err(wrong)?;
    let to = recipient::resolve(state, asked.chain, &record, asked.to).await?;
    let to = to.map_err(wrong)?;
    let amount = amount(&record, asked, token)?;
    let refund = Refund {
        id: RefundId::from_bytes(*Uuid::now_v7().as_bytes()),
        order,
        reference: asked.reference.clone(),
        token: token.clone(),
        to,
        amount,
        reason: asked.reason.clone(),
        finality: finality(&record, asked, token),
        created_at: state.clock.now(),
        cancelled_at: None,
    };
    let mut books = OrderBooks::from(record);
    books.refunds.push(RecordedRefund::prepared(refund.clone()));
    let change = change(state, &books, DecisionKind::Refund).await?;
    let detail = format!(
        "{amount} {} to {} prepared on {} as {} ({})",
        token.symbol,
        crate::wire::address(token.chain_id, to),
        asked.chain.name,
        refund.id,
        refund.reference
    );
    let new = new_decision(state, caller, DecisionKind::Refund, &asked.reason, detail);
    let (id, request_digest) = (refund.id, asked.digest.clone());
    let refund = NewRefund {
        refund,
        request_digest,
    };
    let written = state.store.prepare_refund(&refund, &change, &new).await?;
    tracing::info!(
        order.id = %order,
        refund.id = %id,
        decision.id = written.id,
        decision.by = written.by,
        "order {order}: {}", written.detail
    );
    Ok(Outcome::Made(id))
}

/// The token that is asked for, or else the one that the order was paid in on the chain.
fn token<'a>(record: &OrderRecord, asked: &Asked<'a>) -> Result<&'a Token, FieldError> {
    let tokens = &asked.chain.tokens;
    let names = || {
        let names: Vec<_> = tokens.iter().map(|token| token.symbol.as_str()).collect();
        names.join(", ")
    };
    if let Some(symbol) = &asked.token {
        let mut named = tokens.iter();
        let found = named.find(|token| token.symbol.eq_ignore_ascii_case(symbol));
        return found.ok_or_else(|| {
            let detail = format!(
                "{symbol:?} is not taken on {}; {}",
                asked.chain.name,
                names()
            );
            FieldError::new("token", "unknown_token", detail)
        });
    }
    if let [only] = tokens.as_slice() {
        return Ok(only);
    }
    let is_paid_in = |token: &&Token| {
        let mut paid = record.payments.iter().filter(|it| it.reverted_at.is_none());
        paid.any(|payment| {
            let transfer = &payment.recorded.transfer;
            transfer.id.chain_id == token.chain_id && transfer.token == token.address
        })
    };
    let paid: Vec<&Token> = tokens.iter().filter(is_paid_in).collect();
    match paid.as_slice() {
        [only] => Ok(only),
        _none_or_several => {
            let detail = format!("is required here: one of {}", names());
            Err(FieldError::new("token", "missing", detail))
        },
    }
}

/// How much is asked for, which must be there.
fn amount(record: &OrderRecord, asked: &Asked<'_>, token: &Token) -> Result<Amount, Problem> {
    let refundable = Refundable::of(record.snapshot.received, &record.refunds);
    let amount = asked.amount.unwrap_or_else(|| refundable.left());
    let checked = refundable.check(amount);
    checked.map_err(|refusal| Problem::because(Code::Refused, refusal))?;
    amount
        .to_base_units(token.decimals)
        .map(|_units| amount)
        .map_err(|error| {
            let detail = format!("{error} ({} on {})", token.symbol, asked.chain.name);
            Problem::fields(vec![FieldError::new("amount", "too_precise", detail)])
        })
}

/// When what is sent is confirmed: as a payment of the order is, on that chain.
fn finality(record: &OrderRecord, asked: &Asked<'_>, token: &Token) -> FinalityRule {
    let order = &record.order;
    let mut options = order.options.iter();
    let option = options.find(|option| option.token.chain_id == token.chain_id);
    option.map_or_else(
        || asked.chain.finality.rule_for(order.amount),
        |option| option.finality,
    )
}
