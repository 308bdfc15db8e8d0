//! The kinds of problems, with their statuses.

use axum::http::StatusCode;

/// The kinds of problems. Their names are a contract: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    MalformedJson,
    MalformedQuery,
    MalformedHeader,
    Unauthorized,
    NotFound,
    MethodNotAllowed,
    ReferenceTaken,
    InProgress,
    NoFreeAmount,
    Refused,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidFields,
    IdempotencyKeyReused,
    Internal,
    Unavailable,
    ChainNotStarted,
    TimedOut,
}

impl Code {
    /// Every kind.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 18] = [
        Self::MalformedJson,
        Self::MalformedQuery,
        Self::MalformedHeader,
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::ReferenceTaken,
        Self::InProgress,
        Self::NoFreeAmount,
        Self::Refused,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidFields,
        Self::IdempotencyKeyReused,
        Self::Internal,
        Self::Unavailable,
        Self::ChainNotStarted,
        Self::TimedOut,
    ];

    /// Name, status and title.
    #[expect(clippy::too_many_lines, reason = "it is a table")]
    pub(crate) const fn parts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::MalformedJson => (
                "malformed_json",
                StatusCode::BAD_REQUEST,
                "The body is not a JSON object",
            ),
            Self::MalformedQuery => (
                "malformed_query",
                StatusCode::BAD_REQUEST,
                "The query cannot be understood",
            ),
            Self::MalformedHeader => (
                "malformed_header",
                StatusCode::BAD_REQUEST,
                "A header cannot be understood",
            ),
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "A valid API key is needed",
            ),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "There is no such thing"),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This method does not exist here",
            ),
            Self::ReferenceTaken => (
                "reference_taken",
                StatusCode::CONFLICT,
                "The reference is taken",
            ),
            Self::InProgress => (
                "in_progress",
                StatusCode::CONFLICT,
                "The same request is being answered; ask again in a second",
            ),
            Self::NoFreeAmount => (
                "no_free_amount",
                StatusCode::CONFLICT,
                "No exact amount near the one that is asked is free",
            ),
            Self::Refused => (
                "refused",
                StatusCode::CONFLICT,
                "As things stand, this cannot be done",
            ),
            Self::BodyTooLarge => (
                "body_too_large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be application/json",
            ),
            Self::InvalidFields => (
                "invalid_fields",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Some fields are wrong",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency_key_reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The idempotency key was another request's",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong here",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer; try again",
            ),
            Self::ChainNotStarted => (
                "chain_not_started",
                StatusCode::SERVICE_UNAVAILABLE,
                "A chain has not been read yet; try again",
            ),
            Self::TimedOut => (
                "timed_out",
                StatusCode::SERVICE_UNAVAILABLE,
                "The request took too long; try again",
            ),
        }
    }
}
