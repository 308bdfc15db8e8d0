//! Who calls, whether he may, and whether he says so himself: key, time and signature.

use axum::http::HeaderMap;
use paywatch_core::Timestamp;

use crate::blockatm::envelope::{Reason, Refusal};
use crate::blockatm::message::{of_body, of_query};
use crate::blockatm::signature::GatewayKey;
use crate::keys::digest;
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

/// Lets a request pass that carries a valid key. A key with a registered public key has to sign
/// what creates something; a key without one authenticates by itself, and whatever is said in its
/// signature's place is not looked at.
pub(super) async fn check(
    state: &ApiState,
    headers: &HeaderMap,
    signed: Signed<'_>,
) -> Result<(), Refusal> {
    let now = state.clock.now();
    let key = text(headers, KEY)?.ok_or_else(|| {
        Refusal::because(
            Reason::KeyRequired,
            "send the header BlockATM-API-Key; make a key with: paywatch api-key create",
        )
    })?;
    let known = state.store.use_api_key(&digest(key), now).await?;
    let known = known.ok_or_else(|| {
        Refusal::because(
            Reason::NoPermission,
            "this API key does not exist or was revoked",
        )
    })?;
    tracing::debug!(key.id = known.id, "authenticated");
    let public_key: Option<GatewayKey> = None;
    let time = match (text(headers, TIME)?, signed) {
        (Some(time), _) => {
            check_time(time, window(headers)?, now)?;
            time
        },
        (None, Signed::Body(_)) => {
            return Err(Refusal::missing("the header BlockATM-Request-Time"));
        },
        (None, Signed::Query(_)) => "",
    };
    let Some(public_key) = public_key else {
        return Ok(());
    };
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
    let message = match signed {
        Signed::Body(body) => {
            of_body(body, time).map_err(|error| Refusal::because(Reason::InvalidRequest, error))?
        },
        Signed::Query(query) => of_query(query, time),
    };
    if public_key.has_signed(&message, signature) {
        return Ok(());
    }
    // The message holds what the client sent himself, and nothing of ours.
    let detail = format!("the signature is not that of the registered key over {message:?}");
    Err(Refusal::because(Reason::SignatureFailed, detail))
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
