//! Who calls, whether he may, and whether he says so himself: key, time and signature.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use paywatch_core::{Scope, Timestamp};

use crate::auth::Identity;
use crate::blockatm::envelope::{Reason, Refusal};
use crate::blockatm::message::{of_body, of_query};
use crate::blockatm::signature::is_signed;
use crate::problem::{Code, Problem};
use crate::signing::{PublicKey, PublicKeyError};
use crate::state::ApiState;

const KEY: &str = "blockatm-api-key";
const TIME: &str = "blockatm-request-time";
const SIGNATURE: &str = "blockatm-signature-v1";
/// All the spellings of the receive window, which the gateway's own pages do not agree on.
const WINDOWS: [&str; 3] = ["blockatm-rec_window", "blockatm-recv_window", "rec-window"];

/// How old a request may be, in milliseconds, if it does not say, and at most.
const WINDOW_MS: i64 = 30_000;
const LONGEST_WINDOW_MS: i64 = 60_000;
/// How far the client's clock may be ahead of ours, in milliseconds.
const SKEW_MS: i64 = 5_000;

/// What a request signs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signed<'a> {
    /// Its JSON body. The time is needed.
    Body(&'a str),
    /// Its raw query string, if it signs at all.
    Query(&'a str),
}

/// The key of a request.
pub(crate) fn presented(headers: &HeaderMap) -> Result<&str, Problem> {
    let key = headers.get(KEY).and_then(|key| key.to_str().ok());
    let key = key.map(str::trim).filter(|key| !key.is_empty());
    key.ok_or_else(|| {
        Problem::because(
            Code::Unauthorized,
            "send the header BlockATM-API-Key; make a key with: paywatch api-key create",
        )
    })
}

/// Lets a request pass whose key may do `scope`. A key with a registered public key has to sign
/// what creates something; a key without one authenticates by itself, and whatever is said in its
/// signature's place is not looked at.
pub(super) fn check(
    state: &ApiState,
    parts: &Parts,
    scope: Scope,
    signed: Signed<'_>,
) -> Result<(), Refusal> {
    let headers = &parts.headers;
    let identity = parts.extensions.get::<Identity>().cloned();
    let caller = match identity {
        Some(Identity(Ok(caller))) => caller,
        Some(Identity(Err(problem))) if presented(headers).is_ok() => return Err(problem.into()),
        Some(Identity(Err(problem))) => {
            return Err(Refusal::because(Reason::KeyRequired, problem.in_words()));
        },
        None => {
            return Err(Refusal::because(
                Reason::System,
                "nobody was asked for a key",
            ));
        },
    };
    if !caller.key.may(scope) {
        let detail = format!("this API key lacks the scope {scope}");
        return Err(Refusal::because(Reason::NoPermission, detail));
    }
    tracing::debug!(key.id = caller.id(), "authenticated");
    let time = text(headers, TIME)?;
    match (time, signed) {
        (Some(time), _) => check_time(time, window(headers)?, state.clock.now())?,
        (None, Signed::Body(_)) => return Err(no_time()),
        (None, Signed::Query(_)) => {},
    }
    let Some(public_key) = &caller.key.terms.gateway_public_key else {
        return Ok(());
    };
    let public_key: PublicKey = public_key
        .parse()
        .map_err(|error: PublicKeyError| Refusal::because(Reason::System, error))?;
    let signature = match (text(headers, SIGNATURE)?, signed) {
        (Some(signature), _) => signature,
        (None, Signed::Query(_)) => return Ok(()),
        (None, Signed::Body(_)) => {
            return Err(Refusal::because(
                Reason::SignatureFailed,
                "this key has a public key, so the header BlockATM-Signature-V1 is needed",
            ));
        },
    };
    let time = time.ok_or_else(no_time)?;
    let message = match signed {
        Signed::Body(body) => {
            of_body(body, time).map_err(|error| Refusal::because(Reason::InvalidRequest, error))?
        },
        Signed::Query(query) => of_query(query, time),
    };
    if is_signed(&public_key, &message, signature) {
        return Ok(());
    }
    // The message holds what the client sent himself, and nothing of ours.
    let detail = format!("the signature is not that of the registered key over {message:?}");
    Err(Refusal::because(Reason::SignatureFailed, detail))
}

fn no_time() -> Refusal {
    Refusal::missing("the header BlockATM-Request-Time")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().map_err(|error| {
        let detail = format!("the header {name} is not plain text: {error}");
        Refusal::because(Reason::ParameterType, detail)
    })?;
    Ok(Some(text.trim()).filter(|text| !text.is_empty()))
}

/// The receive window that a request asks for, in milliseconds.
fn window(headers: &HeaderMap) -> Result<i64, Refusal> {
    for name in WINDOWS {
        if let Some(given) = text(headers, name)? {
            let window = given.parse().ok().filter(|window| *window > 0);
            let window: i64 = window.ok_or_else(|| {
                let detail = format!("the header {name} must be milliseconds, not {given:?}");
                Refusal::because(Reason::ParameterType, detail)
            })?;
            return Ok(window.min(LONGEST_WINDOW_MS));
        }
    }
    Ok(WINDOW_MS)
}

fn check_time(given: &str, window: i64, now: Timestamp) -> Result<(), Refusal> {
    let sent: i64 = given.parse().map_err(|error| {
        let detail =
            format!("BlockATM-Request-Time must be Unix milliseconds, not {given:?}: {error}");
        Refusal::because(Reason::ParameterType, detail)
    })?;
    let age = now.unix_ms().saturating_sub(sent);
    if (-SKEW_MS..=window).contains(&age) {
        return Ok(());
    }
    let detail = format!(
        "the request was sent {age} ms ago by its own word; it may be {window} ms old, and {SKEW_MS} \
         ms ahead: set the client's clock"
    );
    Err(Refusal::because(Reason::InvalidRequest, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000).unwrap()
    }

    #[test]
    fn a_request_is_as_old_as_its_window_and_a_little_ahead_of_us_at_most() {
        for (sent, window, is_accepted) in [
            ("1699999999999", 30_000, true),
            ("1699999970000", 30_000, true),
            ("1699999969999", 30_000, false),
            ("1699999969999", 60_000, true),
            ("1700000005000", 30_000, true),
            ("1700000005001", 30_000, false),
            ("1700000000", 30_000, false),
            ("soon", 30_000, false),
        ] {
            assert_eq!(
                check_time(sent, window, now()).is_ok(),
                is_accepted,
                "{sent} {window}"
            );
        }
    }

    #[test]
    fn the_window_is_read_in_every_spelling_and_has_an_end() {
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            window(&headers)
        };
        assert_eq!(window(&HeaderMap::new()).unwrap(), 30_000);
        for name in WINDOWS {
            assert_eq!(with(name, "45000").unwrap(), 45_000, "{name}");
            assert_eq!(with(name, "3600000").unwrap(), 60_000, "{name}");
            for wrong in ["0", "-1", "a minute"] {
                assert!(with(name, wrong).is_err(), "{name} {wrong}");
            }
        }
    }
}
