//! What is taken for a secret, and that none is shown.

use super::*;

#[test]
fn what_is_made_is_read_again() {
    for kind in [SecretKind::Shared, SecretKind::KeyPair] {
        let secret = Secret::generate(kind).unwrap();
        let text = secret.reveal();
        let again: Secret = format!(" {}\n", *text).parse().unwrap();
        assert_eq!(again.reveal(), text);
        assert_eq!(again.kind(), kind);
        assert_ne!(Secret::generate(kind).unwrap().reveal(), text);
        let signature = secret.sign(&[b"a", b"b"]);
        assert_eq!(again.sign(&[b"ab"]), signature, "parts are one text");
    }
}

#[test]
fn no_secret_is_shown() {
    for kind in [SecretKind::Shared, SecretKind::KeyPair] {
        let secret = Secret::generate(kind).unwrap();
        let text = secret.reveal();
        let (_, hidden) = text.split_once('_').unwrap();
        let shown = format!("{secret} {secret:?} {:?}", secret.verifier());
        assert!(!shown.contains(hidden), "{shown}");
        assert!(shown.contains("[hidden]"), "{shown}");
    }
}

#[test]
fn lengths_are_those_of_the_specification() {
    for (length, is_right) in [(0, false), (23, false), (24, true), (64, true), (65, false)] {
        let text = format!("whsec_{}", STANDARD.encode(vec![7; length]));
        let read = text.parse::<Secret>();
        assert_eq!(read.is_ok(), is_right, "{length}");
        assert!(is_right || read.unwrap_err() == SecretError::Length(length));
    }
    for length in [0, 31, 33, 63, 65] {
        let text = format!("whsk_{}", STANDARD.encode(vec![7; length]));
        assert_eq!(
            text.parse::<Secret>().unwrap_err(),
            SecretError::PrivateLength(length)
        );
        let text = format!("whpk_{}", STANDARD.encode(vec![7; length]));
        assert_eq!(
            text.parse::<Verifier>().unwrap_err(),
            SecretError::PublicLength(length)
        );
    }
}

#[test]
fn a_private_key_may_come_with_its_public_half_or_without() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = key.verifying_key();
    let whole: Secret = format!("whsk_{}", STANDARD.encode(key.to_keypair_bytes()))
        .parse()
        .unwrap();
    let seed: Secret = format!("whsk_{}", STANDARD.encode(key.to_bytes()))
        .parse()
        .unwrap();
    assert_eq!(whole.reveal(), seed.reveal());
    let said = format!("whpk_{}", STANDARD.encode(public.as_bytes()));
    let Verifier::Public(read) = said.parse().unwrap() else {
        panic!("a public key");
    };
    assert_eq!(read.to_string(), said);
    assert!(matches!(whole.verifier(), Verifier::Public(theirs) if theirs == read));

    let mut wrong = key.to_keypair_bytes();
    wrong[63] ^= 1;
    let wrong = format!("whsk_{}", STANDARD.encode(wrong));
    assert_eq!(wrong.parse::<Secret>().unwrap_err(), SecretError::Halves);
}

#[test]
fn what_is_no_secret_is_refused_with_a_reason() {
    let shared = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    for (text, reason) in [
        ("", SecretError::Prefix),
        ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", SecretError::Prefix),
        (
            "WHSEC_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            SecretError::Prefix,
        ),
        (
            "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD",
            SecretError::Base64("whsec_"),
        ),
        (
            "whsec_C2FVsBQIhrsc ChlQIMV+b5sSYspob7oD",
            SecretError::Base64("whsec_"),
        ),
        ("whsk_!", SecretError::Base64("whsk_")),
    ] {
        assert_eq!(text.parse::<Secret>().unwrap_err(), reason, "{text}");
    }
    let private = Secret::generate(SecretKind::KeyPair).unwrap().reveal();
    // The point of order 1, under which many a signature verifies.
    let weak = format!("whpk_{}", STANDARD.encode([&[1][..], &[0; 31]].concat()));
    for (text, reason) in [
        ("whsk", SecretError::VerifierPrefix),
        (private.as_str(), SecretError::Private),
        (weak.as_str(), SecretError::NoKey),
    ] {
        assert_eq!(text.parse::<Verifier>().unwrap_err(), reason, "{text}");
    }
    assert!(shared.parse::<Secret>().is_ok() && shared.parse::<Verifier>().is_ok());
}
