//! Reading what one has already, and reading as soon as something happens.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;

use crate::api::Api;

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let id = order["id"].as_str().unwrap();
    for path in ["/v1/orders", &format!("/v1/orders/{id}"), "/v1/chains"] {
        let first = api.get(path).await;
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        let tag = first.header("etag").unwrap().to_owned();
        let ask = |tag: &str| {
            Request::get(path)
                .header("authorization", api.authorization())
                .header("if-none-match", tag)
                .body(Body::empty())
                .unwrap()
        };
        let again = api.send(ask(&tag)).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path}");
        assert!(again.body.is_empty(), "{again:?}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        let other = api.send(ask("\"other\"")).await;
        assert_eq!(other.status, StatusCode::OK);
        assert_eq!(other.body, first.body);
    }
    let path = format!("/v1/orders/{id}");
    let tag = api.get(&path).await.header("etag").unwrap().to_owned();
    let request = Request::post(format!("{path}/cancel"))
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .body(Body::from(json!({"reason": "sold out"}).to_string()));
    let cancelled = api.send(request.unwrap()).await;
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!(cancelled.header("etag"), None);
    assert_ne!(api.get(&path).await.header("etag"), Some(tag.as_str()));
}

#[tokio::test]
async fn whoever_waits_is_answered_when_it_happens() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let id = order["id"].as_str().unwrap();
    let path = format!("/v1/orders/{id}");
    // It is so far already.
    let at_once = api.get(&format!("{path}?wait_for=awaiting_payment")).await;
    assert_eq!(at_once.status, StatusCode::OK);

    let waiting = format!("{path}?wait_for=paid,completed&timeout=30");
    let waiting = api.get(&waiting);
    let cancelling = async {
        let request = Request::post(format!("{path}/cancel"))
            .header("authorization", api.authorization())
            .header("content-type", "application/json")
            .body(Body::from(json!({"reason": "sold out"}).to_string()));
        api.send(request.unwrap()).await
    };
    let limit = Duration::from_secs(20);
    let both = tokio::time::timeout(limit, async { tokio::join!(waiting, cancelling) });
    let (answered, _cancelled) = both.await.expect("long before its time is over");
    assert_eq!(answered.json()["status"], "cancelled", "it has ended");

    for (query, field) in [
        ("wait_for=lost", "wait_for"),
        ("timeout=0", "timeout"),
        ("timeout=31", "timeout"),
        ("wait=paid", "wait"),
    ] {
        let problem = api.get(&format!("{path}?{query}")).await;
        let problem = problem.problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn whoever_waits_in_vain_gets_what_there_is() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let id = order["id"].as_str().unwrap();
    let path = format!("/v1/orders/{id}?wait_for=completed&timeout=1");
    let answer = api.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["status"], "awaiting_payment");
}
