//! Where orders may be told of, if they may say so themselves.

use std::fmt;
use std::sync::Arc;

/// Decides where orders may be told of. By default, nowhere.
#[derive(Clone, Default)]
pub struct Callbacks(Option<Arc<Check>>);

/// A text, to a URL that something may be sent to, or why nothing may.
type Check = dyn Fn(&str) -> Result<CallbackUrl, String> + Send + Sync;

/// A URL that an order may be told of at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl {
    /// The URL in its one form.
    pub url: String,
    /// Scheme, host and port of it.
    pub origin: String,
}

impl Callbacks {
    /// Wherever `check` says. Its refusals are shown to whoever makes an order, and say what would
    /// help.
    pub fn new(
        check: impl Fn(&str) -> Result<CallbackUrl, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(check)))
    }

    /// The URL that `text` is; `None` if orders may not name any.
    pub(crate) fn check(&self, text: &str) -> Option<Result<CallbackUrl, String>> {
        self.0.as_ref().map(|check| check(text))
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Callbacks").field(&self.0.is_some()).finish()
    }
}
