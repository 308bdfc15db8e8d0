//! The public keys with which requests are signed: Ed25519, or ECDSA on P-256 with SHA-256.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use p256::ecdsa::signature::Verifier as _;

const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// A public key. It is read from PEM or from base64 of DER (`SubjectPublicKeyInfo`), and written as
/// the latter.
#[derive(Clone, Debug)]
pub struct PublicKey {
    der: Vec<u8>,
    curve: Curve,
}

#[derive(Clone, Debug)]
enum Curve {
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
}

/// A text that is no public key.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// It is not even base64.
    #[error("it is neither PEM (BEGIN PUBLIC KEY) nor base64")]
    Base64(#[from] base64::DecodeError),
    /// It is another thing, or a key of another kind.
    #[error("it is no public key of Ed25519 or P-256 (SubjectPublicKeyInfo)")]
    Kind(#[source] ed25519_dalek::pkcs8::spki::Error),
}

impl PublicKey {
    /// What RFC 9421 calls signatures by it.
    #[must_use]
    pub const fn algorithm(&self) -> &'static str {
        match self.curve {
            Curve::Ed25519(_) => "ed25519",
            Curve::P256(_) => "ecdsa-p256-sha256",
        }
    }

    /// Whether it is one of P-256.
    #[must_use]
    pub const fn is_p256(&self) -> bool {
        matches!(self.curve, Curve::P256(_))
    }

    /// Whether `signature` is one of `message` by it: 64 bytes, for P-256 both numbers.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.curve {
            Curve::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Curve::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl PublicKey {
    /// The same of a signature in DER (RFC 3279), as ECDSA is written elsewhere. Ed25519 has no such form.
    #[must_use]
    pub fn verifies_der(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.curve {
            Curve::Ed25519(_) => false,
            Curve::P256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        let text = text.trim();
        let inner = text
            .strip_prefix(PEM_BEGIN)
            .and_then(|text| text.strip_suffix(PEM_END))
            .unwrap_or(text);
        let inner: String = inner.split_ascii_whitespace().collect();
        let der = STANDARD.decode(inner)?;
        let curve = match ed25519_dalek::VerifyingKey::from_public_key_der(&der) {
            Ok(key) => Curve::Ed25519(Box::new(key)),
            Err(_other_kind) => {
                let key = p256::ecdsa::VerifyingKey::from_public_key_der(&der);
                Curve::P256(Box::new(key.map_err(PublicKeyError::Kind)?))
            },
        };
        Ok(Self { der, curve })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(&self.der))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9421, appendix B.1.4.
    const ED25519: &str = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
    /// RFC 9421, appendix B.1.3.
    const P256: &str = "-----BEGIN PUBLIC KEY-----\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf\n\
        w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn both_forms_of_both_kinds_are_read() {
        let ed25519: PublicKey = ED25519.parse().unwrap();
        assert_eq!(ed25519.algorithm(), "ed25519");
        assert_eq!(ed25519.to_string(), ED25519);
        let p256: PublicKey = P256.parse().unwrap();
        assert!(p256.is_p256() && !ed25519.is_p256());
        let again: PublicKey = p256.to_string().parse().unwrap();
        assert_eq!(again.to_string(), p256.to_string());
        let cut = ED25519.replace("MCow", "MCox");
        for wrong in ["", "x", "-----BEGIN PUBLIC KEY-----", "MAA=", cut.as_str()] {
            assert!(wrong.parse::<PublicKey>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_signature_verifies_nothing() {
        for text in [ED25519, P256] {
            let key: PublicKey = text.parse().unwrap();
            for signature in [&[][..], &[0; 63], &[0; 64], &[255; 64], &[1; 65]] {
                assert!(!key.verifies(b"message", signature));
            }
        }
    }
}
