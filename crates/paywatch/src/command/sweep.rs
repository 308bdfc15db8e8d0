//! `paywatch sweep …`: flushes deposit addresses to their treasuries.

mod balances;
mod candidates;
mod plan;
mod send;

use std::path::Path;
use std::process::ExitCode;

use alloy_primitives::Address;
use anyhow::Context as _;
use paywatch_core::Amount;
use paywatch_store::Store;
use paywatch_sweep::{Holding, Limits, Node, Prepared, Survey, gas_limit, prepare, survey};

use crate::cli::{self, SweepLimits};
use crate::config::{ChainConfig, Config, process_environment};
use crate::output::Format;

/// Does what `sweep …` asks.
pub(crate) async fn run(
    config: &Path,
    args: cli::Sweep,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(config, &process_environment())?;
    let store = Store::open(&config.database)
        .await
        .context("the database cannot be used")?;
    let outcome = match args {
        cli::Sweep::Balances { chain } => {
            balances::run(&config, &store, chain.as_deref(), format).await
        },
        cli::Sweep::Plan(args) => plan::run(&config, &store, args, format).await,
        cli::Sweep::Run(args) => send::run(&config, &store, args, format).await,
    };
    store.close().await;
    outcome
}

/// What could be flushed on a chain, and what is left alone and why.
struct Work {
    prepared: Prepared,
    /// For people: what is left alone.
    notes: Vec<String>,
}

/// What `limits` make of what lies on `chain`; `from` is who would send it.
async fn work(
    chain: &ChainConfig,
    store: &Store,
    node: &Node,
    limits: &SweepLimits,
    from: Option<Address>,
) -> anyhow::Result<Work> {
    let found = candidates::find(chain, store).await?;
    let Survey { holdings, frozen } = survey(node, &found.candidates).await?;
    let block = node.latest_block().await?;
    let bounds = Limits {
        min: limits.min,
        deposits: usize::from(limits.batch),
        gas: gas_limit(block.gas_limit),
    };
    let prepared = prepare(node, holdings, &bounds, from).await?;
    let mut notes = found.strange;
    notes.extend(frozen.iter().map(|part| {
        let (deposit, token) = (part.deposit.address(), symbol(chain, part.token));
        format!(
            "{} {token} at {deposit} cannot be moved: {}",
            part.amount, part.cause
        )
    }));
    if !prepared.below.is_empty() {
        notes.push(format!(
            "{} deposits with {} in all hold less than {} each and are left alone (--min)",
            prepared.below.len(),
            total(&prepared.below),
            limits.min,
        ));
    }
    if !prepared.too_large.is_empty() {
        notes.push(format!(
            "{} deposits with {} in all need more gas than a transaction may have",
            prepared.too_large.len(),
            total(&prepared.too_large),
        ));
    }
    Ok(Work { prepared, notes })
}

/// What `holdings` are worth, in all.
fn total(holdings: &[Holding]) -> Amount {
    holdings.iter().fold(Amount::ZERO, |sum, holding| {
        sum.checked_add(holding.value()).unwrap_or(Amount::MAX)
    })
}

/// What a token is called on `chain`.
fn symbol(chain: &ChainConfig, token: Address) -> String {
    let found = chain.tokens.iter().find(|known| known.address == token);
    found.map_or_else(|| token.to_string(), |known| known.symbol.clone())
}

/// What tokens are called on `chain`, in one text.
fn symbols<'a>(chain: &ChainConfig, tokens: impl IntoIterator<Item = &'a Address>) -> String {
    let symbols: Vec<_> = tokens
        .into_iter()
        .map(|token| symbol(chain, *token))
        .collect();
    symbols.join(" and ")
}
