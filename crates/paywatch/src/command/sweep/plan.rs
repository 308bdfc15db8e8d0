//! `paywatch sweep plan`: transactions for whoever signs them.

use std::fs;
use std::process::ExitCode;

use anyhow::Context as _;
use paywatch_api::{Clock as _, SystemClock};
use paywatch_store::Store;
use paywatch_sweep::{Flush, GasPrice, Node, SendError, gas_limit, plain, safe};
use serde_json::Value;

use crate::cli::{self, PlanFormat};
use crate::command::sweep::{symbols, work};
use crate::command::{configured_chain, signing};
use crate::config::{ChainConfig, Config};
use crate::output::{self, Format};

/// Prints or writes the plan.
pub(super) async fn run(
    config: &Config,
    store: &Store,
    args: cli::PlanSweep,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let chain = configured_chain(config, &args.limits.chain)?;
    let asked = match (args.format, format) {
        (PlanFormat::Table, Format::Json) => PlanFormat::Json,
        (asked, _) => asked,
    };
    anyhow::ensure!(
        asked != PlanFormat::Table || args.out.is_none(),
        "--out writes transactions: give --format json or --format safe with it"
    );
    let node = signing::node(chain).await?;
    let price = affordable(&node, args.limits.max_gas_price).await?;
    let mut work = work(chain, store, &node, &args.limits, None).await?;
    let mut flushes = work.prepared.flushes;
    let transactions = match asked {
        PlanFormat::Table => {
            output::line(&in_words(chain, &flushes, price))?;
            for note in work.notes {
                output::line(&note)?;
            }
            return Ok(ExitCode::SUCCESS);
        },
        PlanFormat::Json => plain(chain.id.get(), &flushes),
        PlanFormat::Safe => {
            let limit = gas_limit(node.latest_block().await?.gas_limit);
            let rest = flushes.split_off(fitting(&flushes, limit));
            if !rest.is_empty() {
                work.notes.push(format!(
                    "{} more transactions do not fit into one of a Safe: plan again once these \
                     are mined",
                    rest.len()
                ));
            }
            safe(chain.id.get(), SystemClock.now().unix_ms(), &flushes)
        },
    };
    write(&transactions, &args)?;
    let (count, name) = (flushes.len(), &chain.name);
    output::aside(&format!("{count} transactions for {name}"))?;
    for note in work.notes {
        output::aside(&note)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The price of gas now, if it is not above `ceiling`.
pub(super) async fn affordable(node: &Node, ceiling: GasPrice) -> anyhow::Result<GasPrice> {
    let price = node.fees().await?.price();
    if price > ceiling {
        return Err(SendError::TooDear { price, ceiling }.into());
    }
    Ok(price)
}

/// How many of `flushes` can be done together with so much gas: at least one.
fn fitting(flushes: &[Flush], limit: u64) -> usize {
    let mut gas = 0_u64;
    let fitting = flushes
        .iter()
        .take_while(|flush| {
            gas = gas.saturating_add(flush.gas);
            gas <= limit
        })
        .count();
    fitting.max(1).min(flushes.len())
}

fn write(transactions: &Value, args: &cli::PlanSweep) -> anyhow::Result<()> {
    let Some(path) = &args.out else {
        return output::json(transactions);
    };
    let shown = path.display();
    let text = serde_json::to_string_pretty(transactions)?;
    fs::write(path, text).with_context(|| format!("{shown} cannot be written"))?;
    Ok(output::aside(&format!("Wrote {shown}."))?)
}

/// The transactions as a table.
pub(super) fn in_words(chain: &ChainConfig, flushes: &[Flush], price: GasPrice) -> String {
    if flushes.is_empty() {
        return format!("There is nothing to flush on {}.", chain.name);
    }
    let headings = ["", "deposits", "sum", "token", "treasury", "gas", "cost"];
    let mut table = output::table(headings);
    let mut all = 0_u64;
    for (number, flush) in (1_usize..).zip(flushes) {
        let group = &flush.batch.group;
        all = all.saturating_add(flush.gas);
        table.add_row([
            number.to_string(),
            flush.batch.holdings.len().to_string(),
            flush.batch.value().to_string(),
            symbols(chain, &group.tokens),
            group.treasury.to_string(),
            flush.gas.to_string(),
            price.cost(flush.gas).to_string(),
        ]);
    }
    format!(
        "{table}\nUp to {all} gas, which costs {} of the native coin at {price}.",
        price.cost(all)
    )
}
