//! What an operator learns of a transaction, an old payment that is brought into the books, and a
//! treasury that the issuer freezes.

use paywatch_client::{ListDecisions, ListPayments, Payment};
use paywatch_core::{Address, EventKind, OrderId};
use paywatch_tests::chain::{Chain, ISSUER, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;
use serde_json::Value;

on_both_engines!(
    a_transaction_is_explained,
    an_old_payment_is_imported_once,
    a_treasury_that_is_frozen_later_is_told_of,
    a_treasury_that_is_frozen_already_is_told_of_at_the_start,
);

/// Nobody of ours.
const STRANGER: Address = Address::repeat_byte(0x5a);

/// What `tx check --json` says of the only log that is about a token.
async fn checked(shop: &Shop, hash: &str) -> Value {
    let (went_well, said, error) = shop.daemon.operator(&["tx", "check", hash, "--json"]).await;
    assert!(went_well, "{hash}: {said} {error}");
    let said: Value = serde_json::from_str(&said).expect("it is JSON");
    said["chains"][0]["transaction"].clone()
}

fn transfer(transaction: &Value) -> &Value {
    let logs = transaction["logs"].as_array().expect("it has logs");
    let transfer = logs.iter().find(|log| log["says"] == "transfer");
    transfer.expect("one is a transfer")
}

fn says(value: &Value, words: &str) -> bool {
    value.as_str().is_some_and(|text| text.contains(words))
}

/// To an order, to the treasury, a look-alike, a flush, a failure, and none at all.
async fn a_transaction_is_explained(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("EXPLAIN-1", "10").await;
    let paid = shop.chain().pays(PAYER, pay_to(&order), "10").await;
    let stray = shop.chain().pays(PAYER, TREASURY, "7").await;
    let other = shop.chain().deploy_token().await;
    let fake = shop.chain().pays_in(other, ISSUER, pay_to(&order), "10");
    let fake = fake.await;
    let foreign = shop.chain().pays(PAYER, STRANGER, "1").await;
    let failed = shop
        .chain()
        .fails_to_pay(OTHER_PAYER, pay_to(&order), "99000000")
        .await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    let id: OrderId = order.id.parse().expect("an order's id");
    let flush = shop.chain().flushes(vec![id.salt()]).await;
    shop.catches_up().await;

    let said = checked(&shop, &paid.transaction_hash.to_string()).await;
    let log = transfer(&said);
    assert_eq!(log["contract_is"], "the configured token USDT");
    assert_eq!(log["payment"], completed.payments[0].id.as_str(), "{log}");
    assert_eq!(log["status"], "confirmed");
    assert!(says(&log["to_is"], "EXPLAIN-1"), "{log}");

    let said = checked(&shop, &stray.transaction_hash.to_string()).await;
    let log = transfer(&said);
    assert_eq!(
        (&log["to_is"], &log["status"]),
        (&"your treasury".into(), &"unmatched".into())
    );

    let said = checked(&shop, &fake.transaction_hash.to_string()).await;
    let log = transfer(&said);
    assert!(says(&log["contract_is"], "look-alike"), "{log}");
    assert_eq!(log["payment"], Value::Null);

    let said = checked(&shop, &foreign.transaction_hash.to_string()).await;
    assert!(
        says(&transfer(&said)["meaning"], "neither from nor to"),
        "{said}"
    );

    let said = checked(&shop, &flush.transaction_hash.to_string()).await;
    let log = transfer(&said);
    assert!(says(&log["from_is"], &order.id), "{log}");
    assert_eq!(log["status"], "moved");

    let said = checked(&shop, &failed.to_string()).await;
    assert_eq!(said["succeeded"], false);
    assert!(says(&said["summary"], "moved nothing"), "{said}");

    let nowhere = format!("0x{}", "ab".repeat(32));
    let (found, said) = shop.daemon.says(&["tx", "check", &nowhere]).await;
    assert!(!found && said.contains("Check the hash"), "{said}");
    let (went_well, said) = shop
        .daemon
        .says(&["tx", "check", &nowhere, "--import"])
        .await;
    assert!(!went_well && said.contains("--reason"), "{said}");
    shop.close().await;
}

/// Paid before the daemon's first block: it comes in once, proved, and can be assigned; nothing else
/// of that time is said to be covered.
async fn an_old_payment_is_imported_once(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let old = chain.pays(PAYER, TREASURY, "10").await;
    chain.mines(4).await;
    let first = chain.height().await;
    let section = chain_section(&chain, CONFIRMATIONS)
        .replace("start_block = 0", &format!("start_block = {first}"));
    let mut shop = Shop::open_with(engine, vec![chain], &[section]).await;
    let order = shop.order("OLD-1", "10").await;
    let covered = shop.chain().pays(OTHER_PAYER, TREASURY, "3").await;
    shop.becomes_final().await;
    shop.catches_up().await;
    let old = old.transaction_hash.to_string();
    let said = checked(&shop, &old).await;
    assert!(says(&transfer(&said)["meaning"], "--import"), "{said}");

    let import = format!("tx check {old} --import --reason early");
    let import: Vec<&str> = import.split(' ').collect();
    let (went_well, said) = shop.daemon.says(&import).await;
    assert!(went_well && said.contains("imported pay_"), "{said}");
    let (went_well, said) = shop.daemon.says(&import).await;
    assert!(went_well && said.contains("nothing was changed"), "{said}");
    let covered = covered.transaction_hash.to_string();
    let (went_well, said) = shop
        .daemon
        .says(&["tx", "check", &covered, "--import", "--reason", "no need"])
        .await;
    assert!(!went_well && said.contains("is not below block"), "{said}");

    let client = shop.client();
    let list = ListPayments {
        tx_hash: Some(old.clone()),
        ..ListPayments::default()
    };
    let page = client.payments(&list).await.expect("the API answers");
    assert_eq!(page.data.len(), 1, "{page:?}");
    let payment = &page.data[0];
    assert_eq!(
        (payment.status.as_str(), payment.proof.as_deref()),
        ("unmatched", Some("receipts_root"))
    );
    let list = ListDecisions {
        payment: Some(payment.id.clone()),
        ..ListDecisions::default()
    };
    let decisions = client.decisions(&list).await.expect("the API answers").data;
    assert_eq!(decisions.len(), 1, "{decisions:?}");
    assert_eq!(decisions[0].kind, "import");
    assert_eq!(decisions[0].reason, "early");

    let assign = format!(
        "payment assign {} --order {} --reason his",
        payment.id, order.id
    );
    let assign: Vec<&str> = assign.split(' ').collect();
    let (went_well, _, error) = shop.daemon.operator(&assign).await;
    assert!(went_well, "{error}");
    shop.sees(&order, "completed").await;
    let kinds = shop.close().await;
    let unmatched = kinds
        .iter()
        .filter(|kind| **kind == EventKind::PaymentUnmatched);
    assert_eq!(unmatched.count(), 2);
}

/// Waits until the payment of `amount` is there, and returns it.
async fn payment_of(shop: &Shop, amount: &str) -> Payment {
    let client = shop.client();
    wait::until("a payment", || async {
        let page = client.payments(&ListPayments::default()).await;
        let page = page.map_err(|error| error.to_string())?;
        let found = page.data.iter().find(|payment| payment.amount == amount);
        found
            .cloned()
            .ok_or_else(|| format!("{page:?}\n{}", shop.daemon.log()))
    })
    .await
}

/// How often the daemon has said that an address was frozen.
fn alerts(shop: &Shop) -> usize {
    shop.daemon.log().matches("token.alert: ").count()
}

async fn a_treasury_that_is_frozen_later_is_told_of(engine: Engine) {
    let shop = Shop::open(engine).await;
    shop.chain().pays(PAYER, TREASURY, "5").await;
    assert_eq!(payment_of(&shop, "5").await.frozen, Some(false));
    shop.chain().freezes(TREASURY).await;
    shop.chain().pays(PAYER, TREASURY, "6").await;
    assert_eq!(payment_of(&shop, "6").await.frozen, Some(true));
    assert_eq!(alerts(&shop), 1, "{}", shop.daemon.log());
    shop.close().await;
}

/// Nobody saw how it was frozen; the token says that it is, and that is told once.
async fn a_treasury_that_is_frozen_already_is_told_of_at_the_start(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    chain.freezes(TREASURY).await;
    chain.mines(2).await;
    let first = chain.height().await;
    let section = chain_section(&chain, CONFIRMATIONS)
        .replace("start_block = 0", &format!("start_block = {first}"));
    let mut shop = Shop::open_with(engine, vec![chain], &[section]).await;
    wait::until("the freeze to be told", || async {
        match alerts(&shop) {
            1 => Ok(()),
            other => Err(format!("{other}\n{}", shop.daemon.log())),
        }
    })
    .await;
    shop.chain().pays(PAYER, TREASURY, "5").await;
    assert_eq!(payment_of(&shop, "5").await.frozen, Some(true));
    shop.daemon.stop().await;
    shop.daemon.start().await;
    shop.daemon.becomes_ready().await;
    shop.chain().pays(PAYER, TREASURY, "6").await;
    assert_eq!(payment_of(&shop, "6").await.frozen, Some(true));
    assert_eq!(alerts(&shop), 1, "{}", shop.daemon.log());
    shop.close().await;
}
