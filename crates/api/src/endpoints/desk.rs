//! What the API needs of webhooks and does not know itself.

use std::fmt;

use paywatch_core::SignatureKind;
use secrecy::SecretString;

/// Knows where webhooks may go and what signs them. The API holds neither rules of the network nor
/// keys; whoever sends webhooks does.
pub trait WebhookDesk: Send + Sync + fmt::Debug {
    /// A URL in its one form, if something may be sent there.
    ///
    /// # Errors
    /// Why nothing may, and what would help, in words for whoever wrote it.
    fn check_url(&self, text: &str) -> Result<String, String>;

    /// A new secret.
    ///
    /// # Errors
    /// Why the system gives none, for the log.
    fn new_secret(&self, kind: SignatureKind) -> Result<SecretString, String>;

    /// The public key that belongs to `secret`; `None` if it is shared with the receiver.
    fn public_key_of(&self, secret: &SecretString) -> Option<String>;
}
