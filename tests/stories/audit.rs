//! Books that balance: audits of real balances, differences that nobody told of, and exports.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy::providers::ext::AnvilApi as _;
use paywatch_contracts::MockUSDT;
use paywatch_core::{
    Address, Amount, ChainEventKind, ChainId, Decimals, FinalityRule, OrderId, Token,
};
use paywatch_indexer::{RpcSettings, RpcSource};
use paywatch_reconciler::{AuditedChain, Extent, audit_chain};
use paywatch_store::{AuditScope, Store, Told};
use paywatch_tests::chain::{Chain, ISSUER, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;
use serde_json::Value;

on_both_engines!(
    a_shop_audits_clean_while_money_comes_and_is_moved,
    money_that_changes_in_silence_is_found_to_the_last_unit,
    the_daily_audit_tells_of_a_difference,
    an_audit_with_a_limit_goes_on_where_it_stopped,
    a_period_is_exported_and_sums_up,
);

/// A shop that is audited by itself so often; never, if `every` is 0s.
async fn opens(engine: Engine, chain: Chain, every: &str) -> Shop {
    let section = chain_section(&chain, CONFIRMATIONS);
    let every = format!("[audit]\nevery = \"{every}\"\n");
    Shop::open_with(engine, vec![chain], &[section, every]).await
}

/// Whether `audit` finds the books right, and what it reports.
async fn audit(shop: &Shop, more: &[&str]) -> (bool, Value) {
    let arguments = [&["audit", "--json"], more].concat();
    let (is_right, out, error) = shop.daemon.operator(&arguments).await;
    assert!(out.starts_with('{'), "{out}{error}");
    (
        is_right,
        serde_json::from_str(&out).expect("it prints JSON"),
    )
}

fn differences(report: &Value) -> Vec<(String, String)> {
    let found = report["chains"][0]["differences"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    found
        .expect("a list")
        .iter()
        .map(|found| (text(&found["address"]), text(&found["difference"])))
        .collect()
}

/// The daemon has covered enough blocks that all so far are final.
async fn is_settled(shop: &Shop) {
    shop.becomes_final().await;
    shop.catches_up().await;
}

/// What `owner` holds changes by no transfer.
async fn changes_in_silence(chain: &Chain, owner: Address, to: &str) {
    let provider = chain.provider();
    let dealt = provider.anvil_deal_erc20(owner, chain.token, chain.units(to));
    dealt.await.expect("Anvil deals");
    assert_eq!(chain.balance(owner).await.to_string(), to);
}

async fn mismatches(shop: &Shop) -> Vec<String> {
    let store = Store::open(&shop.daemon.database.parse().expect("a URL")).await;
    let store = store.expect("the books open");
    let events = store.events_after(0, 1_000).await.expect("events");
    store.close().await;
    let told = events.into_iter().filter_map(|event| match event.told {
        Told::Chain(event) if event.kind == ChainEventKind::AuditMismatch => Some(event.detail),
        Told::Chain(_) | Told::Order(_) | Told::Payment(_) | Told::Endpoint(_) => None,
    });
    told.collect()
}

async fn a_shop_audits_clean_while_money_comes_and_is_moved(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    // What the treasury held before paywatch is its own affair.
    changes_in_silence(&chain, TREASURY, "1234.5").await;
    chain.mines(u64::from(CONFIRMATIONS)).await;
    let mut shop = opens(engine, chain, "0s").await;
    let (first, second) = (shop.order("A-1", "100").await, shop.order("A-2", "7").await);
    let unpaid = shop.order("A-3", "1").await;
    shop.chain().pays(PAYER, pay_to(&first), "60").await;
    let both = [(pay_to(&first), "40.000001"), (pay_to(&second), "7")];
    shop.chain().exchange_pays(&both).await;
    shop.chain().pays(PAYER, TREASURY, "3").await;
    is_settled(&shop).await;

    let (is_right, report) = audit(&shop, &[]).await;
    assert!(is_right, "{report}");
    assert_eq!(report["chains"][0]["addresses"], 3);
    assert_eq!(report["chains"][0]["opened"][0]["balance"], "1237.5");
    assert_eq!(report["books"]["orders"], 3);

    let salts = [&first, &second].map(|order| order.id.parse::<OrderId>().expect("an id").salt());
    shop.chain().flushes(salts.to_vec()).await;
    shop.chain().pays(PAYER, pay_to(&first), "5").await;
    shop.chain().pays(OTHER_PAYER, TREASURY, "0.25").await;
    is_settled(&shop).await;
    let (is_right, report) = audit(&shop, &["--all", "--chain", "anvil"]).await;
    assert!(is_right, "{report}");
    assert_eq!(report["chains"][0]["addresses"], 4);
    assert_eq!(report["chains"][0]["opened"], serde_json::json!([]));
    assert_eq!(shop.chain().balance(pay_to(&unpaid)).await, Amount::ZERO);

    let head = shop.chain().height().await.to_string();
    let too_new = ["audit", "--chain", "anvil", "--block", &head];
    let (went_well, said) = shop.daemon.says(&too_new).await;
    assert!(!went_well && said.contains("not final"), "{said}");
    assert_eq!(mismatches(&shop).await, Vec::<String>::new());
    shop.close().await;
}

async fn money_that_changes_in_silence_is_found_to_the_last_unit(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut shop = opens(engine, chain, "0s").await;
    let order = shop.order("SILENT-1", "40").await;
    shop.chain().pays(PAYER, pay_to(&order), "40").await;
    is_settled(&shop).await;
    assert!(audit(&shop, &[]).await.0);

    // The issuer destroys what a blacklisted address holds: no Transfer tells of it.
    let token = MockUSDT::new(shop.chain().token, shop.chain().provider());
    let blacklist = token.addBlackList(pay_to(&order)).calldata().clone();
    let destroy = token.destroyBlackFunds(pay_to(&order)).calldata().clone();
    for call in [blacklist, destroy] {
        shop.chain().send(ISSUER, shop.chain().token, call).await;
    }
    changes_in_silence(shop.chain(), TREASURY, "0.000001").await;
    is_settled(&shop).await;
    let (is_right, report) = audit(&shop, &[]).await;
    assert!(!is_right, "{report}");
    assert_eq!(
        differences(&report),
        [
            (TREASURY.to_string(), "+0.000001".to_owned()),
            (pay_to(&order).to_string(), "-40".to_owned()),
        ]
    );
    assert!(report.to_string().contains("destroyBlackFunds"), "{report}");
    let told = mismatches(&shop).await;
    assert!(told.len() == 1 && told[0].contains("-40"), "{told:?}");
    let (went_well, said) = shop.daemon.says(&["audit"]).await;
    assert!(
        !went_well && said.contains("-40") && said.contains("Perhaps"),
        "{said}"
    );
    shop.close().await;
}

async fn the_daily_audit_tells_of_a_difference(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut shop = opens(engine, chain, "1s").await;
    let order = shop.order("DAILY-1", "10").await;
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    is_settled(&shop).await;
    let shows = async |line: &str| {
        let url = shop.daemon.url().join("metrics").expect("it is a URL");
        wait::until(line, || async {
            let answer = reqwest::get(url.clone()).await;
            let text = answer.map_err(|error| error.to_string())?.text().await;
            let text = text.map_err(|error| error.to_string())?;
            let is_there = text.lines().any(|known| known.starts_with(line));
            if is_there { Ok(()) } else { Err(text) }
        })
        .await;
    };
    shows("paywatch_audit_last_success_timestamp_seconds{chain=\"31337\"} 1").await;
    shows("paywatch_audit_differences{chain=\"31337\"} 0").await;
    shows("paywatch_audit_book_faults 0").await;
    changes_in_silence(shop.chain(), pay_to(&order), "9.999999").await;
    is_settled(&shop).await;
    shows("paywatch_audit_differences{chain=\"31337\"} 1").await;
    let told = mismatches(&shop).await;
    assert!(told[0].contains("-0.000001"), "{told:?}");
    changes_in_silence(shop.chain(), pay_to(&order), "10").await;
    is_settled(&shop).await;
    shows("paywatch_audit_differences{chain=\"31337\"} 0").await;
    shop.close().await;
}

async fn an_audit_with_a_limit_goes_on_where_it_stopped(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut shop = opens(engine, chain, "0s").await;
    for number in 1..=3 {
        let order = shop.order(&format!("PART-{number}"), "1").await;
        shop.chain().pays(PAYER, pay_to(&order), "1").await;
    }
    is_settled(&shop).await;
    let settings = RpcSettings {
        http: Some(shop.chain().node.url()),
        ws: None,
        timeout: wait::LIMIT,
    };
    let chain_id = ChainId::new(31_337).expect("a chain id");
    let chain = AuditedChain {
        chain_id,
        source: Arc::new(RpcSource::connect(settings).await.expect("a source")),
        tokens: vec![Token {
            chain_id,
            address: shop.chain().token,
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(6).expect("at most 18"),
        }],
        own: [TREASURY].into(),
        rule: FinalityRule::confirmations(CONFIRMATIONS).expect("at least 1"),
    };
    let store = Store::open(&shop.daemon.database.parse().expect("a URL")).await;
    let store = store.expect("the books open");
    let extent = Extent {
        block: None,
        scope: AuditScope::Active,
        most: Some(2),
    };
    let mut looked_at = Vec::new();
    for _ in 0..3 {
        let now = paywatch_core::Timestamp::EPOCH;
        let report = audit_chain(&store, &chain, extent, now, &mut |_| {}).await;
        let report = report.expect("it is audited");
        assert_eq!(report.findings, []);
        looked_at.push((report.accounts, report.is_whole));
    }
    // The treasury each time; then begins the next round.
    assert_eq!(looked_at, [(3, false), (2, true), (3, false)]);
    store.close().await;
    shop.close().await;
}

/// What `export` writes of the time between two dates.
async fn exports(shop: &Shop, what: &str, format: &str, (from, to): (&str, &str)) -> String {
    let arguments = ["export", "--what", what, "--format", format];
    let period = ["--from", from, "--to", to];
    let arguments = [&arguments[..], &period].concat();
    let (went_well, out, error) = shop.daemon.operator(&arguments).await;
    assert!(went_well, "{error}");
    out
}

async fn a_period_is_exported_and_sums_up(engine: Engine) {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut shop = opens(engine, chain, "0s").await;
    let order = shop.order("=1+1", "100").await;
    for part in ["60", "39.999999", "0.000001"] {
        shop.chain().pays(PAYER, pay_to(&order), part).await;
    }
    shop.chain().pays(PAYER, TREASURY, "7").await;
    is_settled(&shop).await;
    shop.sees(&order, "completed").await;

    let export = async |what, format, period| exports(&shop, what, format, period).await;
    let (always, never) = (("2000-01-01", "2100-01-01"), ("2000-01-01", "2000-01-02"));
    let mut sums: BTreeMap<String, Amount> = BTreeMap::new();
    let lines = export("payments", "jsonl", always).await;
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).expect("an object");
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let sum = sums.entry(text("reference")).or_default();
        let amount = text("amount").parse().expect("an amount");
        *sum = sum.checked_add(amount).expect("it fits");
    }
    let amount = |text: &str| text.parse::<Amount>().expect("an amount");
    let expected = [("", "7"), ("=1+1", "100")].map(|(name, sum)| (name.to_owned(), amount(sum)));
    assert_eq!(sums, expected.into());

    let csv = export("payments", "csv", always).await;
    assert_eq!(
        csv.split("\r\n").filter(|line| !line.is_empty()).count(),
        5,
        "{csv}"
    );
    assert!(csv.contains(",'=1+1,anvil,31337,USDT,"), "{csv}");
    assert_eq!(export("payments", "csv", never).await.lines().count(), 1);
    let orders = export("orders", "jsonl", always).await;
    let row: Value = serde_json::from_str(&orders).expect("one object");
    assert_eq!(
        (row["status"].as_str(), row["confirmed"].as_str()),
        (Some("completed"), Some("100"))
    );
    for format in ["hledger", "beancount"] {
        let journal = export("payments", format, always).await;
        assert_eq!(
            journal.matches("Income:Orders:X-1-1-").count(),
            4,
            "{journal}"
        );
        assert_eq!(
            journal.matches("Liabilities:Unmatched").count(),
            2,
            "{journal}"
        );
    }
    let file = shop.daemon.folder().join("out.csv").display().to_string();
    let wrong = [
        "export",
        "--what",
        "orders",
        "--format",
        "hledger",
        "--from",
        "2026-01-01",
    ];
    let wrong = [&wrong[..], &["--to", "2027-01-01", "--out", &file]].concat();
    let (went_well, said) = shop.daemon.says(&wrong).await;
    assert!(!went_well && said.contains("payments"), "{said}");
    shop.close().await;
}
