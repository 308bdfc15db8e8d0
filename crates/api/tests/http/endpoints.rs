//! Webhooks over HTTP: made, changed, rotated, disabled.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use paywatch_core::{EndpointId, EndpointKind, EventFormat, EventTypes, Scope};
use paywatch_store::{KeyTerms, NewEndpoint};
use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::desk::MARK;

pub(crate) const WEBHOOKS: &str = "/v1/webhook-endpoints";

pub(crate) async fn asks(api: &Api, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("{WEBHOOKS}{path}"))
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    api.send(request.unwrap()).await
}

/// A webhook that is told of everything; its id.
pub(crate) async fn webhook(api: &Api, name: &str) -> String {
    let body = json!({"name": name, "url": "https://shop.example/hook"});
    let made = asks(api, "POST", "", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    text(&made.json()["id"])
}

/// One that the configuration has; its id.
pub(crate) async fn of_the_configuration(api: &Api, kind: EndpointKind) -> String {
    let new = NewEndpoint {
        id: EndpointId::from_bytes([7; 16]),
        kind,
        name: "bus".to_owned(),
        url: format!("nats://user:{MARK}@bus.example:4222/{MARK}"),
        format: EventFormat::Standard,
        types: EventTypes::All,
        secrets: Vec::new(),
        created_at: paywatch_core::Timestamp::EPOCH,
    };
    let kept = api.store.ensure_endpoint(&new).await.unwrap();
    kept.id.to_string()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn fields(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors
        .map(|error| error["field"].as_str().unwrap())
        .collect()
}

/// The kinds and details of what was decided about endpoints, oldest first.
pub(crate) async fn decided(api: &Api) -> Vec<(String, String)> {
    let log = api.get("/v1/decisions?limit=100").await.json();
    let mut all: Vec<_> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["kind"]), text(&it["detail"])))
        .filter(|(kind, _)| kind != "create_key")
        .collect();
    all.reverse();
    all
}

#[tokio::test]
async fn a_webhook_is_made_and_its_secret_shown_once() {
    let api = Api::open().await;
    let body = json!({
        "name": "shop", "url": format!("https://shop.example/hook?key={MARK}"),
        "types": ["order.completed", "token.*"], "reason": "going live",
    });
    let made = asks(&api, "POST", "", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    assert_eq!(made.header("cache-control"), Some("no-store"));
    assert_eq!(made.header("etag"), None);
    let location = made.header("location").unwrap().to_owned();
    let made = made.json();
    assert_eq!(made["secret"], format!("whsec_{MARK}0"));
    assert_eq!(location, format!("{WEBHOOKS}/{}", text(&made["id"])));

    let read = api.get(&location).await;
    assert_eq!(read.status, StatusCode::OK);
    let etag = read.header("etag").unwrap().to_owned();
    let shown = read.json();
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("secret");
    assert_eq!(shown, expected, "it is the same, but for the secret");
    assert_eq!(shown["url"], "https://shop.example/hook?key=***");
    assert_eq!(shown["types"], json!(["order.completed", "token.alert"]));
    assert_eq!(
        (&shown["kind"], &shown["format"]),
        (&json!("webhook"), &json!("standard"))
    );
    assert_eq!(
        (&shown["signature"], &shown["public_key"]),
        (&json!("hmac"), &json!(null))
    );
    assert_eq!(
        (&shown["status"], &shown["pending"]),
        (&json!("enabled"), &json!(0))
    );
    let healthy = json!({"failing_since": null, "failures": 0, "last_failure": null});
    assert_eq!(shown["health"], healthy);
    let listed = api.get(WEBHOOKS).await;
    assert_eq!(listed.json()["data"], json!([shown]));
    let again = Request::get(&location)
        .header("authorization", api.authorization())
        .header("if-none-match", etag)
        .body(Body::empty());
    let again = api.send(again.unwrap()).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);

    let decided = decided(&api).await;
    assert_eq!(decided[0].0, "create_endpoint");
    assert!(
        decided[0]
            .1
            .contains("\"shop\" made: told of order.completed token.alert")
    );
    let log = api.get("/v1/decisions").await.text();
    assert!(log.contains("going live") && !log.contains(MARK), "{log}");
}

#[tokio::test]
async fn what_is_wrong_is_named_at_once() {
    let api = Api::open().await;
    let wrong = json!({
        "name": "", "url": "https://inside.example/", "types": ["order.gone"], "signature": "rsa",
        "format": "pigeons", "secret": "whsec_mine", "reason": "no",
    });
    let problem = asks(&api, "POST", "", &wrong)
        .await
        .problem(422, "invalid_fields");
    let named = [
        "secret",
        "name",
        "url",
        "types",
        "signature",
        "format",
        "reason",
    ];
    let mut found = fields(&problem);
    found.sort_unstable();
    let mut named = named.to_vec();
    named.sort_unstable();
    assert_eq!(found, named);
    assert!(problem.to_string().contains("use https"), "{problem}");
    assert!(
        problem.to_string().contains("order.completed"),
        "known types are named"
    );
    asks(&api, "POST", "", &json!([]))
        .await
        .problem(400, "malformed_json");

    let id = webhook(&api, "shop").await;
    for (path, body, field) in [
        (
            "/rotate-secret",
            json!({"overlap_seconds": 604_801}),
            "overlap_seconds",
        ),
        ("/disable", json!({}), "reason"),
        ("/enable", json!({"reason": "ok"}), "reason"),
        ("/redeliver", json!({"from": 9, "to": 5}), "to"),
        ("/redeliver", json!({"event": "evt_unknown"}), "event"),
        ("/redeliver", json!({"event": "evt_\u{0}"}), "event"),
    ] {
        let answer = asks(&api, "POST", &format!("/{id}{path}"), &body).await;
        assert_eq!(
            fields(&answer.problem(422, "invalid_fields")),
            [field],
            "{path}"
        );
    }
    let answer = asks(
        &api,
        "PATCH",
        &format!("/{id}"),
        &json!({"url": "http://x/"}),
    )
    .await;
    assert_eq!(fields(&answer.problem(422, "invalid_fields")), ["url"]);
    assert_eq!(decided(&api).await.len(), 1, "nothing else was decided");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let api = Api::open().await;
    for (method, path) in [
        ("GET", ""),
        ("PATCH", ""),
        ("POST", "/rotate-secret"),
        ("POST", "/disable"),
        ("POST", "/enable"),
        ("GET", "/deliveries"),
        ("GET", "/deliveries/1"),
        ("POST", "/redeliver"),
    ] {
        let body = match path {
            "/redeliver" => json!({"failed": true}),
            "" => json!({"name": "x"}),
            "/rotate-secret" => json!({}),
            _other => json!({"reason": "as agreed"}),
        };
        for id in ["ep_00000000000000000000000000000000", "shop"] {
            let answer = asks(&api, method, &format!("/{id}{path}"), &body).await;
            let problem = answer.problem(404, "not_found");
            assert!(
                problem["detail"].to_string().contains(id),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_webhook_is_changed() {
    let api = Api::open().await;
    let id = webhook(&api, "shop").await;
    let other = webhook(&api, "till").await;
    let body = json!({"url": format!("https://new.example/?k={MARK}"), "types": ["order.*"], "reason": "we moved"});
    let changed = asks(&api, "PATCH", &format!("/{id}"), &body).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert!(!changed.text().contains(MARK));
    let changed = changed.json();
    assert_eq!(
        (&changed["name"], &changed["url"]),
        (&json!("shop"), &json!("https://new.example/?k=***"))
    );
    assert!(
        changed["types"]
            .as_array()
            .unwrap()
            .contains(&json!("order.paid"))
    );
    let kept = api
        .store
        .endpoint(id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        kept.url,
        format!("https://new.example/?k={MARK}"),
        "the books have all of it"
    );

    let taken = asks(&api, "PATCH", &format!("/{id}"), &json!({"name": "till"})).await;
    let problem = taken.problem(409, "refused");
    assert!(problem["detail"].to_string().contains(&other), "{problem}");
    let twin = json!({"name": "till", "url": "https://shop.example/"});
    let problem = asks(&api, "POST", "", &twin).await.problem(409, "refused");
    assert!(problem["detail"].to_string().contains(&other), "{problem}");
    let decided = decided(&api).await;
    assert_eq!(decided.len(), 3, "{decided:?}");
    assert!(
        decided[2]
            .1
            .contains("at https://new.example/?k=***, told of order.")
    );
}

#[tokio::test]
async fn there_are_only_so_many() {
    let api = Api::open().await;
    for number in 0..50 {
        webhook(&api, &number.to_string()).await;
    }
    let more = json!({"name": "more", "url": "https://shop.example/"});
    let problem = asks(&api, "POST", "", &more).await.problem(409, "refused");
    assert!(problem["detail"].to_string().contains("50"), "{problem}");
}

#[tokio::test]
async fn a_webhook_is_disabled_and_enabled_once() {
    let api = Api::open().await;
    let id = webhook(&api, "shop").await;
    api.order("INV-1").await;
    let post = async |what: &str| {
        let body = json!({"reason": format!("to {what} it")});
        asks(&api, "POST", &format!("/{id}/{what}"), &body)
            .await
            .json()
    };
    for _twice in 0..2 {
        let disabled = post("disable").await;
        assert_eq!(disabled["status"], "disabled", "{disabled}");
        assert_eq!(disabled["disabled_because"], "to disable it");
        assert_eq!(disabled["disabled_at"], "2023-11-14T22:13:20.000Z");
    }
    for _twice in 0..2 {
        let enabled = post("enable").await;
        assert_eq!(
            (&enabled["status"], &enabled["disabled_at"]),
            (&json!("enabled"), &json!(null))
        );
        assert_eq!(enabled["queued_to"], 1, "what happened before is not told");
    }
    let kinds: Vec<_> = decided(&api).await.into_iter().map(|it| it.0).collect();
    assert_eq!(
        kinds,
        ["create_endpoint", "disable_endpoint", "enable_endpoint"]
    );
}

#[tokio::test]
async fn what_the_configuration_has_is_shown_and_disabled_but_not_changed() {
    let api = Api::open().await;
    let id = of_the_configuration(&api, EndpointKind::Nats).await;
    let shown = api.get(&format!("{WEBHOOKS}/{id}")).await;
    assert!(!shown.text().contains(MARK), "{shown:?}");
    let shown = shown.json();
    assert_eq!(
        (&shown["kind"], &shown["url"]),
        (&json!("nats"), &json!("nats://bus.example:4222"))
    );
    assert_eq!(
        (&shown["signature"], &shown["secrets"]),
        (&json!(null), &json!([]))
    );
    for (method, path) in [("PATCH", ""), ("POST", "/rotate-secret")] {
        let answer = asks(&api, method, &format!("/{id}{path}"), &json!({})).await;
        let problem = answer.problem(409, "refused");
        let detail = text(&problem["detail"]);
        assert!(
            detail.contains("kind nats") && detail.contains("configuration"),
            "{detail}"
        );
    }
    let reason = json!({"reason": "maintenance"});
    let disabled = asks(&api, "POST", &format!("/{id}/disable"), &reason).await;
    assert_eq!(disabled.json()["status"], "disabled");
    let enabled = asks(&api, "POST", &format!("/{id}/enable"), &reason).await;
    assert_eq!(enabled.json()["status"], "enabled");
    let again = asks(
        &api,
        "POST",
        &format!("/{id}/redeliver"),
        &json!({"failed": true}),
    )
    .await;
    assert_eq!(again.json(), json!({"queued": 0}));
}

#[tokio::test]
async fn without_webhooks_there_is_nothing_to_manage() {
    let api = Api::open().await.without_webhooks();
    for (method, path) in [
        ("GET", ""),
        ("POST", ""),
        ("GET", "/ep_07070707070707070707070707070707"),
    ] {
        let answer = asks(&api, method, path, &json!({})).await;
        let problem = answer.problem(404, "not_found");
        assert!(
            problem["detail"].to_string().contains("no webhooks"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn only_keys_for_webhooks_may() {
    let api = Api::open().await;
    let id = webhook(&api, "shop").await;
    let terms = |scope| KeyTerms {
        scopes: [scope].into_iter().collect(),
        ..KeyTerms::unlimited()
    };
    for (scope, may) in [
        (Scope::Webhooks, true),
        (Scope::Operator, false),
        (Scope::OrdersRead, false),
    ] {
        let (key, _) = api.another_key(terms(scope)).await;
        let request = Request::get(format!("{WEBHOOKS}/{id}")).header("authorization", key);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        if may {
            assert_eq!(answer.status, StatusCode::OK);
        } else {
            answer.problem(403, "forbidden");
        }
    }
}
