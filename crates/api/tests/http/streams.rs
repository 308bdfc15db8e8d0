//! Events as they are written: nothing is missed, nothing comes twice, and streams end.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, Request, StatusCode};
use futures::StreamExt as _;
use futures::future::join_all;
use paywatch_api::{Access, LimitSettings, StreamSettings};
use paywatch_core::{ChainEvent, ChainEventKind, DecisionKind, Timestamp};
use paywatch_store::{KeyTerms, Store};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::api::{Api, chain_id, decision, limits};
use crate::chain::Chain;
use crate::events::page;

/// Who pays in these tests.
const PAYER: &str = "0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF";
/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who follows the events.
struct Listening {
    headers: HeaderMap,
    body: BodyDataStream,
    text: String,
}

/// A message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    id: u64,
    event: String,
    data: Value,
}

impl Listening {
    /// Follows with this query and these headers, beside the key.
    async fn begin(api: &Api, key: &str, query: &str, last: Option<u64>) -> Self {
        let mut request = Request::get(format!("/v1/events/stream?{query}"))
            .header("authorization", key)
            .header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let answer = api.open_body(request.body(Body::empty()).unwrap()).await;
        let (parts, body) = answer.into_parts();
        assert_eq!(parts.status, StatusCode::OK, "{query}");
        Self {
            headers: parts.headers,
            body: body.into_data_stream(),
            text: String::new(),
        }
    }

    /// The next message; `None` once the stream has ended.
    async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((message, rest)) = self.text.split_once("\n\n") {
                let message = read(message);
                self.text = rest.to_owned();
                if message.is_some() {
                    return message;
                }
            }
            let more = timeout(PATIENCE, self.body.next()).await;
            let more = more.expect("something in time")?.expect("bytes");
            self.text.push_str(std::str::from_utf8(&more).unwrap());
        }
    }

    /// What comes before all messages.
    async fn beginning(&mut self) -> String {
        let first = timeout(PATIENCE, self.body.next()).await;
        let first = first.expect("something in time").expect("bytes").unwrap();
        std::str::from_utf8(&first).unwrap().trim_end().to_owned()
    }

    /// The numbers of the next `count` messages.
    async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            numbers.push(self.next().await.expect("it goes on").id);
        }
        numbers
    }
}

/// A message, if the lines are one: comments and what says when to come back are not.
fn read(lines: &str) -> Option<Message> {
    let of = |name: &str| {
        let mut lines = lines.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(Message {
        id: of("id")?.parse().unwrap(),
        event: of("event")?.to_owned(),
        data: serde_json::from_str(of("data")?).unwrap(),
    })
}

async fn tell(store: &Store, count: u64) {
    let stalled = ChainEvent {
        chain_id: chain_id(31_337),
        kind: ChainEventKind::Stalled,
        detail: "nothing new".to_owned(),
    };
    for _ in 0..count {
        store
            .tell_of_chain(&stalled, Timestamp::EPOCH)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_stream_tells_what_the_list_holds_and_is_taken_up_again() {
    let api = Api::open().await;
    let key = api.authorization();
    let mut chain = Chain::new();
    let order = api.order("A").await;
    let mut all = Listening::begin(&api, &key, "after=0", None).await;
    assert_eq!(all.headers["content-type"], "text/event-stream");
    assert_eq!(all.headers["cache-control"], "no-store");
    let first = all.next().await.unwrap();
    assert_eq!((first.id, first.event.as_str()), (1, "order.created"));
    let mut news = Listening::begin(&api, &key, "", None).await;
    assert_eq!(news.beginning().await, "retry: 2000\nid: 1");
    chain.mine(&api, &[(&order, "40", PAYER)], &[]).await;
    let told = [news.next().await.unwrap(), news.next().await.unwrap()];
    assert_eq!([told[0].id, told[1].id], [2, 3], "from now on");
    assert_eq!(all.numbers(2).await, [2, 3]);
    drop((all, news));

    chain.mine(&api, &[(&order, "60", PAYER)], &[]).await;
    // What a browser remembers goes before what the URL says.
    let mut again = Listening::begin(&api, &key, "after=0", Some(3)).await;
    let mut told = told.to_vec();
    while told.len() < 4 {
        told.push(again.next().await.unwrap());
    }
    let listed = page(&api, "after=1").await;
    let data: Vec<_> = told.iter().map(|message| message.data.clone()).collect();
    assert_eq!(json!(data), listed["data"]);
    for message in &told {
        assert_eq!(message.data["sequence"], message.id);
        assert_eq!(message.data["type"], message.event.as_str());
    }
}

#[tokio::test]
async fn filters_hold_in_the_past_and_from_now_on() {
    let api = Api::open().await;
    let key = api.authorization();
    let mut chain = Chain::new();
    let (one, other) = (api.order("A").await, api.order("B").await);
    let id = one["id"].as_str().unwrap();
    let mut of_one = Listening::begin(&api, &key, &format!("after=0&order={id}"), None).await;
    let query = "after=0&types=order.*,token.*";
    let mut of_orders = Listening::begin(&api, &key, query, None).await;
    assert_eq!(of_one.numbers(1).await, [1]);
    assert_eq!(of_orders.numbers(2).await, [1, 2]);
    chain
        .mine(&api, &[(&one, "1", PAYER), (&other, "1", PAYER)], &[])
        .await;
    let mut told = of_one.numbers(2).await;
    told.extend(of_orders.numbers(2).await);
    let kind = async |number: u64| {
        let one = page(&api, &format!("after={}&limit=1", number - 1)).await;
        let event = one["data"][0].clone();
        (event["type"].clone(), event["data"]["order"]["id"] == id)
    };
    assert_eq!(kind(told[0]).await, (json!("payment.detected"), true));
    assert_eq!(kind(told[1]).await, (json!("order.partially_paid"), true));
    for number in &told[2..] {
        assert_eq!(kind(*number).await.0, json!("order.partially_paid"));
    }
    assert_ne!(told[2], told[3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_misses_anything_and_nothing_comes_twice() {
    const COUNT: usize = 1_500;
    let api = Api::open().await;
    let api = api.with(with_streams(200, 200), Access::default());
    let key = api.authorization();
    let told = u64::try_from(COUNT).unwrap();
    tell(&api.store, 10).await;
    // Some begin in the past, some now; some do not read until everything has been told.
    let mut quick = Vec::new();
    let mut slow = Vec::new();
    for place in 0..40 {
        let (place_of_it, query) = if place % 5 == 0 {
            (10, String::new())
        } else {
            (place % 10, format!("after={}", place % 10))
        };
        let listening = Listening::begin(&api, &key, &query, None).await;
        if place % 4 == 0 {
            &mut slow
        } else {
            &mut quick
        }
        .push((place_of_it, listening));
    }
    let store = api.store.clone();
    let telling = tokio::spawn(async move { tell(&store, told).await });
    let all = |(place, mut listening): (u64, Listening)| async move {
        let first = place.saturating_add(1);
        let count = COUNT.saturating_add(10) - usize::try_from(place).unwrap();
        let numbers = listening.numbers(count).await;
        let expected: Vec<u64> = (first..).take(count).collect();
        assert_eq!(numbers, expected);
    };
    join_all(quick.into_iter().map(all)).await;
    telling.await.unwrap();
    join_all(slow.into_iter().map(all)).await;
}

#[tokio::test]
async fn the_first_event_after_the_first_listener_is_not_held_back() {
    for turns in 0..60 {
        let api = Api::open().await;
        tell(&api.store, 3).await;
        let mut first = Listening::begin(&api, &api.authorization(), "", None).await;
        assert_eq!(first.beginning().await, "retry: 2000\nid: 3");
        // Somewhere between his look at the books and that of whoever reads on.
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        tell(&api.store, 1).await;
        let told = timeout(Duration::from_secs(5), first.next()).await;
        assert_eq!(told.expect("at once").unwrap().id, 4, "after {turns} turns");
    }
}

fn with_streams(of_each: usize, of_all: usize) -> LimitSettings {
    LimitSettings {
        streams: StreamSettings { of_each, of_all },
        ..limits(600, 100_000)
    }
}

#[tokio::test]
async fn too_many_streams_are_refused_until_one_ends() {
    let api = Api::open().await;
    let api = api.with(with_streams(2, 3), Access::default());
    let (key, id) = api.another_key(KeyTerms::unlimited()).await;
    let first = Listening::begin(&api, &key, "", None).await;
    let _second = Listening::begin(&api, &key, "", None).await;
    let refused = async |key: &str| {
        let request = Request::get("/v1/events/stream").header("authorization", key);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        let problem = answer.problem(429, "too_many_streams");
        assert_eq!(answer.header("retry-after"), Some("10"));
        problem["detail"].as_str().unwrap().to_owned()
    };
    assert!(refused(&key).await.contains(&id));
    let _other = Listening::begin(&api, &api.authorization(), "", None).await;
    assert!(refused(&api.authorization()).await.contains("too many"));
    drop(first);
    let begun = Instant::now();
    loop {
        let request = Request::get("/v1/events/stream").header("authorization", &key);
        let answer = api.open_body(request.body(Body::empty()).unwrap()).await;
        if answer.status() == StatusCode::OK {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "its place is free again");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    let api = Api::open().await;
    let (key, id) = api.another_key(KeyTerms::unlimited()).await;
    let (ends_soon, _) = api
        .another_key(KeyTerms {
            expires_at: Some(Timestamp::from_unix_ms(api.now_ms() + 60_000).unwrap()),
            ..KeyTerms::unlimited()
        })
        .await;
    let mut revoked = Listening::begin(&api, &key, "", None).await;
    let mut expired = Listening::begin(&api, &ends_soon, "", None).await;
    let mut other = Listening::begin(&api, &api.authorization(), "", None).await;
    tell(&api.store, 1).await;
    for listening in [&mut revoked, &mut expired, &mut other] {
        assert_eq!(listening.numbers(1).await, [1]);
    }
    let now = Timestamp::from_unix_ms(api.now_ms()).unwrap();
    let revoke = decision(DecisionKind::RevokeKey, &id, now);
    assert!(api.store.revoke_api_key(&id, &revoke).await.unwrap());
    api.wait(61);
    assert_eq!(revoked.next().await, None);
    assert_eq!(expired.next().await, None);
    tell(&api.store, 1).await;
    assert_eq!(other.numbers(1).await, [2]);
}

#[tokio::test]
async fn wrong_beginnings_are_refused() {
    let api = Api::open().await;
    for (query, field) in [
        ("types=lost", "types"),
        ("after=x", "after"),
        ("limit=1", "limit"),
        ("timeout=1", "timeout"),
        ("order=1", "order"),
    ] {
        let answer = api.get(&format!("/v1/events/stream?{query}")).await;
        let problem = answer.problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    for wrong in ["x", "-1", "1.5", "evt_1"] {
        let request = Request::get("/v1/events/stream")
            .header("authorization", api.authorization())
            .header("last-event-id", wrong);
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        let problem = answer.problem(400, "malformed_header");
        assert!(problem["detail"].to_string().contains("Last-Event-ID"));
    }
}
