//! The kinds of problems: one table of their names, statuses and remedies.

use axum::http::StatusCode;

/// What a kind of problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its stable name.
    pub(crate) name: &'static str,
    pub(crate) status: StatusCode,
    /// What it is, in a few words.
    pub(crate) title: &'static str,
    /// What it means.
    pub(crate) meaning: &'static str,
    /// What to do about it.
    pub(crate) remedy: &'static str,
}

/// Makes the kinds and everything about them of one table, so that none can be left out anywhere.
macro_rules! kinds {
    ($($code:ident: $name:literal, $status:ident, $title:literal, $meaning:literal, $remedy:literal;)+) => {
        /// The kinds of problems. Their names are a contract: add, never rename.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            $($code,)+
        }

        impl Code {
            /// Every kind.
            pub(crate) const ALL: &[Self] = &[$(Self::$code,)+];

            /// What it is.
            pub(crate) const fn kind(self) -> Kind {
                match self {
                    $(Self::$code => Kind {
                        name: $name,
                        status: StatusCode::$status,
                        title: $title,
                        meaning: $meaning,
                        remedy: $remedy,
                    },)+
                }
            }
        }
    };
}

kinds! {
    MalformedJson: "malformed_json", BAD_REQUEST,
        "The body is not a JSON object",
        "The body could not be read as a JSON object, or a field is in it twice.",
        "Send one JSON object in UTF-8, as the call's example shows; `detail` says where \
         reading stopped.";
    MalformedQuery: "malformed_query", BAD_REQUEST,
        "The query cannot be understood",
        "The query string is not made of names and values, or is not UTF-8.",
        "Percent-encode names and values.";
    MalformedHeader: "malformed_header", BAD_REQUEST,
        "A header cannot be understood",
        "A header that matters here, like Idempotency-Key or Last-Event-ID, has a value \
         that it cannot have.",
        "Correct the header that `detail` names, or leave it out.";
    Unauthorized: "unauthorized", UNAUTHORIZED,
        "A valid API key is needed",
        "There is no key in the request, or none that is known, or one that was revoked \
         or has expired.",
        "Send `Authorization: Bearer pw_live_…` with a key of `paywatch api-key create`; \
         `paywatch api-key list` says which still hold.";
    SignatureRequired: "signature_required", UNAUTHORIZED,
        "This key's requests must be signed",
        "The key is one whose requests must be signed, and the request has no signature.",
        "Sign the request with the key's private key, or use a key that needs no \
         signatures.";
    SignatureInvalid: "signature_invalid", UNAUTHORIZED,
        "The signature is not this request's",
        "The signature does not belong to this request: another key made it, or the \
         method, path, query or body are not what was signed.",
        "Sign the very bytes that are sent, after everything that changes them; compare \
         the public key with `paywatch api-key show`.";
    SignatureExpired: "signature_expired", UNAUTHORIZED,
        "The signature is too old, or of the future",
        "The time that was signed is too far from the daemon's clock.",
        "Set the clock of the signing machine by NTP, and sign when you send.";
    SignatureReplayed: "signature_replayed", UNAUTHORIZED,
        "The signature was used before",
        "A request with this nonce was taken before.",
        "Give each request a nonce of its own, also when you ask again.";
    Forbidden: "forbidden", FORBIDDEN,
        "This key may not do that",
        "The key is valid, but lacks the scope that the call needs, or may not be used \
         from your address.",
        "Use a key with the scope that `detail` names; `paywatch api-key rotate` and \
         `create` set scopes and networks.";
    NotFound: "not_found", NOT_FOUND,
        "There is no such thing",
        "There is nothing under this path or id. An id of another kind counts as none.",
        "Compare the path with this reference and the id with the answer that gave it to \
         you.";
    MethodNotAllowed: "method_not_allowed", METHOD_NOT_ALLOWED,
        "This method does not exist here",
        "The path exists, but not for this method.",
        "Use a method that this reference shows for it; the header Allow lists them.";
    BodyTooSlow: "body_too_slow", REQUEST_TIMEOUT,
        "The body came too slowly",
        "The body was not complete when its time was over.",
        "Send it again, whole and at once; look at the network or proxy between.";
    ReferenceTaken: "reference_taken", CONFLICT,
        "The reference is taken",
        "An order or refund with this reference was made by a request with another \
         content. Nothing was made.",
        "If it is the same sale, send exactly what you sent first or read the one that \
         exists; else choose another reference.";
    InProgress: "in_progress", CONFLICT,
        "The same request is being answered; ask again in a second",
        "A request with the same idempotency key is being answered at this moment.",
        "Wait for the seconds of Retry-After and ask again with the same key: you get its \
         answer.";
    NoFreeAmount: "no_free_amount", CONFLICT,
        "No exact amount near the one that is asked is free",
        "Every exact amount near the one that was asked belongs to another order. Nothing \
         was made.",
        "Offer another method, add a wallet, or raise `exact_amount.max_surcharge`.";
    Refused: "refused", CONFLICT,
        "As things stand, this cannot be done",
        "The request is well-formed, but what it concerns is in a state that does not \
         allow it. Nothing was changed.",
        "`detail` says what stands against it; read the object again and decide anew.";
    BodyTooLarge: "body_too_large", PAYLOAD_TOO_LARGE,
        "The body is too large",
        "The body is larger than `api.body_limit` allows.",
        "Send less, or raise the limit in the configuration.";
    UnsupportedMediaType: "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "The body must be application/json",
        "The body is not said to be JSON.",
        "Send `Content-Type: application/json`.";
    Blocked: "blocked", IM_A_TEAPOT,
        "You are blocked for a while",
        "Requests went on after they had been refused with 429.",
        "Stop until Retry-After; an operator may end it earlier with DELETE \
         /v1/limits/blocked/{id}.";
    InvalidFields: "invalid_fields", UNPROCESSABLE_ENTITY,
        "Some fields are wrong",
        "Fields of the body or parameters of the query are wrong. Nothing was done.",
        "`errors` names every one of them with what is allowed; correct them all and send \
         it again.";
    IdempotencyKeyReused: "idempotency_key_reused", UNPROCESSABLE_ENTITY,
        "The idempotency key was another request's",
        "The idempotency key was given to a request with another method, path or body \
         within the last day.",
        "Give every new request a key of its own; repeat a key only with the same \
         request.";
    RateLimited: "rate_limited", TOO_MANY_REQUESTS,
        "Too many requests",
        "The key or address has asked more often than it may.",
        "Wait for the seconds of Retry-After. Prefer `wait_for`, events or webhooks to \
         asking again and again; `api.limits` and keys have rates.";
    TooManyStreams: "too_many_streams", TOO_MANY_REQUESTS,
        "Too many streams are open",
        "As many event streams are open as the key, or all keys together, may have.",
        "Close streams that nobody reads, or raise `api.limits.streams` or \
         `api.limits.all_streams`.";
    Internal: "internal", INTERNAL_SERVER_ERROR,
        "Something went wrong here",
        "Something failed that should not. What you sent may have been fine.",
        "Look for `request_id` in the daemon's log; asking again with the same reference \
         or idempotency key is safe.";
    Unavailable: "unavailable", SERVICE_UNAVAILABLE,
        "The database does not answer; try again",
        "The database cannot be reached.",
        "Ask again in a while, with the same reference or idempotency key; /readyz and \
         the log say more.";
    ChainNotStarted: "chain_not_started", SERVICE_UNAVAILABLE,
        "A chain has not been read yet; try again",
        "A chain of the order was never read, so that a payment to it could be missed. \
         Nothing was made.",
        "Wait until /readyz says that the chain is followed, or name other chains in \
         `chains`.";
    TimedOut: "timed_out", SERVICE_UNAVAILABLE,
        "The request took too long; try again",
        "The answer was not ready within the time that a request may take. It may have \
         been carried out.",
        "Ask again with the same reference or idempotency key, which does nothing twice.";
}
