//! The event log over HTTP: what an event holds, and reading on.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use paywatch_core::{ChainEvent, ChainEventKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::{Api, chain_id};
use crate::chain::Chain;

/// Who pays in these tests.
const PAYER: &str = "0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF";

pub(crate) async fn page(api: &Api, query: &str) -> Value {
    let answer = api.get(&format!("/v1/events?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {answer:?}");
    answer.json()
}

/// The names of the events that `query` finds.
async fn names(api: &Api, query: &str) -> Vec<String> {
    let page = page(api, query).await;
    let events = page["data"].as_array().unwrap().iter();
    events
        .map(|event| event["type"].as_str().unwrap().to_owned())
        .collect()
}

async fn decide(api: &Api, path: &str, body: Value) -> Value {
    let request = Request::post(path)
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    let answer = api.send(request.unwrap()).await;
    assert!(answer.status.is_success(), "{answer:?}");
    answer.json()
}

/// An order that is paid in two parts, and all of its events.
async fn paid_in_parts(api: &Api) -> (Value, Chain) {
    let mut chain = Chain::new();
    let order = api.order("A").await;
    chain.mine(api, &[(&order, "40", PAYER)], &[]).await;
    chain.mine(api, &[(&order, "75", PAYER)], &[]).await;
    for _ in 0..2 {
        chain.mine(api, &[], &[]).await;
    }
    (order, chain)
}

#[tokio::test]
async fn each_event_holds_the_order_as_it_was_then() {
    let api = Api::open().await;
    let (order, _) = paid_in_parts(&api).await;
    let told = page(&api, "").await;
    let events = told["data"].as_array().unwrap();
    let seen: Vec<_> = events
        .iter()
        .map(|event| {
            let order = &event["data"]["order"];
            let [kind, status, received, confirmed, remaining] = [
                &event["type"],
                &order["status"],
                &order["received"],
                &order["confirmed"],
                &order["remaining"],
            ]
            .map(|text| text.as_str().unwrap());
            (kind, status, received, confirmed, remaining)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("order.created", "awaiting_payment", "0", "0", "100"),
            ("payment.detected", "partially_paid", "40", "0", "60"),
            ("order.partially_paid", "partially_paid", "40", "0", "60"),
            ("payment.detected", "paid", "115", "0", "0"),
            ("order.paid", "paid", "115", "0", "0"),
            ("order.overpaid", "paid", "115", "0", "0"),
            ("payment.confirmed", "paid", "115", "40", "0"),
            ("payment.confirmed", "completed", "115", "115", "0"),
            ("order.completed", "completed", "115", "115", "0"),
        ]
    );
    for (number, event) in (1..).zip(events) {
        assert_eq!(event["sequence"], number);
        assert_eq!(event["order_sequence"], number);
        assert_eq!(event["version"], 1);
        assert_eq!(event["data"]["order"]["id"], order["id"]);
        assert_eq!(event["timestamp"], event["data"]["order"]["updated_at"]);
        let id = event["id"].as_str().unwrap();
        let alone = api.get(&format!("/v1/events/{id}")).await;
        assert_eq!(alone.json(), *event);
    }
    assert_eq!(told["next_after"], 9);
    assert_eq!(told["has_more"], false);
    // The order's own view, beside what changes by itself.
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    let mut now = api.get(&path).await.json();
    now.as_object_mut().unwrap().remove("waiting_for_chains");
    for payment in now["payments"].as_array_mut().unwrap() {
        let payment = payment.as_object_mut().unwrap();
        for name in ["confirmations", "proof", "frozen"] {
            assert!(payment.remove(name).is_some(), "{name}");
        }
    }
    assert_eq!(events[8]["data"]["order"], now);
}

#[tokio::test]
async fn an_event_says_what_changed_since_the_one_before_its_change() {
    let api = Api::open().await;
    let (order, _) = paid_in_parts(&api).await;
    let told = page(&api, "").await;
    let changes = |number: usize| told["data"][number - 1]["changes"].clone();
    let change = |from: &str, to: &str| json!({"from": from, "to": to});
    assert_eq!(
        changes(1),
        json!({"order.status": {"from": null, "to": "awaiting_payment"}})
    );
    assert_eq!(
        changes(3),
        json!({
            "order.status": change("awaiting_payment", "partially_paid"),
            "order.received": change("0", "40"),
            "order.remaining": change("100", "60"),
        })
    );
    let mut detected = changes(3);
    detected["payment.status"] = json!({"from": null, "to": "detected"});
    assert_eq!(changes(2), detected);
    assert_eq!(
        changes(6),
        json!({
            "order.status": change("partially_paid", "paid"),
            "order.flags": {"from": [], "to": ["overpaid"]},
            "order.received": change("40", "115"),
            "order.remaining": change("60", "0"),
            "order.excess": change("0", "15"),
        })
    );
    assert_eq!(
        changes(8),
        json!({
            "order.status": change("paid", "completed"),
            "order.confirmed": change("40", "115"),
            "payment.status": change("detected", "confirmed"),
        })
    );
    let id = order["id"].as_str().unwrap();
    let later = json!({"expires_at": "2023-11-20T00:00:00Z", "reason": "more time"});
    let other = api.order("B").await;
    let path = format!("/v1/orders/{}/extend", other["id"].as_str().unwrap());
    decide(&api, &path, later).await;
    let told = page(&api, "types=order.extended").await;
    assert_eq!(
        told["data"][0]["changes"]["order.expires_at"],
        change("2023-11-14T23:13:20.000Z", "2023-11-20T00:00:00.000Z")
    );
    let first = page(&api, &format!("order={}", other["id"].as_str().unwrap())).await;
    let before = &first["data"][0]["data"]["order"]["expires_at"];
    assert_eq!(before, "2023-11-14T23:13:20.000Z", "as it was then");
    assert_eq!(
        page(&api, &format!("order={id}")).await["data"],
        told_of(&api, id).await
    );
}

/// The events of an order, by reading all.
async fn told_of(api: &Api, id: &str) -> Value {
    let all = page(api, "").await;
    let events = all["data"].as_array().unwrap().iter();
    let of_order = events.filter(|event| event["data"]["order"]["id"] == id);
    of_order.cloned().collect()
}

#[tokio::test]
async fn a_payment_that_went_elsewhere_is_shown_where_it_was() {
    let api = Api::open().await;
    let mut chain = Chain::new();
    let order = api.order("A").await;
    chain.mine(&api, &[(&order, "40", PAYER)], &[]).await;
    let refund = json!({"reference": "R-1", "amount": "10", "chain": "anvil",
        "to": PAYER, "reason": "too much"});
    let id = order["id"].as_str().unwrap();
    decide(&api, &format!("/v1/orders/{id}/refunds"), refund).await;
    let before = page(&api, "").await;
    chain.mine(&api, &[], &[(PAYER, "10")]).await;
    let told = page(&api, "types=order.refunded").await;
    let event = &told["data"][0];
    assert_eq!(
        event["changes"]["order.refunded"],
        json!({"from": "0", "to": "10"})
    );
    assert_eq!(event["data"]["payment"]["status"], "sent");
    assert_eq!(event["data"]["payment"]["order"], Value::Null);
    let sent = &event["data"]["order"]["refunds"][0];
    assert_eq!(
        (&sent["status"], &sent["amount"]),
        (&json!("sent"), &json!("10"))
    );
    assert_eq!(sent["payment"]["id"], event["data"]["payment"]["id"]);
    // What was told before is still told so.
    let again = page(&api, "limit=3").await;
    assert_eq!(again["data"], before["data"]);
    assert_eq!(again["data"][2]["data"]["order"]["refunds"], json!([]));
}

#[tokio::test]
async fn pages_are_read_on_and_filters_pass_over() {
    let api = Api::open().await;
    let (order, mut chain) = paid_in_parts(&api).await;
    let other = api.order("B").await;
    let stalled = ChainEvent {
        chain_id: chain_id(31_337),
        kind: ChainEventKind::Stalled,
        detail: "nothing new".to_owned(),
    };
    let now = paywatch_core::Timestamp::from_unix_ms(api.now_ms()).unwrap();
    api.store.tell_of_chain(&stalled, now).await.unwrap();

    let mut read = Vec::new();
    let mut after = 0;
    loop {
        let page = page(&api, &format!("after={after}&limit=4")).await;
        let events = page["data"].as_array().unwrap().clone();
        assert_eq!(page["has_more"], events.len() == 4);
        after = page["next_after"].as_u64().unwrap();
        let is_last = events.is_empty();
        read.extend(events);
        if is_last {
            break;
        }
    }
    let numbers: Vec<_> = read
        .iter()
        .map(|event| event["sequence"].as_u64())
        .collect();
    assert_eq!(numbers, (1..=11).map(Some).collect::<Vec<_>>());
    assert_eq!(after, 11);

    let id = other["id"].as_str().unwrap();
    assert_eq!(names(&api, &format!("order={id}")).await, ["order.created"]);
    assert_eq!(names(&api, "types=chain.*").await, ["chain.stalled"]);
    let last = page(&api, "types=chain.stalled").await["data"][0].clone();
    assert_eq!(last["order_sequence"], Value::Null);
    assert_eq!(
        last["data"],
        json!({"chain": {"chain_id": 31_337, "chain": "anvil", "detail": "nothing new"}})
    );
    assert_eq!(last["changes"], json!({}));
    let two = "types=order.overpaid,payment.*&after=3&limit=2";
    assert_eq!(
        names(&api, two).await,
        ["payment.detected", "order.overpaid"]
    );
    assert_eq!(page(&api, two).await["next_after"], 6);
    let id = order["id"].as_str().unwrap();
    let of_order = format!("types=payment.confirmed&order={id}&after=7");
    assert_eq!(names(&api, &of_order).await, ["payment.confirmed"]);
    assert_eq!(page(&api, &of_order).await["next_after"], 11);
    assert_eq!(page(&api, "after=11&types=order.*").await["next_after"], 11);
    assert_eq!(page(&api, "after=99").await["next_after"], 99);
    chain.mine(&api, &[(&other, "1", PAYER)], &[]).await;
    assert_eq!(
        names(&api, "after=11&types=order.*").await,
        ["order.partially_paid"]
    );
}

#[tokio::test]
async fn a_client_waits_for_the_next_event() {
    let api = Api::open().await;
    api.order("A").await;
    let begun = Instant::now();
    assert_eq!(names(&api, "after=1&timeout=1").await, [""; 0]);
    assert!(begun.elapsed() >= Duration::from_millis(900));
    let waiting = names(&api, "after=1&timeout=30&types=order.partially_paid");
    let paying = async {
        let order = api.order("B").await;
        Chain::new().mine(&api, &[(&order, "1", PAYER)], &[]).await;
    };
    let (told, ()) = tokio::join!(waiting, paying);
    assert_eq!(told, ["order.partially_paid"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "as it happens");
    let begun = Instant::now();
    assert_eq!(names(&api, "timeout=30").await.len(), 4);
    assert!(begun.elapsed() < Duration::from_secs(20), "at once");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let api = Api::open().await;
    for (query, field, text) in [
        ("types=order.payed", "types", "order.partially_paid"),
        ("types=", "types", "order.*"),
        ("types=order", "types", "order.*"),
        ("after=-1", "after", "sequence"),
        ("after=x", "after", "sequence"),
        ("order=INV-1", "order", "not an id"),
        ("limit=0", "limit", "between 1 and 500"),
        ("limit=501", "limit", "between 1 and 500"),
        ("timeout=31", "timeout", "between 0 and 30"),
        ("cursor=c1", "cursor", "known are after, types"),
        ("after=1&after=2", "after", "twice"),
    ] {
        let answer = api.get(&format!("/v1/events?{query}")).await;
        let problem = answer.problem(422, "invalid_fields");
        let error = &problem["errors"][0];
        assert_eq!(error["field"], field, "{query}: {problem}");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(text), "{query}: {detail}");
    }
    for id in [
        "evt_00000000000000000000000000000000",
        "1",
        "%ff",
        "evt_0000000000000000000000000000000%00",
    ] {
        let path = format!("/v1/events/{id}");
        api.get(&path).await.problem(404, "not_found");
    }
}
