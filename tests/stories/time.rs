//! Deadlines, which go by chain time.

use paywatch_client::CreateOrder;
use paywatch_tests::chain::PAYER;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};

on_both_engines!(
    an_order_expires_by_chain_time_and_is_not_forgotten,
    money_within_the_grace_is_in_time,
);

/// The deadline passes on chain: the order expires; late money is attached, flagged and counted.
async fn an_order_expires_by_chain_time_and_is_not_forgotten(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let paid_in_part = shop.order_for("EXPIRE-1", "10", "10m").await;
    let patient = shop.order_for("EXPIRE-2", "10", "2h").await;
    shop.chain().pays(PAYER, pay_to(&paid_in_part), "4").await;
    shop.sees(&paid_in_part, "partially_paid").await;

    shop.chain().time_passes(11 * 60).await;
    let expired = shop.sees(&paid_in_part, "expired").await;
    assert_eq!(
        (expired.received.as_str(), expired.remaining.as_str()),
        ("4", "6")
    );
    assert_eq!(shop.sees(&patient, "awaiting_payment").await.received, "0");

    shop.chain().pays(PAYER, pay_to(&paid_in_part), "6").await;
    shop.becomes_final().await;
    let completed = shop.sees(&paid_in_part, "completed").await;
    assert_eq!(completed.flags, ["late"]);
    shop.close().await;
}

/// The payer was told ten minutes; five more do not matter.
async fn money_within_the_grace_is_in_time(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop
        .order_with(CreateOrder {
            reference: "GRACE-1".to_owned(),
            amount: "10".to_owned(),
            expires_in: Some("10m".to_owned()),
            grace: Some("5m".to_owned()),
            late_payments: Some("hold".to_owned()),
            ..CreateOrder::default()
        })
        .await;
    shop.chain().time_passes(12 * 60).await;
    shop.catches_up().await;
    shop.sees(&order, "awaiting_payment").await;
    shop.chain().pays(PAYER, pay_to(&order), "4").await;
    let in_time = shop.sees(&order, "partially_paid").await;
    assert_eq!((in_time.flags.len(), in_time.received.as_str()), (0, "4"));
    shop.chain().time_passes(4 * 60).await;
    shop.sees(&order, "expired").await;
    shop.chain().pays(PAYER, pay_to(&order), "6").await;
    let late = shop
        .sees_that(&order, "late", |now| now.flags == ["late"])
        .await;
    assert_eq!(
        (late.status.as_str(), late.ignored.as_str()),
        ("expired", "6")
    );
    shop.close().await;
}
