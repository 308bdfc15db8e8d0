//! A shop that was integrated with the hosted gateway, and now talks to the daemon.

use std::path::PathBuf;

use paywatch_core::Address;
use paywatch_tests::chain::{Chain, OTHER_PAYER, PAYER};
use paywatch_tests::database::Engine;
use paywatch_tests::shop::Shop;
use paywatch_tests::{tools, wait};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::process::Command;

/// The base URL and the key in the article that shows how to integrate that gateway.
const THEIR_URL: &str = "https://backend.blockatm.net";
const THEIR_KEY: &str = "your_api_key_here";

/// Where the article lies beside the checkout, for those who have it.
fn article() -> Option<String> {
    let path: PathBuf = tools::root().join("../shared/reference/gateway-article.txt");
    std::fs::read_to_string(path).ok()
}

/// The lines of the article from the last import of `requests` before `function` to the one that
/// prints `variable`.
fn snippet(article: &str, function: &str, variable: &str) -> String {
    let (before, _) = article.split_once(function).expect("the article has it");
    let (_, from_import) = before.rsplit_once("import requests").expect("an import");
    let begin = before.len().saturating_sub(from_import.len());
    let rest = article.get(begin..).expect("a whole line");
    let last = format!("print({variable})");
    let (body, _) = rest.split_once(&last).expect("it prints it");
    format!("import requests{body}{last}")
}

/// Runs a snippet in Python with our base URL and key in the place of theirs, and nothing else
/// changed; returns what it prints, as JSON.
async fn runs(shop: &Shop, snippet: &str, variable: &str) -> Value {
    let base = shop.daemon.url().as_str().trim_end_matches('/').to_owned();
    let key = shop.daemon.key().expose_secret().to_owned();
    let mut program = snippet.replace(THEIR_URL, &base).replace(THEIR_KEY, &key);
    if !program.contains("API_KEY =") {
        program = format!("API_KEY = {key:?}\n{program}");
    }
    program.push_str(&format!("\nimport json\nprint(json.dumps({variable}))\n"));
    let output = Command::new(tools::python("python"))
        .args(["-c", &program])
        .output()
        .await
        .expect("Python runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{wrong}");
    let last = said.lines().last().expect("it prints something");
    serde_json::from_str(last).expect("JSON")
}

/// The article's two snippets, unchanged but for URL and key; the order is paid in two parts.
#[tokio::test]
async fn the_articles_snippets_run_unchanged() {
    let Some(article) = article() else {
        println!("skipped: there is no shared/reference/gateway-article.txt beside the checkout");
        return;
    };
    let create = snippet(&article, "def create_qr_code_payment", "result");
    let query = snippet(&article, "def query_contract_payment", "payment_info");
    let chain = Chain::start("anvil", 1, 6).await;
    let shop = Shop::open_on(Engine::Sqlite, vec![chain]).await;

    let made = runs(&shop, &create, "result").await;
    let address = made["toAddress"].as_str().expect("an address");
    let address: Address = address.parse().expect("an address");
    let cashier = made["cashierUrl"].as_str().expect("a URL");
    assert!(cashier.contains("/pay/"), "{made}");
    let asked = runs(&shop, &query, "payment_info").await;
    assert_eq!(asked["status"], "pending", "{asked}");
    assert_eq!(asked["amount"], "100");
    assert_eq!(asked["toAddress"], made["toAddress"]);

    // What that gateway only promises: a part, and then the rest.
    shop.chain().pays(PAYER, address, "40").await;
    let partly = until(&shop, &query, "paidAmount", "40").await;
    assert_eq!(partly["status"], "pending");
    assert_eq!(partly["remainingAmount"], "60");
    shop.chain().pays(OTHER_PAYER, address, "60").await;
    shop.becomes_final().await;
    let paid = until(&shop, &query, "status", "completed").await;
    assert_eq!(paid["orderId"], made["orderId"]);
    assert_eq!(paid["symbol"], "USDT");
    shop.close().await;
}

/// Asks until `field` is `value`.
async fn until(shop: &Shop, query: &str, field: &str, value: &str) -> Value {
    wait::until(&format!("{field} to be {value}"), || async {
        let asked = runs(shop, query, "payment_info").await;
        if asked[field] == value {
            Ok(asked)
        } else {
            Err(asked.to_string())
        }
    })
    .await
}
