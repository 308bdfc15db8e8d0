//! The digest of a body (RFC 9530).

use axum::http::{HeaderMap, HeaderName};
use sfv::{BareItem, ListEntry};
use sha2::{Digest as _, Sha256, Sha512};

use crate::problem::Problem;
use crate::signing::invalid;
use crate::signing::signed::dictionary;

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Whether `Content-Digest` is that of `body`: at least one digest that is known, and none that is
/// wrong.
pub(crate) fn check(headers: &HeaderMap, body: &[u8]) -> Result<(), Problem> {
    let mut is_known = false;
    for (algorithm, given) in dictionary(headers, &CONTENT_DIGEST)? {
        let right = match algorithm.as_str() {
            "sha-256" => Sha256::digest(body).to_vec(),
            "sha-512" => Sha512::digest(body).to_vec(),
            _unknown => continue,
        };
        is_known = true;
        let is_right = match given {
            ListEntry::Item(item) => item.bare_item == BareItem::ByteSequence(right),
            ListEntry::InnerList(_) => false,
        };
        if !is_right {
            let detail = format!("the {algorithm} in content-digest is not that of the body");
            return Err(invalid(detail));
        }
    }
    if is_known {
        return Ok(());
    }
    Err(invalid(
        "content-digest must have a sha-256 or sha-512 of the body",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9530, appendix D: of a JSON text and a line break.
    #[test]
    fn a_digest_is_that_of_the_body() {
        let body = b"{\"hello\": \"world\"}\n";
        let sha_256 = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
        let sha_512 = "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:";
        let is_right = |value: &str, body: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_DIGEST, value.parse().unwrap());
            check(&headers, body).is_ok()
        };
        assert!(is_right(sha_256, body));
        assert!(is_right(sha_512, body));
        assert!(is_right(&format!("{sha_512}, {sha_256}, md5=:AAAA:"), body));
        assert!(!is_right(sha_256, b"{\"hello\": \"world\"}"));
        assert!(!is_right(&format!("{sha_512}, sha-256=:AAAA:"), body));
        for wrong in [
            "md5=:AAAA:",
            "sha-256",
            "sha-256=1",
            "sha-256=(:AAAA:)",
            "=",
        ] {
            assert!(!is_right(wrong, body), "{wrong}");
        }
        assert!(check(&HeaderMap::new(), body).is_err());
    }
}
