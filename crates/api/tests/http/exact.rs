//! Orders that are told apart by their amounts.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::api::Api;

/// Asks for an order over `amount` on `anvil`, to be paid by an exact amount.
async fn asks(api: &Api, reference: &str, amount: &str) -> crate::api::Answer {
    let body = json!({
        "reference": reference, "amount": amount, "chains": ["anvil"], "methods": ["exact_amount"],
    });
    api.post(body.to_string()).await
}

#[tokio::test]
async fn each_order_is_asked_for_an_amount_of_its_own() {
    let api = Api::open().await;
    let mut asked = Vec::new();
    for reference in ["A", "B", "C"] {
        let made = asks(&api, reference, "100").await;
        assert_eq!(made.status, StatusCode::CREATED);
        let order = made.json();
        assert_eq!(order["amount"], "100");
        assert_eq!(order["options"].as_array().unwrap().len(), 1);
        let option = &order["options"][0];
        assert_eq!(option["method"], "exact_amount");
        assert_eq!(
            option["address"],
            "0x3333333333333333333333333333333333333333"
        );
        asked.push(option["amount"].as_str().unwrap().to_owned());
    }
    assert_eq!(asked, ["100", "100.01", "100.02"]);
    // The same request again is the same order, with the same amount.
    let again = asks(&api, "B", "100").await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json()["options"][0]["amount"], "100.01");
}

#[tokio::test]
async fn there_is_no_order_without_a_free_amount() {
    let api = Api::open().await;
    for reference in ["A", "B", "C"] {
        asks(&api, reference, "100").await;
    }
    let refused = asks(&api, "D", "100").await;
    let problem = refused.problem(409, "no_free_amount");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("exact_amount.max_surcharge"), "{detail}");
    assert_eq!(api.references("").await, ["C", "B", "A"]);
    assert_eq!(asks(&api, "D", "100.03").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_tolerance_never_reaches_another_orders_amount() {
    let api = Api::open().await;
    asks(&api, "A", "99.99").await;
    let body = json!({
        "reference": "B", "amount": "100", "tolerance": "0.01", "chains": ["anvil"],
        "methods": ["exact_amount"],
    });
    let option = api.post(body.to_string()).await.json()["options"][0].clone();
    assert_eq!(option["amount"], "100.01");
    let mut greedy = body;
    greedy["reference"] = json!("C");
    greedy["tolerance"] = json!("1");
    let refused = api.post(greedy.to_string()).await;
    refused.problem(409, "no_free_amount");
}

#[tokio::test]
async fn methods_are_named_once_and_exist() {
    let api = Api::open().await;
    let ask = |methods: Value, any: bool| {
        json!({
            "reference": "M", "amount": "1", "chains": ["anvil"], "methods": methods,
            "any_amount": any,
        })
    };
    for (body, field) in [
        (ask(json!(["card"]), false), "methods"),
        (ask(json!([]), false), "methods"),
        (
            ask(json!(["exact_amount", "exact_amount"]), false),
            "methods",
        ),
        (ask(json!(["exact_amount"]), true), "methods"),
        (ask(json!(["contract"]), false), "chains"),
    ] {
        let problem = api
            .post(body.to_string())
            .await
            .problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let both = api
        .post(ask(json!(["deposit_address", "exact_amount"]), false).to_string())
        .await
        .json();
    let methods: Vec<_> = both["options"].as_array().unwrap().iter().collect();
    assert_eq!(methods.len(), 2);
}
