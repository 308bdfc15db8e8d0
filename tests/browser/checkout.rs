//! The page on which an order is paid.

use paywatch_client::{CreateOrder, Order};
use paywatch_tests::browser::{Browser, Scripts};
use paywatch_tests::chain::{Chain, PAYER};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;
use serde_json::json;

/// A desktop's window, in CSS pixels.
const DESKTOP: (u32, u32) = (1_280, 900);
/// A small phone's.
const PHONE: (u32, u32) = (360, 740);

/// Whether a page has asked for the status of its order.
const HAS_ASKED: &str = "return performance.getEntriesByType('resource')
    .some((entry) => entry.name.endsWith('/status'))";

/// A shop on one chain, with this `[checkout]`.
async fn open(checkout: &str) -> Shop {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = chain_section(&chain, CONFIRMATIONS);
    let checkout = format!("[checkout]\n{checkout}\n");
    Shop::open_with(Engine::Sqlite, vec![chain], &[section, checkout]).await
}

fn page(order: &Order) -> &str {
    order.checkout_url.as_deref().expect("it has a page")
}

/// What a wallet is asked for.
fn uri(shop: &Shop, order: &Order, units: u64) -> String {
    let (token, address) = (shop.chain().token, pay_to(order));
    format!("ethereum:{token}@31337/transfer?address={address}&uint256={units}")
}

#[tokio::test]
async fn the_code_on_the_screen_names_token_chain_address_and_amount() {
    let mut shop = open("merchant_name = \"Tea & Cake\"").await;
    let order = shop.order("TEA-1", "12.5").await;
    for (size, name) in [(DESKTOP, "desktop"), (PHONE, "phone")] {
        let browser = Browser::open(Scripts::On, size).await;
        browser.goes_to(page(&order)).await;
        assert_eq!(browser.scans().await, uri(&shop, &order, 12_500_000));
        browser.is_looked_at(&format!("checkout-open-{name}")).await;
        assert_eq!(browser.reads(".merchant").await, "Tea & Cake");
        assert_eq!(browser.reads("#amount").await, "12.5");
        assert_eq!(browser.reads("#address").await, pay_to(&order).to_string());

        browser.clicks("a[href$='qr=address']").await;
        assert_eq!(browser.scans().await, pay_to(&order).to_string());
        let wide = "return document.documentElement.scrollWidth > innerWidth";
        assert_eq!(browser.evaluates(wide).await, json!(false), "{size:?}");
    }
    shop.close().await;
}

#[tokio::test]
async fn the_page_turns_to_paid_by_itself() {
    let mut shop = open("").await;
    let order = shop.order("TEA-1", "100").await;
    let browser = Browser::open(Scripts::On, PHONE).await;
    browser.goes_to(page(&order)).await;
    browser
        .shows("#standing h2", "Waiting for your payment")
        .await;
    // It would be gone if the page were loaded again.
    browser.evaluates("window.stayed = true").await;

    shop.chain().pays(PAYER, pay_to(&order), "40").await;
    browser.shows("#standing h2", "60 USDT are missing").await;
    assert_eq!(browser.reads("#amount").await, "60");
    let drawn = "return document.querySelector('#code').complete";
    wait::until("the new code", || async {
        let is_drawn = browser.evaluates(drawn).await == json!(true);
        is_drawn.then_some(()).ok_or_else(|| "not drawn".to_owned())
    })
    .await;
    assert_eq!(browser.scans().await, uri(&shop, &order, 60_000_000));

    browser.is_looked_at("checkout-partly-paid").await;

    shop.chain().pays(PAYER, pay_to(&order), "60").await;
    browser.shows("#standing h2", "Payment received").await;
    browser.is_looked_at("checkout-paid").await;
    browser.shows("#standing", "of 3 confirmations").await;
    assert_eq!(browser.reads("#pay").await, "", "nobody pays twice");
    shop.becomes_final().await;
    browser.shows("#standing h2", "Paid").await;
    browser
        .shows("#standing", "Your payment is confirmed")
        .await;
    browser.is_looked_at("checkout-completed").await;
    assert_eq!(browser.evaluates("return document.title").await, "Paid");
    assert_eq!(browser.evaluates("return window.stayed").await, json!(true));
    // All of it was told by the stream: the page never had to ask.
    assert_eq!(browser.evaluates(HAS_ASKED).await, json!(false));
    shop.close().await;
}

#[tokio::test]
async fn a_page_that_cannot_listen_asks() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let sections = [
        chain_section(&chain, CONFIRMATIONS),
        "[api.limits]\nstreams = 1\n".to_owned(),
    ];
    let mut shop = Shop::open_with(Engine::Sqlite, vec![chain], &sections).await;
    let order = shop.order("TEA-1", "100").await;
    let listening = Browser::open(Scripts::On, PHONE).await;
    listening.goes_to(page(&order)).await;
    let asking = Browser::open(Scripts::On, PHONE).await;
    asking.goes_to(page(&order)).await;
    shop.chain().pays(PAYER, pay_to(&order), "40").await;
    for browser in [&listening, &asking] {
        browser.shows("#standing h2", "60 USDT are missing").await;
    }
    assert_eq!(listening.evaluates(HAS_ASKED).await, json!(false));
    assert_eq!(asking.evaluates(HAS_ASKED).await, json!(true));
    shop.close().await;
}

#[tokio::test]
async fn what_is_to_be_copied_is_copied() {
    let mut shop = open("").await;
    let order = shop.order("TEA-1", "100").await;
    let browser = Browser::open(Scripts::On, DESKTOP).await;
    browser.goes_to(page(&order)).await;
    let note = "addEventListener('copy', () => { window.copied = String(getSelection()) });
        navigator.clipboard.writeText = async (text) => { window.copied = text };";
    browser.evaluates(note).await;
    for (id, expected) in [
        ("amount", "100".to_owned()),
        ("address", pay_to(&order).to_string()),
    ] {
        browser.clicks(&format!("button[data-copy={id}]")).await;
        browser
            .shows(&format!("button[data-copy={id}]"), "Copied")
            .await;
        assert_eq!(browser.evaluates("return window.copied").await, expected);
    }
    browser.shows("#said", "Address copied").await;
    browser.shows("#left", ":").await;
    shop.close().await;
}

#[tokio::test]
async fn hostile_names_do_not_run() {
    let name = "<script>window.ran=1</script><img src=x onerror=window.ran=1>\u{202e}\"'`${1}";
    let mut shop = open(&format!("merchant_name = {}", json!(name))).await;
    let order = shop
        .order_with(CreateOrder {
            reference: "<script>window.ran=2</script>".to_owned(),
            amount: "100".to_owned(),
            metadata: [(
                "note".to_owned(),
                "<script>window.ran=3</script>".to_owned(),
            )]
            .into(),
            ..CreateOrder::default()
        })
        .await;
    let browser = Browser::open(Scripts::On, PHONE).await;
    let query = "chain=%22%3E%3Cscript%3Ewindow.ran=4%3C/script%3E&token='onload=window.ran=5";
    browser.goes_to(&format!("{}?{query}", page(&order))).await;
    assert_eq!(browser.reads(".merchant").await, name);
    shop.chain().pays(PAYER, pay_to(&order), "40").await;
    // The part that a script has put in is as harmless.
    browser.shows("#standing h2", "60 USDT are missing").await;
    assert_eq!(
        browser.evaluates("return window.ran ?? null").await,
        json!(null)
    );
    let foreign = "return [document.scripts.length, document.querySelectorAll('img').length]";
    assert_eq!(browser.evaluates(foreign).await, json!([1, 1]));
    let text = browser
        .evaluates("return document.documentElement.outerHTML")
        .await;
    assert!(!text.as_str().expect("a text").contains("window.ran=3"));
    shop.close().await;
}

#[tokio::test]
async fn the_page_works_without_scripts() {
    let chains = vec![
        Chain::start("anvil", 31_337, 6).await,
        Chain::start("bnb", 56, 18).await,
    ];
    let mut shop = Shop::open_on(Engine::Sqlite, chains).await;
    let order = shop.order("TEA-1", "100").await;
    let browser = Browser::open(Scripts::Off, PHONE).await;
    browser.goes_to(page(&order)).await;
    let scripted = "return document.documentElement.className";
    assert_eq!(
        browser.evaluates(scripted).await,
        "",
        "no script of the page ran"
    );
    browser
        .shows(".note:last-child", "loads itself again")
        .await;

    browser.is_looked_at("checkout-without-scripts").await;
    browser.clicks("a[href='?chain=bnb']").await;
    browser
        .shows(".token", "USDT on BNB Smart Chain (BEP-20)")
        .await;
    let scanned = browser.scans().await;
    assert!(scanned.contains("@56/transfer?"), "{scanned}");
    assert!(
        scanned.ends_with("&uint256=100000000000000000000"),
        "{scanned}"
    );

    shop.chains[1].pays(PAYER, pay_to(&order), "100").await;
    shop.sees(&order, "paid").await;
    // By itself, since the page asks for it.
    browser.shows("#standing h2", "Payment received").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    browser.reloads().await;
    browser.shows("#standing h2", "Paid").await;
    assert!(browser.url().await.ends_with("?chain=bnb"));
    shop.close().await;
}
