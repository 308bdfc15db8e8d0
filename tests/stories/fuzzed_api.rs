//! The API against its own description: whatever is sent, the answer is one that it describes.

use std::process::Stdio;

use paywatch_tests::chain::PAYER;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{Shop, pay_to};
use paywatch_tests::tools;
use secrecy::ExposeSecret as _;
use tokio::process::Command;

/// What is checked of each answer.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method,\
    allow_header_conformance,use_after_free,ignored_auth";
/// Fewer cases would be no test of it.
const LEAST_CASES: u64 = 5_000;

/// Schemathesis over every call, with and without a key, links followed, thousands of cases. Two
/// orders are there to be found.
#[tokio::test]
async fn every_answer_is_as_described() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    let order = shop.order("FUZZED-1", "10").await;
    shop.order("FUZZED-2", "20").await;
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;

    let base = shop.daemon.url().to_string();
    let key = shop.daemon.key().expose_secret().to_owned();
    let report = shop.daemon.folder().join("fuzzed.ndjson");
    let output = Command::new(tools::python("st"))
        .current_dir(shop.daemon.folder())
        .arg("run")
        .arg(format!("{base}openapi.json"))
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--checks", CHECKS, "--max-examples", "150", "--seed", "1"])
        .args(["--workers", "2", "--no-color", "--warnings", "off"])
        // Their answers do not end.
        .args(["--exclude-operation-id", "stream_events"])
        .args(["--exclude-operation-id", "stream_checkout"])
        .args(["--mode", "all", "--suppress-health-check", "all"])
        .args(["--report", "ndjson", "--report-ndjson-path"])
        .arg(&report)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("Schemathesis runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{wrong}");
    let cases = cases_in(&said);
    assert!(cases >= LEAST_CASES, "{cases} cases:\n{said}");
    shop.close().await;
}

/// How many cases its summary says there were.
fn cases_in(said: &str) -> u64 {
    let words: Vec<&str> = said.split_whitespace().collect();
    let counts = words
        .windows(2)
        .filter(|pair| pair[1].trim_end_matches([',', '.']) == "generated");
    counts
        .filter_map(|pair| pair[0].replace(',', "").parse::<u64>().ok())
        .sum()
}
