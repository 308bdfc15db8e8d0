//! Puts logs and headers together into covered blocks, and refuses what does not fit together.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{Bloom, BloomInput};
use futures::{StreamExt, TryStreamExt, stream};
use paywatch_core::{BlockNumber, ChainId, Token};

use crate::follower::FollowSettings;
use crate::follower::error::Halt;
use crate::follower::join::{ByBlock, by_block, check_block};
use crate::follower::read::Depth;
use crate::{
    ChainSource, Contradiction, CoveredBlock, Header, LogAnswer, LogFilter, LogQuery, NotThere,
    SourceError, TRANSFER_TOPIC, Wanted, WatchList,
};

/// How many blocks' logs are asked for at the same time.
const AT_ONCE: usize = 8;
/// So many blocks and more are asked for as one range.
const RUN: usize = 3;

/// Everything that is needed to cover blocks, for tasks of their own.
#[derive(Clone, Debug)]
pub(super) struct Coverer {
    pub(super) source: Arc<dyn ChainSource>,
    pub(super) chain_id: ChainId,
    pub(super) tokens: Arc<[Token]>,
    pub(super) filter: Arc<LogFilter>,
    pub(super) blooms: bool,
}

impl Coverer {
    /// Covers linked headers, near the head.
    pub(super) async fn cover_linked(&self, headers: &[Header]) -> Result<Vec<CoveredBlock>, Halt> {
        if self.wants_nothing() {
            return Ok(headers.iter().map(nothing_in).collect());
        }
        match headers {
            [first, .., last] if self.in_one(headers.len()) => {
                let logs = self.logs_of_run(first.block.number, last.block.number);
                self.cover_run(headers, logs.await?).await
            },
            _ => self.cover_each(headers.iter().collect()).await,
        }
    }

    /// Whether the logs of so many linked blocks are asked for as one range.
    fn in_one(&self, blocks: usize) -> bool {
        // What the blooms do not exclude is asked for again by hash, so they must mean something.
        blocks >= RUN && self.blooms && !self.filter.by_node
    }

    /// The logs of a run from `from` to `to` before its headers came, so that both are asked for at
    /// the same time; `None` if its blocks' logs are to be asked for by hash.
    pub(super) async fn ahead_of_headers(
        &self,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Option<Result<ByBlock, Halt>> {
        let blocks = to.saturating_sub(from).saturating_add(1);
        let in_one = self.in_one(usize::try_from(blocks).unwrap_or(usize::MAX));
        if self.wants_nothing() || !in_one {
            return None;
        }
        Some(self.logs_of_run(from, to).await)
    }

    /// All logs of the blocks from `from` to `to`, without the filter: a block without wanted
    /// transfers is not an empty one.
    async fn logs_of_run(&self, from: BlockNumber, to: BlockNumber) -> Result<ByBlock, Halt> {
        let query = LogQuery::Range { from, to };
        let all = self.filter.to_anybody();
        by_block(&query, self.source.transfer_logs(&query, &all).await?)
    }

    /// Asks for each block's logs by its hash.
    async fn cover_each(&self, headers: Vec<&Header>) -> Result<Vec<CoveredBlock>, Halt> {
        let questions: Vec<_> = headers
            .into_iter()
            .map(|header| self.cover_one(header))
            .collect();
        stream::iter(questions)
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn cover_one(&self, header: &Header) -> Result<CoveredBlock, Halt> {
        let query = LogQuery::block(header);
        let answer = self.source.transfer_logs(&query, &self.filter).await?;
        self.join(header.block, answer)
    }

    /// Puts `headers` and the logs of their run together, and asks by hash for those of blocks that
    /// came empty though their blooms do not exclude a transfer.
    pub(super) async fn cover_run(
        &self,
        headers: &[Header],
        mut by_block: ByBlock,
    ) -> Result<Vec<CoveredBlock>, Halt> {
        let mut covered = BTreeMap::new();
        let mut empty = Vec::new();
        for header in headers {
            let logs = by_block.remove(&header.block.number).unwrap_or_default();
            // Before others' are left out: a node on a branch that was left must not pass off its
            // block, in which only others are paid, for ours.
            check_block(&header.block, &logs)?;
            // Where no transfer is shown, none of the rest needs to be, either.
            if logs.transfers.is_empty() && may_hold_any(&header.bloom, &self.filter) {
                empty.push(header);
                continue;
            }
            let block = self.join(header.block, self.wanted(logs))?;
            covered.insert(header.block.number, block);
        }
        for block in self.cover_each(empty).await? {
            covered.insert(block.block.number, block);
        }
        Ok(covered.into_values().collect())
    }

    fn wanted(&self, mut logs: LogAnswer) -> LogAnswer {
        Wanted::by(&self.filter).retain(&mut logs);
        logs
    }

    /// Asks for the logs of all blocks from `from` to `to` at once.
    pub(super) async fn logs_of_range(
        &self,
        from: BlockNumber,
        to: BlockNumber,
    ) -> Result<ByBlock, Halt> {
        let query = LogQuery::Range { from, to };
        let logs = if self.wants_nothing() {
            LogAnswer::default()
        } else {
            self.source.transfer_logs(&query, &self.filter).await?
        };
        by_block(&query, logs)
    }

    /// Asks for the headers of the blocks that hold wanted logs, and of the last of the range, `to`.
    /// Also returns that last one.
    pub(super) async fn with_headers(
        &self,
        mut by_block: ByBlock,
        to: BlockNumber,
    ) -> Result<(Vec<CoveredBlock>, Header), Halt> {
        by_block.entry(to).or_default();
        let numbers: Vec<_> = by_block.keys().copied().collect();
        let headers = headers_at(self.source.as_ref(), &numbers).await?;
        let last = headers.last().cloned().ok_or(NotThere { number: to })?;
        let blocks = headers
            .iter()
            .zip(by_block.into_values())
            .map(|(header, logs)| self.join(header.block, logs))
            .collect::<Result<_, _>>()?;
        Ok((blocks, last))
    }

    /// No token, or nobody who is watched: no log can matter, and an empty list would mean every
    /// contract, or everybody.
    fn wants_nothing(&self) -> bool {
        self.tokens.is_empty() || self.filter.wants_nobody()
    }
}

/// What to cover with. Asked for after the head was seen: whoever is paid up to there was on the
/// list before.
pub(super) async fn coverer(
    source: &Arc<dyn ChainSource>,
    watch_list: &dyn WatchList,
    settings: &FollowSettings,
    depth: Depth,
) -> Result<Coverer, Halt> {
    let current = watch_list.current().await;
    let recipients = current.map_err(|cause| SourceError::Later { after: None, cause })?;
    let is_small = recipients
        .as_ref()
        .is_some_and(|set| set.len() <= settings.filter_up_to);
    let tokens = settings.tokens.iter().map(|token| token.address).collect();
    Ok(Coverer {
        source: Arc::clone(source),
        chain_id: settings.chain_id,
        tokens: settings.tokens.clone().into(),
        filter: Arc::new(LogFilter {
            tokens,
            receivers: settings.receivers.clone(),
            senders: watch_list.senders(),
            recipients,
            // Near the head all logs are wanted where blooms can tell that some are missing.
            by_node: is_small && (depth == Depth::History || !settings.blooms),
        }),
        blooms: settings.blooms,
    })
}

/// The node's headers at `numbers`, ascending; neighbours stand on each other.
pub(super) async fn headers_at(
    source: &dyn ChainSource,
    numbers: &[BlockNumber],
) -> Result<Vec<Header>, SourceError> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let answers = source.headers(numbers).await?;
    if answers.len() != numbers.len() {
        return Err(Contradiction::OtherCount {
            asked: numbers.len(),
            answered: answers.len(),
        }
        .into());
    }
    let mut headers: Vec<Header> = Vec::with_capacity(numbers.len());
    for (number, answer) in numbers.iter().zip(answers) {
        let header = answer.ok_or(NotThere { number: *number })?;
        if header.block.number != *number {
            return Err(Contradiction::OtherNumber {
                asked: *number,
                answered: header.block.number,
            }
            .into());
        }
        if let Some(below) = headers.last()
            && below.block.number.checked_add(1) == Some(*number)
            && below.block.hash != header.block.parent_hash
        {
            return Err(Contradiction::Unlinked { number: *number }.into());
        }
        headers.push(header);
    }
    Ok(headers)
}

/// Whether a block with this bloom may hold a transfer of a configured token.
fn may_hold_any(bloom: &Bloom, filter: &LogFilter) -> bool {
    let has = |raw: &[u8]| bloom.contains_input(BloomInput::Raw(raw));
    has(TRANSFER_TOPIC.as_slice()) && filter.tokens.iter().any(|token| has(token.as_slice()))
}

const fn nothing_in(header: &Header) -> CoveredBlock {
    CoveredBlock::empty(header.block)
}
