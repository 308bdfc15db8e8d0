//! Each wrong file gets its exact words, and all problems come at once.

use super::*;

#[test]
fn every_wrong_value_is_named_with_what_is_allowed() {
    let cases = [
        (
            "[api]\nlisten = \"localhost\"",
            "api.listen: \"localhost\" is not where one can listen (invalid socket address syntax); write an IP address and a port, such as 127.0.0.1:8080",
        ),
        (
            "[api]\nlisten = 8080",
            "api.listen: is a whole number; must be a text in quotes",
        ),
        (
            "[api]\nlisen = \"127.0.0.1:1\"",
            "api.lisen: there is no such key (did you mean listen?); known keys are listen, body_limit, trusted_proxies, signature_window, limits",
        ),
        (
            "[api]\ntrusted_proxies = [\"10.0.0.0/8\", \"proxy\"]",
            "api.trusted_proxies: \"proxy\" is not a network; write addresses or networks, such as [\"10.0.0.0/8\", \"::1\"]",
        ),
        (
            "[api.limits]\nburst = 0",
            "api.limits.burst: 0 is out of range; write a number from 1 to 10000000",
        ),
        (
            "[api.limits]\nheader_timeout = \"0s\"",
            "api.limits.header_timeout: \"0s\" is out of range; write a time such as \"90s\", \"15m\" or \"1h 30m\", from 1s to 1h",
        ),
        (
            "[api]\nbody_limit = 1",
            "api.body_limit: 1 is out of range; write a number from 1024 to 16777216",
        ),
        (
            "[web]\nlisten = \"127.0.0.1:1\"",
            "web: there is no such key; known keys are database, api, orders, exact_amount, checkout, webhooks, epusdt, nats, kafka, email, messages, treasury, audit, log, chains",
        ),
        (
            "[orders]\ndefault_expiry = \"soon\"",
            "orders.default_expiry: \"soon\" is not a time (expected number at 0); write a time such as \"90s\", \"15m\" or \"1h 30m\", from 1m to 366d",
        ),
        (
            "[orders]\ndefault_expiry = \"2h\"\nmax_expiry = \"1h\"",
            "orders.default_expiry: is longer than orders.max_expiry; write at most 1h",
        ),
        (
            "[orders]\nlate_payments = \"refund\"",
            "orders.late_payments: \"refund\" is not a late policy; write one of accept, hold",
        ),
        (
            "[database]\nurl = \"mysql://u:p@h/d\"",
            "database.url: is not a database; write \"sqlite:<path>\" or \"postgres://<user>:<password>@<host>/<database>\"",
        ),
        (
            "[database]\nurl = \"sqlite::memory:\"",
            "database.url: would forget every payment; write \"sqlite:<path>\" or \"postgres://<user>:<password>@<host>/<database>\"",
        ),
        (
            "[log]\nformat = \"xml\"",
            "log.format: \"xml\" is not a format; write \"text\" or \"json\"",
        ),
    ];
    for (text, problem) in cases {
        assert_problems(&Written::beside(text), &[problem]);
    }
}

#[test]
fn every_wrong_value_of_a_chain_is_named_with_what_is_allowed() {
    let custom = "id = 5\nconfirmations = 1\nhttp = \"http://127.0.0.1:1\"\n";
    let cases = [
        (
            "[chains.etherium]\nhttp = \"https://node.example\"\nconfirmations = 1".to_owned(),
            "chains.etherium.id: is missing, and etherium is not built in (did you mean ethereum?); give the chain's id, or name a built-in one: ethereum, bsc, polygon, arbitrum, optimism, avalanche, base, celo, kaia, linea, scroll, mantle, gnosis, unichain, ink, opbnb, berachain, plasma, sei, monad, tron, sepolia",
        ),
        (
            "[chains.Base]\nhttp = \"https://node.example\"".to_owned(),
            "chains.Base: is not a name; use lower-case letters, digits and hyphens",
        ),
        (
            "[chains.base]\nid = 1\nhttp = \"https://node.example\"".to_owned(),
            "chains.base.id: 1 is not the id of Base, which is 8453; leave it out, or name the chain otherwise",
        ),
        (
            "[chains.base]".to_owned(),
            "chains.base.http: is missing; give the URL of a node, or http_file with the name of a file that holds it, or several of them as endpoints",
        ),
        (
            "[chains.base]\nhttp = \"wss://node.example\"".to_owned(),
            "chains.base.http: has the scheme wss; write https://… or http://…",
        ),
        (
            "[chains.base]\nhttp = \"https://node.example\"\nws = \"https://node.example\""
                .to_owned(),
            "chains.base.ws: has the scheme https; write wss://… or ws://…",
        ),
        (
            "[chains.base]\nhttp = \"https://node.example\"\nconfirmations = 0".to_owned(),
            "chains.base.confirmations: at least 1 confirmation is needed; the payment's own block is the first; how many blocks make a payment final, its own included: 1 to 100000",
        ),
        (
            "[chains.base]\nhttp = \"https://node.example\"\nconfirmations = -1".to_owned(),
            "chains.base.confirmations: is out of range; must be a whole number from 0 to 4294967295",
        ),
        (
            "[chains.base]\nhttp = \"https://node.example\"\ntokens = [\"DAI\"]".to_owned(),
            "chains.base.tokens.0: \"DAI\" is not known; built in for this chain: USDT; others need symbol, address and decimals",
        ),
        (
            "[chains.base]\nhttp = \"https://node.example\"\ntokens = [\"usdt\", \"USDT\"]"
                .to_owned(),
            "chains.base.tokens.1: 0xfde4C96c8593536E31F229EA8f37b2ADa2699bb2 is named twice; name each token once",
        ),
        (
            format!("[chains.x]\n{custom}"),
            "chains.x.tokens: are missing; name at least one, such as { symbol = \"USDT\", address = \"0x…\", decimals = 6 }",
        ),
        (
            format!("[chains.x]\n{custom}tokens = [{{ symbol = \"USDT\", decimals = 6 }}]"),
            "chains.x.tokens.0: address is missing; give symbol, address and decimals",
        ),
        (
            format!(
                "[chains.x]\n{custom}tokens = [{{ symbol = \"USDT\", address = \"0x00000000000000000000000000000000000000bb\", decimals = 19 }}]"
            ),
            "chains.x.tokens.0.decimals: 19 decimals; tokens with 0 to 18 decimals can be counted exactly; ask the contract's decimals()",
        ),
        (
            "[chains.mainnet]\nid = 1\nconfirmations = 1\nhttp = \"http://127.0.0.1:1\"".to_owned(),
            "chains.mainnet.id: 1 is the id of chains.ethereum too; name each chain once",
        ),
        (
            "[chains.base]\nhttp = \"https://node.example\"\nwindow = 2".to_owned(),
            "chains.base.window: 2 is out of range; write a number from 16 to 10000",
        ),
    ];
    for (text, problem) in cases {
        assert_problems(&Written::beside(&text), &[problem]);
    }
}

#[test]
fn methods_and_exact_amounts_must_make_sense() {
    let cases = [
        (
            "[orders]\nmethods = [\"card\"]",
            "orders.methods: \"card\" is no method; write one or several of deposit_address, contract, exact_amount",
        ),
        (
            "[orders]\nmethods = []",
            "orders.methods: names none; name one or several, or leave it out for deposit_address",
        ),
        (
            "[exact_amount]\nstep = \"0\"",
            "exact_amount.step: amounts that differ by 0 cannot be told apart; write it like \"0.0001\"",
        ),
        (
            "[exact_amount]\nmax_surcharge = \"1,5\"",
            "exact_amount.max_surcharge: \"1,5\" is no amount (not a plain decimal number; write it like \"100\" or \"100.5\"); write it like \"0.0001\"",
        ),
        (
            "[exact_amount]\nstep = \"0.000001\"\nmax_surcharge = \"1\"",
            "exact_amount.max_surcharge: 1 is more than 100000 steps; choose a larger step, or a smaller surcharge",
        ),
        (
            "[chains.base]\nhttp = \"https://node.example\"\nwallets = [\"0xfde4C96c8593536E31F229EA8f37b2ADa2699bb2\"]",
            "chains.base.wallets: 0xfde4C96c8593536E31F229EA8f37b2ADa2699bb2 is a token's contract; name wallets that you control on this chain and use for nothing else",
        ),
        (
            "[exact_amount]\nstep = \"0.0000001\"\nmax_surcharge = \"0.000001\"\n[chains.base]\nhttp = \"https://node.example\"\nwallets = [\"0x00000000000000000000000000000000000000cc\"]",
            "exact_amount.step: more than 6 decimals; this amount cannot be paid exactly (USDT on base); choose a larger step",
        ),
    ];
    for (text, problem) in cases {
        assert_problems(&Written::beside(text), &[problem]);
    }
}

#[test]
fn addresses_must_be_real_and_must_not_swallow_the_money() {
    let how =
        "an address is 0x and 40 hex digits, in EIP-55 mixed case or all lower case, or T… on Tron";
    let usdt = "0xdac17f958d2ee523a2206206994597c13d831ec7";
    let factory = paywatch_contracts::deposit::factory_address().to_string();
    let control = "name a wallet or a Safe that you control on this chain";
    let cases = [
        (
            "0x12",
            format!("treasury.address: \"0x12\" is not an address; {how}"),
        ),
        (
            "merchant.eth",
            format!("treasury.address: \"merchant.eth\" is not an address; {how}"),
        ),
        (
            "dac17f958d2ee523a2206206994597c13d831ec7",
            format!(
                "treasury.address: \"dac17f958d2ee523a2206206994597c13d831ec7\" is not an address; {how}"
            ),
        ),
        (
            "0xdAC17F958D2ee523a2206206994597C13D831eC7",
            format!(
                "treasury.address: the checksum of 0xdAC17F958D2ee523a2206206994597C13D831eC7 is wrong, a character may be mistyped; {how}"
            ),
        ),
        (
            "0x0000000000000000000000000000000000000000",
            "treasury.address: is the zero address; name one that you control".to_owned(),
        ),
        (
            usdt,
            format!(
                "chains.ethereum.treasury: 0xdAC17F958D2ee523a2206206994597C13D831ec7 is the contract of USDT; {control}"
            ),
        ),
        (
            factory.as_str(),
            format!("chains.ethereum.treasury: {factory} is the deposit factory; {control}"),
        ),
    ];
    for (address, problem) in cases {
        let written = Written::new(&format!("[treasury]\naddress = \"{address}\"\n{ETHEREUM}"));
        assert_eq!(written.problems(), [problem]);
    }
}

#[test]
fn all_problems_come_at_once() {
    let written = Written::new(
        "[api]\nlisten = 1\nlisen = 2\n[log]\nformat = \"xml\"\n[treasury]\naddress = \"0x1\"\n\
         [chains.ethereum]\nhtp = \"x\"\nconfirmations = 0\ntag = 7\n\
         [chains.base]\nhttp = \"ftp://x\"\n",
    );
    let keys: Vec<_> = written
        .problems()
        .iter()
        .map(|problem| problem.split(':').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        keys,
        [
            "api.lisen",
            "api.listen",
            "chains.ethereum.htp",
            "chains.ethereum.tag",
            "treasury.address",
            "log.format",
            "chains.base.http",
            "chains.ethereum.http",
            "chains.ethereum.confirmations",
        ]
    );
}

#[test]
fn an_empty_file_asks_for_a_chain() {
    let written = Written::new("");
    assert_problems(
        &written,
        &[
            "chains: there are none; name at least one chain and its node, such as [chains.ethereum] with http = \"https://…\"",
        ],
    );
}

#[test]
fn a_chain_without_any_treasury_says_so() {
    let allowed = "give it here, or treasury.address for all chains";
    assert_problems(
        &Written::new(ETHEREUM),
        &[&format!("chains.ethereum.treasury: is missing; {allowed}")],
    );
}

#[test]
fn endpoints_tiers_and_agreement_are_checked() {
    let cases = [
        (
            "endpoints = [{ priority = 1 }]\n",
            "chains.ethereum.endpoints.0: names no URL; give it http, ws, or both",
        ),
        (
            "requests_per_second = 0\n",
            "chains.ethereum.requests_per_second: is 0; write at least 1, or leave it out for no limit",
        ),
        (
            "agreement = 2\n",
            "chains.ethereum.agreement: 2 cannot agree; write a number from 1 to 1, the number of endpoints",
        ),
        (
            "genesis = \"0x12\"\n",
            "chains.ethereum.genesis: \"0x12\" is not a hash (invalid string length); write 0x and 64 hex digits, or leave it out",
        ),
        (
            "tag = \"latest\"\n",
            "chains.ethereum.tag: \"latest\" is not a tag; write \"safe\", \"finalized\" or \"none\"",
        ),
        (
            "proof = \"merkle\"\n",
            "chains.ethereum.proof: \"merkle\" is not a proof; write \"receipts_root\", or \"none\" where the chain cannot give it",
        ),
        (
            "tiers = [{ up_to = \"1e3\", confirmations = 2 }]\n",
            "chains.ethereum.tiers.0.up_to: ",
        ),
        (
            "tiers = [{ up_to = \"5\", confirmations = 2 }, { up_to = \"5\", confirmations = 3 }]\n",
            "chains.ethereum.tiers: the tier up to 5 does not ask for more than the one before it; list them by up_to, the smallest first",
        ),
    ];
    for (lines, problem) in cases {
        let written = Written::new(&format!("{TREASURY}{ETHEREUM}{lines}"));
        let problems = written.problems();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with(problem), "{problems:?}");
    }
}
