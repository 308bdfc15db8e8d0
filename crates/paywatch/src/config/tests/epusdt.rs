//! Plugins for epusdt.

use super::*;

const CALLBACKS: &str = "[webhooks]\ncallbacks = true\n";
const WAYS: &str = "[epusdt.trade_types]\n\"usdt.erc20\" = { chain = \"ethereum\" }\n";

fn section(lines: &str) -> String {
    format!("[epusdt]\n{lines}\n{WAYS}{CALLBACKS}")
}

#[test]
fn plugins_are_served_by_a_token_at_a_price() {
    assert!(Written::beside("").config().epusdt.is_none());
    let written = Written::beside(&section(
        "token_file = \"TOKEN\"\nrate = \"7.2\"\ncurrency = \"CNY\"\ndefault_trade_type = \"usdt.erc20\"",
    ));
    let file = written.file("token", "a-token-of-the-plugin\n");
    let text = fs::read_to_string(written.path()).unwrap();
    fs::write(
        written.path(),
        text.replace("TOKEN", &file.display().to_string()),
    )
    .unwrap();
    let served = written.config().epusdt.unwrap();
    assert_eq!(served.to_string(), "7.2 CNY a token, paid by usdt.erc20");
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let token = "token = \"a-token-of-the-plugin\"\n";
    let rest = "rate = \"7.2\"\ndefault_trade_type = \"usdt.erc20\"";
    for (lines, expected) in [
        (rest.to_owned(), "epusdt.token: is missing"),
        (
            format!("token = \"short\"\n{rest}"),
            "epusdt.token: is too short",
        ),
        (
            format!("{token}default_trade_type = \"usdt.erc20\""),
            "epusdt.rate: is missing",
        ),
        (
            format!("{token}rate = \"0\"\ndefault_trade_type = \"usdt.erc20\""),
            "epusdt.rate: is nothing",
        ),
        (
            format!("{token}rate = \"7.2\""),
            "epusdt.default_trade_type",
        ),
    ] {
        let problems = Written::beside(&section(&lines)).problems();
        assert!(
            problems.iter().any(|line| line.starts_with(expected)),
            "{expected}: {problems:?}"
        );
    }
    let unknown = section(&format!("{token}{rest}")).replace("ethereum", "base");
    let problems = Written::beside(&unknown).problems();
    assert!(
        problems[0].contains("\"base\" is no configured chain"),
        "{problems:?}"
    );
    let silent = section(&format!("{token}{rest}")).replace("true", "false");
    let problems = Written::beside(&silent).problems();
    assert!(
        problems[0].contains("callbacks = true in [webhooks]"),
        "{problems:?}"
    );
}
