//! A chain in memory that follows a script, with the faults of real nodes.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use alloy_primitives::{Bloom, Bytes};
use async_trait::async_trait;
use paywatch_core::{
    Address, Amount, B256, Block, BlockNumber, BlockRef, ChainId, Decimals, FinalityTag, Timestamp,
    Token, Transfer, TransferId, U256,
};
use paywatch_indexer::{
    CallAt, CallFailure, ChainSource, Contradiction, Header, LogAnswer, LogFilter, LogQuery,
    NotThere, NoticeLog, PaidLog, SourceError, TransferLog, TxReceipt, Wanted,
};
use paywatch_proof::BlockEvidence;
use tokio::sync::Notify;
use tokio::time::sleep;

pub(crate) const TOKEN: Address = Address::repeat_byte(0x70);
pub(crate) const PAYER: Address = Address::repeat_byte(0xaa);
pub(crate) const SHOP: Address = Address::repeat_byte(0xbb);
pub(crate) const RECEIVER: Address = Address::repeat_byte(0x50);
/// How long every answer takes.
pub(crate) const ANSWER_TIME: Duration = Duration::from_millis(10);

pub(crate) fn chain_id() -> ChainId {
    ChainId::new(31_337).unwrap()
}

pub(crate) fn token() -> Token {
    Token {
        chain_id: chain_id(),
        address: TOKEN,
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(6).unwrap(),
    }
}

/// Until the chain is so long above the fork, a backend may stay on the branch that the others
/// left: less than what the follower takes for settled.
const STALE_FOR: usize = 7;

/// What goes wrong with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// No answer.
    Down,
    /// Another backend answers, so many blocks behind.
    Behind(u64),
    /// A backend answers that still holds the branch before the last reorg.
    Stale,
    /// However little is asked for, it is too much.
    TooWide,
    /// Logs of another block than the one asked for.
    WrongHash,
    /// Every log twice.
    Repeated,
    /// One header too few, or another one than asked for.
    WrongHeaders,
}

#[derive(Clone, Debug)]
struct Made {
    block: Block,
    logs: Vec<TransferLog>,
    /// What else it says: payments through the receiver, and notices.
    paid: Vec<PaidLog>,
    notices: Vec<NoticeLog>,
}

#[derive(Default)]
struct State {
    blocks: Vec<Made>,
    /// The branch before the last reorg.
    stale: Vec<Made>,
    /// How many blocks the two have in common.
    parted_at: usize,
    made: u64,
    pub(crate) faults: VecDeque<Fault>,
    finalized: Option<BlockNumber>,
    widest: Option<u64>,
    questions: HashMap<&'static str, usize>,
    widths: Vec<u64>,
}

/// The chain, and the source of it.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}

impl Chain {
    /// A chain that has only its genesis.
    pub(crate) fn new() -> Self {
        let chain = Self::default();
        chain.mines(&[]);
        chain
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Adds a block with a transfer for each of `payments`, in base units.
    pub(crate) fn mines(&self, payments: &[u64]) {
        let mut state = self.state();
        state.made += 1;
        let number = u64::try_from(state.blocks.len()).unwrap();
        let parent = state.blocks.last().map(|made| made.block);
        let mut hash = B256::from(U256::from(state.made));
        hash.0[0] = 0xb1;
        let block = Block {
            number,
            hash,
            parent_hash: parent.map_or(B256::ZERO, |parent| parent.hash),
            timestamp: Timestamp::from_unix_s(1_700_000_000 + number * 12).unwrap(),
        };
        let logs = payments.iter().zip(0..).map(|(value, index)| {
            let mut tx_hash = hash;
            tx_hash.0[1] = 0x77;
            TransferLog {
                block_number: number,
                block_hash: hash,
                tx_hash,
                log_index: index * 3,
                token: TOKEN,
                from: PAYER,
                to: SHOP,
                value: U256::from(*value),
            }
        });
        let logs = logs.collect();
        state.blocks.push(Made {
            block,
            logs,
            paid: Vec::new(),
            notices: Vec::new(),
        });
    }

    /// Adds `count` blocks without transfers.
    pub(crate) fn mines_empty(&self, count: u64) {
        for _ in 0..count {
            self.mines(&[]);
        }
    }

    /// The newest `depth` blocks leave the chain.
    pub(crate) fn loses(&self, depth: u64) {
        let mut state = self.state();
        state.stale = state.blocks.clone();
        let left = state.blocks.len() - usize::try_from(depth).unwrap();
        state.blocks.truncate(left);
        state.parted_at = left;
    }

    /// Tells whoever listens that there is news.
    pub(crate) fn announces(&self) {
        self.news.notify_one();
    }

    pub(crate) fn finalizes(&self, number: BlockNumber) {
        self.state().finalized = Some(number);
    }

    /// From now on ranges wider than this are refused.
    pub(crate) fn serves_at_most(&self, blocks: u64) {
        self.state().widest = Some(blocks);
    }

    /// The next answers go wrong like this, one each.
    pub(crate) fn fails(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.extend(faults);
    }

    pub(crate) fn recovers(&self) {
        self.state().faults.clear();
    }

    /// The last block also holds these.
    pub(crate) fn also_says(&self, also: impl FnOnce(&Block) -> LogAnswer) {
        let mut state = self.state();
        let made = state.blocks.last_mut().unwrap();
        let also = also(&made.block);
        made.logs.extend(also.transfers);
        made.paid.extend(also.paid);
        made.notices.extend(also.notices);
    }

    /// The last log gets this value.
    pub(crate) fn inflates(&self, value: U256) {
        let mut state = self.state();
        let made = state.blocks.last_mut().unwrap();
        made.logs.last_mut().unwrap().value = value;
    }

    pub(crate) fn head(&self) -> Block {
        self.state().blocks.last().unwrap().block
    }

    /// How often `question` was asked.
    pub(crate) fn asked(&self, question: &str) -> usize {
        self.state()
            .questions
            .get(question)
            .copied()
            .unwrap_or_default()
    }

    /// The widths of the ranges that were asked for.
    pub(crate) fn widths(&self) -> Vec<u64> {
        self.state().widths.clone()
    }

    /// The transfers that are on the chain, from block `first` on.
    pub(crate) fn transfers_from(&self, first: BlockNumber) -> Vec<Transfer> {
        let state = self.state();
        let above = state
            .blocks
            .iter()
            .filter(|made| made.block.number >= first);
        above.flat_map(transfers).collect()
    }

    /// Counts a question and gives the view of the chain that answers it.
    async fn view(&self, question: &'static str) -> Result<(Vec<Made>, Fault), SourceError> {
        sleep(ANSWER_TIME).await;
        let mut state = self.state();
        *state.questions.entry(question).or_default() += 1;
        let fault = state.faults.pop_front().unwrap_or(Fault::None);
        let mut view = state.blocks.clone();
        match fault {
            Fault::Down => {
                return Err(SourceError::Later {
                    after: None,
                    cause: "connection refused".into(),
                });
            },
            Fault::Behind(by) => {
                let left = view
                    .len()
                    .saturating_sub(usize::try_from(by).unwrap())
                    .max(1);
                view.truncate(left);
            },
            Fault::Stale if view.len() <= state.parted_at + STALE_FOR => {
                view = state.stale.clone();
            },
            _ => {},
        }
        Ok((view, fault))
    }
}

fn transfers(made: &Made) -> Vec<Transfer> {
    let decimals = token().decimals;
    let read = |log: &TransferLog| Transfer {
        id: TransferId {
            chain_id: chain_id(),
            block_hash: log.block_hash,
            log_index: log.log_index,
        },
        block_number: log.block_number,
        block_timestamp: made.block.timestamp,
        tx_hash: log.tx_hash,
        token: log.token,
        from: log.from,
        to: log.to,
        amount: Amount::from_base_units(log.value, decimals).unwrap(),
        paid_through: None,
    };
    made.logs.iter().map(read).collect()
}

fn at(view: &[Made], number: BlockNumber) -> Option<Header> {
    view.get(usize::try_from(number).unwrap()).map(header)
}

/// What of the block `filter` wants.
fn said_by(made: &Made, filter: &LogFilter) -> LogAnswer {
    let wanted = Wanted::by(filter);
    let is_wanted = |log: &&TransferLog| wanted.is_paid(&log.to) || wanted.is_sent(&log.from);
    let paid = made.paid.iter();
    LogAnswer {
        transfers: made.logs.iter().filter(is_wanted).copied().collect(),
        paid: paid
            .filter(|log| wanted.is_paid(&log.said.treasury))
            .copied()
            .collect(),
        notices: made.notices.clone(),
        seen: u64::try_from(made.logs.len()).unwrap(),
    }
}

/// A bloom that excludes nothing where there is anything.
fn header(made: &Made) -> Header {
    let bloom = if made.logs.is_empty() { 0 } else { 0xff };
    Header {
        block: made.block,
        bloom: Bloom::repeat_byte(bloom),
    }
}

#[async_trait]
impl ChainSource for Chain {
    async fn chain_id(&self) -> Result<ChainId, SourceError> {
        Ok(chain_id())
    }

    async fn token_decimals(&self, token: Address) -> Result<u8, SourceError> {
        if token == TOKEN {
            return Ok(6);
        }
        let cause = format!("no token at {token}").into();
        Err(SourceError::Unusable { cause })
    }

    async fn latest(&self) -> Result<Header, SourceError> {
        let (view, _) = self.view("latest").await?;
        Ok(header(view.last().unwrap()))
    }

    async fn tagged(&self, tag: FinalityTag) -> Result<Option<BlockRef>, SourceError> {
        assert_eq!(tag, FinalityTag::Finalized);
        let (view, _) = self.view("tagged").await?;
        let Some(number) = self.state().finalized else {
            return Ok(None);
        };
        let block = at(&view, number).map(|header| header.block.to_ref());
        // What is final may not be known yet to who answers.
        Ok(Some(block.unwrap_or(BlockRef {
            number,
            hash: B256::repeat_byte(0xfe),
        })))
    }

    async fn headers(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Header>>, SourceError> {
        let (view, fault) = self.view("headers").await?;
        let mut headers: Vec<_> = numbers.iter().map(|number| at(&view, *number)).collect();
        if fault == Fault::WrongHeaders {
            match (headers.as_mut_slice(), numbers) {
                ([only], [number]) => *only = at(&view, number.saturating_sub(1)),
                _ => drop(headers.pop()),
            }
        }
        Ok(headers)
    }

    async fn receipt(&self, _tx: B256) -> Result<Option<TxReceipt>, SourceError> {
        Ok(None)
    }

    async fn call(&self, to: Address, _data: Bytes, _at: CallAt) -> Result<Bytes, SourceError> {
        Err(CallFailure::Reverted { to, cause: None }.into())
    }

    async fn evidence(&self, block: BlockRef) -> Result<BlockEvidence, SourceError> {
        Err(SourceError::Unprovable {
            number: block.number,
            cause: "nothing here is real".into(),
        })
    }

    async fn transfer_logs(
        &self,
        query: &LogQuery,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        assert_eq!(filter.tokens, [TOKEN]);
        assert_eq!(filter.receivers, [RECEIVER]);
        let (view, fault) = self.view("logs").await?;
        let blocks: Vec<Made> = match query {
            LogQuery::Block(header) => {
                let block = header.block;
                let known = view.iter().find(|made| made.block.hash == block.hash);
                let missing = NotThere {
                    number: block.number,
                };
                vec![known.ok_or(missing)?.clone()]
            },
            &LogQuery::Range { from, to } => {
                let width = to - from + 1;
                self.state().widths.push(width);
                let widest = self.state().widest;
                let too_wide = widest.is_some_and(|widest| width > widest);
                if too_wide || fault == Fault::TooWide {
                    return Err(SourceError::TooWide {
                        suggested: None,
                        cause: "block range too large".into(),
                    });
                }
                if at(&view, to).is_none() {
                    return Err(NotThere { number: to }.into());
                }
                let asked = view
                    .iter()
                    .filter(|made| (from..=to).contains(&made.block.number));
                asked.cloned().collect()
            },
        };
        let mut answer = LogAnswer::default();
        for made in blocks {
            answer.extend(said_by(&made, filter));
        }
        let logs = &mut answer.transfers;
        match fault {
            Fault::WrongHash => {
                for log in logs {
                    log.block_hash.0[0] ^= 1;
                }
            },
            Fault::Repeated => logs.extend_from_within(..),
            Fault::WrongHeaders => {
                return Err(Contradiction::OtherCount {
                    asked: 1,
                    answered: 0,
                }
                .into());
            },
            _ => {},
        }
        Ok(answer)
    }

    async fn woken(&self) {
        self.news.notified().await;
    }
}
