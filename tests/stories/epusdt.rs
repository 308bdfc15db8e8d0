//! A shop whose plugin knows epusdt: it makes an order there, and is told once that it is complete.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use paywatch_tests::chain::{Chain, PAYER};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop};
use paywatch_tests::wait;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const TOKEN: &str = "what-only-the-two-know";

on_both_engines!(a_plugin_for_epusdt_is_told_until_it_says_ok);

type Calls = Arc<Mutex<Vec<Value>>>;

/// MD5 as every system has it, so that we do not check ourselves.
async fn md5(text: &str) -> String {
    use std::process::Stdio;
    use tokio::io::AsyncWriteExt as _;
    let mut child = tokio::process::Command::new("md5sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("md5sum is there");
    let mut stdin = child.stdin.take().expect("its input");
    let signed = format!("{text}{TOKEN}");
    stdin.write_all(signed.as_bytes()).await.expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().await.expect("it ends");
    let said = String::from_utf8(output.stdout).expect("text");
    said.split_whitespace().next().expect("a hash").to_owned()
}

/// The fields in the order of their names, without the signature.
fn signed_text(object: &Value) -> String {
    let object = object.as_object().expect("an object");
    let fields = object.iter().filter(|(name, _)| *name != "signature");
    let mut pairs: Vec<String> = fields
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={value}"),
        })
        .collect();
    pairs.sort();
    pairs.join("&")
}

async fn creates(shop: &Shop, notify_url: &str) -> Value {
    let mut asked = json!({"order_id": "PLUGIN-1", "amount": 72, "notify_url": notify_url});
    asked["signature"] = md5(&signed_text(&asked)).await.into();
    let base = shop.daemon.url();
    let url = base.join("/api/v1/order/create-transaction");
    let client = reqwest::Client::new();
    let answer = client.post(url.expect("a URL")).json(&asked).send().await;
    let answer: Value = answer.expect("it answers").json().await.expect("JSON");
    assert_eq!(answer["status_code"], 200, "{answer}");
    answer["data"].clone()
}

/// A shop that serves a plugin, which it may tell at `address`.
async fn shop_with_a_plugin(engine: Engine, address: &str) -> Shop {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let sections = [
        format!(
            "[webhooks]\nallow_http = true\nallow = [\"{address}\"]\ncallbacks = true\n\
             retries = [\"1s\", \"1s\", \"1s\"]\n"
        ),
        format!(
            "[epusdt]\ntoken = \"{TOKEN}\"\nrate = \"7.2\"\ncurrency = \"CNY\"\n\
             default_trade_type = \"usdt.anvil\"\n\
             [epusdt.trade_types]\n\"usdt.anvil\" = {{ chain = \"anvil\" }}\n"
        ),
        chain_section(&chain, CONFIRMATIONS),
    ];
    Shop::open_with(engine, vec![chain], &sections).await
}

async fn a_plugin_for_epusdt_is_told_until_it_says_ok(engine: Engine) {
    let calls = Calls::default();
    let kept = Arc::clone(&calls);
    let notify = move |body: Bytes| async move {
        let told = serde_json::from_slice(&body).expect("JSON");
        let mut calls = kept.lock().expect("nobody panics");
        calls.push(told);
        // Whatever it thinks, it answers with 200.
        if calls.len() == 1 { "fail" } else { "ok" }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let _served = axum::serve(listener, Router::new().route("/notify", post(notify))).await;
    });
    let shop = shop_with_a_plugin(engine, &address.to_string()).await;
    let made = creates(&shop, &format!("http://{address}/notify")).await;
    assert_eq!(made["actual_amount"].to_string(), "10");
    let pay_to = made["token"].as_str().expect("an address");
    let paid = shop
        .chain()
        .pays(PAYER, pay_to.parse().expect("an address"), "10")
        .await;
    assert!(
        calls.lock().expect("nobody panics").is_empty(),
        "not before it is final"
    );
    shop.becomes_final().await;
    wait::until("two calls", || async {
        let count = calls.lock().expect("nobody panics").len();
        if count == 2 {
            Ok(())
        } else {
            Err(count.to_string())
        }
    })
    .await;
    let told = calls.lock().expect("nobody panics").clone();
    assert_eq!(told[0], told[1], "it is told the same again");
    let told = &told[0];
    assert_eq!(told["status"], 2);
    assert_eq!(told["trade_id"], made["trade_id"]);
    assert_eq!(told["order_id"], "PLUGIN-1");
    assert_eq!(
        (
            told["amount"].to_string(),
            told["actual_amount"].to_string()
        ),
        ("72".to_owned(), "10".to_owned())
    );
    assert_eq!(told["token"], made["token"]);
    assert_eq!(
        told["block_transaction_id"],
        paid.transaction_hash.to_string()
    );
    assert_eq!(told["signature"], md5(&signed_text(told)).await.as_str());
    // It has said that it knows: nothing waits any more.
    let id = made["trade_id"].as_str().expect("an id");
    let order = shop.client().order(id).await.expect("the order");
    assert_eq!(order.status, "completed");
    server.abort();
    shop.close().await;
}
