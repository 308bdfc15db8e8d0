//! Who may call what.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use paywatch_core::{DecisionKind, Timestamp};

use crate::api::{Api, decision};

#[tokio::test]
async fn everything_under_v1_needs_a_key() {
    let api = Api::open().await;
    let other = format!("Bearer pw_live_{}", "0".repeat(64));
    let body = r#"{"reference": "KEY-1", "amount": "100"}"#;
    for authorization in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer pw_live_wrong"),
        Some(other.as_str()),
        Some("Basic dXNlcjpwYXNz"),
    ] {
        for (method, path) in [
            ("GET", "/v1/orders"),
            ("POST", "/v1/orders"),
            ("GET", "/v1/orders/ord_00000000000000000000000000000000"),
            ("GET", "/v1/chains"),
        ] {
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .header("content-type", "application/json");
            if let Some(authorization) = authorization {
                request = request.header("authorization", authorization);
            }
            let answer = api.send(request.body(Body::from(body)).unwrap()).await;
            let problem = answer.problem(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            let detail = problem["detail"].as_str().unwrap();
            assert!(
                detail.contains("key") || detail.contains("Bearer"),
                "{detail}"
            );
        }
    }
    assert!(api.references("").await.is_empty());
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let api = Api::open().await;
    assert_eq!(api.get("/v1/orders").await.status, StatusCode::OK);
    let now = Timestamp::from_unix_s(1_700_000_001).unwrap();
    let revoke = decision(DecisionKind::RevokeKey, &api.key_id, now);
    assert!(
        api.store
            .revoke_api_key(&api.key_id, &revoke)
            .await
            .unwrap()
    );
    let refused = api.get("/v1/orders").await;
    let problem = refused.problem(401, "unauthorized");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("revoked"), "{detail}");
}

#[tokio::test]
async fn health_and_the_reference_need_no_key() {
    let api = Api::open().await;
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 503),
        ("/openapi.json", 200),
        ("/docs/", 200),
    ] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(api.send(request).await.status.as_u16(), status, "{path}");
    }
}
