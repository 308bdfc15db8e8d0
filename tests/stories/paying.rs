//! The ordinary ways in which orders are paid.

use paywatch_tests::chain::{Chain, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};

on_both_engines!(
    a_full_payment_completes_an_order,
    two_instalments_complete_an_order,
    too_much_is_said_to_be_too_much,
    one_transaction_pays_two_orders,
    a_contract_pays_for_the_customer,
    half_on_one_chain_and_half_on_another,
    anybody_flushes_the_deposit_to_the_treasury,
);

/// A customer pays what is asked; the order is paid at once and completed once it is final.
async fn a_full_payment_completes_an_order(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let tea = shop.order("TEA-1", "12.5").await;

    shop.chain().pays(PAYER, pay_to(&tea), "12.5").await;
    let paid = shop.sees(&tea, "paid").await;
    assert_eq!(
        (paid.received.as_str(), paid.confirmed.as_str()),
        ("12.5", "0")
    );
    assert_eq!(paid.payments[0].status, "detected");

    shop.becomes_final().await;
    let completed = shop.sees(&tea, "completed").await;
    assert_eq!(
        (completed.confirmed.as_str(), completed.remaining.as_str()),
        ("12.5", "0")
    );
    assert_eq!(completed.payments[0].status, "confirmed");
    assert_eq!(
        completed.payments[0].from.to_lowercase(),
        PAYER.to_string().to_lowercase()
    );
    assert!(completed.flags.is_empty());
    shop.close().await;
}

/// 40 now and 60 later: every status on the way is seen.
async fn two_instalments_complete_an_order(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let invoice = shop.order("INV-1001", "100").await;

    shop.chain().pays(PAYER, pay_to(&invoice), "40").await;
    shop.becomes_final().await;
    let partly = shop
        .sees_that(&invoice, "40 confirmed", |now| now.confirmed == "40")
        .await;
    assert_eq!(partly.status, "partially_paid");
    assert_eq!(
        (partly.received.as_str(), partly.remaining.as_str()),
        ("40", "60")
    );

    shop.chain().pays(OTHER_PAYER, pay_to(&invoice), "60").await;
    let paid = shop.sees(&invoice, "paid").await;
    assert_eq!(
        (paid.received.as_str(), paid.confirmed.as_str()),
        ("100", "40")
    );

    shop.becomes_final().await;
    let completed = shop.sees(&invoice, "completed").await;
    assert_eq!(
        (completed.received.as_str(), completed.excess.as_str()),
        ("100", "0")
    );
    assert_eq!(completed.payments.len(), 2);
    shop.close().await;
}

/// A customer pays 12 for 10: the order completes, and the excess is stated.
async fn too_much_is_said_to_be_too_much(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let tea = shop.order("TEA-1", "10").await;

    shop.chain().pays(PAYER, pay_to(&tea), "12").await;
    shop.becomes_final().await;

    let completed = shop.sees(&tea, "completed").await;
    assert_eq!(
        (completed.received.as_str(), completed.excess.as_str()),
        ("12", "2")
    );
    assert_eq!(completed.flags, ["overpaid"]);
    shop.close().await;
}

/// An exchange pays two customers' orders with one transaction that holds two Transfer logs.
async fn one_transaction_pays_two_orders(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let tea = shop.order("TEA-1", "12.50").await;
    let cake = shop.order("CAKE-1", "30").await;

    shop.chain()
        .exchange_pays(&[(pay_to(&tea), "12.50"), (pay_to(&cake), "30")])
        .await;
    shop.becomes_final().await;

    let tea = shop.sees(&tea, "completed").await;
    let cake = shop.sees(&cake, "completed").await;
    assert_eq!(tea.payments[0].tx_hash, cake.payments[0].tx_hash);
    assert_ne!(tea.payments[0].log_index, cake.payments[0].log_index);
    assert_ne!(tea.payments[0].id, cake.payments[0].id);
    shop.close().await;
}

/// A contract moves the customer's money with `transferFrom`: the log counts, not the sender.
async fn a_contract_pays_for_the_customer(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let tea = shop.order("TEA-1", "7.000001").await;

    shop.chain()
        .pays_through_exchange(pay_to(&tea), "7.000001")
        .await;
    shop.becomes_final().await;

    let completed = shop.sees(&tea, "completed").await;
    assert_eq!(completed.received, "7.000001");
    shop.close().await;
}

/// A chain whose USDT has 18 decimals beside one with 6: one order, paid half on each.
async fn half_on_one_chain_and_half_on_another(engine: Engine) {
    let six = Chain::start("six", 31_337, 6).await;
    let eighteen = Chain::start("eighteen", 31_356, 18).await;
    let mut shop = Shop::open_on(engine, vec![six, eighteen]).await;
    let order = shop.order("BOTH-1", "20").await;
    assert_eq!(order.options.len(), 2);
    assert_eq!(
        order.options[0].address, order.options[1].address,
        "one address on every chain"
    );
    let units: Vec<_> = order
        .options
        .iter()
        .map(|o| o.amount_base_units.as_str())
        .collect();
    assert!(
        units.contains(&"20000000") && units.contains(&"20000000000000000000"),
        "{units:?}"
    );

    shop.chains[0].pays(PAYER, pay_to(&order), "10").await;
    shop.sees(&order, "partially_paid").await;
    shop.chains[1].pays(PAYER, pay_to(&order), "10").await;
    shop.sees(&order, "paid").await;
    shop.becomes_final().await;

    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.received, "20");
    shop.close().await;
}

/// Whoever flushes, the money goes to the treasury, and the order stays completed.
async fn anybody_flushes_the_deposit_to_the_treasury(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let tea = shop.order("TEA-1", "12.5").await;
    shop.chain().pays(PAYER, pay_to(&tea), "12.5").await;
    shop.becomes_final().await;
    shop.sees(&tea, "completed").await;

    let id: paywatch_core::OrderId = tea.id.parse().expect("an order id");
    shop.chain().flushes(vec![id.salt()]).await;
    assert_eq!(shop.chain().balance(TREASURY).await.to_string(), "12.5");
    assert!(shop.chain().balance(pay_to(&tea)).await.is_zero());

    shop.catches_up().await;
    assert_eq!(shop.sees(&tea, "completed").await.received, "12.5");
    shop.close().await;
}
