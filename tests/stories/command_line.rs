//! What an operator does at a shell, with the real program and a real daemon.

use paywatch_client::{Client, ListDecisions};
use paywatch_tests::chain::{Chain, PAYER};
use paywatch_tests::daemon::{Daemon, chain_section};
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};
use paywatch_tests::wait;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// What a command printed, which must be JSON, after it went well.
async fn json(daemon: &Daemon, arguments: &[&str]) -> Value {
    let (went_well, out, error) = daemon.operator(arguments).await;
    assert!(went_well, "{arguments:?}: {error}");
    serde_json::from_str(&out).expect("it prints JSON")
}

/// Makes an order, shows it, lists it, and watches it until it is completed.
#[tokio::test]
async fn an_operator_makes_and_follows_an_order() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    let asked = [
        "order",
        "create",
        "--reference",
        "CLI-1",
        "--amount",
        "12.5",
        "--json",
    ];
    let made = json(&shop.daemon, &asked).await;
    assert_eq!(made["status"], "awaiting_payment");
    let again = json(&shop.daemon, &asked).await;
    assert_eq!(
        made["id"], again["id"],
        "the same request gives the same order"
    );

    let (went_well, _, error) = shop
        .daemon
        .operator(&["order", "create", "--reference", "CLI-1", "--amount", "13"])
        .await;
    assert!(
        !went_well && error.contains("CLI-1"),
        "another content is refused: {error}"
    );
    let (went_well, _, error) = shop
        .daemon
        .operator(&["order", "create", "--reference", "CLI-2", "--amount", "1e3"])
        .await;
    assert!(
        !went_well && error.contains("amount"),
        "the field is named: {error}"
    );

    let order = shop.order("SHOP-1", "12.5").await;
    let listed = json(&shop.daemon, &["order", "list", "--json"]).await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(2));

    shop.chain().pays(PAYER, pay_to(&order), "12.5").await;
    shop.becomes_final().await;
    let (went_well, out, error) = shop.daemon.operator(&["order", "watch", &order.id]).await;
    assert!(went_well && out.contains("completed"), "{out}{error}");
    let (went_well, out, error) = shop.daemon.operator(&["order", "show", &order.id]).await;
    assert!(went_well && out.contains("SHOP-1"), "{out}{error}");

    let chains = json(&shop.daemon, &["chains", "--json"]).await;
    assert!(chains.to_string().contains("anvil"), "{chains}");
    shop.close().await;
}

/// A key is shown once, listed without its text, and refused as soon as it is revoked.
#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut daemon = Daemon::new(Engine::Sqlite, &[chain_section(&chain, 3)]);
    daemon.start().await;
    let (went_well, listed, error) = daemon.operator(&["api-key", "list", "--json"]).await;
    assert!(went_well, "{error}");
    assert!(
        !listed.contains(daemon.key().expose_secret()),
        "never shown again"
    );
    let id = listed
        .split('"')
        .find(|text| text.starts_with("key_"))
        .expect("the key is listed")
        .to_owned();
    daemon.client().chains().await.expect("the key works");

    let (went_well, _, error) = daemon.operator(&["api-key", "revoke", &id]).await;
    assert!(went_well, "{error}");
    let refused = daemon
        .client()
        .chains()
        .await
        .expect_err("the key is refused");
    assert!(refused.to_string().contains("revoked"), "{refused}");
    let (went_well, _, error) = daemon.operator(&["chains"]).await;
    assert!(!went_well && error.contains("key"), "{error}");
    daemon.stop().await;
}

/// `init` writes a file that it never overwrites, and whose gaps are named.
#[tokio::test]
async fn init_writes_a_configuration_once() {
    let daemon = Daemon::new(Engine::Sqlite, &[]);
    let path = daemon.config();
    std::fs::remove_file(&path).expect("its configuration can be removed");
    let (went_well, said) = daemon.says(&["init"]).await;
    assert!(went_well, "{said}");
    let written = std::fs::read_to_string(&path).expect("it was written");
    assert!(
        written.contains("[treasury]") && written.contains('#'),
        "{written}"
    );

    let (went_well, said) = daemon.says(&["init"]).await;
    assert!(!went_well && said.contains("--force"), "{said}");
    assert_eq!(
        std::fs::read_to_string(&path).expect("it is there"),
        written
    );

    let (went_well, said) = daemon.says(&["check-config"]).await;
    assert!(
        !went_well && said.contains("treasury"),
        "the gaps are named: {said}"
    );
}

/// A key does what it was made for and no more, is replaced with an overlap, and the log of
/// decisions has it all.
#[tokio::test]
async fn a_key_is_scoped_rotated_and_revoked() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut daemon = Daemon::new(Engine::Sqlite, &[chain_section(&chain, 3)]);
    daemon.start().await;
    let till = "api-key create --name till --scopes orders:read,orders:write --expires-in 90d \
                --allow 127.0.0.0/8 --per-minute 1 --burst 2 --test --reason new-hall --json";
    let till: Vec<_> = till.split(' ').collect();
    let made = json(&daemon, &till).await;
    let (id, key) = (text(&made["id"]), text(&made["key"]));
    assert!(key.starts_with("pw_test_"), "{key}");
    let client = |key: &str| Client::new(daemon.url().clone(), key.to_owned().into()).expect("it");
    client(&key).chains().await.expect("it may see the chains");
    let refused = client(&key).decisions(&ListDecisions::default()).await;
    let refused = refused.expect_err("it is no operator").to_string();
    assert!(refused.contains("operator"), "{refused}");
    let refused = client(&key).chains().await.expect_err("twice at once");
    assert!(refused.to_string().contains("1 requests a minute"));

    let rotate = [
        "api-key",
        "rotate",
        id.as_str(),
        "--overlap",
        "1h",
        "--json",
    ];
    let successor = json(&daemon, &rotate).await;
    let new = client(&text(&successor["key"]));
    new.chains().await.expect("the new key works at once");
    let shown = json(&daemon, &["api-key", "show", &id, "--json"]).await;
    assert_eq!(shown["state"], "ending", "{shown}");
    assert_eq!(shown["successor"], successor["id"]);
    let heir = text(&successor["id"]);
    let shown = json(&daemon, &["api-key", "show", &heir, "--json"]).await;
    assert_eq!(shown["state"], "valid", "{shown}");
    assert_eq!(shown["scopes"], json!(["orders:read", "orders:write"]));
    assert_eq!(shown["networks"], json!(["127.0.0.0/8"]));
    let (went_well, _, error) = daemon.operator(&rotate).await;
    assert!(!went_well && error.contains("successor"), "{error}");

    let (went_well, _, error) = daemon.operator(&["api-key", "revoke", &heir]).await;
    assert!(went_well, "{error}");
    let refused = new.chains().await.expect_err("it is refused at once");
    assert!(refused.to_string().contains("revoked"), "{refused}");
    let log = json(&daemon, &["decisions", "--json"]).await;
    let decisions = log["data"].as_array().expect("a list");
    let kinds: Vec<_> = decisions.iter().map(|it| text(&it["kind"])).collect();
    assert_eq!(
        kinds,
        ["revoke_key", "rotate_key", "create_key", "create_key"]
    );
    assert_eq!(decisions[2]["reason"], "new-hall");
    let detail = text(&decisions[2]["detail"]);
    assert!(
        detail.contains(&id) && detail.contains("orders:write"),
        "{detail}"
    );
    assert!(!log.to_string().contains(&key), "no key is in the log");
    daemon.stop().await;
}

/// Who goes on when he is refused is blocked, which an operator sees and ends.
#[tokio::test]
async fn an_operator_lifts_a_block() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut daemon = Daemon::new(Engine::Sqlite, &[chain_section(&chain, 3)]);
    daemon.start().await;
    let slow = [
        "--name",
        "slow",
        "--per-minute",
        "1",
        "--burst",
        "1",
        "--json",
    ];
    let slow = json(&daemon, &[&["api-key", "create"], &slow[..]].concat()).await;
    let client = Client::new(daemon.url().clone(), text(&slow["key"]).into()).expect("it");
    client.chains().await.expect("the first call");
    let blocked = wait::until("the key to be blocked", || async {
        let refused = client
            .chains()
            .await
            .expect_err("it is too early")
            .to_string();
        refused.contains("blocked").then_some(()).ok_or(refused)
    });
    blocked.await;
    let blocks = json(&daemon, &["api-key", "blocked", "--json"]).await;
    assert_eq!(blocks[0]["subject"], slow["id"], "{blocks}");
    let id = text(&blocks[0]["id"]);
    let (went_well, said, error) = daemon.operator(&["api-key", "unblock", &id]).await;
    assert!(
        went_well && said.contains("may call again"),
        "{said}{error}"
    );
    client.chains().await.expect("it may call again");
    daemon.stop().await;
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
