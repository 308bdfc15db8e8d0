//! `paywatch chain resync`: sets a chain's cursor back.

use std::path::Path;

use anyhow::Context as _;
use paywatch_api::{Clock as _, SystemClock};
use paywatch_reconciler::resync;
use paywatch_store::Store;
use serde_json::json;

use crate::cli;
use crate::command::configured_chain;
use crate::config::{Config, process_environment};
use crate::daemon::chain::pool;
use crate::output::{self, Format};

/// Does what `chain …` asks.
pub(crate) async fn run(config: &Path, args: cli::Chain, format: Format) -> anyhow::Result<()> {
    let cli::Chain::Resync { chain: name, to } = args;
    let config = Config::load(config, &process_environment())?;
    let chain = configured_chain(&config, &name)?;
    let store = Store::open(&config.database)
        .await
        .context("the database cannot be used")?;
    let pool = pool(chain).await?;
    let outcome = resync(&store, &pool, chain.id, to, SystemClock.now()).await;
    store.close().await;
    let done = outcome.with_context(|| format!("{name} was left as it is"))?;
    if format == Format::Json {
        return output::json(&json!({
            "chain": name,
            "from": { "number": done.from.number, "hash": done.from.hash.to_string() },
            "to": { "number": done.to.number, "hash": done.to.hash.to_string() },
            "orders_changed": done.orders_changed,
        }));
    }
    Ok(output::line(&format!(
        "The cursor of {name} was set back from block {} to block {} ({}). {} orders changed. The \
         daemon reads on from there.",
        done.from.number, done.to.number, done.to.hash, done.orders_changed
    ))?)
}
