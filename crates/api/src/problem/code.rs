//! The kinds of problems, with their statuses.

use axum::http::StatusCode;

/// The kinds of problems. Their names are a contract: add, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    MalformedJson,
    MalformedQuery,
    MalformedHeader,
    Unauthorized,
    SignatureRequired,
    SignatureInvalid,
    SignatureExpired,
    SignatureReplayed,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    BodyTooSlow,
    ReferenceTaken,
    InProgress,
    NoFreeAmount,
    Refused,
    BodyTooLarge,
    UnsupportedMediaType,
    Blocked,
    InvalidFields,
    IdempotencyKeyReused,
    RateLimited,
    TooManyStreams,
    Internal,
    Unavailable,
    ChainNotStarted,
    TimedOut,
}

impl Code {
    /// Every kind.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 27] = [
        Self::MalformedJson,
        Self::MalformedQuery,
        Self::MalformedHeader,
        Self::Unauthorized,
        Self::SignatureRequired,
        Self::SignatureInvalid,
        Self::SignatureExpired,
        Self::SignatureReplayed,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::BodyTooSlow,
        Self::ReferenceTaken,
        Self::InProgress,
        Self::NoFreeAmount,
        Self::Refused,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::Blocked,
        Self::InvalidFields,
        Self::IdempotencyKeyReused,
        Self::RateLimited,
        Self::TooManyStreams,
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
            Self::SignatureRequired => (
                "signature_required",
                StatusCode::UNAUTHORIZED,
                "This key's requests must be signed",
            ),
            Self::SignatureInvalid => (
                "signature_invalid",
                StatusCode::UNAUTHORIZED,
                "The signature is not this request's",
            ),
            Self::SignatureExpired => (
                "signature_expired",
                StatusCode::UNAUTHORIZED,
                "The signature is too old, or of the future",
            ),
            Self::SignatureReplayed => (
                "signature_replayed",
                StatusCode::UNAUTHORIZED,
                "The signature was used before",
            ),
            Self::Forbidden => (
                "forbidden",
                StatusCode::FORBIDDEN,
                "This key may not do that",
            ),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "There is no such thing"),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This method does not exist here",
            ),
            Self::BodyTooSlow => (
                "body_too_slow",
                StatusCode::REQUEST_TIMEOUT,
                "The body came too slowly",
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
            Self::Blocked => (
                "blocked",
                StatusCode::IM_A_TEAPOT,
                "You are blocked for a while",
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
            Self::RateLimited => (
                "rate_limited",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
            ),
            Self::TooManyStreams => (
                "too_many_streams",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many streams are open",
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
