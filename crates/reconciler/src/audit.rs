//! The audit: what the addresses of a chain hold by the books, and what they hold, to the last
//! unit, after a block that is final.

mod books;
mod daily;
mod finding;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::U256;
use futures::future::BoxFuture;
use paywatch_core::{
    Address, Amount, Block, BlockNumber, ChainId, FinalityRule, Opening, SumError, Timestamp,
    Token, Turnover, Verdict, final_block, settle,
};
use paywatch_indexer::{CallAt, ChainSource, SourceError, balances};
use paywatch_store::{
    AuditAccount, AuditEntry, AuditRun, AuditScope, Holder, Ledger, Store, StoreError,
};

pub use crate::audit::books::{BookFault, BooksReport, audit_books, books_event};
pub use crate::audit::daily::{DailyAudit, MOST_A_DAY};
pub use crate::audit::finding::{ChainReport, Finding, Opened, What, chain_event};

/// How many addresses are looked at together.
const TOGETHER: u32 = 200;
/// How often a node that does not answer is asked again, and after how long.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

/// A chain whose books are audited.
#[derive(Clone)]
pub struct AuditedChain {
    /// The chain.
    pub chain_id: ChainId,
    /// Its nodes.
    pub source: Arc<dyn ChainSource>,
    /// The tokens that are watched on it.
    pub tokens: Vec<Token>,
    /// The merchant's own addresses that are watched, such as the treasury.
    pub own: BTreeSet<Address>,
    /// What is final.
    pub rule: FinalityRule,
}

impl fmt::Debug for AuditedChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditedChain")
            .field("chain_id", &self.chain_id)
            .finish_non_exhaustive()
    }
}

/// What is to be audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// After which block; after the newest that is final, if nothing is said.
    pub block: Option<BlockNumber>,
    /// Which addresses of orders.
    pub scope: AuditScope,
    /// How many of them for each token, at most. Then the next audit with a limit goes on there.
    pub most: Option<u32>,
}

/// Why there was no audit, or not a whole one.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There are no books.
    #[error("chain {0} was never followed, so there is nothing to audit")]
    NeverFollowed(ChainId),
    /// Nothing is final yet.
    #[error("chain {0} has no covered block yet that is final")]
    NothingFinal(ChainId),
    /// It could still change, or is not known.
    #[error("block {asked} is not final and covered; the newest that is, is block {newest}")]
    NotFinal {
        /// The block that was asked for.
        asked: BlockNumber,
        /// The newest final one.
        newest: BlockNumber,
    },
    /// The books begin later.
    #[error("the books of the chain begin with block {first}, so block {asked} cannot be audited")]
    BeforeTheBooks {
        /// The block that was asked for.
        asked: BlockNumber,
        /// The first covered one.
        first: BlockNumber,
    },
    /// The node is on another branch than the books.
    #[error(
        "block {number} is {theirs} at the endpoints and {ours} in the books; \
         `paywatch chain resync` sets the books back"
    )]
    OtherBranch {
        /// The height.
        number: BlockNumber,
        /// The hash that the nodes say.
        theirs: paywatch_core::B256,
        /// The hash in the books.
        ours: paywatch_core::B256,
    },
    /// The nodes could not be asked.
    #[error("the endpoints could not be asked")]
    Source(#[from] SourceError),
    /// The database failed.
    #[error("the database could not be read or written")]
    Store(#[from] StoreError),
}

/// Audits `chain` as of `now`. `progress` is told how many addresses were looked at so far.
///
/// # Errors
/// [`AuditError`]; what was found before is kept.
pub async fn audit_chain(
    store: &Store,
    chain: &AuditedChain,
    extent: Extent,
    now: Timestamp,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<ChainReport, AuditError> {
    let block = block_to_audit(store, chain, extent.block).await?;
    let mut audit = Audit {
        store,
        chain,
        now,
        report: ChainReport::of(chain.chain_id, block.to_ref()),
        progress,
    };
    for token in &chain.tokens {
        audit.token(token, extent).await?;
    }
    Ok(audit.report)
}

/// The block that is audited: final, covered, and the same for the books and the nodes.
async fn block_to_audit(
    store: &Store,
    chain: &AuditedChain,
    asked: Option<BlockNumber>,
) -> Result<Block, AuditError> {
    let id = chain.chain_id;
    let chains = store.chains().await?;
    let mut records = chains.iter();
    let record = records.find(|record| record.heads.chain_id == id);
    let record = record.ok_or(AuditError::NeverFollowed(id))?;
    let newest = final_block(&record.heads, chain.rule).ok_or(AuditError::NothingFinal(id))?;
    let first = record.started_at;
    let number = match asked {
        Some(asked) if asked > newest => return Err(AuditError::NotFinal { asked, newest }),
        Some(asked) => asked,
        None if newest < first => return Err(AuditError::NothingFinal(id)),
        None => newest,
    };
    if number < first {
        let asked = number;
        return Err(AuditError::BeforeTheBooks { asked, first });
    }
    let numbers = [number];
    let headers = patiently(|| chain.source.headers(&numbers)).await?;
    let header = headers.into_iter().next().flatten();
    let missing = paywatch_indexer::NotThere { number };
    let block = header.ok_or(SourceError::from(missing))?.block;
    chain.source.agreed(block.to_ref()).await?;
    let recent = store.recent_blocks(id).await?;
    match recent.iter().find(|known| known.number == number) {
        Some(known) if known.hash != block.hash => Err(AuditError::OtherBranch {
            number,
            theirs: block.hash,
            ours: known.hash,
        }),
        Some(_) | None => Ok(block),
    }
}

/// Asks again, a few times, what did not get an answer.
async fn patiently<'a, T>(
    question: impl Fn() -> BoxFuture<'a, Result<T, SourceError>> + Send,
) -> Result<T, SourceError> {
    let mut attempts = 0_u32;
    loop {
        match question().await {
            Err(SourceError::Later { .. } | SourceError::Lagging { .. }) if attempts < ATTEMPTS => {
                attempts = attempts.saturating_add(1);
                tokio::time::sleep(PAUSE).await;
            },
            answer => return answer,
        }
    }
}

/// An audit under way.
struct Audit<'a> {
    store: &'a Store,
    chain: &'a AuditedChain,
    now: Timestamp,
    report: ChainReport,
    progress: &'a mut (dyn FnMut(u64) + Send),
}

/// An address that can be settled.
struct Account {
    whose: AuditAccount,
    opening: Opening,
}

impl Audit<'_> {
    async fn token(&mut self, token: &Token, extent: Extent) -> Result<(), AuditError> {
        let ledger = Ledger {
            chain_id: self.chain.chain_id,
            token: token.address,
        };
        let own: Vec<Address> = self.chain.own.iter().copied().collect();
        let own = self.store.accounts_to_audit(ledger, &own).await?;
        self.accounts(token, ledger, own).await?;

        let mut after = match extent.most {
            Some(_) => self
                .store
                .audit_run(ledger)
                .await?
                .and_then(|run| run.after),
            None => None,
        };
        let mut left = extent.most.unwrap_or(u32::MAX);
        loop {
            let limit = TOGETHER.min(left);
            let page = self
                .store
                .addresses_to_audit(ledger, extent.scope, after, limit);
            let mut page = page.await?;
            let is_last = page.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            let looked_at = u32::try_from(page.len()).unwrap_or(u32::MAX);
            after = page
                .last()
                .map(|account| account.address)
                .filter(|_| !is_last);
            page.retain(|account| !self.chain.own.contains(&account.address));
            self.accounts(token, ledger, page).await?;
            if is_last {
                break;
            }
            if extent.most.is_some() {
                left = left.saturating_sub(looked_at);
            }
            if left == 0 {
                self.report.is_whole = false;
                break;
            }
        }
        if extent.most.is_some() {
            let run = AuditRun {
                after,
                at: self.now,
            };
            self.store.keep_audit_run(ledger, run).await?;
        }
        Ok(())
    }

    /// Looks at some addresses together.
    async fn accounts(
        &mut self,
        token: &Token,
        ledger: Ledger,
        accounts: Vec<AuditAccount>,
    ) -> Result<(), AuditError> {
        if accounts.is_empty() {
            return Ok(());
        }
        let block = self.report.block;
        let addresses: Vec<Address> = accounts.iter().map(|account| account.address).collect();
        let source = self.chain.source.as_ref();
        let at = CallAt::Block(block);
        let found = patiently(|| Box::pin(balances(source, token.address, &addresses, at))).await?;
        let mut settled: Vec<(Account, Amount)> = Vec::new();
        let mut entries = Vec::with_capacity(accounts.len());
        for (account, units) in accounts.into_iter().zip(found) {
            self.report.accounts = self.report.accounts.saturating_add(1);
            let Some(balance) = self.counted(token, account.address, units) else {
                continue;
            };
            match opening(&account, block.number, balance) {
                Some(opening) => settled.push((
                    Account {
                        whose: account,
                        opening,
                    },
                    balance,
                )),
                // It was first looked at after this block.
                None => self.report.later = self.report.later.saturating_add(1),
            }
        }
        let openings: Vec<(Address, Opening)> = settled
            .iter()
            .map(|(account, _)| (account.whose.address, account.opening))
            .collect();
        let turnovers = self
            .store
            .turnovers(ledger, block.number, &openings)
            .await?;
        for (account, balance) in settled {
            let address = account.whose.address;
            let turnover = turnovers.get(&address).copied().unwrap_or(Err(SumError));
            entries.extend(self.settle(token, &account, turnover, balance));
        }
        self.store.keep_audits(ledger, &entries, self.now).await?;
        (self.progress)(self.report.accounts);
        Ok(())
    }

    /// The balance as an amount; if it is none, that is a finding.
    fn counted(&mut self, token: &Token, address: Address, units: U256) -> Option<Amount> {
        match Amount::from_base_units(units, token.decimals) {
            Ok(balance) => Some(balance),
            Err(cause) => {
                self.report.findings.push(Finding {
                    token: token.clone(),
                    address,
                    what: What::Uncountable(format!("it holds {units} base units: {cause}")),
                    goes_to: None,
                });
                None
            },
        }
    }

    /// Settles one account; what was found is reported, and to be kept.
    fn settle(
        &mut self,
        token: &Token,
        account: &Account,
        turnover: Result<Turnover, SumError>,
        balance: Amount,
    ) -> Option<AuditEntry> {
        let Account { whose, opening } = account;
        let address = whose.address;
        let verdict = turnover.and_then(|turnover| {
            let verdict = settle(opening.balance(), turnover, balance)?;
            Ok((turnover, verdict))
        });
        if whose.opening.is_none() && *opening != Opening::Empty {
            self.report.opened.push(Opened {
                token: token.clone(),
                address,
                balance,
            });
        }
        let goes_to = match whose.holder {
            Holder::Deposit { treasury } => {
                (!self.chain.own.contains(&treasury)).then_some(treasury)
            },
            Holder::Wallet => None,
        };
        let what = match &verdict {
            Ok((_, Verdict::Balanced)) => None,
            Ok((turnover, verdict)) => Some(What::Differs {
                opening: opening.balance(),
                turnover: *turnover,
                balance,
                verdict: *verdict,
            }),
            Err(cause) => Some(What::Uncountable(cause.to_string())),
        };
        self.report.findings.extend(what.map(|what| Finding {
            token: token.clone(),
            address,
            what,
            goes_to,
        }));
        let (_, verdict) = verdict.ok()?;
        Some(AuditEntry {
            address,
            opening: *opening,
            block: self.report.block.number,
            balance,
            verdict,
        })
    }
}

/// From where the transfers of `account` are added up. A deposit address began empty. What else the
/// merchant has may have held anything: its first audit takes that as it is.
fn opening(account: &AuditAccount, block: BlockNumber, balance: Amount) -> Option<Opening> {
    match (account.opening, account.holder) {
        (Some(Opening::At { block: taken, .. }), _) if taken > block => None,
        (Some(known), _) => Some(known),
        (None, Holder::Deposit { .. }) => Some(Opening::Empty),
        (None, Holder::Wallet) => Some(Opening::At { block, balance }),
    }
}
