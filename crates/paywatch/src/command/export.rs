//! `paywatch export`: payments or orders of a period, page after page, as a file for accounting.

mod journal;
mod row;
mod writer;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;

use anyhow::Context as _;
use paywatch_core::{BlockNumber, ChainId, final_block};
use paywatch_store::{Period, Store};

use crate::cli::{self, ExportFormat, Exported};
use crate::command::export::journal::{Declared, Journal, Syntax};
use crate::command::export::row::{Names, OrderRow, PaymentRow};
use crate::command::export::writer::{CsvRows, JsonLines, Rows};
use crate::config::{Config, process_environment};
use crate::daemon::own_addresses;
use crate::output;

/// How many rows are in memory at a time.
const PAGE: u32 = 500;

/// Writes what is asked for.
pub(crate) async fn run(config: &Path, args: &cli::Export) -> anyhow::Result<()> {
    anyhow::ensure!(args.from < args.to, "--from is not before --to");
    let syntax = match args.format {
        ExportFormat::Csv | ExportFormat::Jsonl => None,
        ExportFormat::Hledger => Some(Syntax::Hledger),
        ExportFormat::Beancount => Some(Syntax::Beancount),
    };
    anyhow::ensure!(
        syntax.is_none() || args.what == Exported::Payments,
        "a journal holds payments: --what payments, or --format csv or jsonl for orders"
    );
    let config = Config::load(config, &process_environment())?;
    let store = Store::open(&config.database)
        .await
        .context("the database cannot be used")?;
    let out: Box<dyn Write + Send> = match &args.out {
        Some(path) => {
            let file = File::create(path);
            Box::new(file.with_context(|| format!("{} cannot be written", path.display()))?)
        },
        None => Box::new(io::stdout()),
    };
    let export = Export {
        store: &store,
        names: Names::of(&config),
        period: Period {
            from: args.from,
            before: args.to,
        },
    };
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let written = match syntax {
        Some(syntax) => export.journal(&config, syntax, args, &mut out).await,
        None => export.rows(args, &mut out).await,
    };
    store.close().await;
    let count = match written.and_then(|count| Ok(out.flush().map(|()| count)?)) {
        // Such as `head`.
        Err(error) if is_closed(&error) => return Ok(()),
        other => other?,
    };
    if let Some(path) = &args.out {
        let what = match args.what {
            Exported::Orders => "orders",
            Exported::Payments => "payments",
        };
        output::aside(&format!("Wrote {count} {what} to {}.", path.display()))?;
    }
    Ok(())
}

/// Whether nobody reads any more.
fn is_closed(error: &anyhow::Error) -> bool {
    let io_error = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().map(io::Error::kind)
    };
    let kinds = error.chain().filter_map(io_error);
    kinds.into_iter().any(|kind| kind == ErrorKind::BrokenPipe)
}

/// What is exported from where.
struct Export<'a> {
    store: &'a Store,
    names: Names,
    period: Period,
}

impl Export<'_> {
    async fn rows(&self, args: &cli::Export, out: &mut (dyn Write + Send)) -> anyhow::Result<u64> {
        match (args.what, args.format) {
            (Exported::Orders, ExportFormat::Csv) => {
                self.orders(CsvRows::begin(out, &OrderRow::HEADINGS)?).await
            },
            (Exported::Payments, ExportFormat::Csv) => {
                let rows = CsvRows::begin(out, &PaymentRow::HEADINGS)?;
                self.payments(rows).await
            },
            (Exported::Orders, _) => self.orders(JsonLines(out)).await,
            (Exported::Payments, _) => self.payments(JsonLines(out)).await,
        }
    }

    async fn orders(&self, mut rows: impl Rows) -> anyhow::Result<u64> {
        let mut count = 0_u64;
        let mut after = None;
        loop {
            let page = self.store.orders_of(self.period, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.order.created_at, last.seq));
            for record in &page {
                rows.write(&OrderRow::of(record)?)?;
                count = count.saturating_add(1);
            }
        }
        rows.end()?;
        Ok(count)
    }

    async fn payments(&self, mut rows: impl Rows) -> anyhow::Result<u64> {
        let mut count = 0_u64;
        let mut after = None;
        loop {
            let page = self.store.payments_of(self.period, after, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            let transfer = &last.recorded.transfer;
            after = Some((transfer.block_timestamp, transfer.payment_id()));
            for (booked, reference) in &page {
                rows.write(&PaymentRow::of(booked, reference.as_ref(), &self.names))?;
                count = count.saturating_add(1);
            }
        }
        rows.end()?;
        Ok(count)
    }

    async fn journal(
        &self,
        config: &Config,
        syntax: Syntax,
        args: &cli::Export,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<u64> {
        let mut journal = Journal {
            syntax,
            names: &self.names,
            own: own_addresses(config),
            final_blocks: self.final_blocks(config).await?,
            declares: !args.no_declarations,
            declared: Declared::default(),
            out,
        };
        journal.begin(self.period)?;
        let mut count = 0_u64;
        let mut after = None;
        loop {
            let page = self.store.payments_of(self.period, after, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            let transfer = &last.recorded.transfer;
            after = Some((transfer.block_timestamp, transfer.payment_id()));
            for (booked, reference) in &page {
                if journal.write(booked, reference.as_ref())? {
                    count = count.saturating_add(1);
                }
            }
        }
        Ok(count)
    }

    /// The newest final block of every chain that is followed.
    async fn final_blocks(
        &self,
        config: &Config,
    ) -> anyhow::Result<BTreeMap<ChainId, BlockNumber>> {
        let records = self.store.chains().await?;
        let rule = |id| {
            let mut chains = config.chains.iter();
            let chain = chains.find(|chain| chain.id == id);
            chain.map(|chain| chain.finality.above())
        };
        let finals = records.iter().filter_map(|record| {
            let id = record.heads.chain_id;
            Some((id, final_block(&record.heads, rule(id)?)?))
        });
        Ok(finals.collect())
    }
}
