//! Deposits are flushed to the treasury with a key that holds gas and nothing else.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use alloy::primitives::{Address, Bytes, U256, address};
use alloy::providers::Provider as _;
use alloy::providers::ext::AnvilApi as _;
use alloy::sol_types::SolCall as _;
use paywatch_client::{ListPayments, ListSweeps, Order};
use paywatch_contracts::{DepositFactory, MockUSDT, deposit};
use paywatch_core::OrderId;
use paywatch_tests::chain::{Chain, ISSUER, PAYER, TREASURY};
use paywatch_tests::daemon::{Daemon, chain_section};
use paywatch_tests::database::Engine;
use paywatch_tests::node::Node;
use paywatch_tests::shop::{Shop, pay_to};
use paywatch_tests::wait;
use serde_json::Value;

on_both_engines!(
    three_deposits_are_swept,
    what_is_frozen_stays_and_the_rest_moves,
);

/// Anvil's fourth account, which has coin for gas, and its key, which everybody knows.
const GAS: Address = address!("90F79bf6EB2c4f870365E785982E1f101E93b906");
const GAS_KEY: &str = "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6";

/// Writes the key into a file that has `mode`.
fn key_file(daemon: &Daemon, mode: u32) -> String {
    let path = daemon.folder().join(format!("gas-{mode:o}.key"));
    fs::write(&path, GAS_KEY).expect("the folder takes a file");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("it has a mode");
    path.to_string_lossy().into_owned()
}

/// Runs a command with its arguments in one text, and with `more`, to its end.
async fn says(daemon: &Daemon, arguments: &str, more: &[&str]) -> (bool, String) {
    let arguments: Vec<&str> = arguments.split(' ').chain(more.iter().copied()).collect();
    daemon.says(&arguments).await
}

/// What a command prints on its standard output, which must be JSON.
async fn json(daemon: &Daemon, arguments: &str) -> Value {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let (went_well, out, error) = daemon.operator(&arguments).await;
    assert!(went_well, "{arguments:?}: {error}");
    serde_json::from_str(&out).expect("it prints JSON")
}

/// Orders for each of `amounts`, which are paid.
async fn paid(shop: &mut Shop, amounts: &[&str]) -> Vec<Order> {
    let mut orders = Vec::new();
    for (number, amount) in amounts.iter().enumerate() {
        let order = shop.order(&format!("SWEEP-{number}"), amount).await;
        shop.chain().pays(PAYER, pay_to(&order), amount).await;
        orders.push(order);
    }
    shop.becomes_final().await;
    for order in &orders {
        shop.sees(order, "completed").await;
    }
    orders
}

/// Waits until the books say that `count` payments were moved.
async fn moved(shop: &Shop, count: usize) {
    let client = shop.client();
    let list = ListPayments {
        status: Some("moved".to_owned()),
        ..ListPayments::default()
    };
    wait::until(&format!("{count} moved payments"), || async {
        let page = client.payments(&list).await;
        let page = page.map_err(|error| error.to_string())?;
        if page.data.len() == count {
            Ok(())
        } else {
            Err(format!("{page:?}"))
        }
    })
    .await;
}

/// Waits until the deposits of `orders` are listed as swept for good, each with its order.
async fn swept(shop: &Shop, orders: &[Order]) {
    let client = shop.client();
    let list = ListSweeps {
        status: Some("completed".to_owned()),
        chain: Some("anvil".to_owned()),
        ..ListSweeps::default()
    };
    let expected: BTreeSet<&str> = orders.iter().map(|order| order.id.as_str()).collect();
    let sweeps = wait::until("the sweeps to be completed", || async {
        let page = client.sweeps(&list).await;
        let page = page.map_err(|error| error.to_string())?;
        let found = page.data.iter().map(|one| one.order.as_str());
        if found.collect::<BTreeSet<_>>() == expected {
            Ok(page.data)
        } else {
            Err(format!("{page:?}"))
        }
    })
    .await;
    for sweep in sweeps {
        let order = orders.iter().find(|order| order.id == sweep.order);
        let order = order.expect("it was one of them");
        assert_eq!(sweep.address, pay_to(order).to_string());
        assert_eq!(sweep.treasury, TREASURY.to_string());
        assert_eq!(sweep.amount, order.amount);
        let alone = client.sweep(&sweep.id).await.expect("it is there");
        assert_eq!(alone, sweep);
        let of_order = ListSweeps {
            order: Some(order.id.clone()),
            ..ListSweeps::default()
        };
        let of_order = client.sweeps(&of_order).await.expect("they are listed");
        assert_eq!(of_order.data, [sweep]);
    }
}

async fn treasury_holds(shop: &Shop, amount: &str) {
    let held = shop.chain().balance(TREASURY).await;
    assert_eq!(held.to_string(), amount);
}

/// How many transactions the account for gas has sent.
async fn transactions(chain: &Chain) -> u64 {
    let count = chain.provider().get_transaction_count(GAS).await;
    count.expect("the node answers")
}

fn flush_in(transaction: &Value) -> DepositFactory::flushCall {
    let to: Address = transaction["to"]
        .as_str()
        .expect("a recipient")
        .parse()
        .expect("it is one");
    assert_eq!(to, deposit::factory_address());
    let data: Bytes = transaction["data"]
        .as_str()
        .expect("data")
        .parse()
        .expect("hex");
    DepositFactory::flushCall::abi_decode(&data).expect("it is a flush")
}

/// Three deposits are worth it, a fourth is not. Plans show them, a sweep moves them, the books say
/// so, and there is nothing left to do.
async fn three_deposits_are_swept(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let orders = paid(&mut shop, &["100", "20.5", "5", "4.999999"]).await;
    let daemon = &shop.daemon;

    let balances = json(daemon, "sweep balances --json").await;
    assert_eq!(balances[0]["deposits"], 4, "{balances}");
    assert_eq!(balances[0]["amount"], "130.499999", "{balances}");
    assert!(
        balances[0]["gas"].as_u64().expect("gas") > 200_000,
        "{balances}"
    );

    let (went_well, table) = says(daemon, "sweep plan --chain anvil --batch 2", &[]).await;
    assert!(went_well && table.contains("120.5"), "{table}");
    assert!(table.contains("1 deposits with 4.999999"), "{table}");

    let plain = json(daemon, "sweep plan --chain anvil --batch 2 --format json").await;
    let plain = plain.as_array().expect("transactions");
    let salts: Vec<_> = plain.iter().map(|one| flush_in(one).salts).collect();
    let expected: Vec<_> = orders
        .iter()
        .map(|order| order.id.parse::<OrderId>().expect("an id").salt())
        .collect();
    assert_eq!(
        salts,
        [&expected[..2], &expected[2..3]],
        "the largest first"
    );
    assert_eq!(plain[0]["chainId"], "0x7a69");

    let file = daemon.folder().join("safe.json");
    let out = file.to_string_lossy();
    let safe = ["--format", "safe", "--out", out.as_ref()];
    let (went_well, said) = says(daemon, "sweep plan --chain anvil", &safe).await;
    assert!(went_well, "{said}");
    let text = fs::read_to_string(&file).expect("it was written");
    let safe: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(
        (&safe["version"], &safe["chainId"]),
        (&"1.0".into(), &"31337".into())
    );
    let flush = flush_in(&safe["transactions"][0]);
    assert_eq!(flush.treasury, TREASURY);
    assert_eq!(flush.tokens, [shop.chain().token]);
    assert_eq!(flush.salts, expected[..3]);
    treasury_holds(&shop, "0").await;

    let key = key_file(daemon, 0o600);
    let run = format!("sweep run --chain anvil --batch 2 --yes --json --key-file {key}");
    let report = json(daemon, &run).await;
    assert_eq!(report["sent"].as_array().map(Vec::len), Some(2), "{report}");
    assert_eq!(report["sent"][0]["moved"]["USDT"], "120.5", "{report}");
    treasury_holds(&shop, "125.5").await;
    moved(&shop, 3).await;
    shop.becomes_final().await;
    swept(&shop, &orders[..3]).await;

    let (went_well, said) = says(daemon, &run.replace(" --json", ""), &[]).await;
    assert!(went_well && said.contains("nothing to flush"), "{said}");
    assert_eq!(transactions(shop.chain()).await, 2);
    let left = json(&shop.daemon, "sweep balances --json --chain anvil").await;
    assert_eq!(left[0]["amount"], "4.999999", "{left}");
    let all = run.replace("--batch 2", "--min 0");
    json(&shop.daemon, &all).await;
    treasury_holds(&shop, "130.499999").await;
    moved(&shop, 4).await;
    shop.close().await;
}

/// The issuer froze one of the addresses.
async fn what_is_frozen_stays_and_the_rest_moves(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let orders = paid(&mut shop, &["10", "20"]).await;
    let token = MockUSDT::new(shop.chain().token, shop.chain().provider());
    let freeze = token.addBlackList(pay_to(&orders[1])).calldata().clone();
    shop.chain().send(ISSUER, shop.chain().token, freeze).await;

    let key = key_file(&shop.daemon, 0o600);
    let run = format!("sweep run --chain anvil --yes --key-file {key}");
    let (went_well, said) = says(&shop.daemon, &run, &[]).await;
    let frozen = pay_to(&orders[1]).to_string();
    assert!(went_well && said.contains(&frozen), "{said}");
    assert!(said.contains("cannot be moved"), "{said}");
    treasury_holds(&shop, "10").await;
    moved(&shop, 1).await;
    shop.close().await;
}

/// Dear gas, a key for all to read, the treasury's own key, nobody who agrees: nothing is sent.
#[tokio::test]
async fn nothing_is_sent_against_the_operators_word() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    paid(&mut shop, &["10"]).await;
    let daemon = &shop.daemon;
    let (good, exposed) = (key_file(daemon, 0o600), key_file(daemon, 0o644));
    let run = format!("sweep run --chain anvil --key-file {good}");
    for (arguments, words) in [
        (format!("{run} --yes --max-gas-price 1wei"), "gas costs"),
        (
            "sweep plan --chain anvil --max-gas-price 1wei".to_owned(),
            "gas costs",
        ),
        (run.replace(&good, &exposed), "chmod 600"),
        (run.clone(), "--yes"),
        (
            run.replace("--chain anvil", "--chain other"),
            "there is no chain other",
        ),
    ] {
        let (went_well, said) = says(daemon, &arguments, &[]).await;
        assert!(!went_well && said.contains(words), "{arguments}: {said}");
        assert!(!said.contains(GAS_KEY.trim_start_matches("0x")), "{said}");
    }
    let mut command = daemon.command();
    command.args(run.split(' ')).arg("--yes");
    command.env("PAYWATCH__CHAINS__ANVIL__TREASURY", GAS.to_string());
    let output = command.output().await.expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("holds gas only"),
        "{said}"
    );

    assert_eq!(transactions(shop.chain()).await, 0);
    treasury_holds(&shop, "0").await;
    shop.close().await;
}

/// No block comes: the transaction is named, the next run does not queue behind it, and once it is
/// mined there is nothing left to do.
#[tokio::test]
async fn a_transaction_that_is_stuck_is_named() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    paid(&mut shop, &["10"]).await;
    let key = key_file(&shop.daemon, 0o600);
    let run = format!("sweep run --chain anvil --yes --wait 1s --key-file {key}");
    let provider = shop.chain().provider();
    provider
        .anvil_set_auto_mine(false)
        .await
        .expect("Anvil waits");

    let (went_well, said) = says(&shop.daemon, &run, &[]).await;
    assert!(
        !went_well && said.contains("was not mined in 1 s"),
        "{said}"
    );
    let named = said
        .split(' ')
        .find(|word| word.starts_with("0x") && word.len() == 66);
    assert!(named.is_some() && said.contains("(nonce 0)"), "{said}");
    let (went_well, said) = says(&shop.daemon, &run, &[]).await;
    assert!(
        !went_well && said.contains("with nonce 0 is not mined yet"),
        "{said}"
    );

    provider
        .anvil_set_auto_mine(true)
        .await
        .expect("Anvil mines");
    shop.chain().mines(1).await;
    moved(&shop, 1).await;
    let (went_well, said) = says(&shop.daemon, &run, &[]).await;
    assert!(went_well && said.contains("nothing to flush"), "{said}");
    assert_eq!(transactions(shop.chain()).await, 1);
    shop.close().await;
}

/// A chain on which nothing of ours stands, and a daemon's configuration for it.
async fn bare_chain() -> (Chain, Daemon) {
    let chain = Chain {
        node: Node::start(31_337).await,
        name: "anvil".to_owned(),
        token: Address::repeat_byte(0xda),
        decimals: 6,
        exchange: Address::ZERO,
    };
    let section = format!("{}receiver = \"default\"\n", chain_section(&chain, 3));
    let daemon = Daemon::new(Engine::Sqlite, &[section]);
    (chain, daemon)
}

const OURS: &str = "ours";
const MISSING: &str = "missing";
const AN_ACCOUNT: &str = "an account";

/// The contracts are missing, are put there, and are recognised; what is not ours is told apart.
#[tokio::test]
async fn contracts_are_deployed_and_checked() {
    let (chain, daemon) = bare_chain().await;
    let key = key_file(&daemon, 0o600);
    let deploy = format!("contracts deploy --chain anvil --yes --key-file {key}");
    let states = async || {
        let (_, out, error) = daemon_status(&daemon).await;
        let rows: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{error}"));
        let rows = rows.as_array().expect("rows").clone();
        let state = |row: &Value| row["state"].as_str().expect("a state").to_owned();
        rows.iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(
        states().await,
        [OURS, MISSING, MISSING, MISSING, AN_ACCOUNT]
    );
    let (went_well, said) = says(&daemon, "contracts status", &[]).await;
    assert!(!went_well && said.contains("missing"), "{said}");

    let (went_well, said) = says(&daemon, &deploy, &[]).await;
    assert!(went_well, "{said}");
    assert_eq!(states().await, [OURS, OURS, OURS, OURS, AN_ACCOUNT]);
    let (went_well, said) = says(&daemon, &deploy, &[]).await;
    assert!(went_well, "what is there is left alone: {said}");
    assert_eq!(transactions(&chain).await, 2);

    let provider = chain.provider();
    let factory = deposit::factory_address();
    let code = provider.get_code_at(factory).await.expect("code");
    let mut other = code.to_vec();
    *other.last_mut().expect("code") ^= 1;
    provider
        .anvil_set_code(factory, other.into())
        .await
        .expect("Anvil obeys");
    assert_eq!(states().await, [OURS, "not ours", OURS, OURS, AN_ACCOUNT]);
    let (went_well, said) = says(&daemon, &deploy, &[]).await;
    assert!(
        !went_well && said.contains("is not our deposit factory"),
        "{said}"
    );
}

/// A young chain has no deterministic deployer; what the command says to do about it works.
#[tokio::test]
async fn a_chain_without_the_deployer_is_told_how_to_get_it() {
    let (chain, daemon) = bare_chain().await;
    let provider = chain.provider();
    let deployer = deposit::DETERMINISTIC_DEPLOYER;
    let nothing = Bytes::new();
    provider
        .anvil_set_code(deployer, nothing)
        .await
        .expect("Anvil obeys");
    provider
        .anvil_set_nonce(deployer, 0)
        .await
        .expect("Anvil obeys");
    provider
        .anvil_set_nonce(deposit::DEPLOYER_MAKER, 0)
        .await
        .expect("Anvil obeys");

    let key = key_file(&daemon, 0o600);
    let deploy = format!("contracts deploy --chain anvil --yes --key-file {key}");
    let (went_well, said) = says(&daemon, &deploy, &[]).await;
    assert!(!went_well && said.contains("send 0.01"), "{said}");
    let maker = deposit::DEPLOYER_MAKER.to_string();
    assert!(said.contains(&maker), "{said}");
    let words: Vec<&str> = said.split_whitespace().collect();
    let raw = words
        .iter()
        .find(|word| word.len() > 200)
        .expect("a transaction");
    let coin = U256::from(10_000_000_000_000_000_u64);
    provider
        .anvil_set_balance(deposit::DEPLOYER_MAKER, coin)
        .await
        .expect("Anvil obeys");
    let raw: Bytes = raw.parse().expect("hex");
    let sent = provider.send_raw_transaction(&raw).await;
    sent.expect("the node takes it")
        .get_receipt()
        .await
        .expect("it is mined");

    // The deployer's own transaction offers 100 gwei for its gas, and what a node calls usual follows.
    let dear = format!("{deploy} --max-gas-price 200gwei");
    let (went_well, said) = says(&daemon, &dear, &[]).await;
    assert!(went_well, "{said}");
    let (went_well, ..) = daemon_status(&daemon).await;
    assert!(went_well);
}

/// What `contracts status --json` says.
async fn daemon_status(daemon: &Daemon) -> (bool, String, String) {
    let mut command = daemon.command();
    command.args(["contracts", "status", "--json"]);
    let output = command.output().await.expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}
