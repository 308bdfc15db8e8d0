//! What a key may do, from where, and for how long.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use paywatch_api::openapi;
use paywatch_core::{DecisionKind, Scope, Timestamp};
use paywatch_store::KeyTerms;

use crate::api::{Answer, Api, decision};

fn request(method: &str, path: &str, authorization: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .body(Body::from("{}"))
        .unwrap()
}

/// Every route under /v1, by its description: method, path and the scopes that it needs.
fn routes() -> Vec<(String, String, Vec<Scope>)> {
    let described = serde_json::to_value(openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            if let Some(scopes) = operation["security"][0]["api_key"].as_array() {
                let path = path.replace("{id}", "x").replace("{sequence}", "1");
                let scopes = scopes.iter().map(|scope| scope.as_str().unwrap());
                let scopes = scopes.map(|scope| scope.parse().unwrap()).collect();
                routes.push((method.to_uppercase(), path, scopes));
            }
        }
    }
    assert!(routes.len() >= 20, "{routes:?}");
    routes
}

#[tokio::test]
async fn every_route_needs_its_scopes_and_no_other() {
    let api = Api::open().await;
    let both = vec![Scope::OrdersRead, Scope::PaymentsRead];
    let alone = Scope::ALL.into_iter().map(|scope| vec![scope]);
    for scopes in alone.chain([both]) {
        let only = KeyTerms {
            scopes: scopes.iter().copied().collect(),
            ..KeyTerms::unlimited()
        };
        let (key, _) = api.another_key(only).await;
        for (method, path, needed) in routes() {
            let request = request(&method, &path, &key);
            let mut missing = needed.iter().filter(|scope| !scopes.contains(scope));
            let Some(missing) = missing.next() else {
                // Not all answers end.
                let status = api.open_body(request).await.status();
                assert_ne!(status, StatusCode::FORBIDDEN, "{scopes:?} {method} {path}");
                continue;
            };
            let problem = api.send(request).await.problem(403, "forbidden");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(missing.name()), "{method} {path}: {detail}");
        }
    }
}

#[test]
fn the_scopes_of_the_routes_are_a_contract() {
    let of = |scopes: &[Scope]| {
        let routes = routes().into_iter();
        let routes = routes.filter(|(_, _, needed)| needed == scopes);
        routes
            .map(|(method, path, _)| format!("{method} {path}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(&[Scope::OrdersRead]),
        [
            "GET /v1/chains",
            "GET /v1/orders",
            "GET /v1/orders/x",
            "GET /v1/orders/x/qr.png",
            "GET /v1/orders/x/qr.svg",
            "GET /v1/tokens",
        ]
    );
    assert_eq!(of(&[Scope::OrdersWrite]), ["POST /v1/orders"]);
    assert_eq!(
        of(&[Scope::PaymentsRead]),
        [
            "GET /v1/look-alikes",
            "GET /v1/payments",
            "GET /v1/payments/x",
            "GET /v1/payments/x/proof",
            "GET /v1/sweeps",
            "GET /v1/sweeps/x",
        ]
    );
    assert_eq!(
        of(&[Scope::OrdersRead, Scope::PaymentsRead]),
        [
            "GET /v1/events",
            "GET /v1/events/stream",
            "GET /v1/events/x"
        ]
    );
    assert_eq!(
        of(&[Scope::Webhooks]),
        [
            "GET /v1/webhook-endpoints",
            "POST /v1/webhook-endpoints",
            "GET /v1/webhook-endpoints/x",
            "PATCH /v1/webhook-endpoints/x",
            "GET /v1/webhook-endpoints/x/deliveries",
            "GET /v1/webhook-endpoints/x/deliveries/1",
            "POST /v1/webhook-endpoints/x/disable",
            "POST /v1/webhook-endpoints/x/enable",
            "POST /v1/webhook-endpoints/x/redeliver",
            "POST /v1/webhook-endpoints/x/rotate-secret",
        ]
    );
}

async fn from(api: &Api, key: &str, address: &str) -> Answer {
    let mut request = request("GET", "/v1/orders", key);
    let peer: SocketAddr = format!("{address}:4000").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    api.send(request).await
}

#[tokio::test]
async fn a_key_is_taken_from_its_networks_only() {
    let api = Api::open().await;
    let terms = KeyTerms {
        networks: vec![
            "10.1.0.0/16".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        ..KeyTerms::unlimited()
    };
    let (key, _) = api.another_key(terms).await;
    for inside in ["10.1.2.3", "[2001:db8::7]", "[::ffff:10.1.2.3]"] {
        assert_eq!(
            from(&api, &key, inside).await.status,
            StatusCode::OK,
            "{inside}"
        );
    }
    for outside in ["10.2.0.1", "[2001:db9::7]", "192.0.2.1"] {
        let problem = from(&api, &key, outside).await.problem(403, "forbidden");
        let detail = problem["detail"].as_str().unwrap();
        let plain = outside.trim_matches(['[', ']']);
        assert!(detail.contains(plain), "{detail}");
    }
}

#[tokio::test]
async fn a_key_ends_in_time_and_hands_over_before() {
    let api = Api::open().await;
    let start = 1_700_000_000_u64;
    let at = |seconds| Timestamp::from_unix_s(start + seconds).unwrap();
    let terms = KeyTerms {
        expires_at: Some(at(60)),
        ..KeyTerms::unlimited()
    };
    let (key, _) = api.another_key(terms).await;
    let (old, id) = api.another_key(KeyTerms::unlimited()).await;
    let (new, stored) = paywatch_api::keys::mint("shop", at(0));
    let rotate = decision(DecisionKind::RotateKey, &id, at(0));
    api.store
        .rotate_api_key(&id, at(120), &stored, &rotate)
        .await
        .unwrap();
    let new = {
        use secrecy::ExposeSecret as _;
        format!("Bearer {}", new.expose_secret())
    };
    for (waited, taken) in [
        (0, [true, true, true]),
        (59, [true, true, true]),
        (1, [false, true, true]),
        (59, [false, true, true]),
        (1, [false, false, true]),
    ] {
        api.wait(waited);
        for (key, is_taken) in [&key, &old, &new].into_iter().zip(taken) {
            let answer = api.send(request("GET", "/v1/orders", key)).await;
            if is_taken {
                assert_eq!(answer.status, StatusCode::OK, "after {waited}");
            } else {
                let problem = answer.problem(401, "unauthorized");
                assert!(problem["detail"].to_string().contains("ended"));
            }
        }
    }
    let log = api
        .send(request(Method::GET.as_str(), "/v1/decisions", &new))
        .await
        .json();
    assert_eq!(log["data"][0]["kind"], "rotate_key", "{log}");
    assert_eq!(log["data"][0]["decided_by"], "tester");
}
