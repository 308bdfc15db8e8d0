//! The API under load: orders made and read in a second, and how it answers at half of that, while
//! the daemon follows a chain of a hundred transfers in each one-second block.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use alloy::network::Ethereum;
use alloy::providers::{Provider as _, RootProvider};
use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::bench::house::{following, on_each};
use crate::bench::process::{self, memory_kib};
use crate::bench::served::{BULK, TOKEN, say};
use crate::tools;

/// For how long each kind of load lasts, in seconds.
const SECONDS: u64 = 10;
/// How many clients call at once.
const CLIENTS: &str = "32";
/// Different orders that can be asked for in one load: many more than are made.
const BODIES: u64 = 400_000;
/// Orders that are read, in pages of a hundred.
const PAGES_READ: usize = 20;
/// How long the daemon may take to get going.
const SETTLING: Duration = Duration::from_secs(60);

/// What the load generator says.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    summary: Summary,
    latency_percentiles: BTreeMap<String, Option<f64>>,
    status_code_distribution: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    total: f64,
}

impl Said {
    /// Answers of `status` in a second.
    fn rate(&self, status: &str) -> Result<u64> {
        let answers = self.status_code_distribution.get(status).copied();
        let others = self.status_code_distribution.keys();
        let is_well = others.into_iter().all(|code| code.starts_with('2'));
        ensure!(is_well, "not all went well: {self:?}");
        let ms = Duration::try_from_secs_f64(self.summary.total)?.as_millis();
        let ms = u64::try_from(ms)?.max(1);
        Ok(answers.unwrap_or_default() * 1_000 / ms)
    }

    fn percentile(&self, name: &str) -> Result<String> {
        let seconds = self.latency_percentiles.get(name).copied().flatten();
        let seconds = seconds.context("latencies were measured")?;
        let us = Duration::try_from_secs_f64(seconds)?.as_micros();
        Ok(format!("{}.{:02} ms", us / 1_000, us % 1_000 / 10))
    }
}

/// A daemon on a database, and a key of it.
struct Shop {
    daemon: Child,
    url: String,
    key: String,
    folder: TempDir,
    loads: u64,
}

/// Loads the API on each of `engines`.
///
/// # Errors
/// When anything fails, and when an answer is not as it should be.
pub async fn api(engines: &[&str]) -> Result<()> {
    say("api: orders are made and read by as many as can");
    on_each(engines, async |folder, database: String| {
        let (chain, node) = following().await?;
        let control: RootProvider<Ethereum> =
            RootProvider::new_http(format!("http://{node}").parse()?);
        let _busy: bool = control.raw_request("sim_busy".into(), ()).await?;
        let mut shop = Shop::open(folder, &database, &node).await?;
        let measured = shop.measure().await;
        drop(chain);
        measured
    })
    .await
}

impl Shop {
    async fn open(folder: TempDir, database: &str, node: &str) -> Result<Self> {
        let listen = process::free_address()?;
        let config = format!(
            "[database]\nurl = \"{database}\"\n[api]\nlisten = \"{listen}\"\n[log]\nfilter = \"warn\"\n\
             [treasury]\naddress = \"0x00000000000000000000000000000000000000ee\"\n\
             [chains.live]\nid = {}\nhttp = \"http://{node}\"\nws = \"ws://{node}\"\n\
             confirmations = 3\ntokens = [{{ symbol = \"USDT\", address = \"{TOKEN}\", decimals = 6 }}]\n",
            BULK.chain_id
        );
        std::fs::write(folder.path().join("paywatch.toml"), config)?;
        let daemon = process::daemon(folder.path())?.arg("run").spawn()?;
        let rate = ["--per-minute", "60000000", "--burst", "1000000"];
        let key = process::key(folder.path(), &rate).await?;
        let url = format!("http://{listen}");
        let shop = Self {
            daemon,
            url,
            key,
            folder,
            loads: 0,
        };
        shop.becomes_ready().await?;
        Ok(shop)
    }

    async fn becomes_ready(&self) -> Result<()> {
        let url = format!("{}/readyz", self.url);
        let ready = async {
            loop {
                let answer = reqwest::get(&url).await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        let in_time = tokio::time::timeout(SETTLING, ready).await;
        in_time.context("the daemon does not become ready")
    }

    /// A file with the addresses of the newest orders, one in each line.
    async fn addresses(&self) -> Result<PathBuf> {
        let (client, mut text) = (reqwest::Client::new(), String::new());
        let mut next = Some(format!("{}/v1/orders?limit=100", self.url));
        for _page in 0..PAGES_READ {
            let page = next.take().context("there are as many orders")?;
            let page = client.get(page).bearer_auth(&self.key).send().await?;
            let page: Value = page.error_for_status()?.json().await?;
            let orders = page["data"].as_array().context("a page has orders")?;
            for order in orders {
                let id = order["id"].as_str().context("an order has an id")?;
                writeln!(text, "{}/v1/orders/{id}", self.url)?;
            }
            let cursor = page["next_cursor"].as_str();
            next = cursor.map(|cursor| format!("{}/v1/orders?limit=100&cursor={cursor}", self.url));
        }
        let path = self.folder.path().join("addresses");
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// A file with a request for an order in each line.
    fn bodies(&mut self) -> Result<PathBuf> {
        self.loads += 1;
        let mut text = String::new();
        for number in 0..BODIES {
            let reference = format!("LOAD-{}-{number}", self.loads);
            writeln!(text, "{{\"reference\":\"{reference}\",\"amount\":\"100\"}}")?;
        }
        let path = self.folder.path().join("bodies");
        std::fs::write(&path, text)?;
        Ok(path)
    }

    async fn creates(&mut self, at_most: Option<u64>) -> Result<Said> {
        let bodies = self.bodies()?;
        let mut load = self.load(at_most);
        load.args(["-m", "POST", "-T", "application/json", "-Z"]);
        load.arg(bodies).arg(format!("{}/v1/orders", self.url));
        said(load).await
    }

    async fn reads(&self, at_most: Option<u64>) -> Result<Said> {
        let addresses = self.addresses().await?;
        let mut load = self.load(at_most);
        load.arg("--urls-from-file").arg(addresses);
        said(load).await
    }

    fn load(&self, at_most: Option<u64>) -> Command {
        let mut load = Command::new(tools::root().join(".tools/bin/oha"));
        load.args(["--no-tui", "--output-format", "json", "-c", CLIENTS]);
        load.args(["-z", &format!("{SECONDS}s")]);
        load.args(["-H", &format!("Authorization: Bearer {}", self.key)]);
        if let Some(rate) = at_most {
            load.args(["-q", &rate.to_string()]);
        }
        load
    }

    async fn measure(&mut self) -> Result<()> {
        let created = self.creates(None).await?.rate("201")?;
        let read = self.reads(None).await?.rate("200")?;
        say(&format!(
            "  orders made   {created:>6} a second (on SQLite at least 1500)"
        ));
        say(&format!(
            "  orders read   {read:>6} a second (at least 10000)"
        ));
        let created = self.creates(Some(created / 2)).await?;
        let read = self.reads(Some(read / 2)).await?;
        for (what, said, status) in [("made", &created, "201"), ("read", &read, "200")] {
            say(&format!(
                "  at half of that, {:>5} {what} a second: p50 {}, p99 {}",
                said.rate(status)?,
                said.percentile("p50")?,
                said.percentile("p99")?
            ));
        }
        let pid = self.daemon.id().context("it runs")?;
        let memory = memory_kib(pid, "VmHWM:")? / 1_024;
        say(&format!("  memory {memory} MB at most (under 150)"));
        self.daemon.kill().await?;
        Ok(())
    }
}

async fn said(mut load: Command) -> Result<Said> {
    let output = load
        .output()
        .await
        .context("the load generator is not installed; start this by: cargo xtask bench api")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
