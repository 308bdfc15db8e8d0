//! `paywatch audit`: compares the books with the balances on chain.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use paywatch_api::{Clock as _, SystemClock};
use paywatch_core::{AddressForm, ChainEvent};
use paywatch_indexer::verify;
use paywatch_reconciler::{
    BooksReport, ChainReport, Extent, Finding, Opened, What, audit_books, audit_chain, books_event,
    chain_event,
};
use paywatch_store::{AuditScope, Store};
use serde_json::{Value, json};

use crate::cli;
use crate::command::configured_chain;
use crate::config::{ChainConfig, Config, process_environment};
use crate::daemon::audit::audited;
use crate::daemon::chain::pool;
use crate::output::{self, Format};

/// How often progress is shown.
const EVERY: Duration = Duration::from_secs(2);

/// What was found of one chain, under its name.
struct Audited {
    name: String,
    report: ChainReport,
}

/// Audits, prints what was found, and writes differences to the event log.
pub(crate) async fn run(
    config: &Path,
    args: &cli::Audit,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(config, &process_environment())?;
    anyhow::ensure!(
        config.watches_treasury,
        "with treasury.watch = false, what leaves deposit addresses is not recorded, so there is \
         nothing to compare; set it to true, and read the chain again (`paywatch chain resync`)"
    );
    let chains: Vec<&ChainConfig> = match &args.chain {
        Some(name) => vec![configured_chain(&config, name)?],
        None => config.chains.iter().collect(),
    };
    let store = Store::open(&config.database)
        .await
        .context("the database cannot be used")?;
    let outcome = audit(&config, &store, &chains, args).await;
    store.close().await;
    let (audited, books) = outcome?;
    print(&audited, &books, format)?;
    let differs = audited
        .iter()
        .any(|chain| !chain.report.findings.is_empty());
    Ok(if differs || !books.faults.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

async fn audit(
    config: &Config,
    store: &Store,
    chains: &[&ChainConfig],
    args: &cli::Audit,
) -> anyhow::Result<(Vec<Audited>, BooksReport)> {
    let books = audit_books(store, &mut progress("orders".to_owned())).await?;
    if let Some(first) = chains.first() {
        tell(store, books_event(&books, first.id)).await?;
    }
    let extent = Extent {
        block: args.block,
        scope: if args.all {
            AuditScope::All
        } else {
            AuditScope::Active
        },
        most: None,
    };
    let mut audits = Vec::with_capacity(chains.len());
    for chain in chains {
        let context = || format!("{} was not audited", chain.name);
        let source = Arc::new(pool(chain).await?);
        verify(source.as_ref(), chain.id, &chain.tokens)
            .await
            .with_context(context)?;
        let chain_of = audited(config, chain, source);
        let mut progress = progress(format!("addresses of {}", chain.name));
        let now = SystemClock.now();
        let report = audit_chain(store, &chain_of, extent, now, &mut progress).await;
        let report = report.with_context(context)?;
        tell(store, chain_event(&report)).await?;
        audits.push(Audited {
            name: chain.name.clone(),
            report,
        });
    }
    Ok((audits, books))
}

async fn tell(store: &Store, event: Option<ChainEvent>) -> anyhow::Result<()> {
    if let Some(event) = event {
        store.tell_of_chain(&event, SystemClock.now()).await?;
    }
    Ok(())
}

/// Shows now and then on stderr how many of `what` were looked at.
fn progress(what: String) -> impl FnMut(u64) + Send {
    let mut shown = Instant::now();
    move |count| {
        if shown.elapsed() >= EVERY {
            shown = Instant::now();
            // Whoever does not listen misses nothing.
            drop(output::aside(&format!("{count} {what}")));
        }
    }
}

fn print(audited: &[Audited], books: &BooksReport, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(&json!({
            "chains": audited.iter().map(chain_value).collect::<Vec<_>>(),
            "books": {
                "orders": books.orders,
                "faults": books.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
            },
        }));
    }
    for Audited { name, report } in audited {
        let later = match report.later {
            0 => String::new(),
            later => format!(", {later} of them only later"),
        };
        output::line(&format!(
            "{name}, after block {} ({}): {} addresses looked at{later}, {} differ",
            report.block.number,
            report.block.hash,
            report.accounts,
            report.findings.len(),
        ))?;
        if !report.findings.is_empty() {
            print_findings(&report.findings)?;
        }
        for Opened {
            token,
            address,
            balance,
        } in &report.opened
        {
            let address = AddressForm::of(token.chain_id).write(address);
            output::line(&format!(
                "  {address} is audited for the first time: that it holds {balance} {} is kept",
                token.symbol
            ))?;
        }
    }
    output::line(&format!(
        "books: {} orders looked at, {} faults",
        books.orders,
        books.faults.len()
    ))?;
    for fault in &books.faults {
        output::line(&format!("  {fault}"))?;
    }
    Ok(())
}

fn print_findings(findings: &[Finding]) -> anyhow::Result<()> {
    let mut table = output::table([
        "address", "token", "at first", "in", "out", "holds", "differs",
    ]);
    for finding in findings {
        let address = AddressForm::of(finding.token.chain_id).write(&finding.address);
        let symbol = finding.token.symbol.clone();
        table.add_row(match &finding.what {
            What::Differs {
                opening,
                turnover,
                balance,
                verdict,
            } => [
                address,
                symbol,
                opening.to_string(),
                turnover.incoming.to_string(),
                turnover.outgoing.to_string(),
                balance.to_string(),
                verdict.to_string(),
            ],
            What::Uncountable(why) => {
                let none = String::new;
                [address, symbol, none(), none(), none(), none(), why.clone()]
            },
        });
    }
    output::line(&table.to_string())?;
    let mut hints: Vec<String> = findings.iter().filter_map(Finding::hint).collect();
    hints.sort_unstable();
    hints.dedup();
    for hint in hints {
        output::line(&format!("  Perhaps {hint}."))?;
    }
    Ok(())
}

fn chain_value(Audited { name, report }: &Audited) -> Value {
    json!({
        "chain": name,
        "block_number": report.block.number,
        "block_hash": report.block.hash.to_string(),
        "addresses": report.accounts,
        "not_compared": report.later,
        "differences": report.findings.iter().map(finding_value).collect::<Vec<_>>(),
        "opened": report.opened.iter().map(|opened| json!({
            "address": AddressForm::of(opened.token.chain_id).write(&opened.address),
            "token": opened.token.symbol,
            "balance": opened.balance.to_string(),
        })).collect::<Vec<_>>(),
    })
}

fn finding_value(finding: &Finding) -> Value {
    let form = AddressForm::of(finding.token.chain_id);
    let mut value = json!({
        "address": form.write(&finding.address),
        "token": finding.token.symbol,
        "token_address": form.write(&finding.token.address),
        "hint": finding.hint(),
    });
    let more = match &finding.what {
        What::Differs {
            opening,
            turnover,
            balance,
            verdict,
        } => json!({
            "opening": opening.to_string(),
            "incoming": turnover.incoming.to_string(),
            "outgoing": turnover.outgoing.to_string(),
            "balance": balance.to_string(),
            "difference": verdict.to_string(),
        }),
        What::Uncountable(why) => json!({ "uncountable": why }),
    };
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, more) {
        fields.extend(more);
    }
    value
}
