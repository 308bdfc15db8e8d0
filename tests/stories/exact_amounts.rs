//! Orders that are paid to a plain wallet, and told apart by their amounts.

use paywatch_client::{CreateOrder, ListPayments, Order};
use paywatch_core::{Address, EventKind, read_tron_address};
use paywatch_tests::chain::{Chain, OTHER_PAYER, PAYER};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop};
use paywatch_tests::wait;

on_both_engines!(
    two_orders_over_the_same_amount_are_told_apart,
    an_amount_that_nobody_was_asked_for_pays_nobody,
    late_money_pays_the_late_order_and_no_strangers,
    a_tolerated_amount_is_reserved_as_well,
    an_expired_order_whose_amount_is_gone_is_not_extended,
    an_order_on_tron_is_paid,
);

/// The merchant's wallet; nobody's account.
const WALLET: &str = "0x2222222222222222222222222222222222222222";

/// A shop that takes exact amounts at its wallet, with this `[exact_amount]`.
async fn open(engine: Engine, exact: &str) -> Shop {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = chain_section(&chain, CONFIRMATIONS) + &format!("wallets = [\"{WALLET}\"]\n");
    let methods = "[orders]\nmethods = [\"exact_amount\"]\n".to_owned();
    Shop::open_with(engine, vec![chain], &[section, methods, exact.to_owned()]).await
}

const STEPS: &str = "[exact_amount]\nstep = \"0.01\"\nmax_surcharge = \"0.03\"\n";

fn wallet() -> Address {
    WALLET.parse().expect("an address")
}

fn asked(order: &Order) -> &str {
    assert_eq!(order.options.len(), 1);
    assert_eq!(order.options[0].method, "exact_amount");
    &order.options[0].amount
}

async fn payments(shop: &Shop, status: &str, count: usize) {
    let client = shop.client();
    let list = ListPayments {
        status: Some(status.to_owned()),
        ..ListPayments::default()
    };
    wait::until(&format!("{count} {status} payments"), || async {
        let page = client.payments(&list).await;
        let page = page.map_err(|error| error.to_string())?;
        let is_so = page.data.len() == count;
        is_so.then_some(()).ok_or_else(|| format!("{page:?}"))
    })
    .await;
}

/// Two customers buy the same thing; each is asked for an amount of his own.
async fn two_orders_over_the_same_amount_are_told_apart(engine: Engine) {
    let mut shop = open(engine, STEPS).await;
    let tea = shop.order("TEA", "100").await;
    let cake = shop.order("CAKE", "100").await;
    assert_eq!((asked(&tea), asked(&cake)), ("100", "100.01"));
    shop.chain().pays(PAYER, wallet(), "100.01").await;
    shop.sees(&cake, "paid").await;
    shop.sees(&tea, "awaiting_payment").await;
    shop.chain().pays(OTHER_PAYER, wallet(), "100").await;
    shop.becomes_final().await;
    let tea = shop.sees(&tea, "completed").await;
    let cake = shop.sees(&cake, "completed").await;
    for order in [&tea, &cake] {
        assert_eq!(order.flags, [""; 0], "what was asked is no excess");
        assert_eq!(
            (order.excess.as_str(), order.remaining.as_str()),
            ("0", "0")
        );
    }
    assert_eq!(cake.received, "100.01");

    // The same amount once more is the same order's, and too much.
    shop.chain().pays(PAYER, wallet(), "100.01").await;
    let over = shop
        .sees_that(&cake, "overpaid", |now| now.flags == ["overpaid"])
        .await;
    assert_eq!(over.excess, "100.01");
    shop.close().await;
}

/// A part, or a rounded amount, could be anybody's.
async fn an_amount_that_nobody_was_asked_for_pays_nobody(engine: Engine) {
    let mut shop = open(engine, STEPS).await;
    let order = shop.order("TEA", "100").await;
    for amount in ["50", "100.005", "99.99", "100.000001"] {
        shop.chain().pays(PAYER, wallet(), amount).await;
    }
    payments(&shop, "unmatched", 4).await;
    shop.sees(&order, "awaiting_payment").await;
    let kinds = shop.close().await;
    let told = kinds
        .iter()
        .filter(|kind| **kind == EventKind::PaymentUnmatched);
    assert_eq!(told.count(), 4);
}

/// The first customer is late; the second is asked for another amount and is not paid by him.
async fn late_money_pays_the_late_order_and_no_strangers(engine: Engine) {
    let mut shop = open(engine, STEPS).await;
    let late = shop.order_for("LATE", "100", "10m").await;
    shop.chain().time_passes(11 * 60).await;
    shop.sees(&late, "expired").await;
    let stranger = shop.order_for("STRANGER", "100", "3h").await;
    assert_eq!(asked(&stranger), "100.01");
    shop.chain().pays(PAYER, wallet(), "100").await;
    shop.becomes_final().await;
    let late = shop.sees(&late, "completed").await;
    assert_eq!(late.flags, ["late"]);
    let stranger = shop.sees(&stranger, "awaiting_payment").await;
    assert_eq!(stranger.payments, []);
    shop.close().await;
}

/// An order that tolerates a fee reserves all amounts that would pay it.
async fn a_tolerated_amount_is_reserved_as_well(engine: Engine) {
    let mut shop = open(engine, STEPS).await;
    let ask = |reference: &str, amount: &str, tolerance: Option<&str>| CreateOrder {
        reference: reference.to_owned(),
        amount: amount.to_owned(),
        tolerance: tolerance.map(str::to_owned),
        ..CreateOrder::default()
    };
    let kind = shop.order_with(ask("KIND", "100", Some("0.5"))).await;
    assert_eq!(asked(&kind), "100");
    let refused = shop.client().create_order(&ask("NEAR", "99.6", None)).await;
    let refused = refused.expect_err("its amounts are reserved").to_string();
    assert!(refused.contains("max_surcharge"), "{refused}");
    let next = shop.order_with(ask("NEXT", "99.49", None)).await;
    assert_eq!(asked(&next), "99.49");
    shop.chain().pays(PAYER, wallet(), "99.7").await;
    shop.becomes_final().await;
    let kind = shop.sees(&kind, "completed").await;
    assert_eq!(kind.flags, ["underpaid_within_tolerance"]);
    shop.sees(&next, "awaiting_payment").await;
    shop.close().await;
}

/// After its quarantine the amount was given to somebody else.
async fn an_expired_order_whose_amount_is_gone_is_not_extended(engine: Engine) {
    let exact = "[exact_amount]\nstep = \"0.01\"\nmax_surcharge = \"0\"\nquarantine = \"1m\"\n";
    let mut shop = open(engine, exact).await;
    let first = shop.order_for("FIRST", "100", "10m").await;
    let ask = CreateOrder {
        reference: "NONE".to_owned(),
        amount: "100".to_owned(),
        ..CreateOrder::default()
    };
    let taken = shop.client().create_order(&ask).await;
    let taken = taken.expect_err("the amount is taken").to_string();
    assert!(taken.contains("belongs to another order"), "{taken}");
    shop.chain().time_passes(11 * 60).await;
    shop.sees(&first, "expired").await;
    shop.chain().time_passes(2 * 60).await;
    shop.catches_up().await;
    let second = shop.order_for("SECOND", "100", "3h").await;
    assert_eq!(asked(&second), "100");
    let extend = [
        "order",
        "extend",
        "--by",
        "1h",
        "--reason",
        "asked for it",
        &first.id,
    ];
    let (went_well, _, error) = shop.daemon.operator(&extend).await;
    assert!(!went_well && error.contains("another order"), "{error}");
    shop.sees(&first, "expired").await;
    shop.close().await;
}

/// Tron speaks the same JSON-RPC, without blooms, proofs or subscriptions, and writes addresses in
/// base58.
async fn an_order_on_tron_is_paid(engine: Engine) {
    let chain = Chain::start("tron", 728_126_428, 6).await;
    let wallet_text = "TD5gsCwxykWsLN9aPrq2TAfNjByuZKYp4E";
    let ws = format!("ws = \"{}\"\n", chain.node.ws_url());
    let section = chain_section(&chain, CONFIRMATIONS).replace(
        &ws,
        "proof = \"none\"\nblooms = false\ntag = \"none\"\nfilter_up_to = 10\n",
    ) + &format!("wallets = [\"{wallet_text}\"]\n");
    let mut shop = Shop::open_with(engine, vec![chain], &[section]).await;
    let order = shop.order("TRON-1", "25.5").await;
    assert_eq!(asked(&order), "25.5");
    assert_eq!(order.options[0].address, wallet_text);
    assert_eq!(
        order.options[0].uri, wallet_text,
        "there is no standard for more"
    );
    let to = read_tron_address(wallet_text).expect("an address");
    shop.chain().pays(PAYER, to, "25.5").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(completed.payments[0].to, wallet_text);
    assert!(completed.payments[0].from.starts_with('T'));
    assert_eq!(completed.payments[0].proof.as_deref(), Some("none"));
    shop.close().await;
}
