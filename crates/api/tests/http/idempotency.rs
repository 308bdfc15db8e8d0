//! The header `Idempotency-Key`.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::api::{Answer, Api};

async fn posts(api: &Api, key: &str, path: &str, body: &serde_json::Value) -> Answer {
    let request = Request::post(path)
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_string()));
    api.send(request.expect("a request")).await
}

#[tokio::test]
async fn the_same_key_and_body_give_the_kept_answer() {
    let api = Api::open().await;
    let body = json!({"reference": "INV-1", "amount": "100"});
    let first = posts(&api, "\"A\"", "/v1/orders", &body).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(first.header("idempotency-replayed"), None);
    let id = first.json()["id"].as_str().unwrap().to_owned();
    // What has become of it meanwhile does not show in the kept answer.
    let cancelled = posts(
        &api,
        "B",
        &format!("/v1/orders/{id}/cancel"),
        &json!({"reason": "sold out"}),
    )
    .await;
    assert_eq!(cancelled.status, StatusCode::OK, "{cancelled:?}");
    api.wait(3_600);
    let again = posts(&api, "A", "/v1/orders", &body).await;
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(again.body, first.body);
    // A decision is recorded once, too.
    let cancelled_again = posts(
        &api,
        "B",
        &format!("/v1/orders/{id}/cancel"),
        &json!({"reason": "sold out"}),
    )
    .await;
    assert_eq!(cancelled_again.body, cancelled.body);
    let decisions = api.get("/v1/decisions").await.json();
    assert_eq!(decisions["data"].as_array().unwrap().len(), 1);

    api.wait(24 * 3_600);
    let after_a_day = posts(&api, "A", "/v1/orders", &body).await;
    assert_eq!(after_a_day.status, StatusCode::OK, "it is forgotten");
    assert_eq!(after_a_day.json()["status"], "cancelled");
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let api = Api::open().await;
    let body = json!({"reference": "INV-1", "amount": "100"});
    posts(&api, "A", "/v1/orders", &body).await;
    let other = json!({"reference": "INV-2", "amount": "100"});
    let answer = posts(&api, "A", "/v1/orders", &other).await;
    answer.problem(422, "idempotency_key_reused");
    assert_eq!(api.references("").await, ["INV-1"]);
    for wrong in ["a b", "", &"x".repeat(256)] {
        let answer = posts(&api, wrong, "/v1/orders", &other).await;
        answer.problem(400, "malformed_header");
    }
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_under_its_key() {
    let api = Api::open_unread().await;
    let body = json!({"reference": "INV-1", "amount": "100"});
    let early = posts(&api, "A", "/v1/orders", &body).await;
    early.problem(503, "chain_not_started");
    for chain in [31_337, 56] {
        api.cover(chain).await;
    }
    let made = posts(&api, "A", "/v1/orders", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
}

#[tokio::test]
async fn twins_make_one_order() {
    let api = Api::open().await;
    let body = json!({"reference": "INV-1", "amount": "100"});
    let twins = (0..40).map(|_| posts(&api, "A", "/v1/orders", &body));
    let mut made = 0;
    for answer in futures::future::join_all(twins).await {
        if answer.status == StatusCode::CREATED {
            made += 1;
        } else {
            answer.problem(409, "in_progress");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
    }
    assert!(made >= 1);
    assert_eq!(api.references("").await, ["INV-1"]);
}
