//! What webhooks were told, over HTTP.

use axum::http::StatusCode;
use paywatch_core::{EndpointKind, Timestamp};
use paywatch_store::{AfterAttempt, Attempted, EndpointHealth};
use serde_json::{Value, json};

use crate::api::Api;
use crate::endpoints::{WEBHOOKS, asks, decided, of_the_configuration, text, webhook};

fn now(api: &Api) -> Timestamp {
    Timestamp::from_unix_ms(api.now_ms()).unwrap()
}

/// Queues what happened for the endpoint, as the daemon does.
async fn queue(api: &Api, id: &str) {
    let endpoint = api
        .store
        .endpoint(id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let queued = api.store.queue_deliveries(&endpoint, 100, now(api)).await;
    queued.unwrap();
}

/// All that is due is tried, with this end.
async fn try_all(api: &Api, id: &str, then: AfterAttempt) {
    let id = id.parse().unwrap();
    let due = api
        .store
        .due_deliveries((id, ""), now(api), 100)
        .await
        .unwrap();
    let is_good = then == AfterAttempt::Delivered;
    let attempted: Vec<_> = due
        .into_iter()
        .map(|delivery| Attempted {
            delivery,
            sent_at: now(api),
            took_ms: 37,
            status: Some(if is_good { 204 } else { 500 }),
            failure: (!is_good).then(|| "it answered 500".to_owned()),
            answer: if is_good { "" } else { "out of memory" }.to_owned(),
            then,
        })
        .collect();
    let health = EndpointHealth {
        failing_since: (!is_good).then(|| now(api)),
        failures: u32::from(!is_good),
        last_failure: (!is_good).then(|| "it answered 500".to_owned()),
        alerted_at: None,
    };
    let recorded = api
        .store
        .record_attempts(id, &attempted, (&health, &[]), now(api));
    recorded.await.unwrap();
}

fn sequences(page: &Value) -> Vec<u64> {
    let data = page["data"].as_array().unwrap().iter();
    data.map(|delivery| delivery["sequence"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn deliveries_are_listed_with_how_they_ended() {
    let api = Api::open().await;
    let id = webhook(&api, "shop").await;
    for number in 1..=3 {
        api.order(&format!("INV-{number}")).await;
    }
    queue(&api, &id).await;
    let path = format!("{WEBHOOKS}/{id}/deliveries");
    let page = api.get(&path).await.json();
    assert_eq!(sequences(&page), [3, 2, 1], "the newest first");
    assert_eq!(page["data"][0]["type"], "order.created");
    assert_eq!(page["data"][0]["state"], "pending");
    assert_eq!(
        page["data"][0]["next_attempt_at"],
        "2023-11-14T22:13:20.000Z"
    );
    let event = api.get("/v1/events?limit=1&after=2").await.json();
    assert_eq!(page["data"][0]["event"], event["data"][0]["id"]);

    let again_at = now(&api).plus_ms(30_000).unwrap();
    try_all(&api, &id, AfterAttempt::Again(again_at)).await;
    let shown = api.get(&format!("{WEBHOOKS}/{id}")).await.json();
    assert_eq!(
        (&shown["pending"], &shown["health"]["failures"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(shown["health"]["failing_since"], "2023-11-14T22:13:20.000Z");
    assert_eq!(shown["health"]["last_failure"], "it answered 500");
    api.wait(30);
    try_all(&api, &id, AfterAttempt::Delivered).await;
    let one = api.get(&format!("{path}/2")).await;
    assert!(one.header("etag").is_some());
    let one = one.json();
    assert_eq!(
        (&one["state"], &one["attempts"]),
        (&json!("delivered"), &json!(2))
    );
    assert_eq!(one["finished_at"], "2023-11-14T22:13:50.000Z");
    assert_eq!(one["next_attempt_at"], json!(null));
    assert_eq!(
        one["requests"],
        json!([
            {"attempt": 1, "sent_at": "2023-11-14T22:13:20.000Z", "took_ms": 37, "status": 500,
             "failure": "it answered 500", "answer": "out of memory"},
            {"attempt": 2, "sent_at": "2023-11-14T22:13:50.000Z", "took_ms": 37, "status": 204,
             "failure": null, "answer": ""},
        ])
    );
    for missing in [
        "4",
        "0",
        "-1",
        "x",
        "9223372036854775807",
        "18446744073709551615",
    ] {
        api.get(&format!("{path}/{missing}"))
            .await
            .problem(404, "not_found");
    }
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let api = Api::open().await;
    let id = webhook(&api, "shop").await;
    let path = format!("{WEBHOOKS}/{id}/deliveries");
    api.order("INV-1").await;
    queue(&api, &id).await;
    try_all(&api, &id, AfterAttempt::GivenUp).await;
    api.order("INV-2").await;
    queue(&api, &id).await;
    try_all(&api, &id, AfterAttempt::Delivered).await;
    for number in 3..=5 {
        api.order(&format!("INV-{number}")).await;
    }
    queue(&api, &id).await;
    for (query, found) in [
        ("state=failed", vec![1]),
        ("state=delivered,failed", vec![2, 1]),
        ("state=pending&state=failed", vec![5, 4, 3, 1]),
        ("state=dropped", vec![]),
        ("limit=2", vec![5, 4]),
    ] {
        let page = api.get(&format!("{path}?{query}")).await.json();
        assert_eq!(sequences(&page), found, "{query}");
    }
    let mut all = Vec::new();
    let mut cursor = String::new();
    for _page in 0..3 {
        let page = api.get(&format!("{path}?limit=2{cursor}")).await.json();
        all.extend(sequences(&page));
        let next = page["next_cursor"].as_str();
        assert_eq!(page["has_more"], next.is_some());
        cursor = next.map_or_else(String::new, |next| format!("&cursor={next}"));
    }
    assert_eq!(all, [5, 4, 3, 2, 1]);
    assert_eq!(cursor, "", "it ends");
    let wrong = format!("{path}?state=lost&limit=101&cursor=x&page=2");
    let problem = api.get(&wrong).await.problem(422, "invalid_fields");
    let errors = problem["errors"].as_array().unwrap().iter();
    let fields: Vec<_> = errors.map(|error| text(&error["field"])).collect();
    assert_eq!(fields, ["state", "limit", "cursor", "page"]);
}

#[tokio::test]
async fn what_was_told_is_told_again() {
    let api = Api::open().await;
    api.order("BEFORE").await;
    let id = webhook(&api, "shop").await;
    api.order("INV-2").await;
    queue(&api, &id).await;
    try_all(&api, &id, AfterAttempt::GivenUp).await;
    api.order("INV-3").await;
    queue(&api, &id).await;
    try_all(&api, &id, AfterAttempt::Delivered).await;
    let first = api.get("/v1/events?limit=1").await.json();
    let first = text(&first["data"][0]["id"]);
    let pending = async || {
        let page = api
            .get(&format!("{WEBHOOKS}/{id}/deliveries?state=pending"))
            .await;
        sequences(&page.json())
    };
    for (body, queued, then_pending) in [
        (json!({"failed": true}), 1, vec![2]),
        (json!({"event": first}), 1, vec![1]),
        (
            json!({"from": 1, "to": 9, "reason": "restored"}),
            3,
            vec![3, 2, 1],
        ),
    ] {
        let again = asks(&api, "POST", &format!("/{id}/redeliver"), &body).await;
        assert_eq!(again.status, StatusCode::OK, "{again:?}");
        assert_eq!(again.json(), json!({"queued": queued}), "{body}");
        assert_eq!(pending().await, then_pending, "{body}");
        try_all(&api, &id, AfterAttempt::Delivered).await;
    }
    let reason = json!({"reason": "it moves"});
    asks(&api, "POST", &format!("/{id}/disable"), &reason).await;
    let range = json!({"from": 1, "to": 3});
    let refused = asks(&api, "POST", &format!("/{id}/redeliver"), &range).await;
    let problem = refused.problem(409, "refused");
    assert!(
        problem["detail"].to_string().contains("enable"),
        "{problem}"
    );
    let told: Vec<_> = decided(&api).await.into_iter().map(|it| it.1).collect();
    assert!(
        told[1].ends_with("is told again what was given up"),
        "{told:?}"
    );
    assert!(
        told[3].ends_with("is told again of events 1 to 9"),
        "{told:?}"
    );
    assert_eq!(told.len(), 5, "a refusal is no decision: {told:?}");
}

#[tokio::test]
async fn what_the_configuration_has_is_told_again_as_well() {
    let api = Api::open().await;
    let id = of_the_configuration(&api, EndpointKind::Kafka).await;
    api.order("INV-1").await;
    queue(&api, &id).await;
    try_all(&api, &id, AfterAttempt::Delivered).await;
    let body = json!({"from": 1, "to": 1});
    let again = asks(&api, "POST", &format!("/{id}/redeliver"), &body).await;
    assert_eq!(again.json(), json!({"queued": 1}));
}
