//! Live: from a block being available to its payments being committed, and through a reorg.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy::network::Ethereum;
use alloy::primitives::B256;
use alloy::providers::{Provider as _, RootProvider};
use alloy::rpc::types::Filter;
use alloy::sol_types::SolEvent as _;
use anyhow::{Context as _, Result, bail};
use futures::{SinkExt as _, StreamExt as _};
use paywatch_core::{Proof, Timestamp};
use paywatch_indexer::{Follower, Start};
use paywatch_reconciler::{AddressBook, Reconciler};
use paywatch_store::Store;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::bench::backfill::{Transfer, chain_id, open, pool, settings, shop};
use crate::bench::process::{Server, measured};
use crate::bench::served::{BULK, LivePlan, TOKEN, now_ns, say};

/// How many blocks are timed.
const BLOCKS: usize = 60;
/// Blocks at the start that are not: everything is still being set up.
const WARM_UP: usize = 3;
/// After a reorg, all must be as it is on the chain within this.
const AFTER_REORG: Duration = Duration::from_secs(8);

/// When each block was done with, by height, in nanoseconds of the wall clock.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Done(BTreeMap<u64, u128>);

/// Percentiles in microseconds.
fn percentiles(done: &Done, mined: &BTreeMap<u64, u128>) -> Result<(u128, u128)> {
    let mut took: Vec<u128> = done
        .0
        .iter()
        .skip(WARM_UP)
        .filter_map(|(number, at)| Some(at.saturating_sub(*mined.get(number)?) / 1_000))
        .collect();
    took.sort_unstable();
    let at = |hundredths: usize| {
        let place = (took.len() * hundredths / 100).min(took.len().saturating_sub(1));
        took.get(place).copied().context("blocks were timed")
    };
    Ok((at(50)?, at(99)?))
}

fn ms(us: u128) -> String {
    format!("{}.{:02} ms", us / 1_000, us % 1_000 / 10)
}

/// Subscribes, fetches and decodes through alloy, and nothing else.
///
/// # Errors
/// When anything fails.
pub async fn bare(url: &str) -> Result<()> {
    let (mut socket, _) = connect_async(url).await?;
    let subscribe = r#"{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}"#;
    socket.send(Message::text(subscribe)).await?;
    let http = url.replacen("ws", "http", 1);
    let provider: RootProvider<Ethereum> = RootProvider::new_http(http.parse()?);
    let mut done = Done::default();
    while done.0.len() < BLOCKS {
        let message = socket.next().await.context("the subscription ended")??;
        let message: Value = serde_json::from_str(message.to_text()?)?;
        let head = &message["params"]["result"];
        if head.is_null() {
            continue;
        }
        let head: alloy::rpc::types::Header = serde_json::from_value(head.clone())?;
        let filter = Filter::new()
            .address(TOKEN)
            .event_signature(Transfer::SIGNATURE_HASH)
            .at_block_hash(head.hash);
        let logs = provider.get_logs(&filter).await?;
        let decoded = logs
            .iter()
            .filter(|log| Transfer::decode_log(&log.inner).is_ok())
            .count();
        if decoded == 0 {
            bail!("block {} is empty", head.number);
        }
        done.0.insert(head.number, now_ns());
    }
    say(&serde_json::to_string(&done)?);
    Ok(())
}

/// The pipeline as the daemon runs it.
struct Pipeline {
    store: Store,
    follower: Follower,
    reconciler: Reconciler,
    done: Done,
}

impl Pipeline {
    async fn step(&mut self) -> Result<()> {
        let update = self.follower.next().await?;
        let at = Timestamp::from_unix_s(1_800_000_000)?;
        self.reconciler.apply(&update, at).await?;
        for covered in &update.blocks {
            self.done.0.insert(covered.block.number, now_ns());
        }
        Ok(())
    }

    /// The payments in the books, from the block `first` on.
    async fn payments(&self, first: u64) -> Result<BTreeSet<(B256, u64)>> {
        let booked = self
            .store
            .payments_between(chain_id(), first, u64::MAX >> 1)
            .await?;
        Ok(booked
            .into_iter()
            .map(|payment| payment.recorded.transfer.id)
            .map(|id| (id.block_hash, id.log_index))
            .collect())
    }
}

/// (c) Live, beside a bare loop, and a reorg of three blocks.
///
/// # Errors
/// When anything fails.
pub async fn live(folder: &TempDir) -> Result<()> {
    say(&format!(
        "live: {BLOCKS} one-second blocks of 100 transfers over WebSocket"
    ));
    let plan = LivePlan {
        name: "live".to_owned(),
        id: BULK.chain_id,
        block_ms: 1_000,
        tokens: vec![(TOKEN, 6)],
    };
    let plans = serde_json::to_string(&[plan])?;
    let server = Server::start(&["serve-live".to_owned(), plans]).await?;
    let http = format!("http://{}/live", server.said);
    let ws = format!("ws://{}/live", server.said);
    let control: RootProvider<Ethereum> = RootProvider::new_http(http.parse()?);
    let _busy: bool = control.raw_request("sim_busy".into(), ()).await?;
    let first = control.get_block_number().await? + 1;

    let database = shop(folder.path(), 1_000, Proof::None).await?;
    let store = open(&database).await?;
    let book = Arc::new(AddressBook::new(store.clone()));
    let source = Arc::new(pool(Some(&http), Some(&ws)).await?);
    let mut pipeline = Pipeline {
        follower: Follower::new(
            source,
            Arc::<AddressBook>::clone(&book),
            settings(),
            Start::At(first),
        ),
        reconciler: Reconciler::new(store.clone(), book, 512),
        done: Done::default(),
        store,
    };
    // Beside each other, in the same blocks.
    let arguments = ["bare-live".to_owned(), ws.clone()];
    let bare = tokio::spawn(async move { measured::<Done>(&arguments).await });
    while pipeline.done.0.len() < BLOCKS + WARM_UP || !bare.is_finished() {
        pipeline.step().await?;
    }
    let bare_done = bare.await??;
    let mined = mined_at(&control).await?;
    let (bare_half, bare_most) = percentiles(&bare_done, &mined)?;
    let (half, most) = percentiles(&pipeline.done, &mined)?;
    say(&format!(
        "  bare loop: p50 {}, p99 {}",
        ms(bare_half),
        ms(bare_most)
    ));
    say(&format!(
        "  block available to order committed: p50 {} (under 10), p99 {} (under 50)",
        ms(half),
        ms(most)
    ));
    reorg(&mut pipeline, &control, first).await
}

async fn mined_at(control: &RootProvider<Ethereum>) -> Result<BTreeMap<u64, u128>> {
    let mined: BTreeMap<String, String> = control.raw_request("sim_minedAt".into(), ()).await?;
    mined
        .into_iter()
        .map(|(number, at)| Ok((number.parse()?, at.parse()?)))
        .collect()
}

async fn reorg(
    pipeline: &mut Pipeline,
    control: &RootProvider<Ethereum>,
    first: u64,
) -> Result<()> {
    let before = pipeline.payments(first).await?;
    let _forked: u64 = control.raw_request("sim_fork".into(), (3,)).await?;
    let started = Instant::now();
    loop {
        // A step may not come before the chain is as long as it was.
        let left = AFTER_REORG.saturating_sub(started.elapsed());
        match timeout(left, pipeline.step()).await {
            Ok(step) => step?,
            Err(_) => bail!("the books were not the chain {AFTER_REORG:?} after the reorg"),
        }
        let truth: Vec<(B256, u64)> = control.raw_request("sim_payments".into(), (first,)).await?;
        let truth: BTreeSet<_> = truth.into_iter().collect();
        let booked = pipeline.payments(first).await?;
        if booked == truth && !before.is_subset(&booked) {
            let took = started.elapsed().as_millis();
            say(&format!(
                "  3-block reorg: {} payments, nothing orphaned, nothing missing after {took} ms (under 8,000)",
                truth.len()
            ));
            return Ok(());
        }
    }
}
