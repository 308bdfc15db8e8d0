//! `paywatch backfill`: reads a range once more and compares it with the books.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use paywatch_core::{BlockNumber, ChainId, OrderId, Transfer, TransferId};
use paywatch_indexer::{ChainSource, Reread, RereadError, verify};
use paywatch_reconciler::AddressBook;
use paywatch_store::Store;
use serde::Serialize;

use crate::cli;
use crate::command::configured_chain;
use crate::config::{Config, process_environment};
use crate::daemon::address_book;
use crate::daemon::chain::{follow_settings, pool};
use crate::output::{self, Format};

/// How often progress is shown.
const EVERY: Duration = Duration::from_secs(2);
/// How often a part is tried before giving up, and how long to wait in between.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(3);

/// What the range came to.
#[derive(Debug, Default, Serialize)]
struct Report {
    chain: String,
    from: BlockNumber,
    to: BlockNumber,
    /// Payments that chain and books agree on.
    agreed: u64,
    differences: Vec<Difference>,
}

/// A payment that only one of the two knows, or knows otherwise.
#[derive(Debug, Serialize)]
struct Difference {
    payment: String,
    what: &'static str,
    order: Option<String>,
    block: BlockNumber,
    tx_hash: String,
    to: String,
    amount: String,
}

/// Reads the range and prints what differs.
pub(crate) async fn run(
    config: &Path,
    args: &cli::Backfill,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let config = Config::load(config, &process_environment())?;
    let chain = configured_chain(&config, &args.chain)?;
    let store = Store::open(&config.database)
        .await
        .context("the database cannot be used")?;
    let covered = covered_up_to(&store, chain.id, &args.chain).await?;
    let to = args.to.unwrap_or(covered);
    anyhow::ensure!(
        to <= covered,
        "--to {to} lies above block {covered}, up to which {} is covered",
        args.chain
    );
    anyhow::ensure!(args.from <= to, "--from {} lies above --to {to}", args.from);
    let source: Arc<dyn ChainSource> = Arc::new(pool(chain).await?);
    verify(source.as_ref(), chain.id, &chain.tokens).await?;
    let promises = store.promises().await?;
    let reading = Reading {
        source,
        addresses: address_book(&config, store.clone()),
        settings: follow_settings(chain, &promises),
    };
    let on_chain = reading.transfers(args.from, to).await?;
    let booked = store.payments_between(chain.id, args.from, to).await?;
    store.close().await;
    let booked = booked
        .into_iter()
        .map(|booked| (booked.recorded.transfer.clone(), booked.order()))
        .collect();
    let mut report = compare(on_chain, booked);
    report.chain.clone_from(&args.chain);
    (report.from, report.to) = (args.from, to);
    print(&report, format)?;
    Ok(if report.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn covered_up_to(store: &Store, id: ChainId, name: &str) -> anyhow::Result<BlockNumber> {
    let chains = store.chains().await?;
    chains
        .iter()
        .find(|chain| chain.heads.chain_id == id)
        .map(|chain| chain.heads.tip.number)
        .with_context(|| format!("{name} was never followed, so there is nothing to compare"))
}

/// What a range is read with.
struct Reading {
    source: Arc<dyn ChainSource>,
    addresses: AddressBook,
    settings: paywatch_indexer::FollowSettings,
}

impl Reading {
    /// The transfers to watched addresses in the range, with progress on stderr.
    async fn transfers(&self, from: BlockNumber, to: BlockNumber) -> anyhow::Result<Vec<Transfer>> {
        let mut transfers = Vec::new();
        let mut next = from;
        let mut failures = 0_u32;
        let mut shown = Instant::now();
        let began = Instant::now();
        'again: while next <= to {
            let source = Arc::clone(&self.source);
            let mut reread =
                Reread::begin(source, &self.addresses, &self.settings, next, to).await?;
            loop {
                match reread.next().await {
                    Ok(Some(part)) => {
                        failures = 0;
                        transfers.extend(part.transfers);
                        next = part.to.saturating_add(1);
                        if shown.elapsed() >= EVERY {
                            shown = Instant::now();
                            output::aside(&progress(from, next, to, began.elapsed()))?;
                        }
                    },
                    Ok(None) => break,
                    Err(RereadError::Source(error)) if failures < ATTEMPTS => {
                        failures = failures.saturating_add(1);
                        let error = anyhow::Error::new(error);
                        output::aside(&format!("{error:#}; trying again"))?;
                        tokio::time::sleep(PAUSE).await;
                        continue 'again;
                    },
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(transfers)
    }
}

fn progress(from: BlockNumber, next: BlockNumber, to: BlockNumber, took: Duration) -> String {
    let done = next.saturating_sub(from);
    let left = to.saturating_sub(next);
    let rate = done.checked_div(took.as_secs().max(1)).unwrap_or_default();
    let left_s = left.checked_div(rate.max(1)).unwrap_or_default();
    format!("block {next} of {to}, {rate} blocks/s, about {left_s} s left")
}

/// What of `on_chain` is not in the books as it is, and what of the books is not on chain.
fn compare(on_chain: Vec<Transfer>, booked: Vec<(Transfer, Option<OrderId>)>) -> Report {
    let mut report = Report::default();
    let mut books: BTreeMap<TransferId, (Transfer, Option<OrderId>)> = booked
        .into_iter()
        .map(|(transfer, order)| (transfer.id, (transfer, order)))
        .collect();
    for theirs in on_chain {
        match books.remove(&theirs.id) {
            Some((ours, _)) if ours == theirs => report.agreed = report.agreed.saturating_add(1),
            Some((_, order)) => report.add("is told otherwise in the books", &theirs, order),
            None => report.add("is missing in the books", &theirs, None),
        }
    }
    for (ours, order) in books.into_values() {
        report.add("is in the books and not on the chain", &ours, order);
    }
    report
}

impl Report {
    fn add(&mut self, what: &'static str, transfer: &Transfer, order: Option<OrderId>) {
        self.differences.push(Difference {
            payment: transfer.payment_id().to_string(),
            what,
            order: order.map(|order| order.to_string()),
            block: transfer.block_number,
            tx_hash: transfer.tx_hash.to_string(),
            to: transfer.to.to_string(),
            amount: transfer.amount.to_string(),
        });
    }
}

fn print(report: &Report, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(report);
    }
    output::line(&format!(
        "{}, blocks {} to {}: {} payments agree, {} differ",
        report.chain,
        report.from,
        report.to,
        report.agreed,
        report.differences.len()
    ))?;
    for difference in &report.differences {
        output::line(&format!(
            "  {} {}: {} to {} in block {}, transaction {}",
            difference.payment,
            difference.what,
            difference.amount,
            difference.to,
            difference.block,
            difference.tx_hash
        ))?;
    }
    if !report.differences.is_empty() {
        let below = report
            .differences
            .iter()
            .map(|difference| difference.block)
            .min()
            .unwrap_or_default()
            .saturating_sub(1);
        output::line(&format!(
            "Make sure that the endpoints are right; then `paywatch chain resync --chain {} --to \
             {below}` reads it anew.",
            report.chain
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use paywatch_core::{Address, B256, Timestamp};

    use super::*;

    fn transfer(log_index: u64, amount: &str) -> Transfer {
        Transfer {
            id: TransferId {
                chain_id: ChainId::new(1).unwrap(),
                block_hash: B256::repeat_byte(1),
                log_index,
            },
            block_number: 7,
            block_timestamp: Timestamp::EPOCH,
            tx_hash: B256::repeat_byte(2),
            token: Address::repeat_byte(3),
            from: Address::repeat_byte(4),
            to: Address::repeat_byte(5),
            amount: amount.parse().unwrap(),
            paid_through: None,
        }
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let order = Some(OrderId::from_bytes([1; 16]));
        let on_chain = vec![transfer(1, "1"), transfer(2, "2"), transfer(3, "3")];
        let booked = vec![
            (transfer(1, "1"), order),
            (transfer(2, "20"), order),
            (transfer(4, "4"), order),
        ];
        let report = compare(on_chain, booked);
        assert_eq!(report.agreed, 1);
        let told: Vec<_> = report
            .differences
            .iter()
            .map(|difference| (difference.what, difference.amount.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("is told otherwise in the books", "2"),
                ("is missing in the books", "3"),
                ("is in the books and not on the chain", "4"),
            ]
        );
    }
}
