//! What an endpoint is called, what signs for it, and how much of all there may be.

use std::fmt;
use std::str::FromStr;

use crate::UnknownName;
use crate::endpoint::named;

/// How many webhooks there may be: each costs a request for every event.
pub const MOST_WEBHOOKS: u32 = 50;
/// How many secrets may sign for an endpoint at a time: each has a signature in every request.
pub const MOST_SECRETS: usize = 5;
/// How many events in a row may be told again at once.
pub const MOST_TOLD_AGAIN: u64 = 10_000;
/// For how long an old secret may sign beside a new one, in seconds: a week.
pub const LONGEST_OVERLAP_S: u64 = 604_800;
/// For how long it does if nobody says, in seconds: a day.
pub const USUAL_OVERLAP_S: u64 = 86_400;

/// What the merchant calls an endpoint: 1 to 100 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointName(String);

/// A text that is no name of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 100 characters on one line")]
pub struct EndpointNameError;

impl EndpointName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for EndpointName {
    type Err = EndpointNameError;

    fn from_str(text: &str) -> Result<Self, EndpointNameError> {
        let text = text.trim();
        if !(1..=100).contains(&text.chars().count()) || text.chars().any(char::is_control) {
            return Err(EndpointNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

/// How what is told is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignatureKind {
    /// By a secret that the receiver has as well (HMAC-SHA256).
    Hmac,
    /// By a private key whose public half the receiver has.
    Ed25519,
    /// By such a key on the curve P-256 (ECDSA with SHA-256).
    P256,
    /// By a secret that the receiver has as well, hashed with MD5 after the text: weak, and only for
    /// those who know nothing else.
    Md5,
}

impl SignatureKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Hmac, Self::Ed25519, Self::P256, Self::Md5];

    /// The name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::Ed25519 => "ed25519",
            Self::P256 => "p256",
            Self::Md5 => "md5",
        }
    }

    /// Whether the receiver has the secret itself, and not only what checks it.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        match self {
            Self::Hmac | Self::Md5 => true,
            Self::Ed25519 | Self::P256 => false,
        }
    }
}

impl fmt::Display for SignatureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SignatureKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        named("kind of signature", name, &Self::ALL, Self::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_lines() {
        let name: EndpointName = " the till ".parse().unwrap();
        assert_eq!(name.as_str(), "the till");
        let longest = "ü".repeat(100);
        assert_eq!(longest.parse::<EndpointName>().unwrap().as_str(), longest);
        for wrong in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert_eq!(wrong.parse::<EndpointName>(), Err(EndpointNameError));
        }
    }

    #[test]
    fn kinds_of_signatures_read_back() {
        for kind in SignatureKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        let error = "rsa".parse::<SignatureKind>().unwrap_err();
        assert_eq!(error.known, "hmac, ed25519, p256, md5");
    }
}
