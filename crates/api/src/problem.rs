//! What is wrong with a request, as problem details (RFC 9457).

mod code;
pub(crate) mod page;

use std::fmt;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use paywatch_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use crate::problem::code::{Code, Kind};

/// The header that carries the request's id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The content type of problem details.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The field, as it is written in the request.
    #[schema(example = "amount")]
    pub(crate) field: String,
    /// A stable name for what is wrong.
    #[schema(example = "too_precise")]
    pub(crate) code: &'static str,
    /// What is wrong, and what is allowed.
    #[schema(
        example = "more than 6 decimals on polygon; this amount cannot be paid exactly there"
    )]
    pub(crate) detail: String,
}

impl FieldError {
    /// `field` is wrong in the way of `code`.
    pub(crate) fn new(field: &str, code: &'static str, detail: impl fmt::Display) -> Self {
        Self {
            field: field.to_owned(),
            code,
            detail: detail.to_string(),
        }
    }
}

/// A refusal. It becomes a response, and [`finish`] writes the body once the request's id is known.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
}

/// Problem details (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Where this kind of problem is explained: a section of the daemon's own pages.
    #[serde(rename = "type")]
    #[schema(example = "/docs/problems#invalid_fields", format = "uri-reference")]
    kind: String,
    /// What kind of problem it is.
    #[schema(example = "Some fields are wrong")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// The stable name of the kind of problem.
    #[schema(example = "invalid_fields")]
    code: &'static str,
    /// What is wrong in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Which fields are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// What to look for in the daemon's log.
    request_id: String,
}

impl Problem {
    /// This, and `error` is wrong as well.
    pub(crate) fn and(mut self, error: FieldError) -> Self {
        self.errors.push(error);
        self
    }

    /// A problem of this kind.
    pub(crate) const fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            errors: Vec::new(),
        }
    }

    /// A problem of this kind, and what is wrong in this case.
    pub(crate) fn because(code: Code, detail: impl fmt::Display) -> Self {
        Self {
            detail: Some(detail.to_string()),
            ..Self::new(code)
        }
    }

    /// Wrong fields, all of them at once.
    pub(crate) fn fields(errors: Vec<FieldError>) -> Self {
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        let detail = Some(format!("wrong: {}", fields.join(", ")));
        Self {
            code: Code::InvalidFields,
            detail,
            errors,
        }
    }

    /// One wrong field.
    pub(crate) fn field(error: FieldError) -> Self {
        Self::fields(vec![error])
    }

    /// What kind of problem it is.
    pub(crate) const fn code(&self) -> Code {
        self.code
    }

    /// All that is wrong, in one sentence.
    pub(crate) fn in_words(&self) -> String {
        let title = self.code.kind().title;
        let errors = self.errors.iter();
        let errors = errors.map(|error| format!("{}: {}", error.field, error.detail));
        let errors: Vec<_> = errors.collect();
        match (&self.detail, errors.is_empty()) {
            (_, false) => errors.join("; "),
            (Some(detail), true) => detail.clone(),
            (None, true) => title.to_owned(),
        }
    }

    fn body(self, request_id: String) -> ProblemBody {
        let kind = self.code.kind();
        ProblemBody {
            kind: page::anchor(kind.name),
            title: kind.title,
            status: kind.status.as_u16(),
            code: kind.name,
            detail: self.detail,
            errors: self.errors,
            request_id,
        }
    }
}

impl From<FieldError> for Vec<FieldError> {
    fn from(error: FieldError) -> Self {
        vec![error]
    }
}

impl From<StoreError> for Problem {
    /// The cause goes into the log; the caller learns nothing of it.
    fn from(error: StoreError) -> Self {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(error = cause, "the database failed a request");
        match error {
            StoreError::Unreachable { .. } => Self::new(Code::Unavailable),
            StoreError::AmountTaken { .. } => Self::because(Code::Refused, error),
            StoreError::Stale { .. }
            | StoreError::Database { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Refused { .. }
            | StoreError::NoFolder { .. }
            | StoreError::Unwritable { .. }
            | StoreError::NewerSchema { .. }
            | StoreError::Migration(_) => Self::new(Code::Internal),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.kind().status;
        let mut response = status.into_response();
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Marks a response whose body is its own, whatever its status.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnBody;

/// Writes the bodies of problems, with the id that the request got.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).cloned();
    let response = next.run(request).await;
    let (mut parts, body) = response.into_parts();
    let problem = match parts.extensions.remove::<Problem>() {
        Some(problem) => problem,
        None if parts.extensions.remove::<OwnBody>().is_some() => {
            return Response::from_parts(parts, body);
        },
        None if parts.status == StatusCode::SERVICE_UNAVAILABLE && is_empty(&body) => {
            Problem::new(Code::TimedOut)
        },
        // The reference's own pages know nothing of problems. Payers are told by a page.
        None if parts.status == StatusCode::NOT_FOUND && !is_page(&parts.headers) => {
            Problem::new(Code::NotFound)
        },
        None => return Response::from_parts(parts, body),
    };
    let id = id
        .as_ref()
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let text = serde_json::to_vec(&problem.body(id)).unwrap_or_default();
    parts.headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text))
}

/// Whether people read it.
fn is_page(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// Whether nothing was written: readiness answers 503 as well, with a body of its own.
fn is_empty(body: &Body) -> bool {
    use axum::body::HttpBody as _;
    body.size_hint().exact() == Some(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::body::to_bytes;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tower::ServiceExt as _;
    use tower_http::timeout::TimeoutLayer;

    use super::*;

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_a_problem() {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let router: Router = Router::new()
            .route("/", get(std::future::pending::<()>))
            .layer(TimeoutLayer::with_status_code(status, Duration::ZERO))
            .layer(from_fn(finish));
        let request = Request::get("/").header(REQUEST_ID, "slow");
        let request = request.body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "timed_out");
        assert_eq!(problem["request_id"], "slow");
    }

    #[test]
    fn the_names_of_problems_are_a_contract() {
        let contract: Vec<_> = Code::ALL
            .iter()
            .map(|code| (code.kind().name, code.kind().status.as_u16()))
            .collect();
        assert_eq!(
            contract,
            [
                ("malformed_json", 400),
                ("malformed_query", 400),
                ("malformed_header", 400),
                ("unauthorized", 401),
                ("signature_required", 401),
                ("signature_invalid", 401),
                ("signature_expired", 401),
                ("signature_replayed", 401),
                ("forbidden", 403),
                ("not_found", 404),
                ("method_not_allowed", 405),
                ("body_too_slow", 408),
                ("reference_taken", 409),
                ("in_progress", 409),
                ("no_free_amount", 409),
                ("refused", 409),
                ("body_too_large", 413),
                ("unsupported_media_type", 415),
                ("blocked", 418),
                ("invalid_fields", 422),
                ("idempotency_key_reused", 422),
                ("rate_limited", 429),
                ("too_many_streams", 429),
                ("internal", 500),
                ("unavailable", 503),
                ("chain_not_started", 503),
                ("timed_out", 503),
            ]
        );
    }
}
