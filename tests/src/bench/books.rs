//! Large books: a million orders in the store, on both engines.

pub(crate) mod histories;
mod lists;
mod measure;
mod sweep;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use paywatch_store::test_postgres::{PrivatePostgres, VARIABLE};
use paywatch_store::{ChainCommit, Store};

use crate::bench::books::histories::{Plan, looseness};
use crate::bench::served::say;

/// How many orders are in the books.
const ORDERS: u64 = 1_000_000;
/// The environment variable that asks for fewer, to try something out.
const FEWER: &str = "PAYWATCH_BENCH_ORDERS";
/// How many orders are written in one transaction.
const AT_ONCE: u64 = 4_000;

/// Fills the books on each of `engines`, measures what is asked of them, and lets 100,000 orders
/// expire at once.
///
/// # Errors
/// When anything fails.
pub async fn books(engines: &[&str]) -> Result<()> {
    let orders = match std::env::var(FEWER) {
        Ok(fewer) => fewer.parse().context(FEWER)?,
        Err(_) => ORDERS,
    };
    for engine in engines {
        match *engine {
            "sqlite" => {
                // On the disk, as a merchant's is.
                let folder = tempfile::tempdir()?;
                let path = folder.path().join("books.sqlite");
                let url = format!("sqlite:{}", path.display());
                say(&format!(
                    "books on SQLite: {orders} orders; {}",
                    path.display()
                ));
                on(&url, orders).await?;
                let bytes = std::fs::metadata(&path)?.len();
                say(&format!("  the file has {} MB", bytes / 1_000_000));
            },
            "postgres" => {
                let server = PrivatePostgres::start_durable()?;
                let whose = match std::env::var(VARIABLE) {
                    Ok(_) => VARIABLE,
                    Err(_) => "a private server as it is installed, fsync and all",
                };
                say(&format!("books on PostgreSQL: {orders} orders; {whose}"));
                on(&server.create_database()?, orders).await?;
            },
            other => bail!("there is no engine {other}; there are: sqlite, postgres"),
        }
    }
    Ok(())
}

async fn on(url: &str, orders: u64) -> Result<()> {
    let store = Store::open(&url.parse()?).await?;
    let plan = Plan::ending_now(orders)?;
    let took = fill(&store, &plan).await?;
    say(&format!(
        "  filled in {} s; without statistics:",
        took.as_secs()
    ));
    measure::table(&store, &plan).await?;
    let started = Instant::now();
    store.analyze().await?;
    say(&format!(
        "  statistics gathered in {} ms; with them:",
        started.elapsed().as_millis()
    ));
    measure::table(&store, &plan).await?;
    sweep::expire(&store, &plan, took / u32::try_from(orders)?).await?;
    store.close().await;
    Ok(())
}

/// Fills the books as `plan` says; returns how long that took.
async fn fill(store: &Store, plan: &Plan) -> Result<Duration> {
    let started = Instant::now();
    let mut payments = 0;
    let mut said = 0;
    for first in (0..plan.orders).step_by(usize::try_from(AT_ONCE)?) {
        let last = (first + AT_ONCE).min(plan.orders);
        let histories = (first..last)
            .map(|number| plan.history(number))
            .collect::<Result<Vec<_>>>()?;
        payments += histories
            .iter()
            .map(|history| history.transfers.len())
            .sum::<usize>();
        store.fill(&histories).await?;
        if last / 100_000 > said {
            said = last / 100_000;
            say(&format!(
                "    {last} orders, {payments} payments after {} s",
                started.elapsed().as_secs()
            ));
        }
    }
    for commit in cursors(plan)? {
        store.commit_update(&commit).await?;
    }
    Ok(started.elapsed())
}

/// Where the chains stand at the end, and money there that belongs to no order.
fn cursors(plan: &Plan) -> Result<Vec<ChainCommit>> {
    let mut commits = Vec::new();
    for chain in histories::chains() {
        let heads = plan.heads(chain)?;
        let (loose, payment_events) = looseness(plan, chain)?;
        commits.push(ChainCommit {
            chain_id: chain,
            expected: None,
            heads,
            node_head: heads.tip.number,
            retract_above: None,
            first_covered: Some(0),
            blocks: vec![heads.tip],
            keep_blocks: 512,
            transfers: Vec::new(),
            loose,
            disproved: Vec::new(),
            proofs: Vec::new(),
            changes: Vec::new(),
            deferred: Vec::new(),
            chain_events: Vec::new(),
            payment_events,
            freezes: Vec::new(),
            imports: Vec::new(),
            at: plan.now,
        });
    }
    Ok(commits)
}
