//! Tokens and transfers that are not what they look like.

use paywatch_tests::chain::{OTHER_PAYER, PAYER};
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};

on_both_engines!(
    a_fee_of_the_token_is_missing_from_the_payment,
    transfers_of_nothing_and_look_alikes_do_not_count,
);

/// The issuer takes a fee: what arrived counts, and the customer still owes the rest.
async fn a_fee_of_the_token_is_missing_from_the_payment(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    shop.chain().takes_a_fee(10, 5).await;
    let order = shop.order("FEE-1", "100").await;

    shop.chain().pays(PAYER, pay_to(&order), "100").await;
    let partly = shop.sees(&order, "partially_paid").await;
    assert_eq!(
        (partly.received.as_str(), partly.remaining.as_str()),
        ("99.9", "0.1")
    );

    shop.chain().takes_a_fee(0, 0).await;
    shop.chain().pays(PAYER, pay_to(&order), "0.1").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.close().await;
}

/// Address poisoning and a token of the same name: neither is money.
async fn transfers_of_nothing_and_look_alikes_do_not_count(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("POISON-1", "50").await;
    let look_alike = shop.chain().deploy_token().await;
    let issuer = paywatch_tests::chain::ISSUER;

    shop.chain().poisons(PAYER, pay_to(&order)).await;
    shop.chain().pays(OTHER_PAYER, pay_to(&order), "0").await;
    shop.chain()
        .pays_in(look_alike, issuer, pay_to(&order), "50")
        .await;
    shop.becomes_final().await;
    shop.catches_up().await;

    let unpaid = shop.sees(&order, "awaiting_payment").await;
    assert_eq!(unpaid.received, "0");
    assert!(unpaid.payments.is_empty());
    shop.close().await;
}
