//! Known answers, and that whatever is changed is refused.

use proptest::prelude::*;

use super::*;
use crate::secret::SecretKind;

const BODY: &str = r#"{"type":"order.paid","amount":"12.50","note":"ünï"}"#;
const ID: &str = "evt_0123456789abcdef0123456789abcdef";
const AT: u64 = 1_764_000_000;
/// 32 bytes: 0, 1, 2 and so on.
const SHARED: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SHARED_SIGNS: &str = "v1,sLKmj8zoDgHEZkVsCph52jmaaHpLxz2198FcWqpiCTE=";
/// The same 32 bytes are the seed.
const PRIVATE: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
const PUBLIC: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const PRIVATE_SIGNS: &str =
    "v1a,Tfl6B6fdqqhDvcQciZXPa94ZZtVRi6wKhft95YHPx89rvT4oeVuBOC5XIMOoonc2QPHa90SigPslxqTVXPllAA==";

fn secret(text: &str) -> Secret {
    text.parse().unwrap()
}

fn signed(secrets: &[Secret]) -> Signed {
    Message::new(ID, AT, BODY.as_bytes()).unwrap().sign(secrets)
}

fn received<'a>(signed: &'a Signed, body: &'a [u8]) -> Received<'a> {
    Received {
        id: &signed.id,
        timestamp: &signed.timestamp,
        signature: &signed.signature,
        body,
    }
}

/// Never take a failing value from new output: these were computed by other programs (Python's hmac,
/// OpenSSL's Ed25519), and receivers rely on them.
#[test]
fn signatures_are_the_known_ones() {
    let usual = secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let body = br#"{"email":"test@example.com","username":"test_user"}"#;
    let message = Message::new("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body).unwrap();
    let expected = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=";
    assert_eq!(message.sign([&usual]).signature, expected);

    let both = signed(&[secret(SHARED), secret(PRIVATE)]);
    assert_eq!(both.signature, format!("{SHARED_SIGNS} {PRIVATE_SIGNS}"));
    assert_eq!(
        (both.id.as_str(), both.timestamp.as_str()),
        (ID, "1764000000")
    );
    let public = secret(PRIVATE).verifier();
    assert!(matches!(public, Verifier::Public(key) if key.to_string() == PUBLIC));
}

#[test]
fn whoever_holds_one_of_the_secrets_can_check() {
    let old = Secret::generate(SecretKind::Shared).unwrap();
    let both = signed(&[secret(SHARED), old.clone(), secret(PRIVATE)]);
    let received = received(&both, BODY.as_bytes());
    for verifier in [
        secret(SHARED).verifier(),
        old.verifier(),
        PUBLIC.parse().unwrap(),
    ] {
        assert_eq!(received.verify(&[verifier], AT, TOLERANCE), Ok(()));
    }
    let stranger = Secret::generate(SecretKind::Shared).unwrap().verifier();
    let refused = received.verify(std::slice::from_ref(&stranger), AT, TOLERANCE);
    assert_eq!(refused, Err(VerifyError::Mismatch));
    // One that rotates holds both, in any order.
    let either = [stranger, secret(SHARED).verifier()];
    assert_eq!(received.verify(&either, AT, TOLERANCE), Ok(()));
}

#[test]
fn a_time_that_is_far_off_is_refused() {
    let signed = signed(&[secret(SHARED)]);
    let received = received(&signed, BODY.as_bytes());
    let verify = |now| received.verify(&[secret(SHARED).verifier()], now, TOLERANCE);
    assert_eq!(verify(AT - 300), Ok(()));
    assert_eq!(verify(AT + 300), Ok(()));
    assert!(matches!(verify(AT + 301), Err(VerifyError::TooOld { .. })));
    assert!(matches!(verify(AT - 301), Err(VerifyError::TooNew { .. })));
    let said = verify(AT + 1_000).unwrap_err().to_string();
    assert!(said.contains("1000s") && said.contains("clock"), "{said}");
    for timestamp in [
        "",
        "+1764000000",
        "01764000000",
        "1764000000 ",
        "1764000000.0",
        "-1",
        "x",
    ] {
        let refused = Received {
            timestamp,
            ..received
        }
        .verify(&[], AT, TOLERANCE);
        assert_eq!(refused, Err(VerifyError::Timestamp(timestamp.to_owned())));
    }
}

#[test]
fn headers_that_lack_or_have_something_else_say_what() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (ID_HEADER, ID),
        (TIMESTAMP_HEADER, "1764000000"),
        (SIGNATURE_HEADER, "v1 v2,abc"),
    ] {
        let missing = Received::from_headers(&headers, b"").unwrap_err();
        assert_eq!(missing, VerifyError::Missing(name));
        headers.insert(name, value.parse().unwrap());
    }
    let received = Received::from_headers(&headers, b"").unwrap();
    let verify = |signature, key: &str| {
        let received = Received {
            signature,
            ..received
        };
        received
            .verify(&[key.parse().unwrap()], AT, TOLERANCE)
            .unwrap_err()
            .to_string()
    };
    let other = verify("v1 v2,abc", SHARED);
    assert!(
        other.contains("version v1;") && other.contains("v2"),
        "{other}"
    );
    let other = verify(SHARED_SIGNS, PUBLIC);
    assert!(
        other.contains("version v1a;") && other.contains("has: v1"),
        "{other}"
    );
    assert!(verify("", SHARED).contains("nothing"), "an empty header");
    for signature in ["v1,", "v1,!", "v1,AAAA", "v1,=", SHARED_SIGNS] {
        assert!(
            verify(signature, SHARED).contains("byte for byte"),
            "{signature}"
        );
    }
}

#[test]
fn an_id_has_no_dot_and_can_stand_in_a_header() {
    let (longest, long) = ("x".repeat(256), "x".repeat(257));
    for id in ["", "evt.1", "evt 1", "evt\n1", "évt", &long] {
        assert!(Message::new(id, AT, b"").is_err(), "{id:?}");
        let received = Received {
            id,
            timestamp: "1764000000",
            signature: "",
            body: b"",
        };
        let refused = received.verify(&[], AT, TOLERANCE);
        assert!(matches!(refused, Err(VerifyError::Id(_))), "{id:?}");
    }
    assert!(Message::new(&longest, AT, b"").is_ok());
}

/// `bytes` with one bit of them changed.
fn flip(bytes: &[u8], place: proptest::sample::Index) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[place.index(bytes.len())] ^= 1 << place.index(8);
    changed
}

fn secrets() -> impl Strategy<Value = Secret> {
    let shared = proptest::collection::vec(any::<u8>(), 24..=64)
        .prop_map(|bytes| secret(&format!("whsec_{}", STANDARD.encode(bytes))));
    let private =
        any::<[u8; 32]>().prop_map(|seed| secret(&format!("whsk_{}", STANDARD.encode(seed))));
    prop_oneof![shared, private]
}

proptest! {
    #[test]
    fn any_change_is_refused(
        secret in secrets(),
        id in "[a-zA-Z0-9_]{1,40}",
        other_id in "[!-~]{1,40}",
        at in 0..=u64::from(u32::MAX),
        other_at in 0..=u64::from(u32::MAX),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        other_body in proptest::collection::vec(any::<u8>(), 0..200),
        flipped in any::<proptest::sample::Index>(),
    ) {
        let signed = Message::new(&id, at, &body).unwrap().sign([&secret]);
        let whole = received(&signed, &body);
        let keys = [secret.verifier()];
        let is_believed = |received: Received<'_>| {
            received.verify(&keys, at, Duration::MAX).is_ok()
        };
        let with_id = |id: &str| is_believed(Received { id, ..whole });
        let with_time = |timestamp: &str| is_believed(Received { timestamp, ..whole });
        let with_body = |body: &[u8]| is_believed(Received { body, ..whole });
        let with_signature = |signature: &str| is_believed(Received { signature, ..whole });
        prop_assert!(is_believed(whole));
        prop_assert_eq!(with_id(&other_id), other_id == id);
        prop_assert_eq!(with_time(&other_at.to_string()), other_at == at);
        prop_assert_eq!(with_body(&other_body), other_body == body);
        // What is cut at another place is another message.
        prop_assert!(!with_body(&[b"1.", &body[..]].concat()));
        if !body.is_empty() {
            let changed = flip(&body, flipped);
            prop_assert!(!with_body(&changed));
        }
        let (version, value) = signed.signature.split_once(',').unwrap();
        let bytes = flip(&STANDARD.decode(value).unwrap(), flipped);
        let changed = format!("{version},{}", STANDARD.encode(bytes));
        prop_assert!(!with_signature(&changed));
    }

    #[test]
    fn no_text_is_too_strange_to_be_refused(text in "\\PC{0,80}", now in any::<u64>()) {
        let _secret = text.parse::<Secret>();
        let _verifier = text.parse::<Verifier>();
        let received = Received { id: &text, timestamp: &text, signature: &text, body: b"" };
        prop_assert!(received.verify(&[SHARED.parse().unwrap()], now, TOLERANCE).is_err());
    }
}
