//! How often one may call: a bucket of tokens for each key, and for each address that comes
//! without one; whoever goes on when it is empty is blocked for a while.

pub(crate) mod blocks;
mod bucket;
pub(crate) mod streams;
mod table;

use std::num::NonZeroU32;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{HeaderName, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use metrics::counter;
use paywatch_core::Timestamp;
use paywatch_store::KeyRate;

use crate::auth::{Identity, find_caller};
use crate::body::within;
use crate::client_address::client_address;
use crate::door::Door;
use crate::limits::bucket::Level;
pub use crate::limits::streams::StreamSettings;
use crate::limits::table::Admission;
pub(crate) use crate::limits::table::{Limits, Subject};
use crate::problem::{Code, Problem};
use crate::signing;
use crate::state::ApiState;
use crate::wire::time;

/// The fields of draft-ietf-httpapi-ratelimit-headers.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Probes: whoever watches the daemon must not be kept from it by somebody else at its address.
const EXEMPT: [&str; 2] = ["/healthz", "/readyz"];
const SECOND_US: i64 = 1_000_000;

/// How often one may call.
#[derive(Clone, Copy, Debug)]
pub struct LimitSettings {
    /// What each key may that has no rate of its own, and each address that comes without a key.
    pub rate: KeyRate,
    /// How many refused requests within a minute are one's last for a while.
    pub block_after: u32,
    /// For how long, in milliseconds.
    pub block_for_ms: i64,
    /// How many streams there may be.
    pub streams: StreamSettings,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            rate: KeyRate {
                per_minute: NonZeroU32::MIN.saturating_add(599),
                burst: NonZeroU32::MIN.saturating_add(99),
            },
            block_after: 100,
            block_for_ms: 600_000,
            streams: StreamSettings::default(),
        }
    }
}

/// Finds out who calls and counts it. What comes too often goes no further.
pub(crate) async fn enforce(
    State((state, door)): State<(ApiState, Door)>,
    mut request: Request,
    next: Next,
) -> Response {
    if EXEMPT.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let now = state.clock.now();
    let trusted = &state.access.trusted_proxies;
    let address = client_address(request.extensions(), request.headers(), trusted);
    let body = std::mem::take(request.body_mut());
    *request.body_mut() = within(state.access.body_timeout, body);
    let headers = request.headers().clone();
    let key = door.presented(&headers);
    let mut identity = find_caller(&state, key, (address, now)).await;
    if let Ok(caller) = &identity
        && caller.key.terms.public_key.is_some()
    {
        let (subject, rate) = door.counted(caller, &state.limits.settings);
        // What would be refused anyway is not worth a look at its signature, which is not this
        // key's before that.
        if !state.limits.would_pass(&subject, rate, now) {
            let refusal = refused(state.limits.refuse(&subject, rate, now), rate, now);
            return door.in_its_words(refusal, &headers);
        }
        let caller = caller.clone();
        let signed = signing::check(&state, &caller, &mut request, now).await;
        identity = signed.map(|()| caller);
    }
    let (subject, rate) = match &identity {
        Ok(caller) => door.counted(caller, &state.limits.settings),
        Err(_) => (Subject::at(address), state.limits.settings.rate),
    };
    let level = match state.limits.admit(&subject, rate, now) {
        Admission::Passed(level) => level,
        admission @ (Admission::Refused(_) | Admission::Blocked(..)) => {
            return door.in_its_words(refused(admission, rate, now), &headers);
        },
    };
    request.extensions_mut().insert(Identity(identity));
    let mut response = next.run(request).await;
    tell(&mut response, rate, level);
    response
}

/// The answer to what is not admitted.
fn refused(admission: Admission, rate: KeyRate, now: Timestamp) -> Response {
    let (level, wait_us, problem) = match admission {
        Admission::Passed(level) | Admission::Refused(level) => {
            let detail = format!(
                "at most {} requests a minute and {} at once; try again in {} s",
                rate.per_minute,
                rate.burst,
                seconds(level.next_in_us)
            );
            count("rate_limited");
            let problem = Problem::because(Code::RateLimited, detail);
            (level, level.next_in_us, problem)
        },
        Admission::Blocked(level, until) => {
            let detail = format!(
                "too many requests went on after 429; blocked until {}, or until an operator lifts \
                 it (paywatch api-key unblock)",
                time(until)
            );
            let wait_ms = until.unix_ms().saturating_sub(now.unix_ms());
            count("blocked");
            let problem = Problem::because(Code::Blocked, detail);
            (level, wait_ms.saturating_mul(1_000), problem)
        },
    };
    let mut response = problem.into_response();
    let wait = HeaderValue::from(seconds(wait_us).max(1));
    response.headers_mut().insert(RETRY_AFTER, wait);
    let nothing = Level {
        remaining: 0,
        ..level
    };
    tell(&mut response, rate, nothing);
    response
}

/// Counts a request that goes no further.
fn count(code: &'static str) {
    counter!("paywatch_api_refused_requests_total", "code" => code).increment(1);
}

/// Says in the headers what is left.
fn tell(response: &mut Response, rate: KeyRate, level: Level) {
    let policy = format!("\"default\";q={};w=60", rate.per_minute);
    let (left, full_in) = (level.remaining, seconds(level.full_in_us));
    let limit = format!("\"default\";r={left};t={full_in}");
    for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(micros: i64) -> i64 {
    let rest = micros.checked_rem(SECOND_US).unwrap_or_default();
    let whole = micros.checked_div(SECOND_US).unwrap_or_default();
    whole.saturating_add(i64::from(rest > 0))
}
