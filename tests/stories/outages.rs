//! Power cuts, restarts and dead nodes: nothing is lost and nothing is doubled.

use paywatch_tests::chain::{OTHER_PAYER, PAYER};
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};

on_both_engines!(
    a_killed_daemon_misses_nothing,
    a_daemon_started_late_sees_what_was_paid,
    a_reorg_while_the_daemon_is_away_is_found,
    a_node_that_goes_away_and_comes_back,
);

/// SIGKILL between two instalments, the second of which is mined while nobody looks.
async fn a_killed_daemon_misses_nothing(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("KILL-1", "100").await;
    shop.chain().pays(PAYER, pay_to(&order), "40").await;
    shop.sees(&order, "partially_paid").await;

    for part in ["10", "20", "30"] {
        shop.daemon.is_killed().await;
        shop.chain().pays(OTHER_PAYER, pay_to(&order), part).await;
        shop.daemon.start().await;
    }
    shop.becomes_final().await;

    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.received, "100");
    assert_eq!(completed.payments.len(), 4);
    shop.close().await;
}

/// The order was made, the daemon stopped, the payment was mined and buried, the daemon started.
async fn a_daemon_started_late_sees_what_was_paid(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("LATE-START-1", "12.5").await;
    shop.daemon.stop().await;
    shop.chain().pays(PAYER, pay_to(&order), "12.5").await;
    shop.chain().mines(300).await;

    shop.daemon.start().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.confirmed, "12.5");
    shop.close().await;
}

/// The block that the daemon stopped at is gone when it comes back.
async fn a_reorg_while_the_daemon_is_away_is_found(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("AWAY-1", "12.5").await;
    shop.chain().pays(PAYER, pay_to(&order), "12.5").await;
    shop.sees(&order, "paid").await;
    shop.daemon.stop().await;

    shop.chain().reorgs(1, &[]).await;
    shop.chain().mines(2).await;
    shop.daemon.start().await;
    shop.sees(&order, "awaiting_payment").await;

    shop.chain().pays(PAYER, pay_to(&order), "12.5").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.close().await;
}

/// The node stops while the daemon runs; readiness says so; it comes back on the same chain.
async fn a_node_that_goes_away_and_comes_back(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("NODE-1", "12.5").await;
    shop.catches_up().await;
    shop.chains[0].node.stop().await;
    let client = shop.client();
    let readiness = paywatch_tests::wait::until("readiness to say so", || async {
        let ready = client.ready().await.map_err(|error| error.to_string())?;
        if ready.ready {
            Err(format!("{ready:?}"))
        } else {
            Ok(ready)
        }
    })
    .await;
    assert_eq!(readiness.chains[0].condition, "degraded");

    shop.chains[0].node.start_again().await;
    shop.chain().pays(PAYER, pay_to(&order), "12.5").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.daemon.becomes_ready().await;
    shop.close().await;
}
