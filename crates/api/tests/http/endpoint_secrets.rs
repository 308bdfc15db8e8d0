//! What signs for webhooks, over HTTP: shown once, or never.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;
use crate::desk::MARK;
use crate::endpoints::{WEBHOOKS, asks, decided, text, webhook};

#[tokio::test]
async fn of_ed25519_the_public_key_is_shown_always_and_the_private_one_never() {
    let api = Api::open().await;
    let body = json!({"name": "bank", "url": "https://bank.example/", "signature": "ed25519"});
    let made = asks(&api, "POST", "", &body).await;
    assert!(!made.text().contains(MARK), "{made:?}");
    let made = made.json();
    assert_eq!(made["secret"], json!(null));
    assert_eq!(made["public_key"], "whpk_public0");
    let id = text(&made["id"]);
    let rotated = asks(&api, "POST", &format!("/{id}/rotate-secret"), &json!({})).await;
    assert!(!rotated.text().contains(MARK), "{rotated:?}");
    let shown = api.get(&format!("{WEBHOOKS}/{id}")).await.json();
    assert_eq!(shown["signature"], "ed25519", "it stays so");
    assert_eq!(shown["public_key"], "whpk_public1");
    let keys: Vec<_> = shown["secrets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["public_key"])
        .collect();
    assert_eq!(keys, ["whpk_public1", "whpk_public0"], "both sign");
}

#[tokio::test]
async fn in_the_gateways_form_one_key_signs_and_its_public_half_is_shown() {
    let api = Api::open().await;
    let body = json!({"name": "till", "url": "https://till.example/", "format": "blockatm"});
    let made = asks(&api, "POST", "", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert!(!made.text().contains(MARK), "{made:?}");
    let made = made.json();
    assert_eq!(made["secret"], json!(null));
    assert_eq!(made["public_key"], "gwpk_public0");
    let told = [
        "payment.assigned",
        "payment.confirmed",
        "payment.detected",
        "payment.reverted",
        "payment.unassigned",
    ];
    assert_eq!(made["types"], json!(told), "all that it has words for");
    let id = text(&made["id"]);
    let path = format!("/{id}/rotate-secret");
    let overlap = json!({"overlap_seconds": 60});
    let refused = asks(&api, "POST", &path, &overlap).await;
    refused.problem(422, "invalid_fields");
    let rotated = asks(&api, "POST", &path, &json!({})).await;
    assert_eq!(rotated.status, StatusCode::OK, "{rotated:?}");
    assert!(!rotated.text().contains(MARK), "{rotated:?}");
    let shown = api.get(&format!("{WEBHOOKS}/{id}")).await.json();
    assert_eq!(
        (&shown["signature"], &shown["format"]),
        (&json!("p256"), &json!("blockatm")),
        "it stays so"
    );
    assert_eq!(shown["public_key"], "gwpk_public1");
    assert_eq!(shown["secrets"].as_array().unwrap().len(), 1, "alone");
}

#[tokio::test]
async fn a_repeated_answer_has_no_secret() {
    let api = Api::open().await;
    let post = async |path: String, body: Value| {
        let request = Request::post(format!("{WEBHOOKS}{path}"))
            .header("authorization", api.authorization())
            .header("content-type", "application/json")
            .header(
                "idempotency-key",
                format!("key of {}", path.len()).replace(' ', "-"),
            )
            .body(Body::from(body.to_string()));
        api.send(request.unwrap()).await
    };
    let body = json!({"name": "shop", "url": "https://shop.example/"});
    let first = post(String::new(), body.clone()).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.json()["secret"], format!("whsec_{MARK}0"));
    let again = post(String::new(), body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.status, StatusCode::CREATED);
    let mut expected = first.json();
    expected["secret"] = json!(null);
    assert_eq!(again.json(), expected);
    let path = format!("/{}/rotate-secret", text(&expected["id"]));
    let first = post(path.clone(), json!({})).await;
    assert_eq!(first.json()["secret"], format!("whsec_{MARK}1"));
    let again = post(path, json!({})).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json()["secret"], json!(null));
    assert_eq!(decided(&api).await.len(), 2, "each was carried out once");
}

#[tokio::test]
async fn secrets_take_each_others_place() {
    let api = Api::open().await;
    let id = webhook(&api, "shop").await;
    let rotate = async |seconds: u64| {
        let body = json!({"overlap_seconds": seconds, "reason": "as every year"});
        asks(&api, "POST", &format!("/{id}/rotate-secret"), &body).await
    };
    let rotated = rotate(60).await;
    assert_eq!(rotated.status, StatusCode::OK, "{rotated:?}");
    assert_eq!(rotated.header("cache-control"), Some("no-store"));
    assert_eq!(rotated.json()["secret"], format!("whsec_{MARK}1"));
    let secrets = rotated.json()["secrets"].clone();
    assert_eq!(secrets[0]["expires_at"], json!(null));
    assert_eq!(secrets[1]["expires_at"], "2023-11-14T22:14:20.000Z");
    api.wait(60);
    let shown = api.get(&format!("{WEBHOOKS}/{id}")).await;
    assert!(!shown.text().contains(MARK));
    assert_eq!(
        shown.json()["secrets"].as_array().map(Vec::len),
        Some(1),
        "the old one is over"
    );
    for _ in 0..4 {
        api.wait(1);
        assert_eq!(rotate(3_600).await.status, StatusCode::OK);
    }
    let problem = rotate(3_600).await.problem(409, "refused");
    assert!(
        problem["detail"].to_string().contains("overlap_seconds"),
        "{problem}"
    );
    let at_once = rotate(0).await;
    assert_eq!(
        at_once.json()["secrets"].as_array().map(Vec::len),
        Some(1),
        "{at_once:?}"
    );
    let decided = decided(&api).await;
    assert_eq!(decided.len(), 7);
    assert!(!format!("{decided:?}").contains(MARK));
}
