//! What an operator checks and mends: proofs, the books, a cursor, a standstill; and a chain
//! without a node.

use std::process::Stdio;

use paywatch_client::CreateOrder;
use paywatch_tests::chain::{Chain, PAYER};
use paywatch_tests::daemon::{Daemon, chain_section};
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::{tools, wait};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The proof of a payment goes into a file, holds without a daemon, and breaks with any change.
#[tokio::test]
async fn a_payment_can_be_proved_to_anybody() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    let order = shop.order("PROOF-1", "12.5").await;
    shop.chain().pays(PAYER, pay_to(&order), "12.5").await;
    shop.becomes_final().await;
    let completed = shop.sees(&order, "completed").await;
    let payment = &completed.payments[0];
    assert_eq!(payment.proof.as_deref(), Some("receipts_root"));

    let file = shop.daemon.folder().join("proof.json");
    let path = file.display().to_string();
    let asked = ["payment", "proof", &payment.id, "--out", &path];
    let (went_well, _, error) = shop.daemon.operator(&asked).await;
    assert!(went_well, "{error}");
    let (holds, said) = shop.daemon.says(&["verify-proof", &path]).await;
    assert!(holds && said.contains("12500000"), "{said}");

    let proof = std::fs::read_to_string(&file).expect("it was written");
    // One digit of one hash, or of anything else.
    let forged = proof.replacen('7', "8", 1);
    std::fs::write(&file, forged).expect("it can be written");
    let (holds, said) = shop.daemon.says(&["verify-proof", &path]).await;
    assert!(!holds, "{said}");
    shop.close().await;
}

/// A range read again agrees with the books; a cursor set back is read on from, in the open.
#[tokio::test]
async fn a_range_is_read_again_and_a_cursor_set_back() {
    let mut shop = Shop::open(Engine::Sqlite).await;
    let order = shop.order("BACK-1", "10").await;
    let before = shop.chain().height().await;
    shop.chain().pays(PAYER, pay_to(&order), "10").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;

    let (agrees, said) = shop
        .daemon
        .says(&["backfill", "--chain", "anvil", "--from", "0"])
        .await;
    assert!(agrees, "{said}");

    shop.daemon.stop().await;
    let to = before.to_string();
    let (set_back, said) = shop
        .daemon
        .says(&["chain", "resync", "--chain", "anvil", "--to", &to])
        .await;
    assert!(set_back && said.contains("1 orders changed"), "{said}");
    let (agrees, said) = shop
        .daemon
        .says(&["backfill", "--chain", "anvil", "--from", "0", "--to", &to])
        .await;
    assert!(agrees, "{said}");
    shop.daemon.start().await;
    let again = shop.sees(&order, "completed").await;
    assert_eq!(again.confirmed, "10");
    shop.close().await;
}

/// A chain without new blocks is told of, in the log, as a metric, and when it goes on.
#[tokio::test]
async fn a_standstill_is_told() {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let section = format!(
        "{}stall_after = \"1s\"\n",
        chain_section(&chain, CONFIRMATIONS)
    );
    let shop = Shop::open_with(Engine::Sqlite, vec![chain], &[section]).await;
    let told = |what: &'static str| {
        let shop = &shop;
        async move {
            wait::until(what, || async {
                let log = shop.daemon.log();
                if log.contains(what) { Ok(()) } else { Err(log) }
            })
            .await;
        }
    };
    told("chain.stalled").await;
    shop.chain().mines(1).await;
    told("chain.recovered").await;

    let url = shop.daemon.url().join("metrics").expect("it is a URL");
    let metrics = reqwest::get(url).await.expect("it answers");
    let metrics = metrics.text().await.expect("it is text");
    let counted = "paywatch_chain_events_total{chain=\"31337\",kind=\"chain.stalled\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    shop.close().await;
}

/// A running `paywatch simulate`.
struct Simulation {
    url: String,
    /// What a configuration says to follow its chains.
    sections: String,
    _child: Child,
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Simulation {
    async fn start() -> Self {
        let mut child = Command::new(tools::paywatch())
            .args(["simulate", "run", "--listen", "127.0.0.1:0"])
            .args(["--block-time", "0s"])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it runs");
        let mut lines = BufReader::new(child.stdout.take().expect("it talks")).lines();
        let (mut sections, mut url) = (String::new(), String::new());
        while sections.matches("tokens").count() < 2 {
            let line = lines.next_line().await.expect("it talks");
            let line = line.expect("to its end");
            if let Some((_, address)) = line.split_once("Simulated chains at ") {
                url = address.trim_end_matches("; for paywatch.toml:").to_owned();
            }
            sections.push_str(&line);
            sections.push('\n');
        }
        Self {
            url,
            sections,
            _child: child,
            _lines: lines,
        }
    }

    async fn does(&self, arguments: &[&str]) {
        let mut command = Command::new(tools::paywatch());
        command.arg("simulate").args(arguments);
        command.args(["--url", &self.url]);
        let output = command.output().await.expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
    }
}

/// A merchant's own test needs no node: `paywatch simulate` is the chain.
#[tokio::test]
async fn a_simulated_chain_pays_reorgs_and_is_the_wrong_one() {
    tools::install_tls();
    let simulation = Simulation::start().await;
    let mut daemon = Daemon::new(Engine::Sqlite, std::slice::from_ref(&simulation.sections));
    daemon.start().await;
    daemon.becomes_ready().await;
    let client = daemon.client();
    let asked = CreateOrder {
        reference: "SIM-1".to_owned(),
        amount: "10".to_owned(),
        chains: Some(vec!["sim".to_owned()]),
        ..CreateOrder::default()
    };
    let order = client.create_order(&asked).await.expect("it is made");
    let sees = async |status: &str, received: &str| {
        wait::until(&format!("{status} with {received}"), || async {
            let now = client.order(&order.id).await;
            let now = now.map_err(|error| error.to_string())?;
            if now.status == status && now.received == received {
                Ok(now)
            } else {
                Err(format!("{now:?}"))
            }
        })
        .await
    };
    let to = &order.options[0].address;
    simulation.does(&["pay", "--to", to, "--amount", "4"]).await;
    sees("partially_paid", "4").await;
    simulation.does(&["reorg", "--depth", "1"]).await;
    sees("awaiting_payment", "0").await;
    let wrong = ["pay", "--to", to, "--amount", "7", "--chain", "other"];
    simulation.does(&wrong).await;
    simulation
        .does(&["pay", "--to", to, "--amount", "10"])
        .await;
    simulation.does(&["mine", "--blocks", "3"]).await;
    // What came on the wrong chain arrived, and does not count.
    let now = sees("completed", "17").await;
    assert_eq!((now.confirmed.as_str(), now.ignored.as_str()), ("10", "7"));
    daemon.stop().await;
}
