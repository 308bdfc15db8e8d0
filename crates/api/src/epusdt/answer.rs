//! Answers in epusdt's shape.

use std::fmt;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::problem::{Code, OwnBody, Problem, REQUEST_ID};

/// epusdt's codes that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Something of ours.
    System,
    /// The signature is not right.
    Signature,
    /// The order's name is taken.
    OrderExists,
    /// It cannot be paid anywhere.
    NoWay,
    /// The amount is none.
    Amount,
    /// No amount is free that tells the order from others.
    NoFreeAmount,
    /// Some other parameter.
    Parameters,
}

impl Reason {
    const fn parts(self) -> (u32, StatusCode) {
        match self {
            Self::System => (400, StatusCode::SERVICE_UNAVAILABLE),
            Self::Signature => (401, StatusCode::UNAUTHORIZED),
            Self::OrderExists => (10_002, StatusCode::BAD_REQUEST),
            Self::NoWay => (10_003, StatusCode::BAD_REQUEST),
            Self::Amount => (10_004, StatusCode::BAD_REQUEST),
            Self::NoFreeAmount => (10_005, StatusCode::SERVICE_UNAVAILABLE),
            Self::Parameters => (10_009, StatusCode::BAD_REQUEST),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    reason: Reason,
    message: String,
}

/// What is answered, always in this shape.
#[derive(Debug, Serialize)]
struct Envelope<T> {
    status_code: u32,
    message: String,
    data: Option<T>,
    /// What to look for in the daemon's log.
    request_id: String,
}

/// An order, as epusdt calls what belongs to it.
#[derive(Debug, Serialize)]
pub(super) struct Transaction {
    pub(super) trade_id: String,
    pub(super) order_id: String,
    /// In the shop's currency.
    pub(super) amount: Box<RawValue>,
    /// In tokens.
    pub(super) actual_amount: Box<RawValue>,
    /// The address to pay to.
    pub(super) token: String,
    /// Unix seconds.
    pub(super) expiration_time: i64,
    pub(super) payment_url: String,
}

impl Refusal {
    pub(super) fn because(reason: Reason, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self { reason, message }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let reason = match problem.code() {
            Code::InvalidFields
            | Code::MalformedJson
            | Code::MalformedQuery
            | Code::MalformedHeader
            | Code::BodyTooLarge
            | Code::BodyTooSlow
            | Code::UnsupportedMediaType
            | Code::NotFound
            | Code::MethodNotAllowed
            | Code::Refused => Reason::Parameters,
            Code::ReferenceTaken | Code::IdempotencyKeyReused => Reason::OrderExists,
            Code::NoFreeAmount => Reason::NoFreeAmount,
            Code::ChainNotStarted => Reason::NoWay,
            Code::Unauthorized
            | Code::Forbidden
            | Code::SignatureRequired
            | Code::SignatureInvalid
            | Code::SignatureExpired
            | Code::SignatureReplayed => Reason::Signature,
            Code::InProgress
            | Code::RateLimited
            | Code::TooManyStreams
            | Code::Blocked
            | Code::Unavailable
            | Code::TimedOut
            | Code::Internal => Reason::System,
        };
        Self::because(reason, problem.in_words())
    }
}

/// The answer to a request with these headers.
pub(super) fn answer(made: Result<Transaction, Refusal>, headers: &HeaderMap) -> Response {
    match made {
        Ok(transaction) => {
            let message = "success".to_owned();
            enveloped((200, StatusCode::OK), message, Some(transaction), headers)
        },
        Err(Refusal { reason, message }) => {
            enveloped::<Transaction>(reason.parts(), message, None, headers)
        },
    }
}

/// The response to a problem that was met before the route, in its shape: with the same status and the
/// same headers.
pub(crate) fn in_its_words(mut response: Response, headers: &HeaderMap) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let Refusal { reason, message } = problem.into();
    let (code, _) = reason.parts();
    let status = response.status();
    let mut enveloped = enveloped::<Transaction>((code, status), message, None, headers);
    enveloped.headers_mut().extend(response.headers().clone());
    enveloped
}

fn enveloped<T: Serialize>(
    (status_code, status): (u32, StatusCode),
    message: String,
    data: Option<T>,
    headers: &HeaderMap,
) -> Response {
    let request_id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let body = Envelope {
        status_code,
        message,
        data,
        request_id: request_id.unwrap_or_default().to_owned(),
    };
    let mut response = (status, Json(body)).into_response();
    response.extensions_mut().insert(OwnBody);
    response
}
