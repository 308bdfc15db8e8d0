//! The benchmarks. `cargo xtask bench` builds and runs them.

use std::path::PathBuf;

use anyhow::{Result, bail};
use paywatch_tests::{bench, model, tools};

#[tokio::main]
async fn main() -> Result<()> {
    tools::install_tls();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["serve-bulk"] => bench::serve_bulk().await,
        ["serve-live", plans] => bench::serve_live(plans).await,
        ["bare-run", url] => bench::bare(url).await,
        ["daemon-run", url, database] => bench::daemon(url, &PathBuf::from(database)).await,
        ["bare-live", url] => bench::bare_live(url).await,
        [] => {
            all(&[
                "backfill",
                "watched",
                "live",
                "idle",
                "books",
                "keys",
                "api",
                "webhooks",
                "fire",
                "listeners",
                "latency",
            ])
            .await
        },
        ["books", engines @ ..] if !engines.is_empty() => bench::books(engines).await,
        ["webhooks", engines @ ..] if !engines.is_empty() => bench::webhooks(engines).await,
        ["api", engines @ ..] if !engines.is_empty() => bench::api(engines).await,
        ["listeners", engines @ ..] if !engines.is_empty() => bench::listeners(engines).await,
        ["fire", engines @ ..] if !engines.is_empty() => bench::fire(engines).await,
        names => all(names).await,
    }
}

async fn all(names: &[&str]) -> Result<()> {
    for name in names {
        let folder = model::folder();
        match *name {
            "backfill" => bench::compare_backfills(&folder).await?,
            "watched" => bench::compare_watched(&folder).await?,
            "live" => bench::live(&folder).await?,
            "calls" | "idle" => bench::idle(&folder).await?,
            "keys" => bench::keys(&folder).await?,
            "books" => bench::books(&["sqlite", "postgres"]).await?,
            "api" => bench::api(&["sqlite", "postgres"]).await?,
            "webhooks" => bench::webhooks(&["sqlite", "postgres"]).await?,
            "fire" => bench::fire(&["sqlite", "postgres"]).await?,
            "listeners" => bench::listeners(&["sqlite", "postgres"]).await?,
            "latency" => bench::latency().await?,
            other => {
                bail!(
                    "there is no benchmark {other}; there are: backfill, watched, live, idle, books, \
                     keys, api, webhooks, fire, listeners, latency"
                )
            },
        }
    }
    Ok(())
}
