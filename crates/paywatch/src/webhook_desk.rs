//! What the API and the command line need of webhooks: where they may go, and what signs them.

use paywatch_api::WebhookDesk;
use paywatch_core::SignatureKind;
use paywatch_notifier::{GatewayKey, Guard, Secret, SecretKind, Verifier};
use secrecy::{ExposeSecret as _, SecretString};

/// Longer URLs are not taken by everything on the way.
const LONGEST_URL: usize = 2_048;

/// Goes by the configured guard.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    guard: Guard,
}

impl Desk {
    /// Lets webhooks go where `guard` does.
    pub(crate) const fn new(guard: Guard) -> Self {
        Self { guard }
    }
}

impl WebhookDesk for Desk {
    fn check_url(&self, text: &str) -> Result<String, String> {
        let url = self.guard.parse(text).map_err(|error| error.to_string())?;
        if url.as_str().len() > LONGEST_URL {
            return Err(format!("it is longer than {LONGEST_URL} bytes"));
        }
        Ok(url.into())
    }

    fn new_secret(&self, kind: SignatureKind) -> Result<SecretString, String> {
        let secret = |kind| {
            let secret = Secret::generate(kind).map_err(|error| error.to_string())?;
            Ok(SecretString::from(secret.reveal().as_str()))
        };
        match kind {
            SignatureKind::Hmac => secret(SecretKind::Shared),
            SignatureKind::Ed25519 => secret(SecretKind::KeyPair),
            SignatureKind::P256 => {
                let key = GatewayKey::generate().and_then(|key| key.reveal());
                let key = key.map_err(|error| error.to_string())?;
                Ok(SecretString::from(key.as_str()))
            },
            SignatureKind::Md5 => Err("such a secret is given by the configuration".to_owned()),
        }
    }

    fn public_key_of(&self, secret: &SecretString) -> Option<String> {
        let secret = secret.expose_secret();
        if let Ok(key) = secret.parse::<GatewayKey>() {
            return key.public_key().ok();
        }
        let secret: Secret = secret.parse().ok()?;
        match secret.verifier() {
            Verifier::Shared(_) => None,
            Verifier::Public(key) => Some(key.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_of_the_wanted_kind_and_shown_by_nothing() {
        let desk = Desk::new(Guard::new());
        let shared = desk.new_secret(SignatureKind::Hmac).unwrap();
        assert!(shared.expose_secret().starts_with("whsec_"));
        assert_eq!(desk.public_key_of(&shared), None);
        let pair = desk.new_secret(SignatureKind::Ed25519).unwrap();
        assert!(pair.expose_secret().starts_with("whsk_"));
        let public = desk.public_key_of(&pair).unwrap();
        assert!(public.starts_with("whpk_"), "{public}");
        let key = desk.new_secret(SignatureKind::P256).unwrap();
        let read: GatewayKey = key.expose_secret().parse().unwrap();
        assert_eq!(desk.public_key_of(&key), read.public_key().ok());
        assert_eq!(desk.public_key_of(&SecretString::from("x")), None);
        let shown = format!("{shared:?}{pair:?}{key:?}");
        assert!(!shown.contains("whs") && !shown.contains("gws"));
    }

    #[test]
    fn urls_have_one_form_and_are_not_too_long() {
        let desk = Desk::new(Guard::new());
        let checked = desk.check_url(" https://Shop.Example:443/hook ");
        assert_eq!(checked.as_deref(), Ok("https://shop.example/hook"));
        let long = format!("https://shop.example/{}", "x".repeat(LONGEST_URL));
        assert!(desk.check_url(&long).unwrap_err().contains("longer"));
        assert!(desk.check_url("https://10.0.0.7/").is_err());
    }
}
