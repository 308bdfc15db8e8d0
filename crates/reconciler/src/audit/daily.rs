//! The audit that runs by itself: once a day, or however often it is asked for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use metrics::gauge;
use paywatch_core::{ChainEvent, Timestamp};
use paywatch_indexer::in_one_line;
use paywatch_store::{AuditScope, Ledger, Store, StoreError};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::agent::{Now, told};
use crate::audit::{
    AuditError, AuditedChain, Extent, What, audit_books, audit_chain, books_event, chain_event,
};

/// How many addresses of orders are looked at in one run, for each token. The next run goes on where
/// this one stopped.
pub const MOST_A_DAY: u32 = 20_000;
/// After how long a run that failed is tried again at the latest.
const AGAIN: Duration = Duration::from_secs(600);
/// The longest sleep: the wall clock may be set meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);

/// The audit that runs by itself, chain beside chain.
#[derive(Debug)]
pub struct DailyAudit {
    /// The books.
    pub store: Store,
    /// The chains.
    pub chains: Vec<AuditedChain>,
    /// How often.
    pub every: Duration,
}

impl DailyAudit {
    /// Runs until `shutdown`. When it last ran is in the books, so a restart neither skips nor
    /// repeats it.
    pub async fn run(self, now: Now, shutdown: CancellationToken) {
        // The books are those of all chains, so one chain's turn looks at them.
        let first = self.chains.first().map(|chain| chain.chain_id);
        let mut loops = JoinSet::new();
        for chain in self.chains {
            let turn = Turn {
                store: self.store.clone(),
                with_books: (first == Some(chain.chain_id)).then(Mutex::default),
                chain,
                every: self.every,
                now: Arc::clone(&now),
            };
            let (now, shutdown) = (Arc::clone(&now), shutdown.clone());
            let every = self.every;
            loops.spawn(async move {
                let recurring = recurring(every, &now, &turn);
                let _ended = shutdown.run_until_cancelled(recurring).await;
            });
        }
        while loops.join_next().await.is_some() {}
    }
}

/// What is done again and again.
#[async_trait]
trait Recurring: Send + Sync {
    /// When it was last done; `None` if it never was.
    async fn last(&self) -> Option<Timestamp>;

    /// Does it; whether it could be done.
    async fn take(&self) -> bool;
}

/// Does `work` whenever `every` has passed since it was last done, by the wall clock; what failed is
/// tried again sooner.
async fn recurring(every: Duration, now: &Now, work: &dyn Recurring) {
    loop {
        loop {
            let last = work.last().await;
            let left = last.map_or(Duration::ZERO, |at| left(every, at, now()));
            if left.is_zero() {
                break;
            }
            sleep(left.min(LONGEST_SLEEP)).await;
        }
        if !work.take().await {
            sleep(every.min(AGAIN)).await;
        }
    }
}

/// How long until `every` has passed since `at`. A clock that was set back waits no longer than
/// that.
fn left(every: Duration, at: Timestamp, now: Timestamp) -> Duration {
    let passed = now.unix_ms().saturating_sub(at.unix_ms());
    let passed = Duration::from_millis(u64::try_from(passed).unwrap_or_default());
    every.saturating_sub(passed)
}

/// One chain's turn.
struct Turn {
    store: Store,
    chain: AuditedChain,
    every: Duration,
    now: Now,
    /// When the books were last looked at, if this chain's turn does that.
    with_books: Option<Mutex<Option<Timestamp>>>,
}

impl Turn {
    fn ledgers(&self) -> Vec<Ledger> {
        let chain_id = self.chain.chain_id;
        let tokens = self.chain.tokens.iter();
        let ledgers = tokens.map(|token| Ledger {
            chain_id,
            token: token.address,
        });
        ledgers.collect()
    }

    fn failed(&self, cause: &str) {
        tracing::error!(chain.id = %self.chain.chain_id, cause, "the audit did not take place; trying again");
    }

    async fn audit(&self) -> Result<(), AuditError> {
        let chain_id = self.chain.chain_id;
        let extent = Extent {
            block: None,
            scope: AuditScope::Active,
            most: Some(MOST_A_DAY),
        };
        let now = (self.now)();
        let report = audit_chain(&self.store, &self.chain, extent, now, &mut |_| {}).await?;
        self.tell(chain_event(&report)).await?;
        let mut differing = 0_usize;
        for ledger in self.ledgers() {
            let known = self.store.differing(ledger).await?.len();
            differing = differing.saturating_add(known);
        }
        let uncountable = report.findings.iter();
        let uncountable = uncountable.filter(|found| matches!(found.what, What::Uncountable(_)));
        let differing = differing.saturating_add(uncountable.count());
        let chain = chain_id.to_string();
        gauge!("paywatch_audit_differences", "chain" => chain.clone()).set(count(differing));
        if differing == 0 {
            gauge!("paywatch_audit_last_success_timestamp_seconds", "chain" => chain)
                .set(seconds(now));
        }
        tracing::info!(
            chain.id = %chain_id,
            block.number = report.block.number,
            accounts = report.accounts,
            opened = report.opened.len(),
            differences = report.findings.len(),
            is_whole = report.is_whole,
            "audited"
        );
        Ok(())
    }

    /// Looks at the books themselves, if it is this chain's turn to, and time.
    async fn books(&self) -> Result<(), StoreError> {
        let Some(last) = &self.with_books else {
            return Ok(());
        };
        let mut last = last.lock().await;
        let now = (self.now)();
        if last.is_some_and(|at| !left(self.every, at, now).is_zero()) {
            return Ok(());
        }
        let report = audit_books(&self.store, &mut |_| {}).await?;
        gauge!("paywatch_audit_book_faults").set(count(report.faults.len()));
        self.tell(books_event(&report, self.chain.chain_id)).await?;
        tracing::info!(
            orders = report.orders,
            faults = report.faults.len(),
            "audited the books"
        );
        *last = Some(now);
        Ok(())
    }

    async fn tell(&self, event: Option<ChainEvent>) -> Result<(), StoreError> {
        let Some(event) = event else {
            return Ok(());
        };
        let ChainEvent {
            chain_id,
            kind,
            detail,
        } = &event;
        tracing::error!(chain.id = %chain_id, event = %kind, detail, "alarm");
        self.store.tell_of_chain(&event, (self.now)()).await?;
        told(&event);
        Ok(())
    }
}

#[async_trait]
impl Recurring for Turn {
    /// When all of the chain's tokens had been audited last. A database that does not answer is
    /// asked again within the hour.
    async fn last(&self) -> Option<Timestamp> {
        let mut oldest = None;
        for ledger in self.ledgers() {
            match self.store.audit_run(ledger).await {
                Ok(run) => {
                    let at = run?.at;
                    oldest = Some(oldest.map_or(at, |known: Timestamp| known.min(at)));
                },
                Err(error) => {
                    self.failed(&in_one_line(&error));
                    return Some((self.now)());
                },
            }
        }
        oldest
    }

    /// Audits the chain; whether it could be done.
    async fn take(&self) -> bool {
        if let Err(error) = self.books().await {
            self.failed(&in_one_line(&error));
            return false;
        }
        match self.audit().await {
            Ok(()) => true,
            // It was just begun with.
            Err(AuditError::NeverFollowed(_) | AuditError::NothingFinal(_)) => false,
            Err(error) => {
                self.failed(&in_one_line(&error));
                false
            },
        }
    }
}

/// A number as a metric: exact up to four billion.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Seconds since 1970 as a metric: exact up to the year 2106.
fn seconds(at: Timestamp) -> f64 {
    let seconds = at.unix_ms().checked_div(1_000).unwrap_or_default();
    f64::from(u32::try_from(seconds).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use tokio::time::Instant;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    /// The wall clock that goes with tokio's, from second `start` on.
    fn clock(start: u64) -> Now {
        let began = Instant::now();
        let start = Timestamp::from_unix_s(start).unwrap();
        Arc::new(move || {
            let passed = i64::try_from(began.elapsed().as_millis()).unwrap();
            start.plus_ms(passed).unwrap()
        })
    }

    /// Work that takes note of when it is done.
    struct Noted {
        now: Now,
        last: StdMutex<Option<Timestamp>>,
        times: StdMutex<Vec<i64>>,
        /// Every so many attempts one goes well.
        attempts: usize,
    }

    #[async_trait]
    impl Recurring for Noted {
        async fn last(&self) -> Option<Timestamp> {
            *self.last.lock().unwrap()
        }

        async fn take(&self) -> bool {
            let now = (self.now)();
            let mut times = self.times.lock().unwrap();
            times.push(now.unix_ms() / 1_000);
            let is_well = times.len().is_multiple_of(self.attempts);
            if is_well {
                *self.last.lock().unwrap() = Some(now);
            }
            is_well
        }
    }

    /// When work was done within `limit`, in seconds, if it was last done at `last`.
    async fn done(last: Option<u64>, limit: Duration, attempts: usize) -> Vec<i64> {
        let now = clock(1_000_000);
        let last = last.map(|second| Timestamp::from_unix_s(second).unwrap());
        let work = Noted {
            now: Arc::clone(&now),
            last: StdMutex::new(last),
            times: StdMutex::default(),
            attempts,
        };
        drop(tokio::time::timeout(limit, recurring(DAY, &now, &work)).await);
        work.times.into_inner().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn it_runs_at_once_the_first_time_and_then_once_a_day() {
        let times = done(None, DAY * 2 - AGAIN, 1).await;
        assert_eq!(times, [1_000_000, 1_086_400]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_neither_skips_nor_repeats_it() {
        let half_a_day_ago = 1_000_000 - 43_200;
        let times = done(Some(half_a_day_ago), DAY, 1).await;
        assert_eq!(times, [1_043_200]);
        assert_eq!(done(Some(5), DAY / 2, 1).await, [1_000_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_is_tried_again_soon() {
        let times = done(None, DAY / 2, 2).await;
        assert_eq!(times, [1_000_000, 1_000_600]);
    }

    #[test]
    fn a_clock_that_was_set_back_waits_a_day_and_no_longer() {
        let at = |second| Timestamp::from_unix_s(second).unwrap();
        assert_eq!(left(DAY, at(500), at(100)), DAY);
        assert_eq!(left(DAY, at(500), at(86_900)), Duration::ZERO);
    }
}
