//! Making orders: once, or not at all and with the reason.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::api::{Api, BODY_LIMIT};

#[tokio::test]
async fn an_order_is_made_once_and_read_back() {
    let api = Api::open().await;
    let body = r#"{"reference": "INV-1001", "amount": "100.50", "metadata": {"customer": "42"}}"#;
    let made = api.post(body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let order = made.json();
    let id = order["id"].as_str().unwrap();
    assert_eq!(
        made.header("location"),
        Some(format!("/v1/orders/{id}").as_str())
    );
    assert_eq!(made.header("cache-control"), Some("no-store"));
    assert_eq!(order["status"], "awaiting_payment");
    assert_eq!(order["amount"], "100.5");
    assert_eq!(order["metadata"], json!({"customer": "42"}));
    assert_eq!(order["created_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(order["expires_at"], "2023-11-14T23:13:20.000Z");
    let units = |n: usize| order["options"][n]["amount_base_units"].as_str();
    assert_eq!(units(0), Some("100500000"));
    assert_eq!(units(1), Some("100500000000000000000"));
    assert_eq!(api.get(&format!("/v1/orders/{id}")).await.json(), order);

    // Later, in other words, the same request gives the same order.
    api.wait(600);
    let body = r#"{"metadata":{"customer":"42"},"amount":"100.5","reference":"INV-1001"}"#;
    let again = api.post(body).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.header("location"), made.header("location"));
    assert_eq!(again.json(), order);
    assert_eq!(api.references("").await, ["INV-1001"]);
}

#[tokio::test]
async fn a_taken_reference_is_refused_and_changes_nothing() {
    let api = Api::open().await;
    let first = api.order("INV-1001").await;
    let refused = api
        .post(r#"{"reference": "INV-1001", "amount": "101"}"#)
        .await;
    let problem = refused.problem(409, "reference_taken");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(first["id"].as_str().unwrap()), "{detail}");
    let path = format!("/v1/orders/{}", first["id"].as_str().unwrap());
    assert_eq!(api.get(&path).await.json(), first);
}

#[tokio::test]
async fn bad_fields_are_named_and_nothing_is_written() {
    let api = Api::open().await;
    let huge = "9".repeat(60);
    let fine = json!({"reference": "BAD-1", "amount": "100"});
    for (field, value) in [
        ("amount", json!("0")),
        ("amount", json!("-1")),
        ("amount", json!("1e3")),
        ("amount", json!("0.0000000000000000001")),
        ("amount", json!("0.0000001")),
        ("amount", json!(huge)),
        ("amount", json!("")),
        ("amount", json!(100)),
        ("chains", json!(["solana"])),
        ("chains", json!([])),
        ("expires_in", json!("soon")),
        ("metadata", json!("x")),
        ("reference", json!("")),
        ("currency", json!("USD")),
    ] {
        let mut body = fine.clone();
        body[field] = value;
        let problem = api
            .post(body.to_string())
            .await
            .problem(422, "invalid_fields");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{body}: {problem}");
        assert_eq!(errors[0]["field"], field, "{body}: {problem}");
        for part in ["code", "detail"] {
            assert_ne!(errors[0][part].as_str(), None, "{body}: {problem}");
        }
    }
    assert!(api.references("").await.is_empty());
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let api = Api::open().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\u{0}",
        r#"{"amount": "1", "amount": "2"}"#,
    ] {
        let problem = api.post(body).await.problem(400, "malformed_json");
        assert!(problem["detail"].is_string(), "{problem}");
    }
    api.post(vec![0xff, 0xfe])
        .await
        .problem(400, "malformed_json");
    let deep = "[".repeat(BODY_LIMIT);
    api.post(deep).await.problem(400, "malformed_json");
    assert!(api.references("").await.is_empty());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_whether_announced_or_not() {
    let api = Api::open().await;
    let exact = |length: usize| {
        let mut body = json!({"reference": "BIG-1", "amount": "1"}).to_string();
        body.extend(std::iter::repeat_n(' ', length.saturating_sub(body.len())));
        body
    };
    let over = exact(BODY_LIMIT.saturating_add(1));
    let problem = api.post(over.clone()).await.problem(413, "body_too_large");
    assert!(
        problem["detail"].as_str().unwrap().contains("4096"),
        "{problem}"
    );

    let request = axum::http::Request::post("/v1/orders")
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .header("content-length", over.len())
        .body(axum::body::Body::empty());
    api.send(request.unwrap())
        .await
        .problem(413, "body_too_large");
    assert!(api.references("").await.is_empty());
    assert_eq!(
        api.post(exact(BODY_LIMIT)).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn only_json_is_taken() {
    let api = Api::open().await;
    let send = async |content_type: Option<&str>| {
        let mut request =
            axum::http::Request::post("/v1/orders").header("authorization", api.authorization());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let body = json!({"reference": "TYPE-1", "amount": "1"}).to_string();
        api.send(request.body(body.into()).unwrap()).await
    };
    for wrong in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        send(wrong).await.problem(415, "unsupported_media_type");
    }
    assert!(api.references("").await.is_empty());
    let fine = send(Some("Application/JSON; charset=utf-8")).await;
    assert_eq!(fine.status, StatusCode::CREATED);
}

#[tokio::test]
async fn twins_at_the_same_time_get_one_order() {
    let api = Api::open().await;
    let body = r#"{"reference": "INV-1001", "amount": "100"}"#;
    let (one, two, three) = tokio::join!(api.post(body), api.post(body), api.post(body));
    let ids = [one.json(), two.json(), three.json()].map(|order: Value| order["id"].clone());
    assert!(
        ids.iter().all(|id| *id == ids[0] && id.is_string()),
        "{ids:?}"
    );
    let mut statuses = [one.status, two.status, three.status].map(|status| status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 201]);
}
