//! API keys: random, shown once, kept as a digest.

use paywatch_core::Timestamp;
use paywatch_store::{KeyTerms, NewApiKey};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Makes a key called `name` that may do everything: its text, to be shown once, and what is
/// stored of it.
#[must_use]
pub fn mint(name: &str, now: Timestamp) -> (SecretString, NewApiKey) {
    mint_with(name, KeyTerms::unlimited(), now)
}

/// Makes a key called `name` for what `terms` say.
#[must_use]
pub fn mint_with(name: &str, terms: KeyTerms, now: Timestamp) -> (SecretString, NewApiKey) {
    // Three version 4 UUIDs hold 366 random bits; hashing makes 256 of them.
    let mut random = Sha256::new();
    for _ in 0..3 {
        random.update(Uuid::new_v4().as_bytes());
    }
    let text = format!("{}{}", terms.mode.prefix(), hex::encode(random.finalize()));
    let stored = NewApiKey {
        id: format!("key_{}", Uuid::now_v7().simple()),
        name: name.to_owned(),
        hash: digest(&text),
        created_at: now,
        terms,
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
    use paywatch_core::KeyMode;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn a_key_is_found_by_its_digest_and_never_stored() {
        for (mode, prefix) in [(KeyMode::Live, "pw_live_"), (KeyMode::Test, "pw_test_")] {
            let terms = KeyTerms {
                mode,
                ..KeyTerms::unlimited()
            };
            let (key, stored) = mint_with("shop", terms, Timestamp::EPOCH);
            let text = key.expose_secret();
            assert!(text.starts_with(prefix) && text.len() == prefix.len() + 64);
            assert_eq!(digest(text), stored.hash);
            assert!(!format!("{stored:?}").contains(text));
        }
        let (key, _) = mint("shop", Timestamp::EPOCH);
        let (other, _) = mint("shop", Timestamp::EPOCH);
        assert_ne!(key.expose_secret(), other.expose_secret());
    }
}
