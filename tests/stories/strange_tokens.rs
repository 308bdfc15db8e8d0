//! Tokens and transfers that are not what they look like.

use paywatch_client::{ListLookAlikes, LookAlikeCounts};
use paywatch_tests::chain::{Chain, ISSUER, OTHER_PAYER, PAYER};
use paywatch_tests::daemon::{chain_section, section_behind};
use paywatch_tests::database::Engine;
use paywatch_tests::proxy::{Proxy, Wrong};
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;

on_both_engines!(
    a_fee_of_the_token_is_missing_from_the_payment,
    transfers_of_nothing_and_look_alikes_do_not_count,
    a_look_alike_is_shown_and_is_no_money,
    a_node_that_gives_no_logs_by_topics_alone_holds_up_nothing,
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

    shop.chain().poisons(PAYER, pay_to(&order)).await;
    shop.chain().pays(OTHER_PAYER, pay_to(&order), "0").await;
    shop.chain()
        .pays_in(look_alike, ISSUER, pay_to(&order), "50")
        .await;
    shop.becomes_final().await;
    shop.catches_up().await;

    let unpaid = shop.sees(&order, "awaiting_payment").await;
    assert_eq!(unpaid.received, "0");
    assert!(unpaid.payments.is_empty());
    shop.close().await;
}

/// A token of the same name: whoever asks for the order, or for the list, sees it.
async fn a_look_alike_is_shown_and_is_no_money(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = format!(
        "{}look_alikes = \"1s\"\n",
        chain_section(&chain, CONFIRMATIONS)
    );
    let mut shop = Shop::open_with(engine, vec![chain], &[section]).await;
    let order = shop.order("FAKE-1", "50").await;
    let look_alike = shop.chain().deploy_token().await;
    for amount in ["20", "30"] {
        shop.chain()
            .pays_in(look_alike, ISSUER, pay_to(&order), amount)
            .await;
    }
    shop.becomes_final().await;

    let counts = LookAlikeCounts {
        transfers: 2,
        of_look_alikes: 2,
    };
    let seen = shop
        .sees_that(&order, "shown with two look-alikes", |now| {
            now.look_alikes == Some(counts)
        })
        .await;
    assert_eq!(seen.status, "awaiting_payment");
    assert_eq!(seen.received, "0");
    assert!(seen.payments.is_empty());

    let list = ListLookAlikes {
        chain: Some("anvil".to_owned()),
        order: Some(order.id.clone()),
        ..ListLookAlikes::default()
    };
    let page = shop.client().look_alikes(&list).await.expect("a page");
    let [found] = page.data.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!(found.kind, "look_alike");
    assert_eq!(found.contract, look_alike.to_string());
    assert_eq!(found.symbol.as_deref(), Some("USDT"));
    assert_eq!(found.name.as_deref(), Some("Tether USD"));
    assert_eq!((found.decimals, found.transfers), (Some(6), 2));
    assert_eq!(found.last_value, "30000000");
    assert!(found.first.block_number < found.last.block_number);

    // Once it was read it is not read again, also by the next process.
    shop.daemon.stop().await;
    shop.daemon.start().await;
    let kept = shop.client().look_alikes(&list).await.expect("a page");
    assert_eq!(kept, page);
    let listed = ["payment", "look-alikes", "--order", &order.id];
    let (went_well, said, error) = shop.daemon.operator(&listed).await;
    assert!(went_well && said.contains("look_alike"), "{said}{error}");
    let (_, said, _) = shop.daemon.operator(&["order", "show", &order.id]).await;
    assert!(said.contains("2 of them of look-alikes"), "{said}");

    shop.chain().pays(PAYER, pay_to(&order), "50").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.close().await;
}

/// Its operator is told once, and its chain is read as if nothing were.
async fn a_node_that_gives_no_logs_by_topics_alone_holds_up_nothing(engine: Engine) {
    const WARNING: &str = "look-alike tokens are not looked for now";
    let chain = Chain::start("anvil", 31_337, 6).await;
    let proxies = [Proxy::start(chain.node.url()).await];
    proxies[0].gets_wrong(Wrong::WantsContracts);
    let section = section_behind(&chain, CONFIRMATIONS, &proxies, "look_alikes = \"1s\"\n");
    let mut shop = Shop::open_with(engine, vec![chain], &[section]).await;
    let order = shop.order("REFUSED-1", "50").await;
    let look_alike = shop.chain().deploy_token().await;
    shop.chain()
        .pays_in(look_alike, ISSUER, pay_to(&order), "50")
        .await;
    shop.becomes_final().await;
    wait::until("the operator to be warned", || async {
        let log = shop.daemon.log();
        if log.contains(WARNING) {
            Ok(())
        } else {
            Err(log)
        }
    })
    .await;
    let readiness = shop.client().ready().await.expect("it answers");
    assert!(readiness.ready, "{readiness:?}");
    shop.chain().pays(PAYER, pay_to(&order), "50").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    let log = shop.daemon.log();
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    assert!(!log.contains("the endpoint is passed over"), "{log}");

    // What it kept back is found once it gives it.
    proxies[0].is_mended();
    shop.sees_that(&order, "shown with a look-alike", |now| {
        now.look_alikes.is_some_and(|came| came.transfers == 1)
    })
    .await;
    shop.close().await;
}
