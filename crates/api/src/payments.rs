//! What shows that payments happened.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use paywatch_core::PaymentId;

use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// Read the proof of a payment
///
/// The evidence that the payment's block holds it: header, receipt, Merkle path and log. Keep it as
/// it is, byte for byte; `paywatch verify-proof` checks it with no node and no database.
#[utoipa::path(
    get, path = "/v1/payments/{id}/proof", operation_id = "read_payment_proof", tag = "payments", security(("api_key" = [])),
    params(("id" = String, Path, description = "The payment's id", example = "pay_5f1d7a84db00d2fce00b31a7fc73224f")),
    responses(
        (status = 200, description = "The proof", body = serde_json::Value, content_type = "application/json"),
        (status = 401, description = "No valid key", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such payment, or no proof of it", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn proof(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(|error| Problem::because(Code::NotFound, error))?;
    let id: PaymentId = id.parse().map_err(|error| {
        Problem::because(
            Code::NotFound,
            format!("{id:?} is not a payment's id: {error}"),
        )
    })?;
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
