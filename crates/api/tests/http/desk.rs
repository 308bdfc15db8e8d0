//! A desk for webhooks whose secrets can be recognised wherever they turn up.

use std::sync::atomic::{AtomicU32, Ordering};

use paywatch_api::WebhookDesk;
use paywatch_core::SignatureKind;
use secrecy::{ExposeSecret as _, SecretString};

/// What is in every secret of this desk.
pub(crate) const MARK: &str = "s3cret";

/// Lets webhooks go to `https://`, but not to `https://inside…`.
#[derive(Debug, Default)]
pub(crate) struct Desk(AtomicU32);

impl WebhookDesk for Desk {
    fn check_url(&self, text: &str) -> Result<String, String> {
        match text.strip_prefix("https://") {
            Some(rest) if !rest.starts_with("inside") => Ok(text.to_owned()),
            Some(_) | None => Err("it is not allowed here; use https".to_owned()),
        }
    }

    fn new_secret(&self, kind: SignatureKind) -> Result<SecretString, String> {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        Ok(SecretString::from(match kind {
            SignatureKind::Hmac => format!("whsec_{MARK}{number}"),
            SignatureKind::Ed25519 => format!("whsk_{MARK}{number}"),
            SignatureKind::P256 => format!("gwsk_{MARK}{number}"),
            SignatureKind::Md5 => return Err("there is none".to_owned()),
        }))
    }

    fn public_key_of(&self, secret: &SecretString) -> Option<String> {
        let secret = secret.expose_secret();
        let pairs = [("whsk_", "whpk_"), ("gwsk_", "gwpk_")];
        let mut pairs = pairs.into_iter();
        pairs.find_map(|(private, public)| {
            let number = secret.strip_prefix(private)?;
            Some(format!("{public}{}", number.replace(MARK, "public")))
        })
    }
}
