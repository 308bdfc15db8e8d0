//! Who may call: whoever has a key that was not revoked.

use std::fmt;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

use crate::keys::digest;
use crate::problem::{Code, Problem};
use crate::state::ApiState;

/// Whose key a request came with.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    id: String,
    name: String,
}

impl Caller {
    /// The id of the key.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.id)
    }
}

/// Lets a request pass that carries a valid key as a bearer token (RFC 6750).
pub(crate) async fn require_key(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let header = request.headers().get(AUTHORIZATION).ok_or_else(|| {
        Problem::because(
            Code::Unauthorized,
            "send the header Authorization: Bearer pw_live_…; make a key with: paywatch api-key create",
        )
    })?;
    let key = header.to_str().ok().and_then(bearer).ok_or_else(|| {
        Problem::because(
            Code::Unauthorized,
            "the header must read Authorization: Bearer pw_live_…",
        )
    })?;
    let known = state
        .store
        .use_api_key(&digest(key), state.clock.now())
        .await?;
    let known = known.ok_or_else(|| {
        Problem::because(
            Code::Unauthorized,
            "this API key does not exist or was revoked",
        )
    })?;
    tracing::debug!(key.id = known.id, "authenticated");
    request.extensions_mut().insert(Caller {
        id: known.id,
        name: known.name,
    });
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
