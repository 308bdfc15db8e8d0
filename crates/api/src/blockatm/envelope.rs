//! Refusals in that gateway's envelope, with its codes.

use std::fmt;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use paywatch_store::StoreError;
use serde::Serialize;
use serde_json::Value;

use crate::problem::{Code, OwnBody, Problem, REQUEST_ID};

/// The gateway's codes that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    System,
    ParameterType,
    MissingParameter,
    InvalidRequest,
    Duplicate,
    Busy,
    NoPermission,
    KeyRequired,
    DoesNotExist,
    SignatureFailed,
    UnsupportedToken,
}

impl Reason {
    const fn parts(self) -> (&'static str, StatusCode) {
        match self {
            Self::System => ("000101", StatusCode::INTERNAL_SERVER_ERROR),
            Self::ParameterType => ("000102", StatusCode::BAD_REQUEST),
            Self::MissingParameter => ("000103", StatusCode::BAD_REQUEST),
            Self::InvalidRequest => ("000105", StatusCode::BAD_REQUEST),
            Self::Duplicate => ("000106", StatusCode::BAD_REQUEST),
            Self::Busy => ("000107", StatusCode::SERVICE_UNAVAILABLE),
            Self::NoPermission => ("000110", StatusCode::UNAUTHORIZED),
            Self::KeyRequired => ("000112", StatusCode::UNAUTHORIZED),
            Self::DoesNotExist => ("000202", StatusCode::BAD_REQUEST),
            Self::SignatureFailed => ("000306", StatusCode::UNAUTHORIZED),
            Self::UnsupportedToken => ("000404", StatusCode::BAD_REQUEST),
        }
    }
}

/// A refusal. [`finish`] writes its body once the request's id is known.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    reason: Reason,
    msg: String,
}

#[derive(Debug, Serialize)]
struct Envelope {
    code: &'static str,
    success: bool,
    data: Value,
    /// What to look for in the daemon's log.
    trace: String,
    msg: String,
}

impl Refusal {
    pub(super) fn because(reason: Reason, msg: impl fmt::Display) -> Self {
        let msg = msg.to_string();
        Self { reason, msg }
    }

    pub(super) fn missing(name: &str) -> Self {
        Self::because(Reason::MissingParameter, format!("{name} is required"))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<Problem> for Refusal {
    /// What `/v1` would say, under this gateway's codes.
    fn from(problem: Problem) -> Self {
        let reason = match problem.code() {
            Code::MalformedJson
            | Code::MalformedQuery
            | Code::MalformedHeader
            | Code::IdempotencyKeyReused
            | Code::BodyTooLarge
            | Code::BodyTooSlow
            | Code::UnsupportedMediaType => Reason::InvalidRequest,
            Code::InvalidFields => Reason::ParameterType,
            Code::ReferenceTaken => Reason::Duplicate,
            Code::NotFound => Reason::DoesNotExist,
            Code::Unauthorized
            | Code::Forbidden
            | Code::SignatureRequired
            | Code::SignatureInvalid
            | Code::SignatureExpired
            | Code::SignatureReplayed => Reason::NoPermission,
            Code::NoFreeAmount
            | Code::InProgress
            | Code::RateLimited
            | Code::TooManyStreams
            | Code::Blocked
            | Code::Unavailable
            | Code::ChainNotStarted
            | Code::TimedOut => Reason::Busy,
            Code::Refused | Code::MethodNotAllowed => Reason::InvalidRequest,
            Code::Internal => Reason::System,
        };
        Self::because(reason, problem.in_words())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (_, status) = self.reason.parts();
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the bodies of refusals, with the id that the request got.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Refusal>() {
        Some(refusal) => {
            let (_, status) = refusal.reason.parts();
            enveloped(refusal, status, &headers)
        },
        None => {
            response.extensions_mut().insert(OwnBody);
            response
        },
    }
}

/// The response to a problem that was met before any of that gateway's routes, in its envelope:
/// with the same status and the same headers.
pub(crate) fn in_envelope(mut response: Response, headers: &HeaderMap) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let mut enveloped = enveloped(problem.into(), response.status(), headers);
    enveloped.headers_mut().extend(response.headers().clone());
    enveloped
}

fn enveloped(refusal: Refusal, status: StatusCode, headers: &HeaderMap) -> Response {
    let Refusal { reason, msg } = refusal;
    let (code, _) = reason.parts();
    let trace = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let body = Envelope {
        code,
        success: false,
        data: Value::Null,
        trace: trace.unwrap_or_default().to_owned(),
        msg,
    };
    let mut response = (status, Json(body)).into_response();
    response.extensions_mut().insert(OwnBody);
    response
}
