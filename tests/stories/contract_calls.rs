//! Orders that are paid by calling the payment receiver.

use alloy::primitives::Bytes;
use alloy::providers::ext::AnvilApi as _;
use paywatch_client::{CreateOrder, ListPayments, Order, PaymentOption, Transaction};
use paywatch_contracts::receiver::{Payment, receiver_address, receiver_deployment};
use paywatch_core::{Address, B256, EventKind};
use paywatch_tests::chain::{Chain, ISSUER, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;

on_both_engines!(
    an_order_is_paid_by_a_call,
    parts_by_call_and_to_the_deposit_address_add_up,
    a_mere_transfer_to_the_treasury_pays_no_order,
    a_call_that_names_no_order_is_unmatched,
    a_reorg_takes_a_call_away,
    what_is_configured_no_more_still_pays_older_orders,
    a_token_that_is_gone_stops_no_chain,
);

/// A shop whose orders may be paid by these methods, and a chain with the receiver on it.
async fn open(engine: Engine, methods: &str) -> Shop {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let (deployer, code) = receiver_deployment();
    chain.send(ISSUER, deployer, code).await;
    let section = chain_section(&chain, CONFIRMATIONS) + "receiver = \"default\"\n";
    let methods = format!("[orders]\nmethods = [{methods}]\n");
    Shop::open_with(engine, vec![chain], &[section, methods]).await
}

fn by_call(order: &Order) -> &PaymentOption {
    let mut options = order.options.iter();
    let option = options.find(|option| option.method == "contract");
    option.expect("it can be paid by a call")
}

async fn sends(shop: &Shop, from: Address, transaction: &Transaction) {
    let to = transaction.to.parse().expect("an address");
    let data = transaction.data.parse().expect("data in hex");
    assert_eq!(transaction.value, "0");
    shop.chain().send(from, to, data).await;
}

/// What a payer's wallet does with what the API gives it.
async fn calls(shop: &Shop, from: Address, order: &Order) {
    let call = by_call(order).call.as_ref().expect("the calls are given");
    sends(shop, from, &call.approve).await;
    sends(shop, from, &call.pay).await;
}

/// Pays some of an order, or of none, by a call of the payer's own making.
async fn pays_a_part(shop: &Shop, from: Address, order_ref: B256, amount: &str) {
    let chain = shop.chain();
    let units = chain.units(amount);
    let approve = paywatch_contracts::erc20::approve(receiver_address(), units);
    chain.send(from, chain.token, approve).await;
    let payment = Payment {
        treasury: TREASURY,
        order_ref,
        token: chain.token,
        amount: units,
    };
    chain.send(from, receiver_address(), payment.pay()).await;
}

fn order_ref(order: &Order) -> B256 {
    let id: paywatch_core::OrderId = order.id.parse().expect("an order's id");
    id.to_contract_ref()
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

/// The money is in the treasury in the same transaction, and counted once.
async fn an_order_is_paid_by_a_call(engine: Engine) {
    let mut shop = open(engine, "\"contract\"").await;
    let order = shop.order("CALL-1", "25.5").await;
    let option = by_call(&order).clone();
    let call = option.call.expect("the calls are given");
    assert_eq!(call.receiver, receiver_address().to_string());
    assert_eq!(call.order_ref, order_ref(&order).to_string());
    assert!(option.uri.contains("/pay?address=0x1111"), "{}", option.uri);
    calls(&shop, PAYER, &order).await;
    let paid = shop.sees(&order, "paid").await;
    assert_eq!((paid.received.as_str(), paid.payments.len()), ("25.5", 1));
    assert_eq!(shop.chain().balance(TREASURY).await.to_string(), "25.5");
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(
        completed.payments[0].proof.as_deref(),
        Some("receipts_root")
    );
    payments(&shop, "unmatched", 0).await;
    shop.close().await;
}

/// Forty by a call and sixty to the order's own address.
async fn parts_by_call_and_to_the_deposit_address_add_up(engine: Engine) {
    let mut shop = open(engine, "\"deposit_address\", \"contract\"").await;
    let order = shop.order("BOTH-1", "100").await;
    assert_eq!(order.options.len(), 2);
    pays_a_part(&shop, PAYER, order_ref(&order), "40").await;
    let partly = shop.sees(&order, "partially_paid").await;
    assert_eq!(partly.remaining, "60");
    shop.chain().pays(OTHER_PAYER, pay_to(&order), "60").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    assert_eq!(
        (completed.received.as_str(), completed.flags.len()),
        ("100", 0)
    );
    shop.close().await;
}

/// The same token, amount and treasury: without the receiver's word it is nobody's.
async fn a_mere_transfer_to_the_treasury_pays_no_order(engine: Engine) {
    let mut shop = open(engine, "\"contract\"").await;
    let order = shop.order("MERE-1", "10").await;
    shop.chain().pays(PAYER, TREASURY, "10").await;
    payments(&shop, "unmatched", 1).await;
    shop.sees(&order, "awaiting_payment").await;
    shop.close().await;
}

/// A wrong reference, and that of an order that takes no calls.
async fn a_call_that_names_no_order_is_unmatched(engine: Engine) {
    let mut shop = open(engine, "\"contract\"").await;
    let order = shop
        .order_with(CreateOrder {
            reference: "DEPOSIT-1".to_owned(),
            amount: "10".to_owned(),
            methods: Some(vec!["deposit_address".to_owned()]),
            ..CreateOrder::default()
        })
        .await;
    pays_a_part(&shop, PAYER, B256::repeat_byte(7), "3").await;
    pays_a_part(&shop, OTHER_PAYER, order_ref(&order), "4").await;
    payments(&shop, "unmatched", 2).await;
    shop.sees(&order, "awaiting_payment").await;
    shop.close().await;
}

/// What the receiver said leaves the chain together with the money.
async fn a_reorg_takes_a_call_away(engine: Engine) {
    let mut shop = open(engine, "\"contract\"").await;
    let order = shop.order("GONE-1", "10").await;
    calls(&shop, PAYER, &order).await;
    shop.sees(&order, "paid").await;
    shop.chain().reorgs(1, &[]).await;
    shop.chain().mines(1).await;
    let open = shop.sees(&order, "awaiting_payment").await;
    assert_eq!(open.flags, ["reverted"]);
    let kinds = shop.close().await;
    assert!(kinds.contains(&EventKind::OrderReverted));
}

/// The configuration of `shop` with another token in the place of the first.
async fn with_another_token(shop: &Shop) -> String {
    let other = shop.chain().deploy_token().await;
    let section = chain_section(shop.chain(), CONFIRMATIONS);
    let section = section.replace(&shop.chain().token.to_string(), &other.to_string());
    assert!(section.contains(&other.to_string()));
    section
}

/// Orders name a token whose contract does not answer any more; it was replaced.
async fn a_token_that_is_gone_stops_no_chain(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("GONE-1", "10").await;
    shop.daemon.stop().await;
    let section = with_another_token(&shop).await;
    let (provider, token) = (shop.chain().provider(), shop.chain().token);
    let gone = provider.anvil_set_code(token, Bytes::new()).await;
    gone.expect("Anvil takes it away");
    shop.daemon.configure(&[section]);
    shop.daemon.start().await;
    shop.daemon.becomes_ready().await;
    shop.sees(&order, "awaiting_payment").await;
    shop.close().await;
}

/// The receiver and the token are replaced in the configuration; orders that name the old ones are
/// still out there.
async fn what_is_configured_no_more_still_pays_older_orders(engine: Engine) {
    let mut shop = open(engine, "\"deposit_address\", \"contract\"").await;
    let by_call = shop.order("CALL-1", "10").await;
    let by_transfer = shop.order("MOVE-1", "20").await;
    shop.daemon.stop().await;
    let section = with_another_token(&shop).await;
    shop.daemon.configure(&[section]);
    shop.daemon.start().await;
    shop.daemon.becomes_ready().await;

    calls(&shop, PAYER, &by_call).await;
    shop.chain()
        .pays(OTHER_PAYER, pay_to(&by_transfer), "20")
        .await;
    shop.becomes_final().await;
    shop.sees(&by_call, "completed").await;
    shop.sees(&by_transfer, "completed").await;
    shop.close().await;
}
