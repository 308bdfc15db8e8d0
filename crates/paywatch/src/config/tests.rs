//! What a file and the environment give, and what they say when they are wrong.

mod epusdt;
mod secrets;
mod wrong;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use paywatch_core::{FinalityRule, FinalityTag, LatePolicy, Proof};
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
    assert_eq!(config.orders.default_expiry, Duration::from_secs(3_600));
    assert_eq!(config.orders.max_expiry, Duration::from_secs(30 * 86_400));
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
        FinalityRule::confirmations(12)
            .unwrap()
            .and_tag(FinalityTag::Finalized)
            .and_proof(Proof::ReceiptsRoot)
            .into()
    );
    assert_eq!(
        chain.factory,
        paywatch_contracts::deposit::factory_address()
    );
    assert_eq!(chain.start, StartAt::Head);
    assert_eq!(chain.poll_interval, Duration::from_secs(4));
    assert_eq!(chain.endpoints.len(), 1);
    assert_eq!(chain.endpoints[0].ws, None);
    assert_eq!((chain.agreement, chain.blooms), (1, true));
    assert_eq!(chain.stall_after, Some(Duration::from_secs(240)));
    assert_eq!(chain.look_alikes, Some(Duration::from_secs(300)));
}

#[test]
fn look_alikes_are_looked_for_as_often_as_is_said() {
    let cases = [
        ("look_alikes = \"off\"\n", None),
        ("look_alikes = \"1h\"\n", Some(Duration::from_secs(3_600))),
    ];
    for (line, every) in cases {
        let config = Written::new(&format!("{TREASURY}{ETHEREUM}{line}")).config();
        assert_eq!(config.chains[0].look_alikes, every, "{line}");
    }
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
    assert_eq!(chain.finality.above().tag(), None);
    assert_eq!(chain.stall_after, None);
    assert_eq!(chain.poll_interval, Duration::from_millis(100));
}

#[test]
fn the_environment_goes_before_the_file() {
    let written = Written::beside("[api]\nlisten = \"127.0.0.1:1\"");
    let config = written.load_with(&[
        ("PAYWATCH__API__LISTEN", "127.0.0.1:2"),
        ("PAYWATCH__CHAINS__ETHEREUM__HTTP", "https://other.example/"),
        ("PAYWATCH__CHAINS__ETHEREUM__CONFIRMATIONS", "40"),
        ("PAYWATCH__CHAINS__ETHEREUM__TAG", "none"),
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
    let http = ethereum.endpoints[0].http.as_ref().unwrap();
    assert_eq!(http.as_str(), "https://other.example/");
    let rule = FinalityRule::confirmations(40).unwrap();
    assert_eq!(
        ethereum.finality,
        rule.and_proof(Proof::ReceiptsRoot).into()
    );
    assert_eq!((mine.name.as_str(), mine.id.get()), ("my-net", 77));
}

#[test]
fn a_wrong_variable_is_named_by_its_key() {
    let problems = Written::beside("").problems_with(&[("PAYWATCH__API__PORT", "80")]);
    assert_eq!(
        problems,
        [
            "api.port: there is no such key; known keys are listen, body_limit, trusted_proxies, signature_window, limits"
        ]
    );
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

#[test]
fn several_endpoints_are_told_apart_and_must_agree() {
    let config = Written::new(&format!(
        "{TREASURY}[chains.ethereum]\nhttp = \"https://own.example/\"\nrequests_per_second = 5\n\
         endpoints = [{{ name = \"far\", http = \"https://far.example/key\", priority = 1 }},\n\
         {{ ws = \"wss://own.example/\", at_once = 3 }}]\n"
    ))
    .config();
    let chain = &config.chains[0];
    let names: Vec<_> = chain
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    assert_eq!(names, ["own.example", "far", "own.example #3"]);
    assert_eq!(chain.agreement, 2, "no single one is believed");
    assert_eq!(chain.endpoints[0].requests_per_second.unwrap().get(), 5);
    assert_eq!(
        (chain.endpoints[1].priority, chain.endpoints[2].at_once),
        (1, 3)
    );
}

#[test]
fn more_at_stake_asks_for_more() {
    let config = Written::new(&format!(
        "{TREASURY}{ETHEREUM}tag = \"finalized\"\nconfirmations = 1\nproof = \"none\"\n\
         tiers = [{{ up_to = \"100\", confirmations = 2 }},\n\
         {{ up_to = \"10000\", confirmations = 12, tag = \"safe\" }}]\n"
    ))
    .config();
    let policy = &config.chains[0].finality;
    let rule = |blocks| FinalityRule::confirmations(blocks).unwrap();
    let amount = |text: &str| text.parse().unwrap();
    assert_eq!(policy.rule_for(amount("100")), rule(2));
    assert_eq!(
        policy.rule_for(amount("9999")),
        rule(12).and_tag(FinalityTag::Safe)
    );
    assert_eq!(
        policy.rule_for(amount("10001")),
        rule(1).and_tag(FinalityTag::Finalized)
    );
}
