//! One endpoint of a simulated chain: a view of the truth with faults of its own.

mod logs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use async_trait::async_trait;
use paywatch_core::{Block, BlockNumber, BlockRef, ChainId, FinalityTag, Timestamp};
use paywatch_indexer::{
    CallAt, CallFailure, ChainSource, Contradiction, Header, LogAnswer, LogFilter, LogQuery,
    NotThere, SourceError, TxLog, TxReceipt,
};
use paywatch_proof::BlockEvidence;
use tokio::sync::Notify;

use crate::evidence::evidence_of;
use crate::faults::{Fault, Faults};
use crate::lie::Lie;
use crate::node::logs::{logs_of, spoil};
use crate::token;
use crate::{Branch, Ledger, SimBlock, SimChain};

/// One endpoint.
#[derive(Debug)]
pub struct SimNode {
    truth: Arc<SimChain>,
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug)]
struct State {
    faults: Faults,
    /// How many blocks it is always behind.
    lag: u64,
    /// Blocks below this are forgotten.
    pruned_below: BlockNumber,
    /// The widest range that it serves.
    widest: Option<u64>,
    lie: Option<Lie>,
    /// How often it was asked anything.
    asked: u64,
}

/// What answers one question.
struct View {
    /// Up to where the truth is known.
    head: BlockNumber,
    /// What stands on it instead, or beside it.
    branch: Branch,
    pruned_below: BlockNumber,
    fault: Option<Fault>,
}

impl SimNode {
    /// A node that shows `truth`, and whose faults are drawn from `faults`.
    #[must_use]
    pub fn new(truth: Arc<SimChain>, faults: Faults) -> Self {
        Self {
            truth,
            state: Mutex::new(State {
                faults,
                lag: 0,
                pruned_below: 0,
                widest: None,
                lie: None,
                asked: 0,
            }),
            news: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is always so many blocks behind.
    pub fn lags(&self, blocks: u64) {
        self.state().lag = blocks;
    }

    /// It serves no ranges wider than this.
    pub fn serves_at_most(&self, blocks: Option<u64>) {
        self.state().widest = blocks;
    }

    /// It forgets what lies below `number`.
    pub fn prunes_below(&self, number: BlockNumber) {
        self.state().pruned_below = number;
    }

    /// It shows a chain of its own.
    pub fn tells(&self, lie: Lie) {
        self.state().lie = Some(lie);
    }

    /// From now on it is a good node.
    pub fn heals(&self) {
        let mut state = self.state();
        state.faults.end();
        state.lag = 0;
        state.pruned_below = 0;
        state.widest = None;
        state.lie = None;
        drop(state);
        self.announces();
    }

    /// It tells whoever listens that there is news.
    pub fn announces(&self) {
        self.news.notify_one();
    }

    /// How often it was asked anything.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.state().asked
    }

    /// Draws what goes wrong, and what is then seen.
    fn view(&self) -> Result<View, SourceError> {
        let truth_head = self.truth.head().header.number;
        let mut state = self.state();
        state.asked = state.asked.saturating_add(1);
        let fault = state.faults.draw();
        let mut head = truth_head.saturating_sub(state.lag);
        let mut branch = Branch::default();
        match fault {
            Some(Fault::Down) => return Err(later(None)),
            Some(Fault::Busy) => return Err(later(Some(Duration::from_secs(3)))),
            Some(Fault::Behind(most)) => {
                let most = usize::try_from(most).unwrap_or(usize::MAX);
                let behind = state.faults.below(most).saturating_add(1);
                head = head.saturating_sub(u64::try_from(behind).unwrap_or(u64::MAX));
            },
            Some(Fault::Stale) => branch = self.stale(truth_head),
            Some(_) | None => {},
        }
        if let Some(lie) = &mut state.lie {
            branch = lie.branch(&self.truth);
        }
        if let (Some(below), Some(last)) = (branch.first.checked_sub(1), branch.blocks.last()) {
            head = last.header.number.max(below);
        }
        Ok(View {
            head,
            branch,
            pruned_below: state.pruned_below,
            fault,
        })
    }

    /// The branch before the last fork, as long as a node may still be on it.
    fn stale(&self, truth_head: BlockNumber) -> Branch {
        let left = self.truth.left();
        let highest = left.blocks.last().map(|block| block.header.number);
        match highest {
            Some(highest) if highest.saturating_add(2) >= truth_head => left,
            Some(_) | None => Branch::default(),
        }
    }

    fn at(&self, view: &View, number: BlockNumber) -> Option<Arc<SimBlock>> {
        if number < view.pruned_below || number > view.head {
            return None;
        }
        if let Some(block) = view.branch.at(number) {
            return Some(Arc::clone(block));
        }
        let is_above = !view.branch.blocks.is_empty() && number >= view.branch.first;
        if is_above {
            return None;
        }
        self.truth.at(number)
    }

    fn with_hash(&self, view: &View, hash: B256) -> Option<Arc<SimBlock>> {
        let own = view.branch.blocks.iter().find(|block| block.hash == hash);
        if let Some(block) = own {
            return Some(Arc::clone(block));
        }
        // Real nodes also know blocks that left their chain.
        let block = self.truth.with_hash(hash)?;
        let number = block.header.number;
        (number >= view.pruned_below && number <= view.head).then_some(block)
    }
}

fn later(after: Option<Duration>) -> SourceError {
    SourceError::Later {
        after,
        cause: "connection refused".into(),
    }
}

fn block_of(block: &SimBlock) -> Result<Block, SourceError> {
    let number = block.header.number;
    let time = Timestamp::from_unix_s(block.header.timestamp);
    Ok(Block {
        number,
        hash: block.hash,
        parent_hash: block.header.parent_hash,
        timestamp: time.map_err(|source| Contradiction::Time { number, source })?,
    })
}

fn header_of(block: &SimBlock) -> Result<Header, SourceError> {
    Ok(Header {
        block: block_of(block)?,
        bloom: block.header.logs_bloom,
    })
}

/// The receipt of `tx`, if `block` holds it.
fn receipt_in(block: &SimBlock, tx: B256) -> Option<TxReceipt> {
    let mut indexes = 0_u64..;
    for transaction in &block.transactions {
        let logs = transaction.logs.iter().zip(indexes.by_ref());
        let logs: Vec<TxLog> = logs
            .map(|(log, log_index)| TxLog {
                log_index,
                contract: log.address,
                topics: log.topics().to_vec(),
                data: log.data.data.clone(),
            })
            .collect();
        if transaction.hash == tx {
            return Some(TxReceipt {
                tx_hash: tx,
                block: BlockRef {
                    number: block.header.number,
                    hash: block.hash,
                },
                succeeded: transaction.succeeded,
                logs,
            });
        }
    }
    None
}

#[async_trait]
impl ChainSource for SimNode {
    async fn chain_id(&self) -> Result<ChainId, SourceError> {
        self.view()?;
        Ok(self.truth.chain_id())
    }

    async fn token_decimals(&self, token: Address) -> Result<u8, SourceError> {
        self.view()?;
        let missing = || SourceError::Unusable {
            cause: format!("no token at {token}").into(),
        };
        self.truth.decimals(token).ok_or_else(missing)
    }

    async fn latest(&self) -> Result<Header, SourceError> {
        tokio::task::yield_now().await;
        let view = self.view()?;
        let missing = NotThere { number: view.head };
        header_of(&*self.at(&view, view.head).ok_or(missing)?)
    }

    async fn tagged(&self, tag: FinalityTag) -> Result<Option<BlockRef>, SourceError> {
        tokio::task::yield_now().await;
        let view = self.view()?;
        let tagged = match tag {
            FinalityTag::Safe => self.truth.safe(),
            FinalityTag::Finalized => self.truth.finalized(),
        };
        let Some(mut block) = tagged else {
            return Ok(None);
        };
        if block.header.number > view.head {
            return Err(NotThere {
                number: block.header.number,
            }
            .into());
        }
        match view.fault {
            Some(Fault::NoFinality) => return Ok(None),
            Some(Fault::EarlierFinality(by)) => {
                let number = block.header.number.saturating_sub(by);
                block = self.truth.at(number).ok_or(NotThere { number })?;
            },
            Some(Fault::OtherFinality) => {
                return Ok(Some(BlockRef {
                    number: block.header.number,
                    hash: B256::repeat_byte(0xfe),
                }));
            },
            Some(_) | None => {},
        }
        Ok(Some(block_of(&block)?.to_ref()))
    }

    async fn headers(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Header>>, SourceError> {
        tokio::task::yield_now().await;
        let view = self.view()?;
        let mut headers = Vec::with_capacity(numbers.len());
        for number in numbers {
            let header = self.at(&view, *number).map(|block| header_of(&block));
            headers.push(header.transpose()?);
        }
        if view.fault == Some(Fault::WrongHeaders) {
            match (headers.as_mut_slice(), numbers) {
                ([only], [number]) => {
                    let below = self.at(&view, number.saturating_sub(1));
                    *only = below.map(|block| header_of(&block)).transpose()?;
                },
                _ => drop(headers.pop()),
            }
        }
        Ok(headers)
    }

    async fn transfer_logs(
        &self,
        query: &LogQuery,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        tokio::task::yield_now().await;
        let view = self.view()?;
        if view.fault == Some(Fault::TooWide) {
            return Err(SourceError::TooWide {
                suggested: None,
                cause: "block range too large".into(),
            });
        }
        let blocks = match query {
            LogQuery::Block(header) => {
                let block = header.block;
                let missing = NotThere {
                    number: block.number,
                };
                vec![self.with_hash(&view, block.hash).ok_or(missing)?]
            },
            LogQuery::Range { from, to } => {
                let widest = self.state().widest;
                if widest.is_some_and(|widest| query.width() > widest) {
                    return Err(SourceError::TooWide {
                        suggested: widest,
                        cause: "block range too large".into(),
                    });
                }
                (*from..=*to)
                    .map(|number| self.at(&view, number).ok_or(NotThere { number }))
                    .collect::<Result<_, _>>()?
            },
        };
        let mut answer = LogAnswer::default();
        for block in blocks {
            answer.extend(logs_of(&block, filter));
        }
        spoil(&mut answer, view.fault, filter, &mut self.state().faults);
        let is_emptied = match view.fault {
            Some(Fault::NoLogs) => true,
            Some(Fault::EmptyBlock) => matches!(query, LogQuery::Block(_)),
            Some(_) | None => false,
        };
        if is_emptied {
            answer = LogAnswer::default();
        }
        Ok(answer)
    }

    async fn receipt(&self, tx: B256) -> Result<Option<TxReceipt>, SourceError> {
        tokio::task::yield_now().await;
        let view = self.view()?;
        let mut blocks = (view.pruned_below..=view.head).rev();
        Ok(blocks.find_map(|number| receipt_in(&*self.at(&view, number)?, tx)))
    }

    async fn call(&self, to: Address, data: Bytes, at: CallAt) -> Result<Bytes, SourceError> {
        tokio::task::yield_now().await;
        let view = self.view()?;
        let number = match at {
            CallAt::Latest => view.head,
            CallAt::Number(number) => number,
            CallAt::Block(block) => block.number,
        };
        if number < view.pruned_below {
            return Err(CallFailure::NoState { at, cause: None }.into());
        }
        let block = match at {
            CallAt::Latest | CallAt::Number(_) => self.at(&view, number),
            CallAt::Block(block) => self.with_hash(&view, block.hash),
        };
        let block = block.ok_or(NotThere { number })?;
        let decimals = self.truth.decimals(to);
        token::answer(to, &data, decimals, block, |hash| {
            let own = view.branch.blocks.iter().find(|block| block.hash == hash);
            own.cloned().or_else(|| self.truth.with_hash(hash))
        })
        .ok_or_else(|| CallFailure::Reverted { to, cause: None }.into())
    }

    async fn evidence(&self, block: BlockRef) -> Result<BlockEvidence, SourceError> {
        tokio::task::yield_now().await;
        let view = self.view()?;
        let missing = NotThere {
            number: block.number,
        };
        let known = self.with_hash(&view, block.hash).ok_or(missing)?;
        let mut evidence = evidence_of(&known);
        if view.fault == Some(Fault::BrokenReceipts)
            && let Some(last) = evidence.receipts.pop()
            && last.len() % 2 == 0
        {
            let mut altered = last.to_vec();
            altered.reverse();
            evidence.receipts.push(altered.into());
        }
        Ok(evidence)
    }

    async fn woken(&self) {
        self.news.notified().await;
    }
}
