//! `paywatch sweep balances`: what lies at deposit addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use alloy_primitives::Address;
use anyhow::Context as _;
use paywatch_core::Amount;
use paywatch_store::Store;
use paywatch_sweep::{GasPrice, Prepared};
use serde::Serialize;

use crate::cli::SweepLimits;
use crate::command::sweep::{symbols, total, work};
use crate::command::{configured_chains, signing};
use crate::config::{ChainConfig, Config};
use crate::output::{self, Format};

/// Deposits of one chain that hold the same tokens.
#[derive(Debug, Serialize)]
struct Row {
    chain: String,
    tokens: String,
    deposits: usize,
    amount: String,
    transactions: usize,
    gas: u64,
    cost: String,
    gas_price_wei: String,
}

/// Prints what lies at the deposit addresses of the chain `name`, or of all.
pub(super) async fn run(
    config: &Config,
    store: &Store,
    name: Option<&str>,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let mut rows = Vec::new();
    let mut code = ExitCode::SUCCESS;
    let mut notes = Vec::new();
    for chain in configured_chains(config, name)? {
        match of_chain(chain, store).await {
            Ok((found, told)) => {
                rows.extend(found);
                notes.extend(
                    told.into_iter()
                        .map(|note| format!("{}: {note}", chain.name)),
                );
            },
            Err(error) => {
                code = ExitCode::FAILURE;
                notes.push(format!("error: {}: {error:#}", chain.name));
            },
        }
    }
    if format == Format::Json {
        output::json(&rows)?;
    } else if rows.is_empty() {
        output::line("No deposit address is known to hold anything.")?;
    } else {
        let headings = [
            "chain",
            "token",
            "deposits",
            "sum",
            "gas to flush",
            "cost",
            "at",
        ];
        let mut table = output::table(headings);
        for row in &rows {
            let price: u128 = row.gas_price_wei.parse().unwrap_or_default();
            table.add_row([
                row.chain.clone(),
                row.tokens.clone(),
                row.deposits.to_string(),
                row.amount.clone(),
                row.gas.to_string(),
                row.cost.clone(),
                GasPrice::from_wei(price).to_string(),
            ]);
        }
        output::line(&table.to_string())?;
        output::line(
            "The cost is in the chain's native coin, at the price of gas of this moment.",
        )?;
    }
    for note in notes {
        output::aside(&note)?;
    }
    Ok(code)
}

async fn of_chain(chain: &ChainConfig, store: &Store) -> anyhow::Result<(Vec<Row>, Vec<String>)> {
    let node = signing::node(chain).await?;
    let limits = SweepLimits {
        chain: chain.name.clone(),
        min: Amount::ZERO,
        max_gas_price: GasPrice::from_wei(u128::MAX),
        batch: 100,
    };
    let work = work(chain, store, &node, &limits, None).await?;
    if work.prepared == Prepared::default() {
        return Ok((Vec::new(), work.notes));
    }
    let price = node.fees().await.context("the price of gas")?.price();
    let mut by_tokens: BTreeMap<&BTreeSet<Address>, Row> = BTreeMap::new();
    let mut sums: BTreeMap<&BTreeSet<Address>, Amount> = BTreeMap::new();
    for flush in &work.prepared.flushes {
        let tokens = &flush.batch.group.tokens;
        let row = by_tokens.entry(tokens).or_insert_with(|| Row {
            chain: chain.name.clone(),
            tokens: symbols(chain, tokens),
            deposits: 0,
            amount: String::new(),
            transactions: 0,
            gas: 0,
            cost: String::new(),
            gas_price_wei: price.wei().to_string(),
        });
        row.deposits = row.deposits.saturating_add(flush.batch.holdings.len());
        row.transactions = row.transactions.saturating_add(1);
        row.gas = row.gas.saturating_add(flush.gas);
        row.cost = price.cost(row.gas).to_string();
        let sum = sums.entry(tokens).or_default();
        *sum = sum
            .checked_add(total(&flush.batch.holdings))
            .unwrap_or(Amount::MAX);
        row.amount = sum.to_string();
    }
    Ok((by_tokens.into_values().collect(), work.notes))
}
