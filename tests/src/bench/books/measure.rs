//! How long single questions and commits take.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets};
use paywatch_core::{Address, Block, ChainId, OrderStatus, Tags, Transfer};
use paywatch_indexer::{ChainUpdate, CoveredBlock};
use paywatch_reconciler::{AddressBook, Reconciler};
use paywatch_store::{NewOrder, OrderFilter, Page, Store, Touch};

use crate::bench::books::histories::Plan;
use crate::bench::books::lists;
use crate::bench::served::say;

/// How often each is done, each time with another key.
pub(super) const SAMPLES: u64 = 300;
/// What is done first, so that it is not the first of its kind.
pub(super) const WARM_UP: u64 = 10;
/// What the median of each may take.
const BOUND: Duration = Duration::from_millis(5);
/// Orders and payments on a page.
pub(super) const LIMIT: u32 = 50;

/// What was measured.
pub(crate) struct Figures {
    table: Table,
}

/// Microseconds as milliseconds.
pub(crate) fn ms(took: Duration) -> String {
    let us = took.as_micros();
    format!("{}.{:02}", us / 1_000, us % 1_000 / 10)
}

/// The value below which so many hundredths of `sorted` lie.
pub(crate) fn percentile(sorted: &[Duration], hundredths: usize) -> Result<Duration> {
    let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().context("something was timed")
}

impl Figures {
    fn new() -> Self {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_header([
            "",
            "median ms",
            "p99 ms",
            "median under 5 ms",
        ]);
        for column in 1..=2 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Self { table }
    }

    /// Does `what` for every one of `keys`.
    pub(super) async fn time<K>(
        &mut self,
        name: &str,
        keys: Vec<K>,
        mut what: impl AsyncFnMut(K) -> Result<()>,
    ) -> Result<()> {
        let mut took = Vec::with_capacity(keys.len());
        for key in keys {
            let started = Instant::now();
            what(key).await.with_context(|| name.to_owned())?;
            took.push(started.elapsed());
        }
        let mut took = took.split_off(usize::try_from(WARM_UP)?.min(took.len() - 1));
        took.sort_unstable();
        let half = percentile(&took, 50)?;
        self.table.add_row([
            name.to_owned(),
            ms(half),
            ms(percentile(&took, 99)?),
            if half < BOUND { "yes" } else { "NO" }.to_owned(),
        ]);
        Ok(())
    }
}

/// As many keys as there are samples.
pub(super) fn keys<K>(key: impl FnMut(u64) -> Result<K>) -> Result<Vec<K>> {
    (0..WARM_UP + SAMPLES).map(key).collect()
}

/// Measures everything, and prints it.
pub(crate) async fn table(store: &Store, plan: &Plan) -> Result<()> {
    let mut figures = Figures::new();
    creations(&mut figures, store, plan).await?;
    single_orders(&mut figures, store, plan).await?;
    lists::by_status(&mut figures, store, plan).await?;
    lists::of_orders(&mut figures, store, plan).await?;
    lists::of_payments(&mut figures, store, plan).await?;
    events(&mut figures, store, plan).await?;
    commits(&mut figures, store, plan).await?;
    say(&figures.table.to_string());
    Ok(())
}

/// An order that is not in the books yet.
pub(crate) fn next_order(plan: &Plan) -> Result<NewOrder> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = plan.orders + NEXT.fetch_add(1, Ordering::Relaxed);
    let mut order = plan.order(number)?;
    order.cancelled_at = None;
    Ok(NewOrder {
        order,
        request_digest: format!("{number:064x}"),
        slots: Vec::new(),
        callback: None,
    })
}

async fn creations(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    let new = keys(|_| next_order(plan))?;
    figures
        .time("create an order", new, async |new| {
            store.create_order(&new).await?;
            Ok(())
        })
        .await
}

/// A page, which must hold as many as `expected` says.
pub(super) async fn page(
    store: &Store,
    filter: &OrderFilter,
    before_seq: Option<u64>,
    expected: impl Fn(usize) -> bool,
) -> Result<()> {
    let page = Page {
        before_seq,
        limit: LIMIT,
    };
    let found = store.orders(filter, page).await?.orders.len();
    anyhow::ensure!(expected(found), "{found} orders were found");
    Ok(())
}

async fn single_orders(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    let ids = keys(|number| plan.id(plan.sample(number)))?;
    let read = async |id| Ok(store.order(id).await?.map(drop).context("it is there")?);
    figures.time("read an order by id", ids, read).await?;
    let by = |filter: OrderFilter| async move { page(store, &filter, None, |n| n == 1).await };
    let addresses = keys(|number| {
        Ok(OrderFilter {
            address: Some(plan.order(plan.sample(number))?.options[0].address),
            ..OrderFilter::default()
        })
    })?;
    figures.time("find by address", addresses, by).await?;
    let references = keys(|number| {
        Ok(OrderFilter {
            reference: Some(plan.order(plan.sample(number))?.reference),
            ..OrderFilter::default()
        })
    })?;
    figures.time("find by reference", references, by).await?;
    let transactions = keys(|number| {
        let number = plan.sample_in(OrderStatus::Completed, number);
        Ok(OrderFilter {
            tx_hash: Some(plan.transfer(number, 0, "1")?.tx_hash),
            ..OrderFilter::default()
        })
    })?;
    figures.time("find by transaction", transactions, by).await
}

async fn events(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    let events = keys(|number| Ok(plan.sample(number) * 3))?;
    figures
        .time("read 100 events", events, async |after| {
            anyhow::ensure!(store.events_after(after, 100).await?.len() == 100);
            Ok(())
        })
        .await
}

/// A chain as it goes on.
struct Ahead<'a> {
    plan: &'a Plan,
    tip: Block,
}

impl Ahead<'_> {
    /// The next block, in which `paid` is paid.
    fn update(&mut self, paid: Option<Address>) -> Result<ChainUpdate> {
        let chain_id = ChainId::new(137)?;
        let before = self.tip;
        let mut tip = self.plan.block(chain_id, before.number)?;
        tip.parent_hash = before.hash;
        tip.timestamp = before.timestamp.plus_ms(1_000).context("time goes on")?;
        self.tip = tip;
        let transfers = paid.map(|to| -> Result<Transfer> {
            let mut transfer = self.plan.transfer(0, 0, "100")?;
            transfer.id.block_hash = tip.hash;
            transfer.id.log_index = 0;
            transfer.block_number = tip.number;
            transfer.block_timestamp = tip.timestamp;
            transfer.tx_hash = tip.hash;
            transfer.to = to;
            Ok(transfer)
        });
        let mut update = ChainUpdate::standing(chain_id, tip, tip.number);
        update.previous = Some(before.to_ref());
        update.covers_from = Some(tip.number);
        update.tags = Tags::default();
        update.blocks = vec![CoveredBlock {
            block: tip,
            transfers: transfers.transpose()?.into_iter().collect(),
            notices: Vec::new(),
        }];
        Ok(update)
    }
}

async fn commits(figures: &mut Figures, store: &Store, plan: &Plan) -> Result<()> {
    let chain_id = ChainId::new(137)?;
    let chains = store.chains().await?;
    let mut chains = chains.into_iter().map(|chain| chain.heads);
    let heads = chains.find(|heads| heads.chain_id == chain_id);
    let tip = heads.context("it is followed")?.tip;
    let claimed = keys(|number| plan.transfer(plan.sample(number), 0, "1"))?;
    figures
        .time("say whose a payment is", claimed, async |transfer| {
            anyhow::ensure!(store.claims(&[&transfer]).await?.len() == 1);
            Ok(())
        })
        .await?;
    let touch = Touch {
        chain_id,
        orders: BTreeSet::new(),
        loose: BTreeSet::new(),
        sent: Vec::new(),
        struck: BTreeSet::new(),
        retract_above: None,
        covered_time: tip.timestamp,
        most_due: 250,
    };
    let nothing = async |()| {
        store.books_to_assess(&touch).await?;
        Ok(())
    };
    let name = "look for what a block touches, nothing";
    figures.time(name, keys(|_| Ok(()))?, nothing).await?;

    let book = Arc::new(AddressBook::new(store.clone()));
    let started = Instant::now();
    book.read_on().await?;
    say(&format!(
        "  all watched addresses are read in {} ms",
        started.elapsed().as_millis()
    ));
    let mut reconciler = Reconciler::new(store.clone(), book, 512);
    let mut ahead = Ahead { plan, tip };
    let mut apply = async |update: ChainUpdate| {
        reconciler.apply(&update, plan.now).await?;
        Ok(())
    };
    let empty = keys(|_| ahead.update(None))?;
    figures
        .time("commit an empty block", empty, &mut apply)
        .await?;
    let paid = keys(|number| {
        let number = plan.sample_in(OrderStatus::AwaitingPayment, number);
        ahead.update(Some(plan.order(number)?.options[0].address))
    })?;
    let name = "commit a block with one payment";
    figures.time(name, paid, &mut apply).await
}
