//! What a chain gives, it may take away.

use paywatch_tests::chain::PAYER;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};

on_both_engines!(
    a_reorg_takes_a_payment_away,
    a_reorg_mines_a_payment_again_in_another_block,
    a_deep_reorg_takes_a_completed_order_back,
);

/// The payment's block is replaced by one without it: the order is unpaid again, and says so.
async fn a_reorg_takes_a_payment_away(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("REORG-1", "25").await;
    shop.chain().pays(PAYER, pay_to(&order), "25").await;
    shop.sees(&order, "paid").await;

    shop.chain().reorgs(1, &[]).await;
    let unpaid = shop.sees(&order, "awaiting_payment").await;
    assert_eq!(unpaid.received, "0");
    assert_eq!(unpaid.flags, ["reverted"]);
    assert_eq!(unpaid.payments[0].status, "reverted");

    shop.chain().pays(PAYER, pay_to(&order), "25").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.close().await;
}

/// The payment comes back two blocks later: it is another log, and counts once.
async fn a_reorg_mines_a_payment_again_in_another_block(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("REORG-2", "25").await;
    shop.chain().pays(PAYER, pay_to(&order), "25").await;
    let before = shop.sees(&order, "paid").await;

    shop.chain().mines(1).await;
    shop.chain().reorgs(2, &[(pay_to(&order), "25", 1)]).await;
    let first = before.payments[0].id.clone();
    let again = shop
        .sees_that(&order, "paid by another log", |now| {
            now.status == "paid"
                && now
                    .payments
                    .iter()
                    .any(|p| p.id != first && p.status == "detected")
        })
        .await;
    assert_eq!(again.received, "25");
    assert_eq!(again.flags, ["reverted"]);

    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(
        (completed.received.as_str(), completed.confirmed.as_str()),
        ("25", "25")
    );
    shop.close().await;
}

/// Deeper than the confirmations that the shop asked for: the merchant is told, and told again
/// when the money is back.
async fn a_deep_reorg_takes_a_completed_order_back(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("REORG-3", "25").await;
    shop.chain().pays(PAYER, pay_to(&order), "25").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.catches_up().await;

    shop.chain().reorgs(4, &[]).await;
    let taken = shop.sees(&order, "awaiting_payment").await;
    assert_eq!(taken.flags, ["reverted"]);

    shop.chain().pays(PAYER, pay_to(&order), "25").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.received, "25");
    shop.close().await;
}
