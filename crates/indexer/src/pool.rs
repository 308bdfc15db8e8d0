//! Several endpoints of one chain as one source: health, failover, limits, agreement.

mod agreement;
mod alarm;
mod aside;
mod calls;
mod compare;
mod head;
mod logs;
mod member;
mod receipts;
mod span;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use async_trait::async_trait;
use futures::future::{BoxFuture, select_all};
use paywatch_core::{BlockNumber, BlockRef, ChainEventKind, ChainId, FinalityTag, Proof};
use paywatch_proof::BlockEvidence;
use tokio::sync::broadcast;

pub use crate::pool::alarm::Alarm;

use crate::pool::agreement::more_telling;
use crate::pool::alarm::Alarms;
use crate::pool::head::headers_from;
use crate::pool::member::Member;
use crate::source::only;
use crate::{
    Call, CallAt, ChainSource, Header, LogAnswer, LogFilter, LogQuery, SourceError, TransferLog,
    TxReceipt,
};

/// How far behind the highest head an endpoint may be before it is passed over.
const HEAD_LAG: u64 = 3;
/// How long an endpoint that is behind is passed over.
const LAG_REST: Duration = Duration::from_secs(10);
/// How long an endpoint that showed blocks which nobody else knows is passed over.
const LIE_REST: Duration = Duration::from_secs(300);
/// After so many blocks in a row that nobody else knows, their endpoint is not believed.
const UNSUPPORTED: usize = 4;

/// One endpoint of a pool.
#[derive(Debug)]
pub struct Endpoint {
    /// What the operator calls it, or its host. No secrets.
    pub name: String,
    /// The endpoint.
    pub source: Arc<dyn ChainSource>,
    /// Lower ones are asked first.
    pub priority: u32,
    /// How many requests it may be asked in a second; as many as there are, without a limit.
    pub requests_per_second: Option<NonZeroU32>,
    /// How many requests may be under way at the same time.
    pub at_once: usize,
}

/// How a pool uses its endpoints.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// The chain that all of them must serve.
    pub chain_id: ChainId,
    /// How many endpoints must say the same before it is believed. A floor: with fewer, it waits.
    pub agreement: usize,
    /// The widest range of blocks that logs are asked for at once.
    pub max_range: u64,
    /// A head that stands still for so long is doubted, and the other endpoints are asked.
    pub head_patience: Duration,
    /// Whether the chain's blooms mean anything.
    pub blooms: bool,
    /// How the chain's blocks can be proved.
    pub proof: Proof,
    /// The hash of the chain's first block, if it is known.
    pub genesis: Option<B256>,
}

/// Why there is no pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Nobody to ask.
    #[error("a chain needs at least one endpoint")]
    Empty,
    /// More agreement than there are endpoints.
    #[error("{agreement} endpoints cannot agree: there are {endpoints}; at least 1 must")]
    Agreement {
        /// How many should agree.
        agreement: usize,
        /// How many there are.
        endpoints: usize,
    },
}

/// Every endpoint is resting.
#[derive(Debug, thiserror::Error)]
#[error("no endpoint can be asked now; {0}")]
struct AllRest(String);

/// Several endpoints of one chain.
pub struct Pool {
    members: Vec<Member>,
    settings: PoolSettings,
    alarms: Alarms,
    genesis: OnceLock<B256>,
    /// Who announced a head last, and who gave the last head.
    woken_by: AtomicUsize,
    head_by: AtomicUsize,
    /// How many blocks in a row nobody else knew.
    unsupported: AtomicUsize,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.members).finish()
    }
}

impl Pool {
    /// A pool of `endpoints`. Nothing is asked yet.
    ///
    /// # Errors
    /// [`PoolError`] when what is asked of them cannot be met.
    pub fn new(endpoints: Vec<Endpoint>, settings: PoolSettings) -> Result<Self, PoolError> {
        if endpoints.is_empty() {
            return Err(PoolError::Empty);
        }
        if settings.agreement == 0 || settings.agreement > endpoints.len() {
            return Err(PoolError::Agreement {
                agreement: settings.agreement,
                endpoints: endpoints.len(),
            });
        }
        let genesis = OnceLock::new();
        if let Some(known) = settings.genesis {
            // A new lock is empty.
            let _set = genesis.set(known);
        }
        let longest = if endpoints.len() > 1 {
            member::LONGEST
        } else {
            member::LONGEST_ALONE
        };
        Ok(Self {
            members: endpoints
                .into_iter()
                .map(|endpoint| Member::new(endpoint, settings.max_range, longest))
                .collect(),
            settings,
            alarms: Alarms::default(),
            genesis,
            woken_by: AtomicUsize::new(usize::MAX),
            head_by: AtomicUsize::new(usize::MAX),
            unsupported: AtomicUsize::new(0),
        })
    }

    /// What the operator should know, from now on.
    #[must_use]
    pub fn alarms(&self) -> broadcast::Receiver<Alarm> {
        self.alarms.subscribe()
    }

    fn alarm(&self, kind: ChainEventKind, detail: String) {
        self.alarms.raise(self.settings.chain_id, kind, detail);
    }

    /// Those that can be asked now, in the order in which they should be.
    fn candidates(&self) -> Vec<&Member> {
        let mut able: Vec<&Member> = self
            .members
            .iter()
            .filter(|member| !member.is_resting())
            .collect();
        able.sort_by_key(|member| member.rank());
        able
    }

    /// Asks one endpoint after the other until one answers.
    async fn ask<'a, T: Send + 'a>(
        &'a self,
        question: impl Fn(&'a Member) -> BoxFuture<'a, Result<T, SourceError>> + Send + Sync,
    ) -> Result<(&'a Member, T), SourceError> {
        let mut worst = None;
        for member in self.candidates() {
            match self.ask_member(member, question(member)).await {
                Ok(answer) => return Ok((member, answer)),
                Err(error) => worst = Some(more_telling(worst, error)),
            }
        }
        Err(worst.unwrap_or_else(|| self.all_rest()))
    }

    /// Asks `member`, and remembers how it went. While it is not known to serve this chain it is
    /// asked for that as well, and nothing that it says is believed before.
    async fn ask_member<T>(
        &self,
        member: &Member,
        question: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        if member.is_verified() {
            return member.timed(question).await;
        }
        let (verified, answer) = tokio::join!(self.verify(member), member.timed(question));
        verified?;
        answer
    }

    /// The headers at `numbers` from one endpoint, and of no other heights.
    async fn headers_of(
        &self,
        member: &Member,
        numbers: &[BlockNumber],
    ) -> Result<Vec<Option<Header>>, SourceError> {
        let question = headers_from(member.source(), numbers);
        self.ask_member(member, question).await
    }

    /// Checks, before `member` is used for the first time and after every loss of it, that it
    /// serves this chain.
    async fn verify(&self, member: &Member) -> Result<(), SourceError> {
        let source = member.source();
        let (found, first) = tokio::join!(
            member.timed(source.chain_id()),
            member.timed(headers_from(source, &[0])),
        );
        let found = found?;
        if found != self.settings.chain_id {
            return Err(member.refuse(&format!(
                "it serves chain {found} instead of {}",
                self.settings.chain_id
            )));
        }
        // A node without its oldest blocks cannot be compared by them.
        if let Some(Some(genesis)) = first?.into_iter().next() {
            let known = self.genesis.get_or_init(|| genesis.block.hash);
            if *known != genesis.block.hash {
                return Err(member.refuse(&format!(
                    "its chain begins with block {}, that of the others with {known}",
                    genesis.block.hash
                )));
            }
        }
        member.set_verified();
        Ok(())
    }

    fn all_rest(&self) -> SourceError {
        let after = self.members.iter().filter_map(Member::rests_for).min();
        let told = self.members.iter().find_map(Member::trouble);
        SourceError::Later {
            after,
            cause: Box::new(AllRest(told.unwrap_or_default())),
        }
    }
}

#[async_trait]
impl ChainSource for Pool {
    async fn chain_id(&self) -> Result<ChainId, SourceError> {
        let answer = self
            .ask(|member| Box::pin(member.source().chain_id()))
            .await;
        Ok(answer?.1)
    }

    async fn token_decimals(&self, token: Address) -> Result<u8, SourceError> {
        let answer = self
            .ask(|member| Box::pin(member.source().token_decimals(token)))
            .await;
        Ok(answer?.1)
    }

    async fn latest(&self) -> Result<Header, SourceError> {
        let announcer = self.woken_by.swap(usize::MAX, Ordering::Relaxed);
        let announced = self
            .members
            .get(announcer)
            .filter(|member| !member.is_resting() && member.is_verified());
        if let Some(member) = announced {
            let header = member.timed(member.source().latest()).await;
            if let Ok(header) = header
                && self.is_plausible(&header)
            {
                return Ok(self.take_head(announcer, header));
            }
        }
        let (member, header) = self
            .ask(|member| Box::pin(member.source().latest()))
            .await?;
        let index = self
            .members
            .iter()
            .position(|one| std::ptr::eq(one, member));
        member.saw_head(header.block.number);
        let is_still = member.head_stood_for() > self.settings.head_patience;
        if self.members.len() > 1 && (is_still || !self.is_plausible(&header)) {
            return self.compared_heads().await;
        }
        Ok(self.take_head(index.unwrap_or_default(), header))
    }

    async fn tagged(&self, tag: FinalityTag) -> Result<Option<BlockRef>, SourceError> {
        let mut lowest: Option<BlockRef> = None;
        let answers = self
            .several(|member| Box::pin(member.source().tagged(tag)))
            .await?;
        for (_, answer) in answers {
            // What only some call settled is not.
            let Some(block) = answer else {
                return Ok(None);
            };
            lowest = Some(match lowest {
                Some(known) if known.number <= block.number => known,
                Some(_) | None => block,
            });
        }
        Ok(lowest)
    }

    async fn headers(&self, numbers: &[BlockNumber]) -> Result<Vec<Option<Header>>, SourceError> {
        // Headers of one question belong together, so one endpoint answers all of them; one that
        // lacks any is behind, and the next may have them.
        let mut lacking = None;
        for member in self.candidates() {
            match self.headers_of(member, numbers).await {
                Ok(headers) if headers.iter().all(Option::is_some) => return Ok(headers),
                Ok(headers) => lacking = Some(Ok(headers)),
                Err(error) => lacking = lacking.or(Some(Err(error))),
            }
        }
        lacking.unwrap_or_else(|| Err(self.all_rest()))
    }

    async fn transfer_logs(
        &self,
        query: &LogQuery,
        filter: &LogFilter,
    ) -> Result<LogAnswer, SourceError> {
        match query {
            LogQuery::Block(header) => self.logs_of_block(header, filter).await,
            LogQuery::Range { from, to } => self.logs_of_range(*from, *to, filter).await,
        }
    }

    async fn transfers_to(
        &self,
        blocks: (BlockNumber, BlockNumber),
        recipients: &[Address],
    ) -> Result<Vec<TransferLog>, SourceError> {
        self.aside(|source| source.transfers_to(blocks, recipients))
            .await
    }

    async fn call_stranger(&self, call: &Call) -> Result<Bytes, SourceError> {
        self.aside(|source| source.call_stranger(call)).await
    }

    async fn evidence(&self, block: BlockRef) -> Result<BlockEvidence, SourceError> {
        let prove = move |member: &Member| {
            let source = Arc::clone(member.source());
            async move {
                let evidence = source.evidence(block).await?;
                match evidence.clone().verify(block) {
                    Ok(_proven) => Ok(evidence),
                    Err(cause) => Err(SourceError::Unprovable {
                        number: block.number,
                        cause: Box::new(cause),
                    }),
                }
            }
        };
        Ok(self.ask(|member| Box::pin(prove(member))).await?.1)
    }

    async fn receipt(&self, tx: B256) -> Result<Option<TxReceipt>, SourceError> {
        self.receipt_of(tx).await
    }

    async fn call(&self, to: Address, data: Bytes, at: CallAt) -> Result<Bytes, SourceError> {
        let call = Call { to, data };
        only(self.called(std::slice::from_ref(&call), at).await?)
    }

    async fn calls(&self, calls: &[Call], at: CallAt) -> Result<Vec<Bytes>, SourceError> {
        self.called(calls, at).await
    }

    async fn agreed(&self, block: BlockRef) -> Result<(), SourceError> {
        self.agreed_on(block).await
    }

    async fn woken(&self) {
        let waiting: Vec<BoxFuture<'_, ()>> = self
            .members
            .iter()
            .map(|member| -> BoxFuture<'_, ()> { Box::pin(member.source().woken()) })
            .collect();
        let ((), index, _) = select_all(waiting).await;
        self.woken_by.store(index, Ordering::Relaxed);
    }

    fn announces(&self) -> bool {
        self.candidates()
            .iter()
            .any(|member| member.source().announces())
    }

    fn silences(&self) -> u64 {
        self.members
            .iter()
            .map(|member| member.source().silences())
            .fold(0, u64::saturating_add)
    }

    fn announced(&self, hash: B256) -> Option<Header> {
        self.members
            .iter()
            .find_map(|member| member.source().announced(hash))
    }

    fn best_width(&self) -> Option<u64> {
        self.candidates().first().map(|member| member.width())
    }
}
