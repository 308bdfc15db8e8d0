//! Our signatures, checked by the library that the makers of Standard Webhooks publish, and its by us.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::time::SystemTime;

use paywatch_notifier::{Message, Received, Secret, SecretKind, TOLERANCE};
use standardwebhooks::Webhook;

const ID: &str = "evt_0123456789abcdef0123456789abcdef";
const BODY: &str = r#"{"type":"order.paid","amount":"12.50","note":"ünï"}"#;

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("it is after 1970").as_secs()
}

fn secret(kind: SecretKind) -> Secret {
    Secret::generate(kind).expect("the system has randomness")
}

fn official(secret: &Secret) -> Webhook {
    Webhook::new(&secret.reveal()).expect("it takes our secrets")
}

#[test]
fn it_accepts_what_we_sign_and_nothing_that_was_changed() {
    let (new, old) = (secret(SecretKind::Shared), secret(SecretKind::Shared));
    let pair = secret(SecretKind::KeyPair);
    let message = Message::new(ID, now(), BODY.as_bytes()).expect("an id");
    let signed = message.sign([&pair, &new, &old]);
    let headers = signed.headers().expect("they can be headers");
    for secret in [&new, &old] {
        let official = official(secret);
        official
            .verify(BODY.as_bytes(), &headers)
            .expect("it is ours");

        let changed = BODY.replace("12.50", "12.51");
        assert!(
            official.verify(changed.as_bytes(), &headers).is_err(),
            "another body"
        );
        for (name, value) in [
            (
                "webhook-id",
                "evt_1123456789abcdef0123456789abcdef".to_owned(),
            ),
            ("webhook-timestamp", now().saturating_sub(7).to_string()),
            ("webhook-signature", pair_only(&signed.signature)),
        ] {
            let mut headers = headers.clone();
            headers.insert(name, value.parse().expect("it can be a header"));
            assert!(
                official.verify(BODY.as_bytes(), &headers).is_err(),
                "another {name}"
            );
        }
    }
    let stranger = official(&secret(SecretKind::Shared));
    assert!(stranger.verify(BODY.as_bytes(), &headers).is_err());
}

/// The first of the signatures.
fn pair_only(signatures: &str) -> String {
    signatures.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn we_accept_what_it_signs() {
    let secret = secret(SecretKind::Shared);
    let at = i64::try_from(now()).expect("it fits");
    let signed = official(&secret)
        .sign(ID, at, BODY.as_bytes())
        .expect("it signs");
    let received = Received {
        id: ID,
        timestamp: &at.to_string(),
        signature: &signed,
        body: BODY.as_bytes(),
    };
    assert_eq!(
        received.verify(&[secret.verifier()], now(), TOLERANCE),
        Ok(())
    );
    let body = BODY.to_uppercase();
    let changed = Received {
        body: body.as_bytes(),
        ..received
    };
    assert!(
        changed
            .verify(&[secret.verifier()], now(), TOLERANCE)
            .is_err()
    );
}
