//! The page on which an order is paid, as a browser without scripts sees it.

mod codes;
mod following;
mod policy;

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use crate::api::{Answer, Api, PAY_AT};
use crate::chain::Chain;

/// Who pays in these tests.
const PAYER: &str = "0xFFfFfFffFFfffFFfFFfFFFFFffFFFffffFfFFFfF";

/// The path of an order's page, as the daemon sees it behind the merchant's proxy.
fn path(order: &Value) -> String {
    let url = order["checkout_url"].as_str().expect("it has a page");
    url.strip_prefix(PAY_AT).expect("the public URL").to_owned()
}

/// Gets `path` as a payer does: without a key.
async fn visit(api: &Api, path: &str) -> Answer {
    let request = Request::get(path).body(Body::empty());
    api.send(request.expect("a request")).await
}

async fn page(api: &Api, path: &str) -> String {
    let answer = visit(api, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_strict(&answer, "no-store");
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    answer.text()
}

async fn status(api: &Api, order: &Value) -> Value {
    let answer = visit(api, &format!("{}/status", path(order))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_strict(&answer, "no-store");
    answer.json()
}

#[track_caller]
fn assert_strict(answer: &Answer, cache: &str) {
    assert_strict_headers(&answer.headers, cache);
}

#[track_caller]
fn assert_strict_headers(headers: &HeaderMap, cache: &str) {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(
        header("content-security-policy"),
        Some(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
    assert_eq!(header("cache-control"), Some(cache));
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    assert_eq!(header("set-cookie"), None);
}

/// The values of an attribute in a page, without escapes.
fn values(page: &str, attribute: &str) -> Vec<String> {
    let begins = format!(" {attribute}=\"");
    let rest = page.split(&begins).skip(1);
    rest.filter_map(|rest| rest.split('"').next())
        .map(|value| value.replace("&#38;", "&"))
        .collect()
}

async fn made(api: &Api, body: Value) -> Value {
    let answer = api.post(body.to_string()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()
}

fn option<'a>(order: &'a Value, chain: &str) -> &'a Value {
    let mut options = order["options"].as_array().unwrap().iter();
    options.find(|option| option["chain"] == chain).unwrap()
}

#[tokio::test]
async fn the_page_says_what_is_to_be_paid_and_where_to() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let id = order["id"].as_str().unwrap();
    let read = api.get(&format!("/v1/orders/{id}")).await.json();
    assert_eq!(read["checkout_url"], order["checkout_url"]);
    let other = api.order("INV-2").await;
    assert_ne!(order["checkout_url"], other["checkout_url"]);

    let shown = page(&api, &path(&order)).await;
    let address = option(&order, "anvil")["address"].as_str().unwrap();
    for part in [
        ">Waiting for your payment<",
        &format!(">{address}</code>"),
        r#"<code id="amount" aria-labelledby="amount-label">100</code>"#,
        "USDT on anvil",
        ">BNB Smart Chain (BEP-20)</a>",
        r#"<a href="?chain=anvil" aria-current="true">anvil</a>"#,
        r#"<noscript><meta http-equiv="refresh" content="10"></noscript>"#,
        "Time left: <span id=\"left\" role=\"timer\">60 minutes</span>",
        "14 November 2023, 23:13 UTC",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let uri = option(&order, "anvil")["uri"].as_str().unwrap();
    assert!(values(&shown, "href").contains(&uri.to_owned()), "{shown}");
}

#[tokio::test]
async fn another_network_is_chosen_by_a_link() {
    let api = Api::open().await;
    let order = api.order("INV-1").await;
    let shown = page(&api, &path(&order)).await;
    assert!(
        values(&shown, "href").contains(&"?chain=bnb".to_owned()),
        "{shown}"
    );

    let other = page(&api, &format!("{}?chain=bnb", path(&order))).await;
    let [image] = values(&other, "src")
        .into_iter()
        .filter(|src| src.contains("qr.svg"))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert!(
        image.contains("chain=bnb") && image.contains("amount=100000000000000000000"),
        "{image}"
    );
    assert!(
        other.contains("USDT on BNB Smart Chain (BEP-20)"),
        "{other}"
    );
    let drawn = visit(&api, &format!("/pay/{image}")).await;
    assert_eq!(drawn.header("content-type"), Some("image/svg+xml"));
    assert_strict(&drawn, "no-store");

    let plain = page(&api, &format!("{}?chain=bnb&qr=address", path(&order))).await;
    assert!(
        values(&plain, "src")
            .iter()
            .any(|src| src.ends_with("&plain=true")),
        "{plain}"
    );
    // What means nothing is passed over, and what nobody offers is not drawn.
    for query in [
        "chain=polygon",
        "chain=%22%3E%3Cb%3E",
        "method=contract",
        "x=1&x=2",
        "chain=%ff",
    ] {
        let same = page(&api, &format!("{}?{query}", path(&order))).await;
        assert!(same.contains("USDT on anvil"), "{query}: {same}");
    }
    let drawn = visit(&api, &format!("{}/qr.svg?chain=polygon", path(&order))).await;
    drawn.problem(409, "refused");
}

#[tokio::test]
async fn the_status_holds_what_a_payer_may_know_and_nothing_else() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let order = api.order("INV-1").await;
    let open = status(&api, &order).await;
    let names: BTreeSet<&str> = open
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        BTreeSet::from([
            "amount",
            "confirmations",
            "confirmed",
            "excess",
            "expires_at",
            "flags",
            "payable",
            "received",
            "refunded",
            "remaining",
            "revision",
            "seconds_left",
            "status",
        ])
    );
    assert_eq!(
        (&open["payable"], &open["seconds_left"]),
        (&json!(true), &json!(3_600))
    );
    api.wait(60);
    let later = status(&api, &order).await;
    assert_eq!(later["seconds_left"], 3_540);
    assert_eq!(
        later["revision"], open["revision"],
        "time alone is no change"
    );

    chain.mine(&api, &[(&order, "40", PAYER)], &[]).await;
    let partly = status(&api, &order).await;
    assert_ne!(partly["revision"], open["revision"]);
    for (name, value) in [
        ("status", json!("partially_paid")),
        ("received", json!("40")),
        ("remaining", json!("60")),
        ("confirmations", json!({"so_far": 1, "needed": 3})),
    ] {
        assert_eq!(partly[name], value, "{name}");
    }
    chain.mine(&api, &[(&order, "60", PAYER)], &[]).await;
    let paid = status(&api, &order).await;
    assert_eq!(
        paid["confirmations"],
        json!({"so_far": 1, "needed": 3}),
        "the later payment"
    );
    for _ in 0..3 {
        chain.mine(&api, &[], &[]).await;
    }
    let completed = status(&api, &order).await;
    assert_eq!(
        (&completed["status"], &completed["confirmations"]),
        (&json!("completed"), &Value::Null)
    );
}

#[tokio::test]
async fn the_rest_is_asked_for_and_nothing_once_it_is_there() {
    let (api, mut chain) = (Api::open().await, Chain::new());
    let order = api.order("INV-1").await;
    let address = option(&order, "anvil")["address"].as_str().unwrap();
    chain.mine(&api, &[(&order, "40", PAYER)], &[]).await;
    let partly = page(&api, &path(&order)).await;
    for part in [
        "60 USDT are missing",
        "40 of 100 USDT have arrived",
        "amount=60000000",
        ">60</code>",
        "1 of 3 confirmations",
    ] {
        assert!(partly.contains(part), "{part}: {partly}");
    }
    chain.mine(&api, &[(&order, "62", PAYER)], &[]).await;
    let paid = page(&api, &path(&order)).await;
    for part in [
        "Payment received",
        "You sent 2 USDT more than was asked for. Ask Tea &#38;",
    ] {
        assert!(paid.contains(part), "{part}: {paid}");
    }
    for _ in 0..3 {
        chain.mine(&api, &[], &[]).await;
    }
    let completed = page(&api, &path(&order)).await;
    assert!(completed.contains("<h2>Paid</h2>"), "{completed}");
    for page in [paid, completed] {
        assert!(
            !page.contains(address) && !page.contains("qr.svg"),
            "{page}"
        );
    }
    visit(&api, &format!("{}/qr.svg", path(&order)))
        .await
        .problem(409, "refused");
}

#[tokio::test]
async fn nobody_is_told_to_pay_after_the_deadline_or_a_cancelled_order() {
    let api = Api::open().await;
    let (late, cancelled) = (api.order("INV-1").await, api.order("INV-2").await);
    let id = cancelled["id"].as_str().unwrap();
    let cancel = Request::post(format!("/v1/orders/{id}/cancel"))
        .header("authorization", api.authorization())
        .header("content-type", "application/json")
        .body(Body::from(r#"{"reason": "sold out"}"#));
    assert_eq!(api.send(cancel.unwrap()).await.status, StatusCode::OK);
    let shown = page(&api, &path(&cancelled)).await;
    assert!(
        shown.contains("This order was cancelled") && !shown.contains("sold out"),
        "{shown}"
    );
    assert!(!shown.contains("qr.svg"), "{shown}");

    api.wait(3_601);
    let over = page(&api, &path(&late)).await;
    assert!(over.contains("The time to pay is over"), "{over}");
    let address = option(&late, "anvil")["address"].as_str().unwrap();
    assert!(!over.contains(address), "{over}");
    assert_eq!(status(&api, &late).await["payable"], false);
    let id = late["id"].as_str().unwrap();
    for kind in ["svg", "png"] {
        api.get(&format!("/v1/orders/{id}/qr.{kind}"))
            .await
            .problem(409, "refused");
    }
}
