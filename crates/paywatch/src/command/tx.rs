//! `paywatch tx check`: what a transaction is to us, and the import of an old payment.

mod explain;
mod import;
mod view;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use paywatch_core::B256;
use paywatch_indexer::{ChainSource, TxReceipt, in_one_line};
use paywatch_store::Store;

use crate::cli;
use crate::command::configured_chain;
use crate::command::tx::explain::Looking;
use crate::command::tx::view::{ChainView, Outcome, Report};
use crate::config::{ChainConfig, Config, process_environment};
use crate::daemon::address_book;
use crate::daemon::chain::pool;
use crate::output::Format;

/// Does what `tx …` asks.
pub(crate) async fn run(config: &Path, args: cli::Tx, format: Format) -> anyhow::Result<ExitCode> {
    let cli::Tx::Check(args) = args;
    let config = Config::load(config, &process_environment())?;
    let chains: Vec<&ChainConfig> = match &args.chain {
        Some(name) => vec![configured_chain(&config, name)?],
        None => config.chains.iter().collect(),
    };
    let store = Store::open(&config.database)
        .await
        .context("the database cannot be used")?;
    let report = check(&config, &store, &chains, &args).await;
    store.close().await;
    let report = report?;
    view::print(&report, format)?;
    let is_found = report.chains.iter().any(ChainView::is_found);
    Ok(if is_found {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn check(
    config: &Config,
    store: &Store,
    chains: &[&ChainConfig],
    args: &cli::CheckTx,
) -> anyhow::Result<Report> {
    let addresses = Arc::new(address_book(config, store.clone()));
    let mut report = Report::of(args.hash);
    for chain in chains {
        let source: Arc<dyn ChainSource> = Arc::new(pool(chain).await?);
        let outcome = match receipt(source.as_ref(), args.hash).await {
            Err(error) => Outcome::Unknown(format!("{error:#}")),
            Ok(None) => Outcome::NotThere,
            Ok(Some(receipt)) => {
                if let Some(reason) = args.reason.as_ref().filter(|_| args.import) {
                    let import = import::Import {
                        chain,
                        store,
                        addresses: Arc::clone(&addresses),
                        dust: config.orders.dust,
                        reason,
                    };
                    let outcome = import.run(Arc::clone(&source), &receipt).await;
                    report.imports.push(outcome?);
                }
                let looking = Looking {
                    config,
                    chain,
                    store,
                    addresses: addresses.as_ref(),
                };
                Outcome::There(looking.at(source.as_ref(), &receipt).await?)
            },
        };
        report.chains.push(ChainView::of(&chain.name, outcome));
    }
    Ok(report)
}

async fn receipt(source: &dyn ChainSource, tx: B256) -> anyhow::Result<Option<TxReceipt>> {
    let asked = source.receipt(tx).await;
    asked.map_err(|error| anyhow::anyhow!("{}", in_one_line(&error)))
}
