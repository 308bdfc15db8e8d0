//! Who may call: whoever has a key that is worth something, for what the key may do.

use std::fmt;
use std::net::IpAddr;

use axum::extract::{Extension, Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use paywatch_core::{Scope, Timestamp};
use paywatch_store::ApiKeyRecord;

use crate::keys::digest;
use crate::problem::{Code, Problem};
use crate::state::ApiState;

/// Whose key a request came with.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) key: ApiKeyRecord,
}

impl Caller {
    /// The id of the key.
    pub(crate) fn id(&self) -> &str {
        &self.key.id
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.key.name, self.key.id)
    }
}

/// Whose key a request came with, or why it came with none that is worth something.
#[derive(Clone, Debug)]
pub(crate) struct Identity(pub(crate) Result<Caller, Problem>);

/// The key in `headers`, as a bearer token (RFC 6750).
pub(crate) fn presented(headers: &HeaderMap) -> Result<&str, Problem> {
    let header = headers.get(AUTHORIZATION).ok_or_else(|| {
        Problem::because(
            Code::Unauthorized,
            "send the header Authorization: Bearer pw_live_…; make a key with: paywatch api-key create",
        )
    })?;
    header.to_str().ok().and_then(bearer).ok_or_else(|| {
        Problem::because(
            Code::Unauthorized,
            "the header must read Authorization: Bearer pw_live_…",
        )
    })
}

/// The caller who has `key`, if it may be used from `address` at `now`.
pub(crate) async fn find_caller(
    state: &ApiState,
    key: Result<&str, Problem>,
    (address, now): (IpAddr, Timestamp),
) -> Result<Caller, Problem> {
    let key = key?;
    let known = state.store.use_api_key(&digest(key), now).await?;
    let key = known.ok_or_else(|| {
        Problem::because(
            Code::Unauthorized,
            "this API key does not exist, was revoked or has ended",
        )
    })?;
    if !key.terms.admit(address) {
        let detail = format!("this API key may not be used from {address}");
        tracing::warn!(key.id, client.address = %address, "{detail}");
        return Err(Problem::because(Code::Forbidden, detail));
    }
    Ok(Caller { key })
}

/// Lets a request pass whose key may do all of `scopes`.
pub(crate) async fn require(
    State(scopes): State<&'static [Scope]>,
    Extension(Identity(identity)): Extension<Identity>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = identity?;
    if let Some(scope) = scopes.iter().find(|scope| !caller.key.may(**scope)) {
        let detail = format!("this API key lacks the scope {scope}");
        return Err(Problem::because(Code::Forbidden, detail));
    }
    tracing::debug!(key.id = caller.key.id, "authenticated");
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The token behind the scheme, whose name may be written in any case.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_a_key() {
        assert_eq!(bearer("Bearer pw_live_1"), Some("pw_live_1"));
        assert_eq!(bearer("bearer pw_live_1"), Some("pw_live_1"));
        for wrong in ["", "Bearer", "Bearer ", "Basic abc", "pw_live_1"] {
            assert_eq!(bearer(wrong), None, "{wrong:?}");
        }
    }
}
