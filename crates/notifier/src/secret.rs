//! The secrets that webhooks are signed with, and what checks their signatures.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a shared secret begins with.
const SHARED: &str = "whsec_";
/// What a private key begins with.
const PRIVATE: &str = "whsk_";
/// What a public key begins with.
const PUBLIC: &str = "whpk_";

/// The fewest bytes of a shared secret, by the specification.
const SHORTEST: usize = 24;
/// The most.
const LONGEST: usize = 64;
/// The bytes of a shared secret that is made here.
const MADE: usize = 32;

/// Both kinds of secret that Standard Webhooks knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// `whsec_`: sender and receiver hold the same (HMAC-SHA256, `v1`).
    Shared,
    /// `whsk_`: the receiver holds a public key that signs nothing (Ed25519, `v1a`).
    KeyPair,
}

/// A secret that signs. It is shown by [`Secret::reveal`] and by nothing else.
#[derive(Clone)]
pub struct Secret(Key);

#[derive(Clone)]
enum Key {
    Shared {
        bytes: Zeroizing<Vec<u8>>,
        /// The key schedule is done once; each message starts from here.
        keyed: Box<Hmac<Sha256>>,
    },
    Private(Box<SigningKey>),
}

/// What checks a signature: a shared secret or a public key.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// `whsec_`
    Shared(Secret),
    /// `whpk_`
    Public(PublicKey),
}

/// An Ed25519 public key, written `whpk_` and base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A text that is no secret. None of these shows what the text was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It begins with something else.
    #[error(
        "a secret begins with whsec_ (shared with the receiver) or whsk_ (Ed25519), \
         and this one with neither"
    )]
    Prefix,
    /// It begins with something else, where a verifier was expected.
    #[error(
        "what checks signatures begins with whsec_ (the shared secret) or whpk_ (the public key), \
         and this begins with neither"
    )]
    VerifierPrefix,
    /// A private key, where only a public one should be.
    #[error(
        "this is the private key (whsk_), which only the sender may hold; give the public one (whpk_)"
    )]
    Private,
    /// What follows is not base64.
    #[error("what follows {0} is no base64: the alphabet is A-Z a-z 0-9 + / with = at the end")]
    Base64(&'static str),
    /// A shared secret that is too short to be one, or too long.
    #[error(
        "a whsec_ secret has 24 to 64 bytes, which base64 writes with 32 to 88 letters; this one has {0} bytes"
    )]
    Length(usize),
    /// A private key of another length.
    #[error("a whsk_ key has 32 bytes (the seed) or 64 (seed and public key); this one has {0}")]
    PrivateLength(usize),
    /// A private key whose public half is another's.
    #[error("the two halves of this whsk_ key do not belong together")]
    Halves,
    /// A public key of another length.
    #[error("a whpk_ key has 32 bytes; this one has {0}")]
    PublicLength(usize),
    /// 32 bytes that are no key, or one under which anything verifies.
    #[error("these 32 bytes are no Ed25519 public key that can be trusted")]
    NoKey,
}

impl Secret {
    /// A new one, from the randomness of the system.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn generate(kind: SecretKind) -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0_u8; MADE]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(match kind {
            SecretKind::Shared => Self::shared(bytes.to_vec().into())
                .map_err(|_never| getrandom::Error::UNEXPECTED)?,
            SecretKind::KeyPair => Self(Key::Private(Box::new(SigningKey::from_bytes(&bytes)))),
        })
    }

    fn shared(bytes: Zeroizing<Vec<u8>>) -> Result<Self, SecretError> {
        let length = bytes.len();
        if !(SHORTEST..=LONGEST).contains(&length) {
            return Err(SecretError::Length(length));
        }
        let keyed =
            Hmac::new_from_slice(&bytes).map_err(|_any_fits| SecretError::Length(length))?;
        let keyed = Box::new(keyed);
        Ok(Self(Key::Shared { bytes, keyed }))
    }

    fn private(bytes: &[u8]) -> Result<Self, SecretError> {
        let refused = SecretError::PrivateLength(bytes.len());
        let (seed, public) = bytes.split_first_chunk::<32>().ok_or(refused)?;
        let key = SigningKey::from_bytes(seed);
        match public {
            [] => {},
            public if public.len() != 32 => return Err(refused),
            public if public != key.verifying_key().as_bytes() => return Err(SecretError::Halves),
            _ => {},
        }
        Ok(Self(Key::Private(Box::new(key))))
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> SecretKind {
        match self.0 {
            Key::Shared { .. } => SecretKind::Shared,
            Key::Private(_) => SecretKind::KeyPair,
        }
    }

    /// Its text, for the one who is to have it. Keep it out of logs.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(match &self.0 {
            Key::Shared { bytes, .. } => format!("{SHARED}{}", STANDARD.encode(bytes)),
            Key::Private(key) => {
                let both = Zeroizing::new(key.to_keypair_bytes());
                format!("{PRIVATE}{}", STANDARD.encode(both.as_slice()))
            },
        })
    }

    /// What the receiver checks its signatures with.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        match &self.0 {
            Key::Shared { .. } => Verifier::Shared(self.clone()),
            Key::Private(key) => Verifier::Public(PublicKey(key.verifying_key())),
        }
    }

    /// The signature of what `parts` are together, as the header has it.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> String {
        match &self.0 {
            Key::Shared { keyed, .. } => {
                let mut mac = Hmac::clone(keyed);
                parts.iter().for_each(|part| mac.update(part));
                format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
            },
            Key::Private(key) => {
                use ed25519_dalek::Signer as _;
                format!(
                    "v1a,{}",
                    STANDARD.encode(key.sign(&parts.concat()).to_bytes())
                )
            },
        }
    }
}

impl Verifier {
    /// The version of the signatures that it checks.
    pub(crate) const fn version(&self) -> &'static str {
        match self {
            Self::Shared(_) => "v1",
            Self::Public(_) => "v1a",
        }
    }

    /// Whether `signature` is one of what `parts` are together. Takes the same time however much of it
    /// is right.
    pub(crate) fn accepts(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        match self {
            Self::Shared(Secret(Key::Shared { keyed, .. })) => {
                let mut mac = Hmac::clone(keyed);
                parts.iter().for_each(|part| mac.update(part));
                mac.verify_slice(signature).is_ok()
            },
            Self::Shared(Secret(Key::Private(key))) => {
                PublicKey(key.verifying_key()).accepts(parts, signature)
            },
            Self::Public(key) => key.accepts(parts, signature),
        }
    }
}

impl PublicKey {
    fn accepts(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(&parts.concat(), &signature).is_ok())
    }

    fn read(bytes: &[u8]) -> Result<Self, SecretError> {
        let refused = SecretError::PublicLength(bytes.len());
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_other_length| refused)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_no_point| SecretError::NoKey)?;
        if key.is_weak() {
            return Err(SecretError::NoKey);
        }
        Ok(Self(key))
    }
}

/// The bytes that base64 writes after `prefix`, if `text` begins so.
fn decoded(text: &str, prefix: &'static str) -> Option<Result<Zeroizing<Vec<u8>>, SecretError>> {
    let rest = text.strip_prefix(prefix)?;
    let bytes = STANDARD.decode(rest);
    // The cause would show letters of the secret.
    Some(
        bytes
            .map(Zeroizing::new)
            .map_err(|_shows_letters| SecretError::Base64(prefix)),
    )
}

impl FromStr for Secret {
    type Err = SecretError;

    /// Space around it, such as the line break at the end of a file, is none of it.
    fn from_str(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if let Some(bytes) = decoded(text, SHARED) {
            return Self::shared(bytes?);
        }
        match decoded(text, PRIVATE) {
            Some(bytes) => Self::private(&bytes?),
            None => Err(SecretError::Prefix),
        }
    }
}

impl FromStr for Verifier {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        if let Some(bytes) = decoded(text, SHARED) {
            return Secret::shared(bytes?).map(Self::Shared);
        }
        if text.starts_with(PRIVATE) {
            return Err(SecretError::Private);
        }
        match decoded(text, PUBLIC) {
            Some(bytes) => PublicKey::read(&bytes?).map(Self::Public),
            None => Err(SecretError::VerifierPrefix),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC}{}", STANDARD.encode(self.0.as_bytes()))
    }
}

/// Which kind it is, and no more.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = match self.kind() {
            SecretKind::Shared => SHARED,
            SecretKind::KeyPair => PRIVATE,
        };
        write!(f, "{prefix}[hidden]")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
