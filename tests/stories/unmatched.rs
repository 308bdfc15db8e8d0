//! Money that no order claims, money in the wrong token and on the wrong chain, and noise.

use paywatch_client::{CreateOrder, ListPayments, Payment};
use paywatch_core::EventKind;
use paywatch_tests::chain::{Chain, ISSUER, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;

on_both_engines!(
    money_sent_to_the_treasury_is_given_to_its_order,
    a_payment_given_to_the_wrong_order_is_taken_back,
    an_unmatched_payment_is_written_off,
    a_reorg_takes_an_unmatched_payment_away,
    a_flush_is_no_payment,
    noise_is_seen_and_not_announced,
    another_token_is_recorded_and_announced,
    another_chain_is_recorded_and_announced,
);

/// Waits until the merchant sees `count` payments in `status`.
async fn payments(shop: &Shop, status: &str, count: usize) -> Vec<Payment> {
    let client = shop.client();
    let list = ListPayments {
        status: Some(status.to_owned()),
        ..ListPayments::default()
    };
    wait::until(&format!("{count} {status} payments"), || async {
        let page = client.payments(&list).await;
        let page = page.map_err(|error| error.to_string())?;
        if page.data.len() == count {
            Ok(page.data)
        } else {
            Err(format!("{page:?}\n{}", shop.daemon.log()))
        }
    })
    .await
}

/// What an operator does at a shell about a payment.
async fn decides(shop: &Shop, arguments: &[&str]) {
    let (went_well, _, error) = shop.daemon.operator(arguments).await;
    assert!(went_well, "{arguments:?}: {error}");
}

/// Ends the story, and counts how often `kind` was told.
async fn told(shop: Shop, kind: EventKind) -> usize {
    let kinds = shop.close().await;
    kinds.into_iter().filter(|told| *told == kind).count()
}

/// The customer copied the wrong address: nothing is lost, and the order is completed.
async fn money_sent_to_the_treasury_is_given_to_its_order(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("LOST-1", "100").await;
    shop.chain().pays(PAYER, TREASURY, "60").await;
    let stray = payments(&shop, "unmatched", 1).await.remove(0);
    assert_eq!(
        (stray.amount.as_str(), stray.order.as_deref()),
        ("60", None)
    );

    let assign = ["payment", "assign", &stray.id, "--order", &order.id];
    let why = ["--reason", "the customer sent the transaction"];
    decides(&shop, &[&assign[..], &why[..]].concat()).await;
    let partly = shop.sees(&order, "partially_paid").await;
    assert_eq!(partly.received, "60");
    shop.chain().pays(PAYER, pay_to(&order), "40").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.flags, ["resolved"]);
    assert!(completed.payments.iter().any(|payment| payment.assigned));
    payments(&shop, "unmatched", 0).await;
    assert_eq!(told(shop, EventKind::PaymentAssigned).await, 1);
}

/// An operator errs, and mends it.
async fn a_payment_given_to_the_wrong_order_is_taken_back(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let wrong = shop.order("WRONG-1", "10").await;
    let right = shop.order("RIGHT-1", "10").await;
    shop.chain().pays(PAYER, TREASURY, "10").await;
    let stray = payments(&shop, "unmatched", 1).await.remove(0).id;
    let give = |to: &str| {
        let text = format!("payment assign {stray} --reason because --order {to}");
        text.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    let given = give(&wrong.id);
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    decides(&shop, &given).await;
    shop.becomes_final().await;
    shop.sees(&wrong, "completed").await;
    let (went_well, _, error) = shop.daemon.operator(&given).await;
    assert!(!went_well && error.contains("belongs to"), "{error}");

    decides(
        &shop,
        &[
            "payment",
            "unassign",
            &stray,
            "--reason",
            "another customer",
        ],
    )
    .await;
    shop.sees(&wrong, "awaiting_payment").await;
    let given = give(&right.id);
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    decides(&shop, &given).await;
    shop.sees(&right, "completed").await;
    assert_eq!(told(shop, EventKind::OrderReverted).await, 1);
}

/// The merchant moved money of his own, and says so.
async fn an_unmatched_payment_is_written_off(engine: Engine) {
    let shop = Shop::open(engine).await;
    shop.chain().pays(OTHER_PAYER, TREASURY, "7").await;
    let stray = payments(&shop, "unmatched", 1).await.remove(0).id;
    decides(
        &shop,
        &["payment", "write-off", &stray, "--reason", "our own money"],
    )
    .await;
    payments(&shop, "unmatched", 0).await;
    let written_off = payments(&shop, "written_off", 1).await.remove(0);
    assert_eq!(written_off.id, stray);
    assert_eq!(told(shop, EventKind::PaymentWrittenOff).await, 1);
}

/// It was announced, so its disappearance is announced as well.
async fn a_reorg_takes_an_unmatched_payment_away(engine: Engine) {
    let shop = Shop::open(engine).await;
    shop.chain().pays(PAYER, TREASURY, "7").await;
    payments(&shop, "unmatched", 1).await;
    shop.chain().reorgs(1, &[]).await;
    shop.chain().mines(1).await;
    let client = shop.client();
    wait::until("the payment to be reverted", || async {
        let page = client.payments(&ListPayments::default()).await;
        let page = page.map_err(|error| error.to_string())?;
        match page.data.as_slice() {
            [payment] if payment.status == "reverted" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    assert_eq!(told(shop, EventKind::PaymentReverted).await, 1);
}

/// Money that goes from a deposit address to the treasury is no news.
async fn a_flush_is_no_payment(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("FLUSH-1", "10").await;
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    let id: paywatch_core::OrderId = order.id.parse().expect("an order's id");
    shop.chain().flushes(vec![id.salt()]).await;
    let moved = payments(&shop, "moved", 1).await.remove(0);
    assert_eq!(moved.amount, "10");
    assert_eq!(told(shop, EventKind::PaymentUnmatched).await, 0);
}

/// Transfers of nothing and of next to nothing.
async fn noise_is_seen_and_not_announced(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = chain_section(&chain, CONFIRMATIONS);
    let dust = "[orders]\ndust = \"0.01\"\n".to_owned();
    let mut shop = Shop::open_with(engine, vec![chain], &[section, dust]).await;
    let order = shop.order("NOISE-1", "10").await;
    shop.chain().poisons(PAYER, pay_to(&order)).await;
    shop.chain().pays(OTHER_PAYER, TREASURY, "0").await;
    shop.chain().pays(OTHER_PAYER, TREASURY, "0.009999").await;
    payments(&shop, "zero_value", 2).await;
    payments(&shop, "dust", 1).await;
    let unpaid = shop.sees(&order, "awaiting_payment").await;
    assert_eq!(unpaid.payments, []);
    assert_eq!(told(shop, EventKind::PaymentUnmatched).await, 0);
}

/// The order takes USDT; USDC comes to its address.
async fn another_token_is_recorded_and_announced(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let other = chain.deploy_token().await;
    let section = chain_section(&chain, CONFIRMATIONS).replace(
        "tokens = [",
        &format!("tokens = [{{ symbol = \"USDC\", address = \"{other}\", decimals = 6 }}, "),
    );
    let only = "[orders]\ntokens = [\"USDT\"]\n".to_owned();
    let mut shop = Shop::open_with(engine, vec![chain], &[section, only]).await;
    let order = shop.order("TOKEN-1", "10").await;
    assert_eq!(order.options.len(), 1);
    shop.chain()
        .pays_in(other, ISSUER, pay_to(&order), "10")
        .await;
    let ignored = shop
        .sees_that(&order, "paid in another token", |now| now.ignored == "10")
        .await;
    assert_eq!(ignored.status, "awaiting_payment");
    assert_eq!(ignored.payments[0].status, "not_accepted");
    assert_eq!(told(shop, EventKind::PaymentWrongAsset).await, 1);
}

/// The order takes money on one chain; it comes on the other, to the same address.
async fn another_chain_is_recorded_and_announced(engine: Engine) {
    let chains = vec![
        Chain::start("anvil", 31_337, 6).await,
        Chain::start("other", 31_338, 18).await,
    ];
    let mut shop = Shop::open_on(engine, chains).await;
    let order = shop
        .order_with(CreateOrder {
            reference: "CHAIN-1".to_owned(),
            amount: "10".to_owned(),
            chains: Some(vec!["anvil".to_owned()]),
            ..CreateOrder::default()
        })
        .await;
    shop.chains[1].pays(PAYER, pay_to(&order), "10").await;
    let ignored = shop
        .sees_that(&order, "paid elsewhere", |now| now.ignored == "10")
        .await;
    assert_eq!(ignored.payments[0].status, "not_accepted");
    assert_eq!(told(shop, EventKind::PaymentWrongAsset).await, 1);
}
