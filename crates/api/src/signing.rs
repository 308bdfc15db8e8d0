//! Signed requests (RFC 9421): who has only read a key cannot use it, and what was sent once is
//! not taken twice.
//!
//! The profile: one signature, by the public key that is registered with the API key, over
//! `@method`, `@path`, `@query` if there is one and `content-digest` (RFC 9530) if there is a body,
//! with `created` and `nonce`. More may be covered.

mod base;
mod digest;
mod key;
mod signed;

use axum::body::Body;
use axum::extract::Request;
use paywatch_core::Timestamp;

use crate::auth::Caller;
use crate::body::read_bytes;
use crate::problem::{Code, Problem};
pub use crate::signing::key::{PublicKey, PublicKeyError};
use crate::signing::signed::Signed;
use crate::state::ApiState;

/// How far the caller's clock may be ahead.
const AHEAD_MS: i64 = 30_000;

/// Whether `request` was signed by the public key of `caller`'s, in time, and for the first time.
pub(crate) async fn check(
    state: &ApiState,
    caller: &Caller,
    request: &mut Request,
    now: Timestamp,
) -> Result<(), Problem> {
    let signed = Signed::read(request.headers())?;
    let ends_at = in_time(&signed, state.access.signature_window_ms, now)?;
    let stored = caller.key.terms.public_key.as_deref().unwrap_or_default();
    let key: PublicKey = stored.parse().map_err(|error: PublicKeyError| {
        let cause: &dyn std::error::Error = &error;
        tracing::error!(error = cause, key.id = caller.key.id, "no public key");
        Problem::new(Code::Internal)
    })?;
    signed.names(&caller.key.id, key.algorithm())?;
    signed.covers("@method")?;
    signed.covers("@path")?;
    if request.uri().query().is_some() {
        signed.covers("@query")?;
    }
    let base = base::of(&signed, request)?;
    if !key.verifies(base.as_bytes(), &signed.signature) {
        return Err(invalid(not_verified(&signed, &key, &base)));
    }
    let body = std::mem::take(request.body_mut());
    let bytes = read_bytes(body, state.shop.body_limit).await?;
    if !bytes.is_empty() {
        signed.covers("content-digest")?;
        digest::check(request.headers(), &bytes)?;
    }
    *request.body_mut() = Body::from(bytes);
    let times = (now, ends_at);
    let nonce = signed.nonce.as_str();
    if !state.store.use_nonce(&caller.key.id, nonce, times).await? {
        let detail = "this nonce was used before; sign every request with another";
        return Err(Problem::because(Code::SignatureReplayed, detail));
    }
    Ok(())
}

/// What helps to find the mistake: the text that should have been signed, but no secret in it.
fn not_verified(signed: &Signed, key: &PublicKey, base: &str) -> String {
    let detail = format!(
        "it does not verify under this key's public key ({})",
        key.algorithm()
    );
    if signed.covers("authorization").is_ok() {
        return detail;
    }
    format!("{detail}; what is to be signed is {base:?}")
}

/// Until when a signature that was made `signed.created` may be used, if it still may.
fn in_time(signed: &Signed, window_ms: i64, now: Timestamp) -> Result<Timestamp, Problem> {
    let created_ms = signed.created.saturating_mul(1_000);
    let by_window = created_ms.saturating_add(window_ms);
    let expires_ms = signed.expires.map(|at| at.saturating_mul(1_000));
    let ends_ms = expires_ms.map_or(by_window, |expires| expires.min(by_window));
    let is_early = created_ms > now.unix_ms().saturating_add(AHEAD_MS);
    let ends_at = Timestamp::from_unix_ms(ends_ms).ok();
    match ends_at {
        // Its nonce is kept as long as the signature could be taken.
        Some(ends_at) if !is_early && ends_at >= now => Ok(ends_at),
        Some(_) | None => {
            let (time, window) = (crate::wire::time(now), window_ms.saturating_div(1_000));
            let detail = format!(
                "created must lie within the last {window} s, and expires not in the past; here it \
                 is {time}"
            );
            Err(Problem::because(Code::SignatureExpired, detail))
        },
    }
}

fn invalid(detail: impl std::fmt::Display) -> Problem {
    Problem::because(Code::SignatureInvalid, detail)
}
