//! What is read again and has not changed is not sent again (RFC 9110, 13.1.2).

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest as _, Sha256};

use crate::problem::{Code, Problem};

/// A reader may keep what he has, and has to ask whether it still is so.
const KEEP_AND_ASK: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Gives every answer to a reading call a tag of its content, and answers those who have that
/// already with 304.
pub(crate) async fn tagged(request: Request, next: Next) -> Result<Response, Problem> {
    let known = (request.method() == Method::GET).then(|| request.headers().clone());
    let response = next.run(request).await;
    let (Some(known), StatusCode::OK) = (known, response.status()) else {
        return Ok(response);
    };
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(|error| {
        tracing::error!(error = %error, "an answer could not be read");
        Problem::new(Code::Internal)
    })?;
    let digest = hex::encode(Sha256::digest(&bytes));
    let tag = format!("\"{}\"", digest.get(..32).unwrap_or_default());
    parts.headers.insert(CACHE_CONTROL, KEEP_AND_ASK);
    let is_known = has(&known, &tag);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(ETAG, tag);
    }
    if !is_known {
        return Ok(Response::from_parts(parts, Body::from(bytes)));
    }
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::empty()))
}

/// Whether a reader has what `tag` stands for. Weak tags compare as strong ones do here.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(IF_NONE_MATCH).iter();
    let given = given.filter_map(|value| value.to_str().ok());
    let mut tags = given.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_others() {
        let has = |given: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(given));
            super::has(&headers, "\"abc\"")
        };
        for given in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(has(given), "{given}");
        }
        for given in ["abc", "\"ab\"", "", "\"x\""] {
            assert!(!has(given), "{given}");
        }
    }
}
