//! API keys: random, shown once, kept as a digest.

use paywatch_core::Timestamp;
use paywatch_store::NewApiKey;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What every key begins with.
pub const PREFIX: &str = "pw_live_";

/// Makes a key called `name`: its text, to be shown once, and what is stored of it.
#[must_use]
pub fn mint(name: &str, now: Timestamp) -> (SecretString, NewApiKey) {
    // Two version 4 UUIDs hold 244 random bits; hashing spreads them over 256.
    let mut random = Sha256::new();
    random.update(Uuid::new_v4().as_bytes());
    random.update(Uuid::new_v4().as_bytes());
    let text = format!("{PREFIX}{}", hex::encode(random.finalize()));
    let stored = NewApiKey {
        id: format!("key_{}", Uuid::now_v7().simple()),
        name: name.to_owned(),
        hash: digest(&text),
        created_at: now,
    };
    (text.into(), stored)
}

/// What is stored of a key: SHA-256, in hex. Keys are random, so it needs no salt and no slowness.
#[must_use]
pub fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_key_is_found_by_its_digest_and_never_stored() {
        let (key, stored) = mint("shop", Timestamp::EPOCH);
        let text = key.expose_secret();
        assert!(text.starts_with(PREFIX) && text.len() == PREFIX.len() + 64);
        assert_eq!(digest(text), stored.hash);
        assert!(!format!("{stored:?}").contains(text));
        let (other, _) = mint("shop", Timestamp::EPOCH);
        assert_ne!(text, other.expose_secret());
    }
}
