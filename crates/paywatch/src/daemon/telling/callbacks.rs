//! The URLs that orders name themselves: which may be, and what is signed for them.

use anyhow::Context as _;
use paywatch_api::{CallbackUrl, Callbacks, Clock as _, SystemClock};
use paywatch_core::{EndpointId, EndpointKind, EventFormat, EventTypes};
use paywatch_notifier::{Guard, Secret, SecretKind};
use paywatch_store::NewEndpoint;
use secrecy::SecretString;
use uuid::Uuid;

/// Orders may be told of wherever `guard` lets requests go.
pub(crate) fn within(guard: Guard) -> Callbacks {
    Callbacks::new(move |text| match guard.parse(text) {
        Ok(url) => Ok(CallbackUrl {
            origin: url.origin().ascii_serialization(),
            url: url.into(),
        }),
        Err(error) => Err(error.to_string()),
    })
}

/// The endpoint that stands for all URLs that orders name. What is signed for them is signed by a pair
/// of keys, which is made the first time and then kept: whoever names a URL needs the public one only.
///
/// # Errors
/// When the system gives no randomness.
pub(super) fn endpoint() -> anyhow::Result<NewEndpoint> {
    let pair = Secret::generate(SecretKind::KeyPair).context("there is no randomness for a key")?;
    Ok(NewEndpoint {
        id: EndpointId::from_bytes(*Uuid::now_v7().as_bytes()),
        kind: EndpointKind::Callbacks,
        name: "URLs that orders name".to_owned(),
        url: String::new(),
        format: EventFormat::Standard,
        types: EventTypes::All,
        secrets: vec![SecretString::from(pair.reveal().as_str())],
        created_at: SystemClock.now(),
    })
}

#[cfg(test)]
mod tests {
    use paywatch_notifier::Verifier;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn what_signs_for_orders_has_a_public_key() {
        let endpoint = endpoint().unwrap();
        let secret: Secret = endpoint.secrets[0].expose_secret().parse().unwrap();
        assert!(matches!(secret.verifier(), Verifier::Public(_)));
    }
}
