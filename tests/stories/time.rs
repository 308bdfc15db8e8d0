//! Deadlines, which go by chain time.

use paywatch_tests::chain::PAYER;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};

on_both_engines!(an_order_expires_by_chain_time_and_is_not_forgotten);

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
