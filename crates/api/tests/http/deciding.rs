//! What operators decide over HTTP.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::api::{Answer, Api};

async fn decide(api: &Api, order: &Value, what: &str, body: &Value) -> Answer {
    let id = order["id"].as_str().expect("an id");
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/v1/orders/{id}/{what}"))
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    api.send(request.expect("a request")).await
}

#[tokio::test]
async fn an_order_is_cancelled_once_and_the_log_says_why() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let body = json!({"reason": "ordered twice"});
    let answer = decide(&api, &order, "cancel", &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["status"], "cancelled");
    let again = decide(&api, &order, "cancel", &body).await;
    assert_eq!(again.status, StatusCode::OK, "{again:?}");

    let log = api.get("/v1/decisions").await.json();
    let [decision, made] = log["data"].as_array().expect("a list").as_slice() else {
        panic!("{log}");
    };
    assert_eq!(made["kind"], "create_key", "the key's own");
    assert_eq!(decision["kind"], "cancel");
    assert_eq!(decision["order"], order["id"]);
    assert_eq!(decision["reason"], "ordered twice");
    assert_eq!(decision["decided_by"], format!("shop ({})", api.key_id));
    assert_eq!(log["has_more"], false);
    let id = order["id"].as_str().expect("an id");
    let of_order = api.get(&format!("/v1/decisions?order={id}&limit=1")).await;
    assert_eq!(of_order.json()["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_deadline_can_only_be_put_off() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let early = json!({"reason": "in a hurry", "expires_at": "2020-01-01T00:00:00Z"});
    let refused = decide(&api, &order, "extend", &early).await;
    refused.problem(409, "refused");
    let late = json!({"reason": "slow exchange", "expires_at": "2099-01-01T00:00:00Z"});
    let answer = decide(&api, &order, "extend", &late).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json()["expires_at"], "2099-01-01T00:00:00.000Z");
}

#[tokio::test]
async fn what_cannot_be_decided_is_refused_with_what_is_wrong() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let fine = json!({"reason": "as agreed"});
    let nothing = decide(&api, &order, "accept", &fine).await;
    let detail = nothing.problem(409, "refused")["detail"].to_string();
    assert!(detail.contains("nothing has arrived"), "{detail}");

    for (what, body, fields) in [
        ("cancel", json!({}), vec!["reason"]),
        ("cancel", json!({"reason": "no"}), vec!["reason"]),
        ("accept", json!({"reason": "a\nb c"}), vec!["reason"]),
        ("cancel", json!({"reason": "fine", "why": 1}), vec!["why"]),
        (
            "extend",
            json!({"expires_at": "soon"}),
            vec!["reason", "expires_at"],
        ),
    ] {
        let problem = decide(&api, &order, what, &body)
            .await
            .problem(422, "invalid_fields");
        let errors = problem["errors"].as_array().expect("a list");
        let named: Vec<_> = errors.iter().map(|error| error["field"].clone()).collect();
        assert_eq!(named, fields, "{problem}");
    }
    let missing = json!({"id": "ord_00000000000000000000000000000000"});
    decide(&api, &missing, "cancel", &fine)
        .await
        .problem(404, "not_found");
    let log = api.get("/v1/decisions").await.json();
    let decided = log["data"].as_array().expect("a list").len();
    assert_eq!(decided, 1, "nothing but to make the key: {log}");
    api.get("/v1/decisions?order=x&limit=0")
        .await
        .problem(422, "invalid_fields");
}

#[tokio::test]
async fn terms_are_the_orders_own_or_the_shops() {
    let api = Api::open().await;
    let body = json!({
        "reference": "INV-1", "amount": "100", "tolerance": "0.5", "tolerance_percent": "1",
        "late_payments": "hold", "tokens": ["usdt"],
    });
    let made = api.post(body.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let order = made.json();
    assert_eq!(order["tolerance"], "1", "the larger of both");
    assert_eq!(order["late_policy"], "hold");
    assert_eq!(api.post(body.to_string()).await.status, StatusCode::OK);

    let plain = api.order("INV-2").await;
    assert_eq!(plain["tolerance"], "0");
    assert_eq!(plain["any_amount"], false);
    let body = json!({"reference": "GIFT-1", "amount": "5", "any_amount": true});
    let gift = api.post(body.to_string()).await.json();
    assert_eq!(gift["any_amount"], true);
}
