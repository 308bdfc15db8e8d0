//! A daemon that tells, in a house of its own, and who comes to it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use paywatch_store::Store;
use paywatch_store::test_postgres::PrivatePostgres;
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::sleep;
use uuid::Uuid;

use crate::bench::process::{self, Server};
use crate::bench::served::{BULK, LivePlan, TOKEN, say};

/// Orders that are made while delays are measured, and how often.
pub(crate) const TRICKLE: u64 = 600;
const TRICKLE_EVERY: Duration = Duration::from_millis(20);

/// How long until it may take orders.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon whose books are full of events that nobody was told of.
pub(crate) struct House {
    folder: TempDir,
    database: String,
    pub(crate) listen: SocketAddr,
    daemon: Option<Child>,
}

impl House {
    /// A house that may tell those at `allowed`, and follows the chain of `node`.
    pub(crate) fn build(
        (database, folder): (String, TempDir),
        node: &str,
        allowed: &[SocketAddr],
    ) -> Result<Self> {
        let listen = process::free_address()?;
        let allowed: Vec<String> = allowed.iter().map(|at| format!("\"{at}\"")).collect();
        let config = format!(
            "[database]\nurl = \"{database}\"\n[api]\nlisten = \"{listen}\"\n[log]\nfilter = \"error\"\n\
             [treasury]\naddress = \"0x00000000000000000000000000000000000000ee\"\n\
             [webhooks]\nallow_http = true\nallow = [{}]\nretries = [\"1s\", \"2s\", \"5s\", \"1m\"]\n\
             [chains.live]\nid = {}\nhttp = \"http://{node}\"\nconfirmations = 3\n\
             tokens = [{{ symbol = \"USDT\", address = \"{TOKEN}\", decimals = 6 }}]\n",
            allowed.join(", "),
            BULK.chain_id
        );
        std::fs::write(folder.path().join("paywatch.toml"), config)?;
        Ok(Self {
            folder,
            database,
            listen,
            daemon: None,
        })
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn store(&self) -> Result<Store> {
        Ok(Store::open(&self.database.parse()?).await?)
    }

    pub(crate) fn starts(&mut self) -> Result<()> {
        let mut daemon = process::daemon(self.folder())?;
        self.daemon = Some(daemon.arg("run").spawn()?);
        Ok(())
    }

    /// A key that may ask as often as it likes.
    pub(crate) async fn key(&self) -> Result<String> {
        let rate = ["--per-minute", "60000000", "--burst", "1000000"];
        process::key(self.folder(), &rate).await
    }

    /// One order, as soon as any is taken: the daemon is up then, and its chain was read.
    pub(crate) async fn takes_an_order(&self, key: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let client = reqwest::Client::new();
        loop {
            let made = self.asks_for_order(&client, key, "first").await;
            if made.is_ok_and(|made| made.status().is_success()) {
                return Ok(());
            }
            ensure!(Instant::now() < end, "no order is taken");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Orders come, a few at a time.
    pub(crate) async fn takes_orders(&self, key: &str) -> Result<()> {
        let client = reqwest::Client::new();
        for number in 0..TRICKLE {
            let number = number.to_string();
            let made = self.asks_for_order(&client, key, &number).await?;
            ensure!(made.status().is_success(), "{}", made.text().await?);
            sleep(TRICKLE_EVERY).await;
        }
        Ok(())
    }

    async fn asks_for_order(
        &self,
        client: &reqwest::Client,
        key: &str,
        what: &str,
    ) -> Result<reqwest::Response> {
        let reference = format!("T-{}-{what}", Uuid::now_v7());
        let asked = client
            .post(format!("http://{}/v1/orders", self.listen))
            .bearer_auth(key)
            .json(&serde_json::json!({"reference": reference, "amount": "100"}));
        Ok(asked.send().await?)
    }

    /// The most memory that the daemon has had.
    pub(crate) fn memory_mib(&self) -> Result<u64> {
        let daemon = self.daemon.as_ref().context("it runs")?;
        let id = daemon.id().context("it runs")?;
        Ok(process::memory_kib(id, "VmHWM")? / 1_024)
    }

    pub(crate) async fn is_killed(&mut self) -> Result<()> {
        if let Some(mut daemon) = self.daemon.take() {
            // SIGKILL.
            daemon.kill().await?;
        }
        Ok(())
    }
}

/// A chain that goes on by a block each second, and where its node is.
pub(crate) async fn following() -> Result<(Server, String)> {
    let plan = LivePlan {
        name: "live".to_owned(),
        id: BULK.chain_id,
        block_ms: 1_000,
        tokens: vec![(TOKEN, 6)],
    };
    let chain = Server::start(&["serve-live".to_owned(), serde_json::to_string(&[plan])?]).await?;
    let node = format!("{}/live", chain.said);
    Ok((chain, node))
}

/// Runs `what` on each of `engines`.
pub(crate) async fn on_each<F: Future<Output = Result<()>>>(
    engines: &[&str],
    what: impl Fn(TempDir, String) -> F,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for engine in engines {
        let here = tempfile::tempdir_in(folder.path())?;
        if *engine == "sqlite" {
            say("  on SQLite, synchronous=FULL");
            let url = format!("sqlite:{}", here.path().join("books.sqlite").display());
            what(here, url).await?;
        } else {
            say("  on PostgreSQL as it is installed, fsync and all");
            let server = PrivatePostgres::start_durable()?;
            what(here, server.create_database()?).await?;
        }
    }
    Ok(())
}
