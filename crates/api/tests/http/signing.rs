//! Requests that must be signed (RFC 9421), and how they are refused.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use p256::ecdsa::signature::Signer as _;
use paywatch_store::KeyTerms;
use sha2::{Digest as _, Sha256};

use crate::api::{Answer, Api};

const START_S: i64 = 1_700_000_000;
const BODY: &str = r#"{"reference": "SIGNED-1", "amount": "100"}"#;

/// Who signs.
enum Signing {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl Signing {
    fn both() -> [Self; 2] {
        let p256 = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
        [
            Self::Ed25519(ed25519_dalek::SigningKey::from_bytes(&[7; 32])),
            Self::P256(p256),
        ]
    }

    fn ed25519() -> Self {
        let [ed25519, _] = Self::both();
        ed25519
    }

    fn public(&self) -> String {
        let der = match self {
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
            Self::P256(key) => key.verifying_key().to_public_key_der(),
        };
        STANDARD.encode(der.unwrap().as_bytes())
    }

    fn sign(&self, text: &str) -> String {
        let bytes = match self {
            Self::Ed25519(key) => key.sign(text.as_bytes()).to_bytes().to_vec(),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(text.as_bytes());
                signature.to_bytes().to_vec()
            },
        };
        STANDARD.encode(bytes)
    }
}

/// A request and what is signed of it.
#[derive(Clone)]
struct Asked {
    method: &'static str,
    path: &'static str,
    query: Option<&'static str>,
    body: &'static str,
    covered: Vec<&'static str>,
    params: String,
}

impl Asked {
    fn list(nonce: &str) -> Self {
        Self {
            method: "GET",
            path: "/v1/orders",
            query: Some("status=paid"),
            body: "",
            covered: vec!["@method", "@path", "@query"],
            params: format!(";created={START_S};nonce=\"{nonce}\""),
        }
    }

    fn create(nonce: &str) -> Self {
        Self {
            method: "POST",
            query: None,
            body: BODY,
            covered: vec!["@method", "@path", "content-digest", "content-type"],
            ..Self::list(nonce)
        }
    }

    fn digest(&self) -> String {
        format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(self.body)))
    }

    /// The headers Signature-Input and Signature, over a base that is put together here by hand.
    fn signed(&self, key: &Signing) -> (String, String) {
        let names: Vec<_> = self
            .covered
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let input = format!("({}){}", names.join(" "), self.params);
        let mut base = String::new();
        for name in &self.covered {
            let value = match *name {
                "@method" => self.method.to_owned(),
                "@path" => self.path.to_owned(),
                "@query" => format!("?{}", self.query.unwrap_or_default()),
                "content-digest" => self.digest(),
                "content-type" => "application/json".to_owned(),
                other => panic!("{other}"),
            };
            base.push_str(&format!("\"{name}\": {value}\n"));
        }
        base.push_str(&format!("\"@signature-params\": {input}"));
        (
            format!("sig1={input}"),
            format!("sig1=:{}:", key.sign(&base)),
        )
    }

    fn request(&self, authorization: &str) -> axum::http::request::Builder {
        let query = self
            .query
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        Request::builder()
            .method(self.method)
            .uri(format!("{}{query}", self.path))
            .header("authorization", authorization)
            .header("content-type", "application/json")
    }

    async fn send(&self, api: &Api, authorization: &str, key: &Signing) -> Answer {
        let (input, signature) = self.signed(key);
        let request = self
            .request(authorization)
            .header("content-digest", self.digest())
            .header("signature-input", input)
            .header("signature", signature);
        api.send(request.body(Body::from(self.body)).unwrap()).await
    }
}

async fn signing_api(key: &Signing) -> (Api, String, String) {
    let api = Api::open().await;
    let terms = KeyTerms {
        public_key: Some(key.public()),
        ..KeyTerms::unlimited()
    };
    let (authorization, id) = api.another_key(terms).await;
    (api, authorization, id)
}

#[tokio::test]
async fn a_signed_request_is_taken_once() {
    for key in Signing::both() {
        let (api, authorization, id) = signing_api(&key).await;
        let mut asked = Asked::create("nonce-0001");
        let alg = match key {
            Signing::Ed25519(_) => "ed25519",
            Signing::P256(_) => "ecdsa-p256-sha256",
        };
        asked
            .params
            .push_str(&format!(";keyid=\"{id}\";alg=\"{alg}\""));
        let made = asked.send(&api, &authorization, &key).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let again = asked.send(&api, &authorization, &key).await;
        again.problem(401, "signature_replayed");

        let listed = Asked::list("nonce-0002")
            .send(&api, &authorization, &key)
            .await;
        assert_eq!(listed.status, StatusCode::OK, "{}", listed.text());
        let bare = Asked {
            query: None,
            covered: vec!["@path", "@method"],
            ..Asked::list("nonce-0003")
        };
        let answer = bare.send(&api, &authorization, &key).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        // The other key of this API signs nothing, and is asked for nothing.
        assert_eq!(api.get("/v1/orders").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_key_alone_is_not_enough() {
    let key = Signing::ed25519();
    let (api, authorization, _) = signing_api(&key).await;
    let asked = Asked::list("nonce-0001");
    let (input, signature) = asked.signed(&key);
    for (name, value) in [
        ("x-nothing", ""),
        ("signature", &signature),
        ("signature-input", &input),
    ] {
        let request = asked.request(&authorization).header(name, value);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        let problem = answer.problem(401, "signature_required");
        assert!(
            problem["detail"].to_string().contains("RFC 9421"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn whatever_is_changed_breaks_the_signature() {
    let key = Signing::ed25519();
    let (api, authorization, _) = signing_api(&key).await;
    let asked = Asked::create("nonce-0001");
    let (input, signature) = asked.signed(&key);
    let (list_input, list_signature) = Asked::list("nonce-0002").signed(&key);
    let other = Asked::create("nonce-0001").signed(&Signing::Ed25519(
        ed25519_dalek::SigningKey::from_bytes(&[8; 32]),
    ));
    let digest = asked.digest();
    let changed = BODY.replace("100", "1");
    let cases = [
        ("another body", &*changed, &digest, &input, &signature),
        ("another signature", BODY, &digest, &input, &other.1),
        (
            "another request's",
            BODY,
            &digest,
            &list_input,
            &list_signature,
        ),
        ("no base64", BODY, &digest, &input, &"sig1=abc".to_owned()),
        (
            "another label",
            BODY,
            &digest,
            &input,
            &signature.replace("sig1", "sig2"),
        ),
        (
            "a later time",
            BODY,
            &digest,
            &input.replace("created=17", "created=16"),
            &signature,
        ),
        (
            "another nonce",
            BODY,
            &digest,
            &input.replace("nonce-0001", "nonce-0009"),
            &signature,
        ),
    ];
    for (what, body, digest, input, signature) in cases {
        let request = asked
            .request(&authorization)
            .header("content-digest", digest)
            .header("signature-input", input)
            .header("signature", signature);
        let answer = api
            .send(request.body(Body::from(body.to_owned())).unwrap())
            .await;
        let expected = if what == "a later time" {
            "signature_expired"
        } else {
            "signature_invalid"
        };
        answer.problem(401, expected);
    }
    assert!(api.references("").await.is_empty(), "nothing was made");
    let made = asked.send(&api, &authorization, &key).await;
    assert_eq!(made.status, StatusCode::CREATED, "no nonce was used up");
}

#[tokio::test]
async fn what_must_be_covered_is_covered() {
    let key = Signing::ed25519();
    let (api, authorization, _) = signing_api(&key).await;
    let list = || Asked::list("nonce-0001");
    let with = |params: &str| Asked {
        params: params.to_owned(),
        ..list()
    };
    let covering = |covered: &[&'static str]| Asked {
        covered: covered.to_vec(),
        ..list()
    };
    let body_uncovered = Asked {
        covered: vec!["@method", "@path"],
        ..Asked::create("nonce-0001")
    };
    for (asked, says) in [
        (covering(&["@path", "@query"]), "@method"),
        (covering(&["@method", "@query"]), "@path"),
        (covering(&["@method", "@path"]), "@query"),
        (covering(&["@method", "@path", "@query", "@path"]), "once"),
        (body_uncovered, "content-digest"),
        (with(";nonce=\"nonce-0001\""), "created"),
        (with(&format!(";created={START_S}")), "nonce"),
        (
            with(&format!(";created={START_S};nonce=\"short\"")),
            "nonce",
        ),
        (
            with(&format!(";created={START_S};nonce=nonce-0001")),
            "nonce",
        ),
        (
            with(&format!(
                ";created={START_S};nonce=\"nonce-0001\";alg=\"hmac\""
            )),
            "alg",
        ),
        (
            with(&format!(
                ";created={START_S};nonce=\"nonce-0001\";keyid=\"x\""
            )),
            "keyid",
        ),
    ] {
        let answer = asked.send(&api, &authorization, &key).await;
        let problem = answer.problem(401, "signature_invalid");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(says), "{says}: {detail}");
    }
}

#[tokio::test]
async fn a_signature_is_taken_for_five_minutes() {
    let key = Signing::ed25519();
    let (api, authorization, _) = signing_api(&key).await;
    let made = |seconds: i64, nonce: &str, more: &str| Asked {
        params: format!(";created={};nonce=\"{nonce}\"{more}", START_S + seconds),
        ..Asked::list("")
    };
    let ends = format!(";expires={}", START_S + 5);
    for (asked, waited, is_taken) in [
        (made(0, "nonce-0001", ""), 0, true),
        (made(30, "nonce-0002", ""), 0, true),
        (made(31, "nonce-0003", ""), 0, false),
        (made(0, "nonce-0004", &ends), 5, true),
        (made(0, "nonce-0005", &ends), 1, false),
        (made(0, "nonce-0006", ""), 294, true),
        // It is known as long as it could be taken.
        (made(0, "nonce-0001", ""), 0, false),
        (made(0, "nonce-0007", ""), 1, false),
    ] {
        api.wait(waited);
        let answer = asked.send(&api, &authorization, &key).await;
        if is_taken {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        } else if asked.params.contains("nonce-0001") {
            answer.problem(401, "signature_replayed");
        } else {
            let problem = answer.problem(401, "signature_expired");
            assert!(problem["detail"].to_string().contains("300 s"), "{problem}");
        }
    }
}

#[tokio::test]
async fn who_cannot_sign_does_not_use_up_the_rate() {
    let key = Signing::ed25519();
    let (api, authorization, _) = signing_api(&key).await;
    let api = api.with(crate::api::limits(60, 2), paywatch_api::Access::default());
    for expected in [401, 401, 429, 429] {
        let answer = api.send(unsigned_request(&authorization)).await;
        assert_eq!(answer.status.as_u16(), expected);
    }
    let signed = Asked::list("nonce-0002")
        .send(&api, &authorization, &key)
        .await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.text());
    let signed = Asked::list("nonce-0003")
        .send(&api, &authorization, &key)
        .await;
    assert_eq!(signed.header("ratelimit"), Some("\"default\";r=0;t=2"));
    // Even a request that is signed waits for its turn, and keeps its nonce for it.
    let asked = Asked::list("nonce-0004");
    asked
        .send(&api, &authorization, &key)
        .await
        .problem(429, "rate_limited");
    api.wait(1);
    let answer = asked.send(&api, &authorization, &key).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

fn unsigned_request(authorization: &str) -> Request<Body> {
    let request = Asked::list("nonce-0001").request(authorization);
    request.body(Body::empty()).unwrap()
}
