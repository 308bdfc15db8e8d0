//! The true chain, its nodes, the shop that sells, and what happens to all of them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{Address, BlockNumber, Order, Timestamp};
use paywatch_indexer::in_one_line;
use paywatch_simulator::{Ledger as _, SimChain, SimNode, SimTransaction};
use paywatch_store::{BookedTransfer, CreateOutcome, OrderRecord, Store};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::model::daemon::Daemon;
use crate::model::hold::{hold, or_dies};
use crate::model::oracle;
use crate::model::payments;
use crate::model::plan::{Liar, OTHER_TOKEN, Plan, TOKEN, WALLET, chain_id, pick};
use crate::model::{shop, telling};

/// How many updates the end may take.
const LAST_STEPS: u32 = 3_000;

/// Empty books, made once and copied for each history.
#[derive(Debug)]
pub struct Template(Vec<u8>);

impl Template {
    /// Makes them in `folder`.
    ///
    /// # Errors
    /// When the database cannot be made.
    pub fn make(folder: &Path) -> Result<Self, String> {
        let path = folder.join("template.sqlite");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let store = open(&path).await?;
            store.close().await;
            Ok::<_, String>(())
        })?;
        let bytes = std::fs::read(&path).map_err(|error| error.to_string())?;
        Ok(Self(bytes))
    }
}

async fn open(path: &Path) -> Result<Store, String> {
    let url = format!("sqlite:{}", path.display());
    let url = url.parse().map_err(|error| format!("{error}"))?;
    Store::open(&url).await.map_err(|error| in_one_line(&error))
}

/// Everything that there is in one history.
pub(crate) struct World {
    rng: StdRng,
    plan: Plan,
    truth: Arc<SimChain>,
    nodes: Vec<Arc<SimNode>>,
    store: Store,
    daemon: Option<Daemon>,
    /// Where the daemon begins; at the head, if nothing is said.
    first: Option<BlockNumber>,
    orders: Vec<Order>,
    highest: BlockNumber,
    /// The time of the latest block that there ever was, in seconds.
    latest: u64,
    paid: u64,
}

impl World {
    pub(crate) async fn open(
        template: &Template,
        folder: &Path,
        seed: u64,
    ) -> Result<Self, String> {
        let mut rng = StdRng::seed_from_u64(seed);
        let plan = Plan::draw(&mut rng);
        let tokens = [(TOKEN, 6), (OTHER_TOKEN, 18)];
        let truth = Arc::new(SimChain::new(chain_id(), 1_700_000_000, 12, tokens));
        tracing::debug!(?plan, "planned");
        let nodes = plan.nodes(&mut rng, &truth);
        let path = folder.join(format!("{seed}.sqlite"));
        std::fs::write(&path, &template.0).map_err(|error| error.to_string())?;
        let store = hold(open(&path)).await?;
        let mut world = Self {
            first: None,
            orders: Vec::new(),
            highest: 0,
            latest: 0,
            paid: 0,
            daemon: None,
            rng,
            plan,
            truth,
            nodes,
            store,
        };
        for _ in 0..world.plan.deepest + 4 {
            world.mine(Vec::new());
        }
        if world.rng.random() {
            world.first = Some(world.rng.random_range(0..=world.highest + 3));
        }
        for _ in 0..world.rng.random_range(1..5) {
            world.order().await?;
        }
        if world.plan.liar == Liar::Inventor {
            let to = *pick(&mut world.rng, &[Address::repeat_byte(1), WALLET]);
            let lie = Plan::lie(&mut world.rng, to);
            world.nodes[0].tells(lie);
        }
        Ok(world)
    }

    /// Makes an order, unless all amounts near its own are taken.
    async fn order(&mut self) -> Result<(), String> {
        let number = u8::try_from(self.orders.len() + 1).expect("there are few");
        // No clock is behind the time of a block.
        let latest = u64::max(self.latest, self.truth.head().header.timestamp);
        let now = Timestamp::from_unix_s(latest).expect("it is a time");
        let new = shop::draw(&mut self.rng, &self.plan, number, now);
        let made = hold(self.store.create_order(&new)).await;
        match made.map_err(|error| in_one_line(&error))? {
            CreateOutcome::Created(record) => {
                shop::was_free(&record.order, &self.orders().await?)?;
                self.orders.push(record.order);
                Ok(())
            },
            CreateOutcome::NoFreeAmount { .. } => Ok(()),
            other @ (CreateOutcome::Existing(_) | CreateOutcome::ReferenceTaken { .. }) => {
                Err(format!("an order was not made: {other:?}"))
            },
        }
    }

    /// A payment to one of the orders, or noise.
    fn payment(&mut self) -> SimTransaction {
        self.paid += 1;
        payments::draw(&mut self.rng, &self.orders, self.paid)
    }

    fn mine(&mut self, transactions: Vec<SimTransaction>) {
        let block = self.truth.mine(transactions);
        tracing::debug!(number = block.header.number, hash = %block.hash, txs = block.transactions.len(), "mined");
        self.highest = self.highest.max(block.header.number);
        self.latest = self.latest.max(block.header.timestamp);
        let settled = self.highest.saturating_sub(self.plan.deepest + 1);
        self.truth.finalize(settled);
    }

    fn mine_some(&mut self, blocks: u64) {
        for _ in 0..blocks {
            let payments = *pick(&mut self.rng, &[0, 0, 0, 1, 1, 2]);
            let transactions = (0..payments).map(|_| self.payment()).collect();
            self.mine(transactions);
        }
    }

    /// Blocks leave the chain; what they held comes again, in part.
    fn fork(&mut self) {
        let head = self.truth.head().header.number;
        let deepest = (head + self.plan.deepest).saturating_sub(self.highest);
        if deepest == 0 {
            return;
        }
        let depth = self.rng.random_range(1..=deepest);
        tracing::debug!(head, depth, "forked");
        let gone = self
            .truth
            .fork(usize::try_from(depth).expect("it is small"));
        let transactions = gone.iter().flat_map(|block| block.transactions.clone());
        let again: Vec<_> = transactions.filter(|_| self.rng.random()).collect();
        let length = self.rng.random_range(0..depth + 3);
        let mut again = again.into_iter();
        for _ in 0..length {
            let count = self.rng.random_range(0..3);
            self.mine(again.by_ref().take(count).collect());
        }
        // What is still waiting is mined later.
        let rest: Vec<_> = again.collect();
        if !rest.is_empty() {
            self.mine(rest);
        }
    }

    /// Everything until the troubles end.
    pub(crate) async fn happens(&mut self) -> Result<(), String> {
        for _ in 0..self.rng.random_range(8..40) {
            match self.rng.random_range(0..20) {
                0..=4 => {
                    let blocks = self.rng.random_range(1..5);
                    self.mine_some(blocks);
                },
                5 => {
                    let blocks = self.rng.random_range(20..60);
                    self.mine_some(blocks);
                },
                6..=8 => self.fork(),
                9..=13 => self.works().await?,
                14..=15 => self.dies().await?,
                16 => {
                    if self.orders.len() < 9 {
                        self.order().await?;
                        let order = self.payment();
                        self.mine(vec![order]);
                    }
                },
                17 => tokio::time::sleep(Duration::from_secs(self.rng.random_range(1..90))).await,
                18 => self.nodes.iter().for_each(|node| node.announces()),
                _ => self.daemon = None,
            }
        }
        Ok(())
    }

    async fn daemon(&mut self) -> Result<&mut Daemon, String> {
        if self.daemon.is_none() {
            let daemon = Daemon::start(&self.store, &self.nodes, &self.plan, self.first).await?;
            self.daemon = Some(daemon);
        }
        self.daemon.as_mut().ok_or_else(|| "no daemon".to_owned())
    }

    async fn works(&mut self) -> Result<(), String> {
        for _ in 0..self.rng.random_range(1..5) {
            let patience = Duration::from_millis(self.rng.random_range(1..20_000));
            self.daemon().await?.works(patience).await?;
        }
        if self.rng.random_ratio(1, 3) {
            self.nothing_is_lost().await?;
        }
        Ok(())
    }

    /// The process is killed in the middle of whatever it does.
    async fn dies(&mut self) -> Result<(), String> {
        let polls = self.rng.random_range(1..60);
        let daemon = self.daemon().await?;
        if let Some(done) = or_dies(polls, daemon.works(Duration::from_secs(20))).await {
            done?;
        }
        self.daemon = None;
        Ok(())
    }

    async fn orders(&self) -> Result<Vec<OrderRecord>, String> {
        let mut records = Vec::new();
        for order in &self.orders {
            let record = hold(self.store.order(order.id)).await;
            let record = record.map_err(|error| in_one_line(&error))?;
            records.push(record.ok_or("an order is gone")?);
        }
        Ok(records)
    }

    /// The lowest block that the books claim to cover.
    async fn lowest(&self) -> Result<BlockNumber, String> {
        let chains = hold(self.store.chains()).await;
        let chains = chains.map_err(|error| in_one_line(&error))?;
        let chain = chains.first().ok_or("nothing was ever covered")?;
        Ok(chain.started_at)
    }

    async fn nothing_is_lost(&mut self) -> Result<(), String> {
        let Some(tip) = self.daemon().await?.covered().await? else {
            return Ok(());
        };
        if self.truth.at(tip.number).map(|block| block.hash) != Some(tip.hash) {
            return Ok(());
        }
        let first = self.lowest().await?;
        let booked = self.booked(first).await?;
        oracle::nothing_is_lost(&self.truth, (first, tip.number), &self.orders, &booked)
    }

    /// Every transfer that is on the chain by the books, from block `first` on.
    async fn booked(&self, first: BlockNumber) -> Result<Vec<BookedTransfer>, String> {
        let booked = self
            .store
            .payments_between(chain_id(), first, BlockNumber::MAX);
        hold(booked).await.map_err(|error| in_one_line(&error))
    }

    /// All trouble ends, the chain grows beyond what it ever was, and the books are the chain.
    pub(crate) async fn ends_well(&mut self) -> Result<(), String> {
        self.nodes.iter().for_each(|node| node.heals());
        let target = self.highest.max(self.first.unwrap_or_default()) + 12;
        while self.truth.head().header.number < target {
            self.mine(Vec::new());
        }
        self.truth.finalize(target);
        let mut steps = 0;
        loop {
            steps += 1;
            if steps > LAST_STEPS {
                return Err(format!(
                    "it does not come to an end: {:?}",
                    self.daemon().await?.covered().await?
                ));
            }
            let (has_read, left) = self.daemon().await?.works(Duration::from_secs(600)).await?;
            let tip = self.daemon().await?.covered().await?;
            let is_covered = tip.is_some_and(|tip| tip.hash == self.truth.head().hash);
            if is_covered && !has_read && left == 0 {
                break;
            }
        }
        let orders = self.orders().await?;
        let first = self.lowest().await?;
        let booked = self.booked(first).await?;
        oracle::the_books_are_the_chain(&self.truth, (first, target), &self.orders, &booked)?;
        oracle::orders_are_what_was_paid(&self.truth, &booked, &orders)?;
        telling::what_was_told_is_true(&self.store, &self.truth, &orders).await?;
        hold(self.store.close()).await;
        Ok(())
    }
}
