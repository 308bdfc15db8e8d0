//! History at the speed of the wire: the whole pipeline beside a loop that only fetches and decodes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::network::Ethereum;
use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent as _;
use anyhow::{Context as _, Result, bail};
use futures::stream::{self, StreamExt as _};
use paywatch_core::{
    Address, Amount, Asking, ChainId, Decimals, FinalityRule, FinalityTag, LatePolicy, Order,
    OrderId, PaymentMethod, PaymentOption, Proof, Timestamp, Token,
};
use paywatch_indexer::{
    Endpoint, FollowSettings, Follower, Pool, PoolSettings, RpcSettings, RpcSource, Start,
};
use paywatch_reconciler::{AddressBook, Reconciler};
use paywatch_simulator::bulk::{FIRST, payee};
use paywatch_store::{History, NewOrder, Store};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::bench::process::{Server, measured, memory_kib};
use crate::bench::served::{BULK, TOKEN, say};

alloy::sol! {
    event Transfer(address indexed from, address indexed to, uint256 value);
}

/// The range in which about 6,000 logs come: what the daemon settles on for this chain.
const BLOCKS_AT_ONCE: u64 = 60;
/// Ranges at the same time, as the daemon has it by default.
const RANGES_AT_ONCE: usize = 16;
/// How often each of two is measured, in turns; the median counts.
const ROUNDS: usize = 3;

/// What one run came to.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Run {
    pub(crate) logs: u64,
    pub(crate) ms: u64,
    pub(crate) payments: u64,
    pub(crate) memory_kib: u64,
}

impl Run {
    fn rate(&self) -> u64 {
        self.logs * 1_000 / self.ms.max(1)
    }
}

pub(crate) fn chain_id() -> ChainId {
    ChainId::new(BULK.chain_id).expect("it is one")
}

pub(crate) fn token() -> Token {
    Token {
        chain_id: chain_id(),
        address: TOKEN,
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(6).expect("they are possible"),
    }
}

pub(crate) fn settings() -> FollowSettings {
    FollowSettings {
        chain_id: chain_id(),
        tokens: vec![token()],
        receivers: Vec::new(),
        poll_interval: Duration::from_secs(1),
        watchdog: Duration::from_secs(5),
        gather: Duration::ZERO,
        window: 512,
        near: 64,
        max_range: 2_000,
        ranges_at_once: RANGES_AT_ONCE,
        filter_up_to: 200,
        blooms: true,
        tags: vec![FinalityTag::Finalized],
        tag_interval: Duration::from_secs(8),
    }
}

pub(crate) async fn pool(http: Option<&str>, ws: Option<&str>) -> Result<Pool> {
    let source = RpcSource::connect(RpcSettings {
        http: http.map(str::parse).transpose()?,
        ws: ws.map(str::parse).transpose()?,
        timeout: Duration::from_secs(15),
    })
    .await?;
    let endpoint = Endpoint {
        name: "node".to_owned(),
        source: Arc::new(source),
        priority: 0,
        requests_per_second: None,
        at_once: 32,
    };
    let settings = PoolSettings {
        chain_id: chain_id(),
        agreement: 1,
        max_range: 2_000,
        head_patience: Duration::from_secs(10),
        blooms: true,
        proof: Proof::None,
        genesis: None,
    };
    Ok(Pool::new(vec![endpoint], settings)?)
}

/// The whole pipeline: pool, follower, matching, SQLite. Prints what it came to.
///
/// # Errors
/// When anything fails.
pub async fn daemon(url: &str, database: &Path) -> Result<()> {
    let store = open(database).await?;
    let book = Arc::new(AddressBook::new(store.clone()));
    book.read_on().await?;
    let started = Instant::now();
    let pool = Arc::new(pool(Some(url), None).await?);
    let mut follower = Follower::new(
        pool,
        Arc::<AddressBook>::clone(&book),
        settings(),
        Start::At(FIRST),
    );
    let mut reconciler = Reconciler::new(store.clone(), book, 512);
    let last = FIRST + BULK.blocks - 1;
    let mut payments = 0;
    loop {
        let update = follower.next().await?;
        let applied = reconciler
            .apply(&update, Timestamp::from_unix_s(1_800_000_000)?)
            .await?;
        payments += u64::try_from(applied.transfers)?;
        if update.tip.number >= last {
            break;
        }
    }
    finish(started, payments)
}

/// Fetches and decodes the same ranges through alloy, and nothing else. Prints what it came to.
///
/// # Errors
/// When anything fails.
pub async fn bare(url: &str) -> Result<()> {
    let provider: RootProvider<Ethereum> = RootProvider::new_http(url.parse()?);
    let started = Instant::now();
    let ends = (0..BULK.blocks).step_by(usize::try_from(BLOCKS_AT_ONCE)?);
    let logs = stream::iter(ends)
        .map(|start| {
            let from = FIRST + start;
            let to = (from + BLOCKS_AT_ONCE - 1).min(FIRST + BULK.blocks - 1);
            let filter = Filter::new()
                .address(TOKEN)
                .event_signature(Transfer::SIGNATURE_HASH)
                .from_block(from)
                .to_block(to);
            let provider = provider.clone();
            tokio::spawn(async move {
                let logs = provider.get_logs(&filter).await?;
                let decoded = logs
                    .iter()
                    .filter(|log| {
                        Transfer::decode_log(&log.inner).is_ok_and(|it| !it.value.is_zero())
                    })
                    .count();
                Ok::<_, anyhow::Error>(decoded)
            })
        })
        .buffered(RANGES_AT_ONCE)
        .map(|done| done.context("a task failed").and_then(|done| done));
    let counts: Vec<_> = logs.collect().await;
    let mut decoded = 0;
    for count in counts {
        decoded += u64::try_from(count?)?;
    }
    if decoded != BULK.blocks * BULK.logs_per_block {
        bail!("it decoded {decoded} logs");
    }
    finish(started, 0)
}

fn finish(started: Instant, payments: u64) -> Result<()> {
    let run = Run {
        logs: BULK.blocks * BULK.logs_per_block,
        ms: u64::try_from(started.elapsed().as_millis())?,
        payments,
        memory_kib: memory_kib(std::process::id(), "VmHWM:")?,
    };
    say(&serde_json::to_string(&run)?);
    Ok(())
}

pub(crate) async fn open(path: &Path) -> Result<Store> {
    let url = format!("sqlite:{}", path.display());
    Ok(Store::open(&url.parse()?).await?)
}

/// A database in which `orders` addresses are watched, the payees first.
pub(crate) async fn shop(folder: &Path, orders: u64, proof: Proof) -> Result<PathBuf> {
    let path = folder.join(format!("{orders}.sqlite"));
    let store = open(&path).await?;
    let numbers: Vec<u64> = (0..orders).collect();
    for part in numbers.chunks(4_000) {
        let histories = part.iter().map(|number| awaited(*number, proof));
        store.fill(&histories.collect::<Result<Vec<_>>>()?).await?;
    }
    store.close().await;
    Ok(path)
}

/// An order that waits to be paid at the address of the payee with its number.
fn awaited(number: u64, proof: Proof) -> Result<History> {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    let order = Order {
        id: OrderId::from_bytes(id),
        reference: format!("ORDER-{number}").parse()?,
        amount: "10".parse()?,
        asking: Asking::Exactly,
        accepted: None,
        tolerance: Amount::ZERO,
        late_policy: LatePolicy::Accept,
        options: vec![PaymentOption {
            token: token(),
            address: payee(number),
            method: PaymentMethod::DepositAddress {
                factory: Address::repeat_byte(0xfa),
                treasury: Address::repeat_byte(0xee),
            },
            finality: FinalityRule::confirmations(12)?.and_proof(proof),
        }],
        created_at: Timestamp::EPOCH,
        expires_at: Timestamp::from_unix_s(2_000_000_000)?,
        grace_ms: 0,
        cancelled_at: None,
        metadata: std::collections::BTreeMap::new(),
    };
    Ok(History {
        new: NewOrder {
            order,
            request_digest: format!("{number:064x}"),
            slots: Vec::new(),
            callback: None,
        },
        transfers: Vec::new(),
        changes: Vec::new(),
    })
}

/// A copy that a run may change.
fn copied(path: &Path) -> Result<PathBuf> {
    let copy = path.with_extension("run.sqlite");
    std::fs::copy(path, &copy)?;
    for rest in ["run.sqlite-wal", "run.sqlite-shm"] {
        // There need not be one.
        let _gone = std::fs::remove_file(path.with_extension(rest));
    }
    Ok(copy)
}

async fn run_daemon(url: &str, database: &Path) -> Result<Run> {
    let copy = copied(database)?;
    let run: Run = measured(&[
        "daemon-run".to_owned(),
        url.to_owned(),
        copy.display().to_string(),
    ])
    .await?;
    if run.payments != BULK.blocks * BULK.logs_per_block / BULK.paid_every {
        bail!("{} payments were found", run.payments);
    }
    Ok(run)
}

/// The run of the median rate.
fn median(mut runs: Vec<Run>) -> Result<Run> {
    runs.sort_by_key(|run| run.ms);
    runs.get(runs.len() / 2).cloned().context("there was a run")
}

/// Two hundredths as a decimal number.
fn ratio(one: u64, other: u64) -> String {
    let hundredths = one * 100 / other.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn tell(name: &str, run: &Run) {
    say(&format!(
        "  {name:<34} {:>9} logs/s  {:>6} ms  {:>4} MB",
        run.rate(),
        run.ms,
        run.memory_kib / 1_024
    ));
}

/// (a) 10,000 watched addresses beside the bare loop; and (c) through a narrow endpoint.
///
/// # Errors
/// When anything fails.
pub async fn compare_backfills(folder: &TempDir) -> Result<()> {
    say("backfill: 2,000,000 logs in 20,000 blocks, 10,000 watched addresses");
    let server = Server::start(&["serve-bulk".to_owned()]).await?;
    let (plain, narrow) = (
        format!("http://{}/plain", server.said),
        format!("http://{}/narrow", server.said),
    );
    let database = shop(folder.path(), 10_000, Proof::None).await?;
    let (mut bare, mut ours, mut slow) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(measured::<Run>(&["bare-run".to_owned(), plain.clone()]).await?);
        ours.push(run_daemon(&plain, &database).await?);
        slow.push(run_daemon(&narrow, &database).await?);
    }
    let (bare, ours, slow) = (median(bare)?, median(ours)?, median(slow)?);
    tell("bare loop through alloy", &bare);
    tell("paywatch", &ours);
    tell("paywatch, 10,000-log cap, 30 ms", &slow);
    say(&format!(
        "  rate / bare loop: {} (at least 0.7); narrow / plain time: {} (at most 1.2); memory {} MB (under 150)",
        ratio(ours.rate(), bare.rate()),
        ratio(slow.ms, ours.ms),
        ours.memory_kib / 1_024
    ));
    Ok(())
}

/// (b) 1,000,000 watched addresses beside 1,000.
///
/// # Errors
/// When anything fails.
pub async fn compare_watched(folder: &TempDir) -> Result<()> {
    say("watched: the same history, 1,000,000 watched addresses beside 1,000");
    let server = Server::start(&["serve-bulk".to_owned()]).await?;
    let plain = format!("http://{}/plain", server.said);
    let few = shop(folder.path(), 1_000, Proof::None).await?;
    let many = shop(folder.path(), 1_000_000, Proof::None).await?;
    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        with_few.push(run_daemon(&plain, &few).await?);
        with_many.push(run_daemon(&plain, &many).await?);
    }
    let (few, many) = (median(with_few)?, median(with_many)?);
    tell("1,000 addresses", &few);
    tell("1,000,000 addresses", &many);
    say(&format!(
        "  rate with many / with few: {} (at least 0.8); memory {} MB (under 300)",
        ratio(many.rate(), few.rate()),
        many.memory_kib / 1_024
    ));
    Ok(())
}
