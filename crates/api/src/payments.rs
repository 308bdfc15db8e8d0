//! Payments by themselves: lists of them, one of them, and what shows that it happened.

pub(crate) mod decide;
mod query;
pub(crate) mod view;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use paywatch_core::PaymentId;
use paywatch_store::BookedTransfer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::fields::{Fields, Shown};
use crate::payments::view::PaymentView;
use crate::present::Present;
use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;
use crate::wire::{bound_cursor, unbound};

/// Read the proof of a payment
///
/// The evidence that the payment's block holds it: header, receipt, Merkle path and log. Keep it as
/// it is, byte for byte; `paywatch verify-proof` checks it with no node and no database.
#[utoipa::path(
    get, path = "/v1/payments/{id}/proof", operation_id = "read_payment_proof", tag = "payments", security(("api_key" = [])),
    params(("id" = String, Path, description = "The payment's id", example = "pay_5f1d7a84db00d2fce00b31a7fc73224f")),
    responses(
        (status = 200, description = "The proof", body = serde_json::Value, content_type = "application/json"),
        (status = 404, description = "There is no such payment, or no proof of it", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn proof(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = read_id(id)?;
    if let Some(bundle) = state.store.payment_proof(&id).await? {
        let json = HeaderValue::from_static("application/json");
        return Ok(([(CONTENT_TYPE, json)], bundle).into_response());
    }
    let why = if state.store.has_payment(&id).await? {
        format!("there is no proof of {id}: not yet, or its chain cannot give one")
    } else {
        format!("there is no payment {id}")
    };
    Err(Problem::because(Code::NotFound, why))
}

/// The payment's id in a path.
pub(crate) fn read_id(id: Result<Path<String>, PathRejection>) -> Result<PaymentId, Problem> {
    let Path(id) = id.map_err(|error| Problem::because(Code::NotFound, error))?;
    id.parse().map_err(|error| {
        let detail = format!("{id:?} is not a payment's id: {error}");
        Problem::because(Code::NotFound, detail)
    })
}

/// The payment, which must exist.
pub(crate) async fn find(state: &ApiState, id: &PaymentId) -> Result<BookedTransfer, Problem> {
    let payment = state.store.payment(id).await?;
    payment.ok_or_else(|| Problem::because(Code::NotFound, format!("there is no payment {id}")))
}

/// A page of payments.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentList {
    /// The payments.
    #[schema(value_type = Vec<PaymentView>)]
    data: Vec<Shown<PaymentView>>,
    /// Pass it as `cursor` for the next page.
    next_cursor: Option<String>,
    /// Whether there is a next page.
    has_more: bool,
}

/// List payments
///
/// Every transfer to an address of yours, whether it belongs to an order or not, those first that
/// were seen last, or first. A cursor belongs to the list that gave it: go on with the same filters
/// and order.
#[utoipa::path(
    get, path = "/v1/payments", operation_id = "list_payments", tag = "payments", security(("api_key" = [])),
    params(
        ("status" = Option<String>, Query, description = "One or several, separated by commas; `unmatched` is what waits for you", example = "unmatched"),
        ("chain" = Option<String>, Query, description = "On this chain, by name or id"),
        ("token" = Option<String>, Query, description = "Of the token with this address"),
        ("address" = Option<String>, Query, description = "To this address"),
        ("tx_hash" = Option<String>, Query, description = "In this transaction"),
        ("order" = Option<String>, Query, description = "Of this order"),
        ("detected_from" = Option<String>, Query, description = "First seen at this time or later, RFC 3339"),
        ("detected_before" = Option<String>, Query, description = "First seen before this time, RFC 3339"),
        ("sort" = Option<String>, Query, description = "-detected_at (seen last first, if not given) or detected_at (seen first first)", example = "detected_at"),
        ("fields" = Option<String>, Query, description = "Only these fields of each, separated by commas", example = "id,status,amount"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 if not given"),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before"),
    ),
    responses(
        (status = 200, description = "A page", body = PaymentList),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<PaymentList>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let pairs = unbound(pairs).map_err(Problem::field)?;
    let fields = Fields::read::<PaymentView>(&pairs).map_err(Problem::field)?;
    let asked = query::read(&pairs, &state.shop).map_err(Problem::fields)?;
    let mut found = state
        .store
        .payments(&asked.filter, asked.after, asked.length.one_more())
        .await?;
    let has_more = asked.length.cut(&mut found);
    let last = found.last().filter(|_| has_more);
    let present = Present::read(&state).await?;
    Ok(Json(PaymentList {
        data: found
            .iter()
            .map(|booked| fields.of(PaymentView::booked(booked, &present)))
            .collect(),
        next_cursor: last.map(|last| bound_cursor(&query::cursor(last), &pairs)),
        has_more,
    }))
}

/// Read a payment
#[utoipa::path(
    get, path = "/v1/payments/{id}", operation_id = "read_payment", tag = "payments", security(("api_key" = [])),
    params(
        ("id" = String, Path, description = "The payment's id", example = "pay_5f1d7a84db00d2fce00b31a7fc73224f"),
        ("fields" = Option<String>, Query, description = "Only these of its fields, separated by commas", example = "id,status,confirmations"),
    ),
    responses(
        (status = 200, description = "The payment", body = PaymentView),
        (status = 422, description = "Wrong parameters, all of them at once", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such payment", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    pairs: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Shown<PaymentView>>, Problem> {
    let Query(pairs) = pairs.map_err(|error| Problem::because(Code::MalformedQuery, error))?;
    let fields = Fields::only::<PaymentView>(&pairs).map_err(Problem::fields)?;
    let payment = find(&state, &read_id(id)?).await?;
    let present = Present::read(&state).await?;
    Ok(Json(fields.of(PaymentView::booked(&payment, &present))))
}
