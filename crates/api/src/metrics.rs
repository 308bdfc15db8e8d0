//! Figures for monitoring, in the text format of Prometheus.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use crate::problem::{Code, Problem, ProblemBody};
use crate::state::ApiState;

/// Read the metrics
///
/// How far each chain is covered, what was told of it, how many payments and reorgs there were. No
/// amounts and no addresses.
#[utoipa::path(
    get, path = "/metrics", operation_id = "read_metrics", tag = "health",
    responses(
        (status = 200, description = "The metrics (Prometheus text format 0.0.4)", body = String, content_type = "text/plain"),
        (status = 404, description = "They are not kept", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn read(State(state): State<ApiState>) -> Result<Response, Problem> {
    let Some(metrics) = &state.metrics else {
        return Err(Problem::because(
            Code::NotFound,
            "metrics are not kept here",
        ));
    };
    let format = HeaderValue::from_static("text/plain; version=0.0.4");
    Ok(([(CONTENT_TYPE, format)], metrics.render()).into_response())
}
