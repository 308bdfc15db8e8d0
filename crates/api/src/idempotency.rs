//! Creating calls that are asked twice and carried out once: the header `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! An answer is kept for a day. A process that dies between what it did and its answer leaves the
//! request open; whoever asks again then carries it out again, which is no harm, because orders and
//! refunds are made once for each reference, and webhooks once for each name. An answer that holds a
//! secret is kept without it: a secret that was shown lies nowhere but where it signs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use paywatch_core::Timestamp;
use paywatch_store::{Attempt, AttemptOutcome, KeptAnswer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::auth::Identity;
use crate::body::read_bytes;
use crate::problem::{Code, Problem};
use crate::state::ApiState;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is a kept one.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST_KEY: usize = 255;
/// How long answers are kept, in milliseconds.
const KEPT_MS: i64 = 24 * 3_600_000;
/// After how long another process's request was given up, in milliseconds: it may take 40 s.
const STALE_MS: i64 = 45_000;

/// The requests with a key that this process is carrying out.
#[derive(Clone, Debug)]
pub(crate) struct Attempts {
    process: Arc<str>,
    running: Arc<Mutex<HashSet<(String, String)>>>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::of(&Uuid::new_v4().to_string())
    }
}

/// A request that is being carried out, until this is dropped.
struct Running {
    attempts: Attempts,
    who: (String, String),
}

impl Attempts {
    /// Those of the process that calls itself `process`, also after it was started anew.
    pub(crate) fn of(process: &str) -> Self {
        Self {
            process: process.into(),
            running: Arc::default(),
        }
    }

    /// `None` if it is being carried out already.
    fn enter(&self, api_key: &str, name: &str) -> Option<Running> {
        let who = (api_key.to_owned(), name.to_owned());
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(who.clone()).then(|| Running {
            attempts: self.clone(),
            who,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let running = self.attempts.running.lock();
        running
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.who);
    }
}

/// What is kept of an answer in the place of its body, which holds what must not be kept.
#[derive(Clone, Debug)]
pub(crate) struct KeptInstead(pub(crate) String);

/// Carries a creating request out once for each key, and answers from what was kept after that.
pub(crate) async fn once(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let name = name_in(request.headers())?;
    let identity = request.extensions().get::<Identity>().cloned();
    let (Some(name), Some(Identity(Ok(caller)))) = (name, identity) else {
        return Ok(next.run(request).await);
    };
    if request.method() != Method::POST {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let bytes = read_bytes(body, state.shop.body_limit).await?;
    let Some(_running) = state.attempts.enter(caller.id(), &name) else {
        return Ok(in_progress());
    };
    let now = state.clock.now();
    let attempt = Attempt {
        api_key: caller.id().to_owned(),
        request_digest: digest(&parts.method, &parts.uri.to_string(), &bytes),
        begun_by: state.attempts.process.to_string(),
        begun_at: now,
        name,
    };
    let (kept_since, stale_before) = (earlier(now, KEPT_MS), earlier(now, STALE_MS));
    let begun = state
        .store
        .begin_attempt(&attempt, kept_since, stale_before)
        .await?;
    match begun {
        AttemptOutcome::Begun => {},
        AttemptOutcome::Answered(answer) => return Ok(replayed(answer)),
        AttemptOutcome::Running => return Ok(in_progress()),
        AttemptOutcome::OtherRequest => {
            return Err(Problem::because(
                Code::IdempotencyKeyReused,
                "this Idempotency-Key came with another request before; take a new one for each",
            ));
        },
    }
    let response = next
        .run(Request::from_parts(parts, Body::from(bytes)))
        .await;
    kept(&state, &attempt, response).await
}

/// Keeps an answer, if it says that something was done; what was refused may be tried again.
async fn kept(
    state: &ApiState,
    attempt: &Attempt,
    response: Response,
) -> Result<Response, Problem> {
    if !response.status().is_success() {
        if let Err(error) = state.store.abandon_attempt(attempt).await {
            // It is taken over by whoever asks again.
            tracing::error!(error = %error, "a refused request could not be given up");
        }
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let instead = parts.extensions.remove::<KeptInstead>();
    let bytes = to_bytes(body, usize::MAX).await.map_err(|error| {
        tracing::error!(error = %error, "an answer could not be read");
        Problem::new(Code::Internal)
    })?;
    let text = |name: &HeaderName| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let answer = KeptAnswer {
        status: parts.status.as_u16(),
        location: text(&LOCATION),
        content_type: text(&CONTENT_TYPE),
        body: match instead {
            Some(KeptInstead(body)) => body,
            None => String::from_utf8_lossy(&bytes).into_owned(),
        },
    };
    if let Err(error) = state.store.finish_attempt(attempt, &answer).await {
        // It is done, and would be done no second time.
        tracing::error!(error = %error, "an answer could not be kept");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replayed(answer: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    for (name, value) in [
        (LOCATION, answer.location),
        (CONTENT_TYPE, answer.content_type),
    ] {
        if let Some(value) = value.and_then(|value| value.parse().ok()) {
            headers.insert(name, value);
        }
    }
    response
}

fn in_progress() -> Response {
    let mut response = Problem::new(Code::InProgress).into_response();
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The key of a request. The draft puts it in quotes; without, it is taken as well.
fn name_in(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let wrong = |why: &str| {
        let detail = format!("Idempotency-Key {why}: send 1 to {LONGEST_KEY} visible characters");
        Problem::because(Code::MalformedHeader, detail)
    };
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(wrong("is given twice"));
    }
    let text = value.to_str().map_err(|_strange| wrong("is not ASCII"))?;
    let quoted = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
    let text = quoted.unwrap_or(text);
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    if text.is_empty() || text.len() > LONGEST_KEY || !is_plain {
        return Err(wrong("cannot be used"));
    }
    Ok(Some(text.to_owned()))
}

fn digest(method: &Method, target: &str, body: &Bytes) -> String {
    let mut digest = Sha256::new();
    digest.update(method.as_str());
    digest.update("\n");
    digest.update(target);
    digest.update("\n");
    digest.update(body);
    hex::encode(digest.finalize())
}

fn earlier(now: Timestamp, ms: i64) -> Timestamp {
    now.plus_ms(ms.saturating_neg()).unwrap_or(Timestamp::EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Option<String>> {
        let mut headers = HeaderMap::new();
        headers.insert(KEY, HeaderValue::from_str(value).unwrap());
        name_in(&headers).ok()
    }

    #[test]
    fn a_key_is_visible_ascii_with_or_without_quotes() {
        assert_eq!(name_in(&HeaderMap::new()).unwrap(), None);
        for fine in ["\"8e03978e-40d5\"", "8e03978e-40d5"] {
            assert_eq!(read(fine), Some(Some("8e03978e-40d5".to_owned())));
        }
        for wrong in ["", "\"\"", "a b", "\"a", "ü"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert!(read(&"a".repeat(255)).is_some());
        assert!(read(&"a".repeat(256)).is_none());
    }

    #[test]
    fn a_request_is_running_until_it_is_dropped() {
        let attempts = Attempts::default();
        let first = attempts.enter("key_1", "A");
        assert!(first.is_some());
        assert!(attempts.enter("key_1", "A").is_none());
        assert!(attempts.enter("key_2", "A").is_some());
        drop(first);
        assert!(attempts.enter("key_1", "A").is_some());
    }
}
