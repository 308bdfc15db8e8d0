//! What following costs: calls for each block, and the processor's time, with twelve chains.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use alloy::network::Ethereum;
use alloy::primitives::Address;
use alloy::providers::{Provider as _, RootProvider};
use anyhow::{Context as _, Result, bail};
use paywatch_core::Proof;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::sleep;

use crate::bench::backfill::shop;
use crate::bench::process::{self, Server, cpu_ticks, memory_kib, paywatch};
use crate::bench::served::{LivePlan, say};

/// How long is measured.
const MEASURED: Duration = Duration::from_secs(60);
/// How long the daemon may take to get going.
const SETTLING: Duration = Duration::from_secs(15);
const CHAINS: [&str; 12] = [
    "ethereum",
    "bsc",
    "polygon",
    "arbitrum",
    "optimism",
    "avalanche",
    "base",
    "celo",
    "kaia",
    "linea",
    "scroll",
    "mantle",
];

/// A built-in chain, as the program lists it.
#[derive(Debug, Deserialize)]
struct Known {
    name: String,
    id: u64,
    block_ms: u64,
    tokens: Vec<KnownToken>,
}

#[derive(Debug, Deserialize)]
struct KnownToken {
    /// As the chain's people write it.
    address: String,
    decimals: u8,
}

/// Calls and blocks so far.
type Counts = BTreeMap<String, (u64, u64)>;

async fn counts(address: &str) -> Result<Counts> {
    let mut counts = Counts::new();
    for name in CHAINS {
        let url = format!("http://{address}/{name}");
        let control: RootProvider<Ethereum> = RootProvider::new_http(url.parse()?);
        let (calls, head): (u64, u64) = control.raw_request("sim_calls".into(), ()).await?;
        counts.insert(name.to_owned(), (calls, head));
    }
    Ok(counts)
}

async fn known() -> Result<Vec<Known>> {
    let output = Command::new(paywatch()?)
        .args(["--json", "chains", "--built-in"])
        .output()
        .await?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn configure(folder: &Path, database: &Path, address: &str) -> Result<()> {
    let mut config = format!(
        "[database]\nurl = \"sqlite:{}\"\n[api]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"warn\"\n\
         [treasury]\naddress = \"0x00000000000000000000000000000000000000ee\"\n",
        database.display()
    );
    for name in CHAINS {
        write!(
            config,
            "[chains.{name}]\nhttp = \"http://{address}/{name}\"\nws = \"ws://{address}/{name}\"\n"
        )?;
    }
    std::fs::write(folder.join("paywatch.toml"), config)?;
    Ok(())
}

/// (d) and (e): the real daemon with twelve chains, each with its own block time.
///
/// # Errors
/// When anything fails.
pub async fn idle(folder: &TempDir) -> Result<()> {
    say(
        "idle: the release daemon follows 12 chains, each with its own block time, by subscription",
    );
    let known = known().await?;
    let mut plans = Vec::new();
    for chain in known {
        if !CHAINS.contains(&chain.name.as_str()) {
            continue;
        }
        let mut tokens: Vec<(Address, u8)> = Vec::new();
        for token in chain.tokens {
            tokens.push((token.address.parse()?, token.decimals));
        }
        plans.push(LivePlan {
            name: chain.name,
            id: chain.id,
            block_ms: chain.block_ms,
            tokens,
        });
    }
    let server = Server::start(&["serve-live".to_owned(), serde_json::to_string(&plans)?]).await?;
    // Somebody must be watched, or no logs are asked for at all.
    let database = shop(folder.path(), 1_000, Proof::None).await?;
    configure(folder.path(), &database, &server.said)?;
    let mut daemon = process::daemon(folder.path())?.arg("run").spawn()?;
    let pid = daemon.id().context("it runs")?;
    sleep(SETTLING).await;
    let (before, ticks) = (counts(&server.said).await?, cpu_ticks(pid)?);
    sleep(MEASURED).await;
    let (after, ticks_after) = (counts(&server.said).await?, cpu_ticks(pid)?);
    let idle = per_block(&before, &after);
    // A tick is a hundredth of a second, a share of one processor.
    let share = (ticks_after - ticks) * 100 / MEASURED.as_secs();
    let memory = memory_kib(pid, "VmRSS:")? / 1_024;

    for name in CHAINS {
        let url = format!("http://{}/{name}", server.said);
        let control: RootProvider<Ethereum> = RootProvider::new_http(url.parse()?);
        let _busy: bool = control.raw_request("sim_busy".into(), ()).await?;
    }
    sleep(SETTLING).await;
    let before = counts(&server.said).await?;
    sleep(MEASURED).await;
    let busy = per_block(&before, &counts(&server.said).await?);
    daemon.kill().await?;

    say("  chain        block    calls a block, idle   busy     calls a day, idle       busy");
    for plan in &plans {
        let a_day = |hundredths: u64| 864_000 * hundredths / plan.block_ms;
        let (idle, busy) = (idle[&plan.name], busy[&plan.name]);
        say(&format!(
            "  {:<11} {:>5} ms {:>18}.{:02} {:>3}.{:02} {:>19} {:>10}",
            plan.name,
            plan.block_ms,
            idle / 100,
            idle % 100,
            busy / 100,
            busy % 100,
            a_day(idle),
            a_day(busy)
        ));
    }
    say(&format!(
        "  processor: {}.{:02} % of one core while idle; memory {memory} MB",
        share / 100,
        share % 100
    ));
    Ok(())
}

/// Hundredths of calls for each block.
fn per_block(before: &Counts, after: &Counts) -> BTreeMap<String, u64> {
    after
        .iter()
        .map(|(name, (calls, head))| {
            let (calls_before, head_before) = before.get(name).copied().unwrap_or_default();
            // The count itself is a call.
            let calls = (calls - calls_before).saturating_sub(1);
            (name.clone(), calls * 100 / (head - head_before).max(1))
        })
        .collect()
}
