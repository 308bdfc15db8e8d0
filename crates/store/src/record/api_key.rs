//! Keys to the API.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;

use ipnet::IpNet;
use paywatch_core::{KeyMode, Scope, Scopes, Timestamp};

/// How often a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRate {
    /// Requests in a minute, on and on.
    pub per_minute: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

/// What a key may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyTerms {
    /// What kind of installation it is for.
    pub mode: KeyMode,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
    /// From where it may be used; from everywhere, if there are none.
    pub networks: Vec<IpNet>,
    /// How often it may be used, if not as often as others.
    pub rate: Option<KeyRate>,
    /// The public key (`SubjectPublicKeyInfo`, DER in base64) with which its requests must be
    /// signed.
    pub public_key: Option<String>,
    /// The public key, P-256 in the same form, with which what creates an order by the routes of
    /// another gateway must be signed.
    pub gateway_public_key: Option<String>,
}

impl KeyTerms {
    /// Everything, from everywhere, for ever.
    #[must_use]
    pub fn unlimited() -> Self {
        Self {
            mode: KeyMode::Live,
            scopes: Scopes::all(),
            expires_at: None,
            networks: Vec::new(),
            rate: None,
            public_key: None,
            gateway_public_key: None,
        }
    }

    /// Whether it may be used from `address`.
    #[must_use]
    pub fn admit(&self, address: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|net| net.contains(&address))
    }
}

/// A key to the API to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewApiKey {
    /// Its id, which is no secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the secret, in hex.
    pub hash: String,
    /// When it is made.
    pub created_at: Timestamp,
    /// What it may be used for.
    pub terms: KeyTerms,
}

impl fmt::Debug for NewApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiKey")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

/// A key to the API, as far as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRecord {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// What it may be used for.
    pub terms: KeyTerms,
    /// The id of the key that was made in its place.
    pub successor: Option<String>,
}

impl ApiKeyRecord {
    /// Whether it may do `scope`.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.terms.scopes.allow(scope)
    }

    /// Whether it is worth something at `now`.
    #[must_use]
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.terms.expires_at.is_none_or(|end| now < end)
    }
}
