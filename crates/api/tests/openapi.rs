//! The checked-in description of the API is what the code says.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

const REFRESH: &str = "PAYWATCH_UPDATE_GOLDEN=1 cargo test -p paywatch-api --test openapi";

fn described() -> Value {
    serde_json::to_value(paywatch_api::openapi()).expect("it is JSON")
}

#[test]
fn the_checked_in_description_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let mut current = paywatch_api::openapi()
        .to_pretty_json()
        .expect("it is JSON");
    current.push('\n');
    if std::env::var_os("PAYWATCH_UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &current).expect("it can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == current, "openapi.json is stale; run: {REFRESH}");
}

#[test]
fn every_route_of_v1_needs_a_key_and_no_other_does() {
    let described = described();
    let paths = described["paths"].as_object().expect("there are paths");
    let mut routes = Vec::new();
    let mut names = BTreeSet::new();
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().expect("there are operations") {
            let needs_key = operation["security"][0]["api_key"].is_array();
            assert_eq!(needs_key, path.starts_with("/v1/"), "{method} {path}");
            let says_401 = operation["responses"]["401"].is_object();
            assert_eq!(says_401, needs_key, "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            let name = operation["operationId"].as_str().expect("it has a name");
            assert!(names.insert(name), "two operations are called {name}");
            routes.push(format!("{method} {path}"));
        }
    }
    routes.sort();
    assert_eq!(
        routes,
        [
            "delete /v1/limits/blocked/{id}",
            "get /healthz",
            "get /metrics",
            "get /pay/{token}",
            "get /pay/{token}/qr.svg",
            "get /pay/{token}/status",
            "get /pay/{token}/stream",
            "get /readyz",
            "get /v1/chains",
            "get /v1/decisions",
            "get /v1/events",
            "get /v1/events/stream",
            "get /v1/events/{id}",
            "get /v1/limits/blocked",
            "get /v1/look-alikes",
            "get /v1/orders",
            "get /v1/orders/{id}",
            "get /v1/orders/{id}/qr.png",
            "get /v1/orders/{id}/qr.svg",
            "get /v1/payments",
            "get /v1/payments/{id}",
            "get /v1/payments/{id}/proof",
            "get /v1/refunds",
            "get /v1/refunds/{id}",
            "get /v1/refunds/{id}/qr.svg",
            "get /v1/sweeps",
            "get /v1/sweeps/{id}",
            "get /v1/tokens",
            "get /v1/webhook-endpoints",
            "get /v1/webhook-endpoints/{id}",
            "get /v1/webhook-endpoints/{id}/deliveries",
            "get /v1/webhook-endpoints/{id}/deliveries/{sequence}",
            "patch /v1/webhook-endpoints/{id}",
            "post /v1/orders",
            "post /v1/orders/{id}/accept",
            "post /v1/orders/{id}/cancel",
            "post /v1/orders/{id}/extend",
            "post /v1/orders/{id}/refunds",
            "post /v1/payments/{id}/assign",
            "post /v1/payments/{id}/unassign",
            "post /v1/payments/{id}/write_off",
            "post /v1/refunds/{id}/cancel",
            "post /v1/refunds/{id}/link",
            "post /v1/webhook-endpoints",
            "post /v1/webhook-endpoints/{id}/disable",
            "post /v1/webhook-endpoints/{id}/enable",
            "post /v1/webhook-endpoints/{id}/redeliver",
            "post /v1/webhook-endpoints/{id}/rotate-secret",
        ]
    );
}

#[test]
fn a_request_for_an_order_needs_two_fields_and_takes_no_unknown_one() {
    let described = described();
    let schema = &described["components"]["schemas"]["CreateOrder"];
    assert_eq!(
        schema["required"],
        serde_json::json!(["reference", "amount"])
    );
    assert_eq!(schema["additionalProperties"], false);
}

/// What a call answers of which `fields` can be chosen: all of an object, or the part.
#[test]
fn whoever_may_choose_fields_is_told_of_the_part() {
    let described = described();
    let schemas = &described["components"]["schemas"];
    let mut count = 0;
    for (path, operations) in described["paths"].as_object().unwrap() {
        let read = &operations["get"];
        let parameters = read["parameters"].as_array().into_iter().flatten();
        if !parameters.into_iter().any(|it| it["name"] == "fields") {
            continue;
        }
        count += 1;
        let answer = &read["responses"]["200"]["content"]["application/json"]["schema"];
        let list = answer["$ref"].as_str().unwrap_or_default();
        let list = &schemas[list.trim_start_matches("#/components/schemas/")];
        let either = [
            &answer["anyOf"],
            &list["properties"]["data"]["items"]["anyOf"],
        ];
        assert!(either.iter().any(|it| it.is_array()), "{path}: {answer}");
    }
    assert!(count >= 6, "{count}");
}
