//! The key that signs webhooks in the form of the gateway whose routes are taken over: ECDSA on P-256
//! with SHA-256, DER in base64.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use zeroize::Zeroizing;

/// What such a key begins with where it is kept.
const PREFIX: &str = "gwsk_";

/// A key of P-256. It is read and written as `gwsk_` and base64 of PKCS#8.
#[derive(Clone)]
pub struct GatewayKey(SigningKey);

/// A text that is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GatewayKeyError {
    /// It is something else.
    #[error("a key of a gateway is gwsk_ and base64 of a P-256 key in PKCS#8")]
    NoKey,
    /// The system has no randomness.
    #[error("the system gives no randomness")]
    NoRandomness,
}

impl GatewayKey {
    /// A key that nobody has had before.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate() -> Result<Self, GatewayKeyError> {
        // Hardly any 32 bytes are no key.
        for _ in 0..8 {
            let mut bytes = Zeroizing::new([0; 32]);
            getrandom::fill(bytes.as_mut()).map_err(|_none| GatewayKeyError::NoRandomness)?;
            if let Ok(key) = SigningKey::from_slice(bytes.as_ref()) {
                return Ok(Self(key));
            }
        }
        Err(GatewayKeyError::NoRandomness)
    }

    /// Its text, to be kept where only we read.
    ///
    /// # Errors
    /// Never for a key that was made or read here.
    pub fn reveal(&self) -> Result<Zeroizing<String>, GatewayKeyError> {
        let der = self.0.to_pkcs8_der();
        let der = der.map_err(|_never| GatewayKeyError::NoKey)?;
        let text = Zeroizing::new(STANDARD.encode(der.as_bytes()));
        Ok(Zeroizing::new(format!("{PREFIX}{}", text.as_str())))
    }

    /// What receivers check signatures with: base64 of `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// Never for a key that was made or read here.
    pub fn public_key(&self) -> Result<String, GatewayKeyError> {
        let der = self.0.verifying_key().to_public_key_der();
        let der = der.map_err(|_never| GatewayKeyError::NoKey)?;
        Ok(STANDARD.encode(der.as_bytes()))
    }

    /// The signature of `message`.
    #[must_use]
    pub fn sign(&self, message: &str) -> String {
        let signature: DerSignature = self.0.sign(message.as_bytes());
        STANDARD.encode(signature.as_bytes())
    }
}

impl FromStr for GatewayKey {
    type Err = GatewayKeyError;

    fn from_str(text: &str) -> Result<Self, GatewayKeyError> {
        let base64 = text.strip_prefix(PREFIX).ok_or(GatewayKeyError::NoKey)?;
        let der = STANDARD.decode(base64).map(Zeroizing::new);
        let der = der.map_err(|_no_base64| GatewayKeyError::NoKey)?;
        let key = SigningKey::from_pkcs8_der(&der);
        Ok(Self(key.map_err(|_no_key| GatewayKeyError::NoKey)?))
    }
}

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("gwsk_[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier as _;
    use p256::ecdsa::{DerSignature, VerifyingKey};
    use p256::pkcs8::DecodePublicKey as _;

    use super::*;

    #[test]
    fn what_it_signs_its_public_key_verifies_and_nothing_else() {
        let key = GatewayKey::generate().unwrap();
        let again: GatewayKey = key.reveal().unwrap().parse().unwrap();
        assert_eq!(key.public_key(), again.public_key());
        let signature = STANDARD.decode(again.sign("amount=1&time=7")).unwrap();
        let signature = DerSignature::try_from(signature.as_slice()).unwrap();
        let public = STANDARD.decode(key.public_key().unwrap()).unwrap();
        let public = VerifyingKey::from_public_key_der(&public).unwrap();
        assert!(public.verify(b"amount=1&time=7", &signature).is_ok());
        assert!(public.verify(b"amount=1&time=8", &signature).is_err());
        assert!(!format!("{key:?}").contains(key.reveal().unwrap().as_str()));
    }

    #[test]
    fn other_texts_are_no_keys() {
        for wrong in ["", "gwsk_", "gwsk_AAAA", "whsec_AAAA", "gwsk_%"] {
            assert_eq!(
                wrong.parse::<GatewayKey>().err(),
                Some(GatewayKeyError::NoKey)
            );
        }
    }
}
