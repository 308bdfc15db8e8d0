//! What a payer's page is told as it happens.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode};
use futures::StreamExt as _;
use paywatch_api::{Access, LimitSettings, StreamSettings};
use serde_json::Value;
use tokio::time::timeout;

use super::{PAYER, assert_strict_headers, path, status, visit};
use crate::api::{Api, limits};
use crate::chain::Chain;

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

async fn follows(api: &Api, order: &Value) -> BodyDataStream {
    let request = Request::get(format!("{}/stream", path(order)));
    let answer = api.open_body(request.body(Body::empty()).unwrap()).await;
    let (parts, body) = answer.into_parts();
    assert_eq!(parts.status, StatusCode::OK);
    assert_eq!(parts.headers["content-type"], "text/event-stream");
    assert_strict_headers(&parts.headers, "no-store");
    body.into_data_stream()
}

/// The next standing that is told.
async fn told(stream: &mut BodyDataStream) -> Value {
    loop {
        let message = timeout(PATIENCE, stream.next()).await;
        let message = message.expect("in time").expect("it goes on").unwrap();
        let message = std::str::from_utf8(&message).unwrap();
        if let Some(rest) = message.strip_prefix("event: status\ndata: ") {
            return serde_json::from_str(rest.trim_end()).unwrap();
        }
    }
}

#[tokio::test]
async fn a_page_is_told_what_becomes_of_its_order_and_of_no_other() {
    let api = Api::open().await;
    let mut chain = Chain::new();
    let (order, other) = (api.order("A").await, api.order("B").await);
    let mut stream = follows(&api, &order).await;
    assert_eq!(told(&mut stream).await["status"], "awaiting_payment");
    chain.mine(&api, &[(&other, "100", PAYER)], &[]).await;
    chain.mine(&api, &[(&order, "40", PAYER)], &[]).await;
    let part = told(&mut stream).await;
    assert_eq!(part, status(&api, &order).await);
    assert_eq!(
        (&part["received"], &part["remaining"]),
        (&"40".into(), &"60".into())
    );
    assert_eq!(part["confirmations"]["so_far"], 1);
    // No event tells of a block.
    chain.mine(&api, &[], &[]).await;
    assert_eq!(told(&mut stream).await["confirmations"]["so_far"], 2);
    chain.mine(&api, &[(&order, "60", PAYER)], &[]).await;
    let paid = told(&mut stream).await;
    assert_eq!(paid["status"], "paid");
    for private in ["id", "reference", "metadata", "payments", "order"] {
        assert_eq!(paid.get(private), None, "{private}");
    }
}

#[tokio::test]
async fn too_many_pages_of_an_address_have_to_ask() {
    let api = Api::open().await;
    let streams = StreamSettings {
        of_each: 2,
        of_all: 10,
    };
    let limits = LimitSettings {
        streams,
        ..limits(600, 1_000)
    };
    let api = api.with(limits, Access::default());
    let order = api.order("A").await;
    let _two = (follows(&api, &order).await, follows(&api, &order).await);
    let stream = format!("{}/stream", path(&order));
    let refused = visit(&api, &stream).await;
    refused.problem(429, "too_many_streams");
    assert_eq!(status(&api, &order).await["status"], "awaiting_payment");
    let unknown = "/pay/chk_00000000000000000000000000000000/stream";
    visit(&api, unknown).await.problem(404, "not_found");
}
