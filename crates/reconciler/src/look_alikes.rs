//! Looks, now and then, for transfers of contracts that are no token of ours to addresses of ours.
//! Apart from the loop of the chain: nothing here is money, and nothing waits for it.

mod addresses;
mod describe;
mod found;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use metrics::counter;
use paywatch_core::{Address, BlockNumber, ChainId, FinalityRule, Timestamp, Token, final_block};
use paywatch_indexer::{
    ChainSource, Contradiction, NotThere, SourceError, TransferLog, in_one_line,
};
use paywatch_store::{
    LookAlikeBounds, LookAlikeCommit, LookAlikePlace, Store, StoreError, StrangeTransfers,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::agent::Now;
use crate::look_alikes::found::{Line, blocks, lines};
use crate::look_alikes::words::OurNames;

/// How long to wait for a chain that was never read, or for the database.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause after refusals.
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3_600);
/// What passes by itself is told after so many times in a row.
const TOLD_AFTER: u32 = 3;
/// How far below the head a chain begins to be looked through.
const FIRST: BlockNumber = 1_000;
/// How many addresses go into one question.
const PER_QUESTION: usize = 100;
/// How many questions one round asks at most. The next one goes on.
const MOST_QUESTIONS: u32 = 400;
/// How many single blocks a round passes over that hold more than a node gives.
const MOST_PASSED: u32 = 8;
/// How much is kept.
const BOUNDS: LookAlikeBounds = LookAlikeBounds {
    of_address: 20,
    in_all: 10_000,
};

/// What is looked for on one chain.
#[derive(Clone, Debug)]
pub struct LookAlikeSettings {
    /// The chain.
    pub chain_id: ChainId,
    /// Up to which block: those that are final by this rule.
    pub rule: FinalityRule,
    /// The tokens that are ours.
    pub tokens: Vec<Token>,
    /// Other contracts whose logs are no news.
    pub known: Vec<Address>,
    /// The merchant's own addresses.
    pub own: BTreeSet<Address>,
    /// How often.
    pub every: Duration,
    /// How many blocks are asked for at once at most.
    pub max_range: u64,
}

/// Looks for look-alikes on one chain.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact, not a state"
)]
pub struct LookAlikeWatch {
    store: Store,
    source: Arc<dyn ChainSource>,
    settings: LookAlikeSettings,
    known: BTreeSet<Address>,
    /// What nodes were found to serve at once.
    width: u64,
    per_question: usize,
    /// Whether such a question was ever answered.
    is_served: bool,
    names: Option<OurNames>,
    tries: BTreeMap<Address, u32>,
    is_told_of_many: bool,
}

/// Why it could not be looked.
#[derive(Debug, thiserror::Error)]
pub enum LookAlikeError {
    /// The nodes did not answer.
    #[error("the endpoints do not give the logs of every contract")]
    Source(#[from] SourceError),
    /// The database failed.
    #[error("the database does not take what was found")]
    Store(#[from] StoreError),
}

/// What a round came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Up to this block, and everything that was to be asked is answered.
    UpTo(BlockNumber),
    /// The chain was never read yet, or nothing on it is final.
    TooEarly,
}

impl LookAlikeWatch {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(store: Store, source: Arc<dyn ChainSource>, settings: LookAlikeSettings) -> Self {
        let tokens = settings.tokens.iter().map(|token| token.address);
        Self {
            known: tokens.chain(settings.known.iter().copied()).collect(),
            width: settings.max_range.max(1),
            per_question: PER_QUESTION,
            is_served: false,
            names: None,
            tries: BTreeMap::new(),
            is_told_of_many: false,
            store,
            source,
            settings,
        }
    }

    /// Looks at once and then every so often, until `shutdown`.
    pub async fn run(mut self, now: Now, shutdown: CancellationToken) {
        let work = async {
            let mut failures = 0_u32;
            loop {
                let soon = PAUSE.min(self.settings.every);
                let pause = match self.round((now)()).await {
                    Ok(Looked::UpTo(_)) => {
                        failures = 0;
                        self.settings.every
                    },
                    Ok(Looked::TooEarly) => soon,
                    Err(LookAlikeError::Store(error)) => {
                        tracing::debug!(cause = in_one_line(&error), "look-alikes wait");
                        soon
                    },
                    Err(LookAlikeError::Source(error)) => {
                        failures = failures.saturating_add(1);
                        self.tell(&error, failures);
                        self.backed_off(failures)
                    },
                };
                sleep(pause).await;
            }
        };
        let _ended: Option<()> = shutdown.run_until_cancelled(work).await;
    }

    /// Says once in a row of failures what can be done about them.
    fn tell(&self, error: &SourceError, failures: u32) {
        let is_refusal = match error {
            SourceError::Unusable { .. }
            | SourceError::TooWide { .. }
            | SourceError::NoAnswer { .. } => true,
            SourceError::Later { .. }
            | SourceError::Lagging { .. }
            | SourceError::Inconsistent { .. }
            | SourceError::Unprovable { .. } => false,
        };
        let first = if is_refusal { 1 } else { TOLD_AFTER };
        if failures == first {
            tracing::warn!(
                chain.id = %self.settings.chain_id,
                cause = in_one_line(error),
                "look-alike tokens are not looked for now: the endpoints do not give logs by their \
                 topics alone. Payments are not concerned. Write look_alikes = \"off\" for this \
                 chain, or a longer time, or name another endpoint"
            );
        }
    }

    /// How long to wait after so many failures.
    fn backed_off(&self, failures: u32) -> Duration {
        let factor = 2_u32.saturating_pow(failures.min(16));
        let most = LONGEST_PAUSE.max(self.settings.every);
        self.settings.every.saturating_mul(factor).min(most)
    }

    /// Looks through what became final since the last time.
    ///
    /// # Errors
    /// [`LookAlikeError`]; what was found before that is in the books.
    pub async fn round(&mut self, now: Timestamp) -> Result<Looked, LookAlikeError> {
        let chain_id = self.settings.chain_id;
        let chains = self.store.chains().await?;
        let mut chains = chains.iter();
        let Some(chain) = chains.find(|chain| chain.heads.chain_id == chain_id) else {
            return Ok(Looked::TooEarly);
        };
        let Some(newest) = final_block(&chain.heads, self.settings.rule) else {
            return Ok(Looked::TooEarly);
        };
        let Some(mut cursor) = self.cursor(newest, chain.started_at).await? else {
            return Ok(Looked::TooEarly);
        };
        let addresses = self.addresses(&chain.heads, now).await?;
        // What was too much the last time may not be now.
        let (width, most) = (self.width.saturating_mul(2), self.settings.max_range);
        self.width = width.min(most).max(1);
        self.per_question = self.per_question.saturating_mul(2).min(PER_QUESTION);
        let (mut asked, mut passed) = (0_u32, 0_u32);
        while cursor < newest && asked < MOST_QUESTIONS {
            let to = cursor.saturating_add(self.width).min(newest);
            let blocks = (cursor.saturating_add(1), to);
            let parts = addresses.len().div_ceil(self.per_question.max(1));
            asked = asked
                .saturating_add(u32::try_from(parts).unwrap_or(u32::MAX))
                .saturating_add(1);
            let found = match self.look(blocks, &addresses).await {
                Ok(found) => found,
                Err(LookAlikeError::Source(error))
                    if self.narrowed(blocks, addresses.len(), &error) =>
                {
                    continue;
                },
                Err(LookAlikeError::Source(SourceError::TooWide { .. }))
                    if self.is_served && passed < MOST_PASSED =>
                {
                    passed = passed.saturating_add(1);
                    tracing::warn!(chain.id = %chain_id, block = to, "a block holds more transfers of strange tokens than a node gives; it is not looked through");
                    Vec::new()
                },
                Err(error) => return Err(error),
            };
            self.note((cursor, to), found).await?;
            cursor = to;
        }
        self.describe(now).await?;
        Ok(Looked::UpTo(cursor))
    }

    /// Up to which block the chain was looked through. One that begins, begins a little below its
    /// head and not below what is read of it.
    async fn cursor(
        &self,
        newest: BlockNumber,
        started_at: BlockNumber,
    ) -> Result<Option<BlockNumber>, StoreError> {
        let chain_id = self.settings.chain_id;
        if let Some(cursor) = self.store.look_alike_cursor(chain_id).await? {
            return Ok(Some(cursor));
        }
        let first = newest
            .saturating_sub(FIRST)
            .max(started_at.saturating_sub(1));
        if first > newest {
            return Ok(None);
        }
        self.store.begin_look_alikes(chain_id, first).await?;
        self.store.look_alike_cursor(chain_id).await
    }

    /// Asks for less at once from now on, if that can help with `error`; returns whether it can.
    fn narrowed(
        &mut self,
        (from, to): (BlockNumber, BlockNumber),
        addresses: usize,
        error: &SourceError,
    ) -> bool {
        let at_once = self.per_question.min(addresses);
        match error {
            SourceError::TooWide { suggested, .. } if to > from => {
                let half = to.saturating_sub(from).saturating_add(1).div_ceil(2);
                self.width = suggested
                    .filter(|width| *width < half)
                    .unwrap_or(half)
                    .max(1);
                true
            },
            // Some nodes take only so many addresses.
            SourceError::TooWide { .. } | SourceError::Unusable { .. } if at_once > 1 => {
                self.per_question = at_once.div_ceil(2);
                true
            },
            SourceError::TooWide { .. }
            | SourceError::Unusable { .. }
            | SourceError::Later { .. }
            | SourceError::Lagging { .. }
            | SourceError::Inconsistent { .. }
            | SourceError::Unprovable { .. }
            | SourceError::NoAnswer { .. } => false,
        }
    }

    /// What is found in some blocks.
    async fn look(
        &mut self,
        range: (BlockNumber, BlockNumber),
        addresses: &[Address],
    ) -> Result<Vec<StrangeTransfers>, LookAlikeError> {
        let mut logs = Vec::new();
        for part in addresses.chunks(self.per_question.max(1)) {
            logs.extend(self.source.transfers_to(range, part).await?);
            self.is_served = true;
        }
        let of_address = usize::try_from(BOUNDS.of_address).unwrap_or(usize::MAX);
        let lines = lines(logs, &self.known, of_address);
        let numbers = blocks(&lines);
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let headers = self.source.headers(&numbers).boxed().await?;
        let mut times = BTreeMap::new();
        for (number, header) in numbers.into_iter().zip(headers) {
            let block = header
                .ok_or(NotThere { number })
                .map_err(SourceError::from)?
                .block;
            times.insert(number, block);
        }
        let place = |log: &TransferLog| -> Result<LookAlikePlace, SourceError> {
            let number = log.block_number;
            let block = times.get(&number).ok_or(NotThere { number })?;
            if block.hash != log.block_hash {
                return Err(Contradiction::Changed {
                    number,
                    before: log.block_hash,
                    after: block.hash,
                }
                .into());
            }
            Ok(LookAlikePlace {
                block: number,
                time: block.timestamp,
                tx_hash: log.tx_hash,
            })
        };
        let found = lines.iter().map(|line: &Line| {
            Ok(StrangeTransfers {
                contract: line.contract,
                to: line.to,
                count: line.count,
                value: line.value,
                first: place(&line.first)?,
                last: place(&line.last)?,
            })
        });
        Ok(found.collect::<Result<_, SourceError>>()?)
    }

    async fn note(
        &self,
        (after, to): (BlockNumber, BlockNumber),
        found: Vec<StrangeTransfers>,
    ) -> Result<(), StoreError> {
        let count = found
            .iter()
            .map(|one| one.count)
            .fold(0, u64::saturating_add);
        let commit = LookAlikeCommit {
            chain_id: self.settings.chain_id,
            after,
            to,
            found,
            bounds: BOUNDS,
        };
        self.store.note_look_alikes(&commit).await?;
        let chain = self.settings.chain_id.to_string();
        counter!("paywatch_unknown_token_transfers_total", "chain" => chain).increment(count);
        Ok(())
    }
}
