//! Providers that fail, lag and lie, in front of a real chain: nothing is lost, nothing invented.

use paywatch_client::ListPayments;
use paywatch_simulator::server::{Announcing, Trouble};
use paywatch_tests::chain::{Chain, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::daemon::section_behind;
use paywatch_tests::database::Engine;
use paywatch_tests::proxy::{Proxy, Wrong};
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;

on_both_engines!(
    every_trouble_of_the_wire_loses_nothing,
    a_node_that_answers_empty_lists_hides_nothing,
    a_node_that_is_behind_is_never_taken_for_an_empty_chain,
    an_invented_payment_is_struck_and_told,
    a_payment_without_its_receipts_is_seen_and_not_confirmed,
    an_assigned_payment_is_not_confirmed_before_its_block_proves_it,
    a_silent_subscription_costs_only_time,
    doubled_announcements_double_nothing,
    a_narrow_node_serves_a_long_history,
    a_node_of_another_chain_is_passed_over,
    one_liar_of_three_completes_nothing,
    a_dead_node_is_passed_over_and_comes_back,
);

/// A shop whose daemon knows the chain through these providers only.
async fn behind<const N: usize>(engine: Engine, more: &str) -> (Shop, [Proxy; N]) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut proxies = Vec::new();
    for _ in 0..N {
        proxies.push(Proxy::start(chain.node.url()).await);
    }
    let proxies: [Proxy; N] = proxies.try_into().expect("there are so many");
    let section = section_behind(&chain, CONFIRMATIONS, &proxies, more);
    (
        Shop::open_with(engine, vec![chain], &[section]).await,
        proxies,
    )
}

async fn every_trouble_of_the_wire_loses_nothing(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "request_timeout = \"1s\"\n").await;
    let order = shop.order("WIRE-1", "50").await;
    let troubles = [
        Trouble::Status(429),
        Trouble::Status(503),
        Trouble::Truncated,
        Trouble::Silence,
        Trouble::Closed,
    ];
    for trouble in troubles {
        proxy.manners().trouble([trouble]);
        shop.chain().pays(PAYER, pay_to(&order), "10").await;
    }
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.payments.len(), 5);
    shop.close().await;
}

/// `[]` instead of the logs: blooms say that there are some, and receipts say which.
async fn a_node_that_answers_empty_lists_hides_nothing(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "").await;
    let order = shop.order("EMPTY-1", "50").await;
    proxy.gets_wrong(Wrong::NoLogs);
    shop.chain().pays(PAYER, pay_to(&order), "50").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.confirmed, "50");
    shop.close().await;
}

async fn a_node_that_is_behind_is_never_taken_for_an_empty_chain(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "").await;
    let order = shop.order("BEHIND-1", "50").await;
    proxy.gets_wrong(Wrong::Behind(4));
    shop.chain().pays(PAYER, pay_to(&order), "20").await;
    shop.chain().mines(4).await;
    shop.sees(&order, "partially_paid").await;
    shop.chain().pays(OTHER_PAYER, pay_to(&order), "30").await;
    proxy.is_mended();
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.close().await;
}

/// A log that no block holds: it may be seen for a moment, is never confirmed, and is told of.
async fn an_invented_payment_is_struck_and_told(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "").await;
    let robbed = shop.order("INVENTED-1", "10").await;
    let paid = shop.order("REAL-1", "10").await;
    proxy.gets_wrong(Wrong::InventedLog(pay_to(&robbed)));
    shop.chain().pays(PAYER, pay_to(&paid), "10").await;
    shop.becomes_final().await;

    shop.sees(&paid, "completed").await;
    let client = shop.client();
    let log = shop.daemon.log();
    let now = client.order(&robbed.id).await.expect("it is there");
    assert_eq!(now.status, "awaiting_payment", "{log}");
    assert_eq!(now.confirmed, "0");
    assert!(log.contains("chain.disagreement"), "{log}");
    shop.close().await;
}

async fn a_payment_without_its_receipts_is_seen_and_not_confirmed(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "").await;
    let order = shop.order("RECEIPTS-1", "10").await;
    proxy.gets_wrong(Wrong::LostReceipt);
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    shop.chain().mines(5).await;
    shop.catches_up().await;
    let seen = shop.sees(&order, "paid").await;
    assert_eq!(seen.confirmed, "0");
    assert_eq!(seen.payments[0].proof.as_deref(), Some("none"));

    proxy.is_mended();
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(
        completed.payments[0].proof.as_deref(),
        Some("receipts_root")
    );
    shop.close().await;
}

/// What an operator says of a payment does not replace its proof, also of one that was too small to
/// be looked at before.
async fn an_assigned_payment_is_not_confirmed_before_its_block_proves_it(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "[orders]\ndust = \"5\"\n").await;
    proxy.gets_wrong(Wrong::LostReceipt);
    for (reference, amount) in [("ASSIGNED-1", "10"), ("ASSIGNED-2", "4")] {
        let order = shop.order(reference, amount).await;
        shop.chain().pays(PAYER, TREASURY, amount).await;
        shop.catches_up().await;
        let client = shop.client();
        let page = client.payments(&ListPayments::default()).await;
        let page = page.expect("the API answers").data;
        let stray = page.iter().find(|payment| payment.amount == amount);
        let stray = stray.expect("it is in the books").id.clone();
        let assign = ["payment", "assign", &stray, "--reason", "his"];
        let order_id = ["--order", order.id.as_str()];
        let assign = [&assign[..], &order_id[..]].concat();
        let (went_well, _, error) = shop.daemon.operator(&assign).await;
        assert!(went_well, "{error}");
        shop.becomes_final().await;
        shop.chain().mines(5).await;
        shop.catches_up().await;
        let seen = shop.sees(&order, "paid").await;
        assert_eq!(seen.confirmed, "0");

        proxy.is_mended();
        let completed = shop.sees(&order, "completed").await;
        assert_eq!(
            completed.payments[0].proof.as_deref(),
            Some("receipts_root")
        );
        proxy.gets_wrong(Wrong::LostReceipt);
    }
    proxy.is_mended();
    shop.close().await;
}

async fn a_silent_subscription_costs_only_time(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "").await;
    let order = shop.order("SILENT-1", "10").await;
    proxy.manners().announce(Announcing::Never);
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.close().await;
}

async fn doubled_announcements_double_nothing(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "").await;
    let order = shop.order("TWICE-1", "10").await;
    proxy.manners().announce(Announcing::Twice);
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(
        (completed.received.as_str(), completed.payments.len()),
        ("10", 1)
    );
    shop.close().await;
}

async fn a_narrow_node_serves_a_long_history(engine: Engine) {
    let (mut shop, [proxy]) = behind(engine, "").await;
    let order = shop.order("NARROW-1", "10").await;
    shop.daemon.stop().await;
    proxy.manners().limit_range(Some(7));
    shop.chain().pays(PAYER, pay_to(&order), "4").await;
    shop.chain().mines(400).await;
    shop.chain().pays(PAYER, pay_to(&order), "6").await;
    shop.becomes_final().await;
    shop.daemon.start().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.payments.len(), 2);
    shop.close().await;
}

async fn a_node_of_another_chain_is_passed_over(engine: Engine) {
    let (mut shop, [first, _second]) = behind(engine, "").await;
    first.gets_wrong(Wrong::OtherChain);
    // It is verified again when it was away.
    shop.daemon.is_killed().await;
    shop.daemon.start().await;
    shop.daemon.becomes_ready().await;
    let order = shop.order("OTHER-CHAIN-1", "10").await;
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    let log = shop.daemon.log();
    assert!(log.contains("it serves chain 1 instead of 31337"), "{log}");
    shop.close().await;
}

/// Two must agree, so one that makes up payments is outvoted, and what it leaves out is found.
async fn one_liar_of_three_completes_nothing(engine: Engine) {
    let (mut shop, [liar, _second, _third]) = behind(engine, "").await;
    let robbed = shop.order("ROBBED-1", "10").await;
    let paid = shop.order("HONEST-1", "10").await;
    liar.gets_wrong(Wrong::InventedLog(pay_to(&robbed)));
    liar.gets_wrong(Wrong::LostReceipt);
    shop.chain().pays(PAYER, pay_to(&paid), "4").await;
    liar.is_mended();
    liar.gets_wrong(Wrong::NoLogs);
    shop.chain().pays(PAYER, pay_to(&paid), "6").await;
    shop.becomes_final().await;
    shop.sees(&paid, "completed").await;
    let now = shop.client().order(&robbed.id).await.expect("it is there");
    assert_eq!(now.status, "awaiting_payment");
    shop.close().await;
}

async fn a_dead_node_is_passed_over_and_comes_back(engine: Engine) {
    let (mut shop, [first, second]) = behind(engine, "request_timeout = \"1s\"\n").await;
    let order = shop.order("FAILOVER-1", "20").await;
    first.manners().trouble([Trouble::Closed; 200]);
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.sees(&order, "partially_paid").await;
    first.manners().forgive();
    second.manners().trouble([Trouble::Closed; 200]);
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    second.manners().forgive();
    wait::until("the endpoint to serve again", || async {
        let log = shop.daemon.log();
        if log.contains("the endpoint serves again") {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    shop.close().await;
}
