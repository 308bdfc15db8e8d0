//! What an operator decides at a shell, on real chains.

use paywatch_client::CreateOrder;
use paywatch_tests::chain::PAYER;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};

on_both_engines!(
    a_cancelled_order_takes_no_money,
    an_expired_order_is_given_more_time,
    held_and_missing_money_is_accepted,
    an_exchange_may_deduct_its_fee,
    a_gift_may_be_larger_than_asked,
);

/// What comes after a cancellation is attached, and counts for nothing.
async fn a_cancelled_order_takes_no_money(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("GONE-1", "10").await;
    shop.decides(&order, &["order", "cancel", "--reason", "ordered twice"])
        .await;
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    let cancelled = shop
        .sees_that(&order, "paid in vain", |now| now.ignored == "10")
        .await;
    assert_eq!(cancelled.status, "cancelled");
    assert_eq!(cancelled.payments[0].status, "order_cancelled");
    shop.close().await;
}

/// The deadline passes, the merchant is kind, and the rest comes in time.
async fn an_expired_order_is_given_more_time(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order_for("SLOW-1", "10", "10m").await;
    shop.chain().pays(PAYER, pay_to(&order), "4").await;
    shop.chain().time_passes(11 * 60).await;
    shop.sees(&order, "expired").await;
    let (went_well, _, error) = shop
        .daemon
        .operator(&["order", "cancel", "--reason", "x", &order.id])
        .await;
    assert!(!went_well && error.contains("3 to 500"), "{error}");

    shop.decides(
        &order,
        &["order", "extend", "--by", "2h", "--reason", "slow exchange"],
    )
    .await;
    shop.sees(&order, "partially_paid").await;
    shop.chain().pays(PAYER, pay_to(&order), "6").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.flags, [""; 0], "nothing came late any more");
    shop.close().await;
}

/// Late money is held; what is there is accepted although it is too little.
async fn held_and_missing_money_is_accepted(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop
        .order_with(CreateOrder {
            reference: "HELD-1".to_owned(),
            amount: "10".to_owned(),
            expires_in: Some("10m".to_owned()),
            late_payments: Some("hold".to_owned()),
            ..CreateOrder::default()
        })
        .await;
    shop.chain().pays(PAYER, pay_to(&order), "4").await;
    shop.chain().time_passes(11 * 60).await;
    shop.chain().pays(PAYER, pay_to(&order), "3").await;
    let held = shop
        .sees_that(&order, "late", |now| now.ignored == "3")
        .await;
    assert_eq!(held.payments[1].status, "held_late");
    shop.decides(&order, &["order", "accept", "--reason", "a loyal customer"])
        .await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.accepted.as_deref(), Some("7"));
    assert_eq!(
        (completed.remaining.as_str(), completed.received.as_str()),
        ("0", "7")
    );
    assert_eq!(completed.flags, ["late", "resolved"]);

    let (went_well, log, error) = shop
        .daemon
        .operator(&["decisions", "--order", &order.id])
        .await;
    assert!(
        went_well && log.contains("a loyal customer"),
        "{log}{error}"
    );
    shop.close().await;
}

/// An order for 100 is complete with 99, when 1 % is tolerated.
async fn an_exchange_may_deduct_its_fee(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop
        .order_with(CreateOrder {
            reference: "FEE-1".to_owned(),
            amount: "100".to_owned(),
            tolerance_percent: Some("1".to_owned()),
            ..CreateOrder::default()
        })
        .await;
    shop.chain().pays(PAYER, pay_to(&order), "98.999999").await;
    shop.sees(&order, "partially_paid").await;
    shop.chain().pays(PAYER, pay_to(&order), "0.000001").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.flags, ["underpaid_within_tolerance"]);
    assert_eq!(completed.remaining, "0");
    shop.close().await;
}

/// At least 5 were asked for; 50 are no mistake.
async fn a_gift_may_be_larger_than_asked(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop
        .order_with(CreateOrder {
            reference: "GIFT-1".to_owned(),
            amount: "5".to_owned(),
            any_amount: Some(true),
            ..CreateOrder::default()
        })
        .await;
    shop.chain().pays(PAYER, pay_to(&order), "4").await;
    shop.sees(&order, "partially_paid").await;
    shop.chain().pays(PAYER, pay_to(&order), "46").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.flags, [""; 0]);
    assert_eq!(
        (completed.received.as_str(), completed.excess.as_str()),
        ("50", "0")
    );
    shop.close().await;
}
