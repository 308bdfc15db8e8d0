//! Signs webhooks and checks their signatures, as Standard Webhooks says.
//!
//! Signed is `id.timestamp.body`. While a secret is changed for another, both sign.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, InvalidHeaderValue};

use crate::secret::{Secret, Verifier};

/// The header with the id of what is told, the same at each attempt.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of the attempt, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures, with spaces between.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far the time of an attempt may be off, before and after, if nobody says otherwise.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Longer ids are none of ours or anybody's.
const LONGEST_ID: usize = 256;

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    id: &'a str,
    timestamp_unix_s: u64,
    body: &'a [u8],
}

/// An id that cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no id of a webhook: 1 to 256 visible ASCII characters, none of them a dot")]
pub struct IdError(String);

/// The headers of a signed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The value of [`ID_HEADER`].
    pub id: String,
    /// The value of [`TIMESTAMP_HEADER`].
    pub timestamp: String,
    /// The value of [`SIGNATURE_HEADER`].
    pub signature: String,
}

impl Signed {
    /// As headers of a request.
    ///
    /// # Errors
    /// Never for what [`Message::sign`] made.
    pub fn headers(&self) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(ID_HEADER, self.id.parse()?);
        headers.insert(TIMESTAMP_HEADER, self.timestamp.parse()?);
        headers.insert(SIGNATURE_HEADER, self.signature.parse()?);
        Ok(headers)
    }
}

impl<'a> Message<'a> {
    /// What is told under `id`, sent at `timestamp_unix_s`.
    ///
    /// # Errors
    /// When the id has a dot, which would let it pass for another id with another time, or cannot
    /// stand in a header.
    pub fn new(id: &'a str, timestamp_unix_s: u64, body: &'a [u8]) -> Result<Self, IdError> {
        if !is_id(id) {
            return Err(IdError(id.chars().take(LONGEST_ID).collect()));
        }
        Ok(Self {
            id,
            timestamp_unix_s,
            body,
        })
    }

    /// Signs with every one of `secrets`: first the one in force, then those that still are for a
    /// while.
    #[must_use]
    pub fn sign<'s>(&self, secrets: impl IntoIterator<Item = &'s Secret>) -> Signed {
        let timestamp = self.timestamp_unix_s.to_string();
        let parts = signed_parts(self.id, &timestamp, self.body);
        let signatures: Vec<String> = secrets
            .into_iter()
            .map(|secret| secret.sign(&parts))
            .collect();
        Signed {
            signature: signatures.join(" "),
            id: self.id.to_owned(),
            timestamp,
        }
    }
}

/// A webhook as it came.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The value of [`ID_HEADER`].
    pub id: &'a str,
    /// The value of [`TIMESTAMP_HEADER`].
    pub timestamp: &'a str,
    /// The value of [`SIGNATURE_HEADER`].
    pub signature: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// Why a webhook is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing.
    #[error("the header {0} is missing, or is no text")]
    Missing(&'static str),
    /// Its id is none.
    #[error("the header {ID_HEADER}: {0}")]
    Id(IdError),
    /// Its time is none.
    #[error("the header {TIMESTAMP_HEADER} is {0:?}, which is no number of Unix seconds")]
    Timestamp(String),
    /// It is old, perhaps somebody's recording.
    #[error("it was sent {}s ago, more than the {}s that are allowed; is this machine's clock right?", by.as_secs(), tolerance.as_secs())]
    TooOld {
        /// How long ago.
        by: Duration,
        /// What is allowed.
        tolerance: Duration,
    },
    /// It comes from the future.
    #[error("it says that it was sent in {}s, more than the {}s that are allowed; is this machine's clock right?", by.as_secs(), tolerance.as_secs())]
    TooNew {
        /// How far ahead.
        by: Duration,
        /// What is allowed.
        tolerance: Duration,
    },
    /// No signature is of the kind that can be checked.
    #[error("the header {SIGNATURE_HEADER} has no signature of version {wanted}; it has: {found}")]
    OtherVersion {
        /// What the keys at hand check.
        wanted: String,
        /// What came.
        found: String,
    },
    /// No signature is right.
    #[error(
        "no signature fits: another secret made it, or id, time or body were changed on the way; \
         the body must be checked byte for byte as it came, before it is read as JSON"
    )]
    Mismatch,
}

impl<'a> Received<'a> {
    /// Takes what is signed out of `headers`.
    ///
    /// # Errors
    /// [`VerifyError::Missing`] when one of the three is not there.
    pub fn from_headers(headers: &'a HeaderMap, body: &'a [u8]) -> Result<Self, VerifyError> {
        let value = |name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.ok_or(VerifyError::Missing(name))
        };
        Ok(Self {
            id: value(ID_HEADER)?,
            timestamp: value(TIMESTAMP_HEADER)?,
            signature: value(SIGNATURE_HEADER)?,
            body,
        })
    }

    /// Whether one of its signatures fits one of `verifiers`, and its time is within `tolerance` of
    /// `now_unix_s`.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn verify(
        &self,
        verifiers: &[Verifier],
        now_unix_s: u64,
        tolerance: Duration,
    ) -> Result<(), VerifyError> {
        if !is_id(self.id) {
            let id = self.id.chars().take(LONGEST_ID).collect();
            return Err(VerifyError::Id(IdError(id)));
        }
        self.in_time(now_unix_s, tolerance)?;
        let parts = signed_parts(self.id, self.timestamp, self.body);
        let mut was_tried = false;
        for (version, signature) in self.signatures() {
            for verifier in verifiers.iter().filter(|key| key.version() == version) {
                was_tried = true;
                let decoded = STANDARD.decode(signature);
                if decoded.is_ok_and(|signature| verifier.accepts(&parts, &signature)) {
                    return Ok(());
                }
            }
        }
        Err(if was_tried {
            VerifyError::Mismatch
        } else {
            self.other_version(verifiers)
        })
    }

    fn in_time(&self, now_unix_s: u64, tolerance: Duration) -> Result<(), VerifyError> {
        let sent: Option<u64> = self.timestamp.parse().ok();
        // One moment has one text, or `+7` and `07` would pass for a signed `7`.
        let sent = sent
            .filter(|sent| sent.to_string() == self.timestamp)
            .ok_or_else(|| VerifyError::Timestamp(self.timestamp.chars().take(40).collect()))?;
        let by = Duration::from_secs(now_unix_s.abs_diff(sent));
        if by <= tolerance {
            return Ok(());
        }
        Err(if sent < now_unix_s {
            VerifyError::TooOld { by, tolerance }
        } else {
            VerifyError::TooNew { by, tolerance }
        })
    }

    /// Versions and signatures.
    fn signatures(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.signature
            .split_ascii_whitespace()
            .filter_map(|part| part.split_once(','))
    }

    fn other_version(&self, verifiers: &[Verifier]) -> VerifyError {
        let mut wanted: Vec<_> = verifiers.iter().map(Verifier::version).collect();
        wanted.dedup();
        let found: Vec<_> = self
            .signatures()
            .map(|(version, _)| version)
            .take(8)
            .collect();
        VerifyError::OtherVersion {
            wanted: wanted.join(" or "),
            found: if found.is_empty() {
                "nothing that is one".to_owned()
            } else {
                found.join(", ").chars().take(100).collect()
            },
        }
    }
}

fn is_id(id: &str) -> bool {
    (1..=LONGEST_ID).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'.')
}

const fn signed_parts<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

#[cfg(test)]
mod tests;
