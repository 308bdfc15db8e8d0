//! How often one may call, what the headers say of it, and what becomes of those who hammer on.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use paywatch_api::{Access, LimitSettings};
use paywatch_store::{KeyRate, KeyTerms};
use serde_json::Value;

use crate::api::{Answer, Api, limits};

/// A minute's 60 and 3 at once; 5 refused requests are enough.
fn tight() -> LimitSettings {
    LimitSettings {
        block_after: 5,
        ..limits(60, 3)
    }
}

async fn tight_api() -> Api {
    Api::open().await.with(tight(), Access::default())
}

/// Asks for orders, with a key or without, from an address.
async fn ask(api: &Api, key: Option<&str>, address: &str) -> Answer {
    let mut request = Request::get("/v1/orders");
    if let Some(key) = key {
        request = request.header("authorization", key);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let peer: SocketAddr = format!("{address}:4000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    api.send(request).await
}

#[tokio::test]
async fn every_answer_says_what_is_left() {
    let api = tight_api().await;
    for (left, full_in) in [(2, 1), (1, 2), (0, 3)] {
        let answer = api.get("/v1/orders").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"default\";q=60;w=60")
        );
        let expected = format!("\"default\";r={left};t={full_in}");
        assert_eq!(answer.header("ratelimit"), Some(expected.as_str()));
        assert_eq!(answer.header("retry-after"), None);
    }
    let refused = api.get("/v1/orders").await;
    let problem = refused.problem(429, "rate_limited");
    assert!(
        problem["detail"]
            .to_string()
            .contains("60 requests a minute")
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=3"));
    api.wait(1);
    assert_eq!(api.get("/v1/orders").await.status, StatusCode::OK);
    assert_eq!(api.get("/v1/orders").await.status.as_u16(), 429);
    api.wait(3);
    let answer = api.get("/v1/nothing").await;
    answer.problem(404, "not_found");
    assert_eq!(answer.header("ratelimit"), Some("\"default\";r=2;t=1"));
}

#[tokio::test]
async fn keys_and_addresses_are_counted_each_on_their_own() {
    let api = tight_api().await;
    let rate = KeyRate {
        per_minute: NonZeroU32::new(6).unwrap(),
        burst: NonZeroU32::new(1).unwrap(),
    };
    let slow = KeyTerms {
        rate: Some(rate),
        ..KeyTerms::unlimited()
    };
    let (slow, _) = api.another_key(slow).await;
    let wrong = format!("Bearer pw_live_{}", "0".repeat(64));
    for _ in 0..2 {
        ask(&api, None, "192.0.2.1")
            .await
            .problem(401, "unauthorized");
    }
    let last = ask(&api, Some(&wrong), "192.0.2.1").await;
    last.problem(401, "unauthorized");
    assert_eq!(last.header("ratelimit"), Some("\"default\";r=0;t=3"));
    let refused = ask(&api, Some(&wrong), "192.0.2.1").await;
    refused.problem(429, "rate_limited");
    ask(&api, None, "192.0.2.2")
        .await
        .problem(401, "unauthorized");

    // Who has a key is not held up by others at the same address.
    let answer = ask(&api, Some(&slow), "192.0.2.1").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some("\"default\";q=6;w=60")
    );
    let refused = ask(&api, Some(&slow), "192.0.2.3").await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("10"));
    let other = ask(&api, Some(&api.authorization()), "192.0.2.1").await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn probes_are_never_held_up() {
    let api = tight_api().await;
    for _ in 0..20 {
        let health = api.get("/healthz").await;
        assert_eq!(health.status, StatusCode::OK);
        assert_eq!(health.header("ratelimit"), None);
        assert_eq!(api.get("/readyz").await.status.as_u16(), 503);
    }
    assert!(api.get("/v1/orders").await.header("ratelimit").is_some());
}

async fn blocks(api: &Api, key: &str) -> Vec<Value> {
    let request = Request::get("/v1/limits/blocked").header("authorization", key);
    let answer = api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["data"].as_array().unwrap().clone()
}

async fn lift(api: &Api, key: &str, id: &str) -> Answer {
    let request = Request::builder()
        .method(Method::DELETE)
        .uri(format!("/v1/limits/blocked/{id}"))
        .header("authorization", key);
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn whoever_hammers_on_is_blocked_until_it_is_lifted() {
    let api = tight_api().await;
    let (operator, _) = api.another_key(KeyTerms::unlimited()).await;
    for _ in 0..3 {
        assert_eq!(api.get("/v1/orders").await.status, StatusCode::OK);
    }
    for _ in 0..5 {
        api.get("/v1/orders").await.problem(429, "rate_limited");
    }
    let blocked = api.get("/v1/orders").await;
    let problem = blocked.problem(418, "blocked");
    assert!(
        problem["detail"].to_string().contains("unblock"),
        "{problem}"
    );
    assert_eq!(blocked.header("retry-after"), Some("600"));
    assert_eq!(blocked.header("ratelimit"), Some("\"default\";r=0;t=3"));
    for _ in 0..9 {
        ask(&api, None, "192.0.2.9").await;
    }
    api.wait(60);
    let still = api.get("/v1/orders").await;
    still.problem(418, "blocked");
    assert_eq!(still.header("retry-after"), Some("540"));

    let both = blocks(&api, &operator).await;
    let seen: Vec<_> = both
        .iter()
        .map(|block| {
            (
                block["kind"].as_str().unwrap(),
                block["subject"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(seen.contains(&("key", api.key_id.as_str())), "{seen:?}");
    assert!(seen.contains(&("address", "192.0.2.9")), "{seen:?}");
    lift(&api, &operator, "blk_0")
        .await
        .problem(404, "not_found");
    for block in &both {
        let id = block["id"].as_str().unwrap();
        api.wait(5);
        assert_eq!(lift(&api, &operator, id).await.status, StatusCode::OK);
        lift(&api, &operator, id).await.problem(404, "not_found");
    }
    assert_eq!(api.get("/v1/orders").await.status, StatusCode::OK);
    ask(&api, None, "192.0.2.9")
        .await
        .problem(401, "unauthorized");
    assert_eq!(blocks(&api, &operator).await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_block_ends_by_itself() {
    let api = tight_api().await;
    for _ in 0..9 {
        api.get("/v1/orders").await;
    }
    api.wait(599);
    api.get("/v1/orders").await.problem(418, "blocked");
    api.wait(1);
    assert_eq!(api.get("/v1/orders").await.status, StatusCode::OK);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_is_counted() {
    let access = Access {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..Access::default()
    };
    let api = Api::open().await.with(tight(), access);
    let ask = |peer: &'static str, forwarded: &'static str| {
        let api = &api;
        async move {
            let request = Request::get("/v1/orders").header("x-forwarded-for", forwarded);
            let mut request = request.body(Body::empty()).unwrap();
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
            api.send(request).await.status.as_u16()
        }
    };
    for _ in 0..3 {
        assert_eq!(ask("10.0.0.1:1", "198.51.100.1").await, 401);
    }
    assert_eq!(ask("10.0.0.1:2", "1.1.1.1, 198.51.100.1").await, 429);
    assert_eq!(ask("10.0.0.2:1", "198.51.100.2").await, 401);
    // Nobody else can give himself another's address.
    for _ in 0..3 {
        assert_eq!(ask("192.0.2.7:1", "198.51.100.9").await, 401);
    }
    assert_eq!(ask("192.0.2.7:2", "198.51.100.10").await, 429);
    assert_eq!(ask("10.0.0.1:3", "198.51.100.9").await, 401);
}
