//! Each wrong file gets its exact words, all problems come at once, and secrets stay secret.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use paywatch_core::{FinalityRule, LatePolicy};
use tempfile::TempDir;

use super::*;

const TREASURY: &str = "[treasury]\naddress = \"0x00000000000000000000000000000000000000aa\"\n";
const ETHEREUM: &str = "[chains.ethereum]\nhttp = \"https://node.example/v2/s3cret\"\n";

/// A folder with a configuration.
struct Written {
    folder: TempDir,
}

impl Written {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("paywatch.toml"), text).unwrap();
        Self { folder }
    }

    /// What holds besides what `text` says: a treasury and one chain.
    fn beside(text: &str) -> Self {
        Self::new(&format!("{text}\n{TREASURY}{ETHEREUM}"))
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("paywatch.toml")
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn load_with(&self, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Config::load(&self.path(), &environment)
    }

    fn config(&self) -> Config {
        match self.load_with(&[]) {
            Ok(config) => config,
            Err(error) => panic!("{error}"),
        }
    }

    fn problems(&self) -> Vec<String> {
        self.problems_with(&[])
    }

    fn problems_with(&self, environment: &[(&str, &str)]) -> Vec<String> {
        match self.load_with(environment) {
            Err(ConfigError::Wrong { problems, .. }) => problems
                .to_string()
                .lines()
                .map(|line| line.trim().to_owned())
                .collect(),
            Err(other) => panic!("{other}"),
            Ok(_) => Vec::new(),
        }
    }
}

fn assert_problems(written: &Written, expected: &[&str]) {
    assert_eq!(written.problems(), expected);
}

#[test]
fn a_chain_by_name_gets_everything_from_the_registry() {
    let config = Written::new(&format!("{TREASURY}{ETHEREUM}")).config();
    assert_eq!(config.api.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.api.body_limit, 65_536);
    assert_eq!(config.orders.default_expiry, HOUR);
    assert_eq!(config.orders.max_expiry, DAY.saturating_mul(30));
    assert_eq!(config.orders.late_policy, LatePolicy::Accept);
    assert_eq!(config.log.format, LogFormat::Text);
    let chain = &config.chains[0];
    assert_eq!((chain.name.as_str(), chain.id.get()), ("ethereum", 1));
    assert_eq!(chain.tokens[0].decimals.get(), 6);
    assert_eq!(
        chain.tokens[0].address.to_string(),
        "0xdAC17F958D2ee523a2206206994597C13D831ec7"
    );
    assert_eq!(
        chain.finality,
        FinalityRule::confirmations(12).unwrap().and_finalized()
    );
    assert_eq!(
        chain.factory,
        paywatch_contracts::deposit::factory_address()
    );
    assert_eq!(chain.start, StartAt::Head);
    assert_eq!(chain.poll_interval, Duration::from_secs(4));
    assert_eq!(chain.ws, None);
}

#[test]
fn a_chain_that_is_not_built_in_gives_everything_itself() {
    let config = Written::new(
        "[chains.my-net]\nid = 31337\nhttp = \"http://127.0.0.1:8545\"\nws = \"ws://127.0.0.1:8545\"\n\
         confirmations = 3\nstart_block = 0\npoll_interval = \"100ms\"\n\
         treasury = \"0x00000000000000000000000000000000000000AA\"\n\
         tokens = [{ symbol = \"USDT\", address = \"0x00000000000000000000000000000000000000bb\", decimals = 18 }]\n",
    )
    .config();
    let chain = &config.chains[0];
    assert_eq!(chain.id.get(), 31_337);
    assert_eq!(chain.start, StartAt::Block(0));
    assert_eq!(chain.tokens[0].decimals.get(), 18);
    assert!(!chain.finality.finalized_tag());
    assert_eq!(chain.poll_interval, Duration::from_millis(100));
}

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
            "api.lisen: there is no such key (did you mean listen?); known keys are listen, body_limit",
        ),
        (
            "[api]\nbody_limit = 1",
            "api.body_limit: 1 is out of range; write a number from 1024 to 16777216",
        ),
        (
            "[web]\nlisten = \"127.0.0.1:1\"",
            "web: there is no such key; known keys are database, api, orders, treasury, log, chains",
        ),
        (
            "[orders]\ndefault_expiry = \"soon\"",
            "orders.default_expiry: \"soon\" is not a time (expected number at 0); write a time such as \"90s\", \"15m\" or \"1h 30m\", from 1s to 1year 18h",
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
            "chains.etherium.id: is missing, and etherium is not built in (did you mean ethereum?); give the chain's id, or name a built-in one: ethereum, bsc, polygon, arbitrum, optimism, avalanche, base, celo, kaia, linea, scroll, mantle, gnosis, unichain, ink, opbnb, berachain, plasma, sei, monad, sepolia",
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
            "chains.base.http: is missing; give the URL of a node, or http_file with the name of a file that holds it",
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
fn addresses_must_be_real_and_must_not_swallow_the_money() {
    let how = "an address is 0x and 40 hex digits, in EIP-55 mixed case or all lower case";
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
         [chains.ethereum]\nhtp = \"x\"\nconfirmations = 0\nfinalized = \"yes\"\n\
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
            "chains.ethereum.finalized",
            "chains.ethereum.htp",
            "treasury.address",
            "log.format",
            "chains.base.http",
            "chains.ethereum.confirmations",
            "chains.ethereum.http",
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
fn the_environment_goes_before_the_file() {
    let written = Written::beside("[api]\nlisten = \"127.0.0.1:1\"");
    let config = written.load_with(&[
        ("PAYWATCH__API__LISTEN", "127.0.0.1:2"),
        ("PAYWATCH__CHAINS__ETHEREUM__HTTP", "https://other.example/"),
        ("PAYWATCH__CHAINS__ETHEREUM__CONFIRMATIONS", "40"),
        ("PAYWATCH__CHAINS__ETHEREUM__FINALIZED", "false"),
        ("PAYWATCH__CHAINS__MY_NET__ID", "77"),
        ("PAYWATCH__CHAINS__MY_NET__HTTP", "http://127.0.0.1:3"),
        ("PAYWATCH__CHAINS__MY_NET__CONFIRMATIONS", "1"),
        (
            "PAYWATCH__CHAINS__MY_NET__TOKENS",
            "[{symbol=USDT, address=0x00000000000000000000000000000000000000bb, decimals=6}]",
        ),
        ("PAYWATCH_URL", "not ours"),
    ]);
    let config = config.map_err(|error| error.to_string()).ok().unwrap();
    assert_eq!(config.api.listen, "127.0.0.1:2".parse().unwrap());
    let [ethereum, mine] = config.chains.as_slice() else {
        panic!("two chains")
    };
    assert_eq!(ethereum.http.as_str(), "https://other.example/");
    assert_eq!(ethereum.finality, FinalityRule::confirmations(40).unwrap());
    assert_eq!((mine.name.as_str(), mine.id.get()), ("my-net", 77));
}

#[test]
fn a_wrong_variable_is_named_by_its_key() {
    let problems = Written::beside("").problems_with(&[("PAYWATCH__API__PORT", "80")]);
    assert_eq!(
        problems,
        ["api.port: there is no such key; known keys are listen, body_limit"]
    );
}

#[test]
fn secrets_come_from_files() {
    let written = Written::new("");
    let http = written.file("eth_url", "https://node.example/v2/s3cret\n");
    let database = written.file("database_url", "sqlite:other.sqlite\n");
    let text = format!(
        "{TREASURY}[database]\nurl_file = {database:?}\n[chains.ethereum]\nhttp_file = {http:?}\n"
    );
    written.file("paywatch.toml", &text);
    let config = written.config();
    assert_eq!(config.chains[0].http.path(), "/v2/s3cret");
    assert_eq!(shown(&config.chains[0].http), "https://node.example/…");
}

#[test]
fn a_secret_comes_from_one_place() {
    let written = Written::beside("");
    let file = written.file("eth_url", "https://node.example/v2/s3cret");
    let file = file.to_string_lossy();
    let problems = written.problems_with(&[("PAYWATCH__CHAINS__ETHEREUM__HTTP_FILE", &file)]);
    assert_eq!(
        problems,
        ["chains.ethereum.http: is given, and so is http_file; give one of the two"]
    );
    let problems = Written::beside("[database]\nurl = \"sqlite:x\"\nurl_file = \"y\"").problems();
    assert_eq!(
        problems,
        ["database.url: is given, and so is url_file; give one of the two"]
    );
}

#[test]
fn a_secret_file_that_cannot_be_read_or_is_empty_is_named() {
    let written = Written::new(&format!(
        "{TREASURY}[chains.ethereum]\nhttp_file = \"/no/such/file\"\n"
    ));
    assert_problems(
        &written,
        &[
            "chains.ethereum.http_file: /no/such/file cannot be read (No such file or directory (os error 2)); name a file with the value alone",
        ],
    );
    let empty = written.file("empty", "\n");
    written.file(
        "paywatch.toml",
        &format!("{TREASURY}[chains.ethereum]\nhttp_file = {empty:?}\n"),
    );
    assert_problems(
        &written,
        &["chains.ethereum.http_file: is empty; give a value to http"],
    );
}

#[test]
fn no_error_and_no_debug_output_shows_a_secret() {
    let secret = "s3cret";
    let texts = [
        // Not even TOML: the parser would quote the line.
        format!("{TREASURY}[chains.ethereum]\nhttp = https://node.example/{secret}\n"),
        format!("{TREASURY}[chains.ethereum]\nhttp = \"ftp://node.example/{secret}\"\n"),
        format!("{TREASURY}[chains.ethereum]\nhttp = \"{secret}\"\n"),
        format!("{TREASURY}[chains.ethereum]\nhttp = [\"{secret}\"]\n"),
        format!("{TREASURY}[database]\nurl = \"mysql://u:{secret}@h/d\"\n{ETHEREUM}"),
        format!("{TREASURY}[chains.ethereum]\nfinalized = \"{secret}\"\n"),
    ];
    for text in texts {
        let error = Written::new(&text).load_with(&[]).err().unwrap();
        assert!(!error.to_string().contains(secret), "{error}");
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
    let config = Written::new(&format!("{TREASURY}{ETHEREUM}")).config();
    assert!(!format!("{:?}", config.chains).contains(secret));
}

#[test]
fn a_text_that_is_not_toml_says_where() {
    let error = Written::new("[api]\nlisten = ::\n")
        .load_with(&[])
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("is not valid TOML: TOML parse error at line 2, column 10"),
        "{error}"
    );
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let error = Config::load(&folder.path().join("paywatch.toml"), &[])
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("`paywatch init` writes one"),
        "{error}"
    );
}

#[test]
fn a_section_alone_is_read_whatever_is_wrong_elsewhere() {
    let written = Written::new("[api]\nlisten = \"127.0.0.1:9\"\n[log]\nformat = 3\nx = 4\n");
    assert_eq!(
        load_listen(&written.path(), &[]).ok().unwrap(),
        "127.0.0.1:9".parse().unwrap()
    );
    assert!(load_database(&written.path(), &[]).is_ok());
    let wrong = Written::new("[api]\nlisten = 3\n");
    assert!(load_listen(&wrong.path(), &[]).is_err());
}
