//! The public key of a client of that gateway, and what it signed: ECDSA on P-256 with SHA-256.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;

/// A client's public key, as it is registered beside his API key: base64 of a DER-encoded
/// `SubjectPublicKeyInfo` (RFC 5480) on the curve P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayKey(VerifyingKey);

/// What is no such key.
#[derive(Debug, thiserror::Error)]
pub enum GatewayKeyError {
    /// It is not base64.
    #[error("the public key must be base64: {0}")]
    NotBase64(#[from] base64::DecodeError),
    /// It is not a key on P-256.
    #[error("the public key must be a DER-encoded SubjectPublicKeyInfo on P-256: {0}")]
    NotOnCurve(#[from] p256::pkcs8::spki::Error),
}

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatewayKey(…)")
    }
}

impl GatewayKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`GatewayKeyError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, GatewayKeyError> {
        let der = STANDARD.decode(text.trim())?;
        Ok(Self(VerifyingKey::from_public_key_der(&der)?))
    }

    /// Whether `signature`, base64 of a DER-encoded one, is this key's of `message`.
    #[must_use]
    pub fn has_signed(&self, message: &str, signature: &str) -> bool {
        let der = STANDARD.decode(signature.trim()).ok();
        let signature = der.and_then(|der| Signature::from_der(&der).ok());
        signature.is_some_and(|signature| self.0.verify(message.as_bytes(), &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blockatm::message::of_body;

    /// The gateway's own example.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsjqDDEF5uuVoAFCxftskpMszLQMro888rFlrowcTzVibc4J2PgDywFZYXc6x21yHcenJ2bCZ/03XkMrbKqqEwA==";
    const SIGNATURE: &str = "MEYCIQDHxQ0IhgUNbRqTKbU71fBkp+lAJlMXEQYt6mDQfWRY7gIhAMWIpVoG6qBhgIPi30x30wLlAaxyhptZfm6nMRz75VxA";
    const BODY: &str = r#"{"type":1,"txId":"1t","symbol":"USDT","status":1,"platOrderNo":"8210000374",
        "network":"TRON","fee":2,"custNo":"OrderNO_123456","chainId":5,"amount":13.410037}"#;
    const TIME: &str = "1696947336603";

    #[test]
    fn the_known_answer_is_accepted_and_nothing_near_it() {
        let key = GatewayKey::parse(KEY).unwrap();
        let message = of_body(BODY, TIME).unwrap();
        assert!(key.has_signed(&message, SIGNATURE));
        assert!(!key.has_signed(&message, &SIGNATURE.replace("7gIh", "7hIh")));
        assert!(!key.has_signed(&message, &hex::encode(SIGNATURE)));
        assert!(!key.has_signed(&message, ""));
        let later = of_body(BODY, "1696947336604").unwrap();
        assert!(!key.has_signed(&later, SIGNATURE));
        let more = of_body(&BODY.replace("13.4", "23.4"), TIME).unwrap();
        assert!(!key.has_signed(&more, SIGNATURE));
    }

    #[test]
    fn other_texts_are_no_keys() {
        assert!(matches!(
            GatewayKey::parse("not base64!"),
            Err(GatewayKeyError::NotBase64(_))
        ));
        assert!(matches!(
            GatewayKey::parse("AAAA"),
            Err(GatewayKeyError::NotOnCurve(_))
        ));
        let other = KEY.replace("DQgAEsj", "DQgAEsk");
        assert!(GatewayKey::parse(&other).is_err(), "not on the curve");
    }
}
