//! Services are told of what happens, whatever happens to the chain or the daemon.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::pkcs8::DecodePublicKey as _;
use paywatch_client::CreateWebhook;
use paywatch_core::{EndpointId, EndpointKind, EventFormat, Timestamp};
use paywatch_notifier::{Secret, SecretKind};
use paywatch_store::{EndpointOutcome, NewEndpoint, Store};
use paywatch_tests::chain::{Chain, PAYER};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::receiver::Receiver;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::{tools, wait};
use secrecy::SecretString;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use uuid::Uuid;

on_both_engines!(
    what_a_chain_takes_back_is_told_and_told_again_when_it_returns,
    a_daemon_that_is_killed_while_it_tells_loses_nothing,
);

/// A shop that may tell whoever listens at `address`.
async fn shop_that_tells(engine: Engine, address: &str) -> Shop {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let webhooks = format!(
        "[webhooks]\nallow_http = true\nallow = [\"{address}\"]\nretries = [\"1s\", \"1s\", \"1s\"]\n"
    );
    let sections = [webhooks, chain_section(&chain, CONFIRMATIONS)];
    Shop::open_with(engine, vec![chain], &sections).await
}

/// From now on `url` is told of everything.
async fn is_told(shop: &Shop, url: &str, secret: String) {
    let database = shop.daemon.database.parse().expect("a database URL");
    let store = Store::open(&database).await.expect("the books open");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = i64::try_from(now.expect("after 1970").as_millis()).expect("fits");
    let new = NewEndpoint {
        id: EndpointId::from_bytes(*Uuid::now_v7().as_bytes()),
        kind: EndpointKind::Webhook,
        name: "the story".to_owned(),
        url: url.to_owned(),
        format: EventFormat::Standard,
        types: "*".parse().expect("types"),
        secrets: vec![SecretString::from(secret)],
        created_at: Timestamp::from_unix_ms(now).expect("a time"),
    };
    let made = store.create_endpoint(&new, None).await.expect("an answer");
    assert!(matches!(made, EndpointOutcome::Done(_)), "{made:?}");
    store.close().await;
}

async fn hears(receiver: &Receiver, kinds: &[&str]) {
    wait::until(&format!("{kinds:?} to be told"), || async {
        let told = receiver.told();
        let told: Vec<_> = told.iter().map(|arrival| arrival.kind.as_str()).collect();
        if told == kinds {
            Ok(())
        } else {
            Err(told.join(", "))
        }
    })
    .await;
}

async fn what_a_chain_takes_back_is_told_and_told_again_when_it_returns(engine: Engine) {
    let secret = Secret::generate(SecretKind::Shared).expect("randomness");
    let receiver = Receiver::open(secret.reveal().as_str()).await;
    let mut shop = shop_that_tells(engine, &receiver.address().to_string()).await;
    is_told(&shop, &receiver.url(), secret.reveal().to_string()).await;
    let order = shop.order("TOLD-1", "25").await;
    shop.chain().pays(PAYER, pay_to(&order), "25").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.catches_up().await;
    let told = [
        "order.created",
        "payment.detected",
        "order.paid",
        "payment.confirmed",
        "order.completed",
    ];
    hears(&receiver, &told).await;

    shop.chain().reorgs(4, &[]).await;
    shop.sees(&order, "awaiting_payment").await;
    wait::until("the loss to be told", || async {
        let kinds: Vec<_> = receiver.told().into_iter().map(|it| it.kind).collect();
        let is_told = |kind: &str| kinds.iter().any(|told| told == kind);
        let all = ["payment.reverted", "order.reverted"]
            .into_iter()
            .all(is_told);
        if all { Ok(()) } else { Err(kinds.join(", ")) }
    })
    .await;

    shop.chain().pays(PAYER, pay_to(&order), "25").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    wait::until("the completion to be told again", || async {
        let told = receiver.told();
        let again = told
            .iter()
            .filter(|it| it.kind == "order.completed")
            .count();
        if again == 2 {
            Ok(())
        } else {
            Err(format!("{again} times"))
        }
    })
    .await;
    let last = receiver.told().pop().expect("something was told");
    let last: Value = serde_json::from_slice(&last.body).expect("JSON");
    assert_eq!(last["type"], "order.completed");
    assert_eq!(last["data"]["order"]["status"], "completed");
    assert_eq!(last["data"]["order"]["flags"][0], "reverted");
    assert_eq!(receiver.forged(), 0);
    shop.close().await;
}

/// SIGKILL at random moments: nothing is lost, nothing comes unsigned, what comes twice has one id.
async fn a_daemon_that_is_killed_while_it_tells_loses_nothing(engine: Engine) {
    let program = tools::root().join("target/debug/paywatch-bench");
    let name = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let output = Command::new(program)
        .args(["fire", name])
        .env("PAYWATCH_BENCH_EVENTS", "6000")
        .output()
        .await
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let erred = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{erred}");
    assert!(said.contains("none unsigned"), "{said}");
}

type Calls = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// What a client of that gateway does: the fields in the order of their names, then the time.
fn signed_text(body: &Value, time: &str) -> String {
    let fields = body.as_object().expect("an object");
    let pairs = fields.iter().map(|(name, value)| match value.as_str() {
        Some(text) => format!("{name}={text}"),
        None => format!("{name}={value}"),
    });
    let mut pairs: Vec<String> = pairs.collect();
    pairs.sort();
    format!("{}&time={time}", pairs.join("&"))
}

/// Makes a webhook in that gateway's form, and gives it another key; returns the one that signs.
async fn till_in_their_form(shop: &Shop, url: String) -> String {
    let till = CreateWebhook {
        name: "till".to_owned(),
        url,
        format: Some("blockatm".to_owned()),
        ..CreateWebhook::default()
    };
    let made = shop
        .client()
        .create_webhook(&till)
        .await
        .expect("a webhook");
    let id = made.webhook.id;
    let rotated = shop
        .client()
        .rotate_webhook_secret(&id, 0, "as every year")
        .await;
    rotated.expect("another key");
    let shown = shop.client().webhook(&id).await.expect("it is there");
    let public_key = shown.public_key.expect("a key");
    assert_ne!(
        made.webhook.public_key.as_deref(),
        Some(public_key.as_str())
    );
    public_key
}

#[tokio::test]
async fn a_shop_that_knew_a_gateway_is_told_in_its_form() {
    let calls = Calls::default();
    let kept = Arc::clone(&calls);
    let hook = move |headers: HeaderMap, body: Bytes| async move {
        kept.lock().expect("nobody panics").push((headers, body));
        StatusCode::OK
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let _served = axum::serve(listener, Router::new().route("/hook", post(hook))).await;
    });
    let mut shop = shop_that_tells(Engine::Sqlite, &address.to_string()).await;
    let public_key = till_in_their_form(&shop, format!("http://{address}/hook")).await;
    let order = shop.order("TOLD-2", "40").await;
    let paid = shop.chain().pays(PAYER, pay_to(&order), "15.5").await;
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
    server.abort();
    let public = STANDARD.decode(public_key).expect("base64");
    let public = VerifyingKey::from_public_key_der(&public).expect("a key");
    let calls = calls.lock().expect("nobody panics").clone();
    for ((headers, body), status) in calls.iter().zip([0, 1]) {
        let header = |name| headers[name].to_str().expect("text");
        let body: Value = serde_json::from_slice(body).expect("JSON");
        assert_eq!(header("BlockATM-Event"), "QR-Payment");
        let text = signed_text(&body, header("BlockATM-Request-Time"));
        let signature = STANDARD
            .decode(header("BlockATM-Signature-V1"))
            .expect("base64");
        let signature = DerSignature::try_from(signature.as_slice()).expect("DER");
        public
            .verify(text.as_bytes(), &signature)
            .expect("it is signed");
        assert_eq!(body["status"], status);
        assert_eq!(body["amount"].to_string(), "15.5");
        assert_eq!(body["orderNo"], "TOLD-2");
        assert_eq!(body["platOrderNo"], order.id.as_str());
        assert_eq!(body["txId"], paid.transaction_hash.to_string());
        assert_eq!(
            (body["type"].clone(), body["chainId"].clone()),
            (2.into(), 31_337.into())
        );
    }
    shop.close().await;
}
