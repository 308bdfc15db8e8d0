//! Wrong paths and methods, failures behind the API, and the id that every answer carries.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use paywatch_api::Clock;
use paywatch_core::Timestamp;

use crate::api::Api;

fn request(method: &str, path: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let api = Api::open().await;
    for path in [
        "/",
        "/v1",
        "/v1/refunds/x/y",
        "/v2/orders",
        "/docs/nothing.js",
    ] {
        api.send(request("GET", path))
            .await
            .problem(404, "not_found");
    }
    for (method, path, allowed) in [
        ("DELETE", "/v1/orders", "GET,HEAD,POST"),
        ("POST", "/v1/chains", "GET,HEAD"),
        ("PUT", "/healthz", "GET,HEAD"),
    ] {
        let answer = api.send(request(method, path)).await;
        answer.problem(405, "method_not_allowed");
        let mut allow: Vec<_> = answer.header("allow").unwrap().split(',').collect();
        allow.sort_unstable();
        assert_eq!(allow.join(","), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn an_unreachable_database_is_said_without_its_words() {
    let api = Api::open().await;
    api.store.close().await;
    let answer = api.get("/v1/orders").await;
    answer.problem(503, "unavailable");
    let text = answer.text().to_lowercase();
    for word in ["sqlx", "pool", "sqlite", "books.db"] {
        assert!(!text.contains(word), "{text}");
    }
}

/// A clock that breaks: a bug, as far as the API knows.
#[derive(Debug)]
struct BrokenClock;

impl Clock for BrokenClock {
    fn now(&self) -> Timestamp {
        panic!("the spring is broken")
    }
}

#[tokio::test]
async fn a_panic_is_one_request_s_problem_and_keeps_its_words() {
    let clock = Api::open().await.clock;
    let api = Api::with_clock(clock, Arc::new(BrokenClock)).await;
    let answer = api.get("/v1/orders").await;
    answer.problem(500, "internal");
    assert!(!answer.text().contains("spring"), "{}", answer.text());
    assert_eq!(api.get("/healthz").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_caller_s_request_id_is_kept_if_it_looks_like_one() {
    let api = Api::open().await;
    let long = "a".repeat(129);
    for (given, is_kept) in [
        ("3f6c0f0e-1f0e-4c39-9a1c-0d3b1c2d4e5f", true),
        ("shop_42.7", true),
        ("", false),
        ("two words", false),
        ("<script>", false),
        (long.as_str(), false),
    ] {
        let mut request = request("GET", "/nowhere");
        request
            .headers_mut()
            .insert("x-request-id", given.parse().unwrap());
        let answer = api.send(request).await;
        answer.problem(404, "not_found");
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(id == given, is_kept, "{given:?}: {id}");
        assert!(!id.is_empty());
    }
    let first = api.send(request("GET", "/healthz")).await;
    let second = api.send(request("GET", "/healthz")).await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}
