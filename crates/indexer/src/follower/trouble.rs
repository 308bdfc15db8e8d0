//! How long to wait after a failure, and who is told: once at the start of a spell, then at most
//! once a minute, and at its end.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use paywatch_core::ChainId;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{SourceError, in_one_line};

/// The first pause.
const SHORTEST: Duration = Duration::from_millis(250);
/// The longest pause after what passes by itself.
const LONGEST: Duration = Duration::from_secs(20);
/// The pause after what somebody has to mend.
const UNUSABLE: Duration = Duration::from_secs(30);
/// However long a node asks us to wait, it is asked again after this.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// How often an ongoing spell is logged.
const REMIND: Duration = Duration::from_secs(60);
/// So many failures in a row of a node that is just behind, or just changing, are everyday life.
const USUAL: u32 = 4;

/// A spell of trouble, if there is one.
#[derive(Debug)]
pub(super) struct Trouble {
    chain_id: ChainId,
    told: watch::Sender<Option<String>>,
    spell: Option<Spell>,
    has_served: bool,
}

#[derive(Debug)]
struct Spell {
    failures: u32,
    since: Instant,
    backoff: ExponentialBackoff,
    logged_at: Option<Instant>,
}

impl Spell {
    fn new() -> Self {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(SHORTEST)
            .with_max_delay(LONGEST)
            .with_jitter()
            .without_max_times()
            .build();
        Self {
            failures: 0,
            since: Instant::now(),
            backoff,
            logged_at: None,
        }
    }
}

impl Trouble {
    pub(super) fn new(chain_id: ChainId) -> Self {
        let (told, _) = watch::channel(None);
        Self {
            chain_id,
            told,
            spell: None,
            has_served: false,
        }
    }

    /// What the trouble is, now and later.
    pub(super) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.told.subscribe()
    }

    /// Another failure; returns how long to wait before asking again.
    pub(super) fn with(&mut self, error: &SourceError) -> Duration {
        let text = in_one_line(error);
        let spell = self.spell.get_or_insert_with(Spell::new);
        spell.failures = spell.failures.saturating_add(1);
        let step = spell.backoff.next().unwrap_or(LONGEST);
        let (pause, is_usual) = match error {
            SourceError::Later { after, .. } => {
                let asked = after.unwrap_or_default().min(LONGEST_ASKED);
                (step.max(asked), false)
            },
            SourceError::TooWide { .. }
            | SourceError::Unprovable { .. }
            | SourceError::NoAnswer { .. } => (step, false),
            SourceError::Lagging { .. } | SourceError::Inconsistent { .. } => {
                (step, spell.failures <= USUAL)
            },
            SourceError::Unusable { .. } => (UNUSABLE, false),
        };
        if is_usual {
            tracing::debug!(chain.id = %self.chain_id, cause = text, "the node is not ready; asking again");
            return pause;
        }
        let is_due = spell.logged_at.is_none_or(|at| at.elapsed() >= REMIND);
        if is_due {
            spell.logged_at = Some(Instant::now());
            log(self.chain_id, error, &text, spell);
        }
        self.told.send_if_modified(|told| {
            let is_news = told.as_ref() != Some(&text);
            *told = Some(text);
            is_news
        });
        pause
    }

    /// The node answered in full.
    pub(super) fn is_over(&mut self) {
        if !std::mem::replace(&mut self.has_served, true) {
            // That the node serves is news, even if there is no new block.
            self.told.send_replace(None);
        }
        let Some(spell) = self.spell.take() else {
            return;
        };
        if spell.logged_at.is_some() {
            tracing::info!(
                chain.id = %self.chain_id,
                trouble.failures = spell.failures,
                trouble.duration_s = spell.since.elapsed().as_secs(),
                "the node serves again"
            );
            self.told.send_replace(None);
        }
    }
}

fn log(chain_id: ChainId, error: &SourceError, cause: &str, spell: &Spell) {
    let failures = spell.failures;
    let duration_s = spell.since.elapsed().as_secs();
    match error {
        SourceError::Unusable { .. } => tracing::error!(
            chain.id = %chain_id, cause, trouble.failures = failures, trouble.duration_s = duration_s,
            "the endpoint cannot serve this chain; mend its configuration, key or plan, or configure another"
        ),
        SourceError::Later { .. }
        | SourceError::TooWide { .. }
        | SourceError::Lagging { .. }
        | SourceError::Unprovable { .. }
        | SourceError::NoAnswer { .. }
        | SourceError::Inconsistent { .. } => tracing::warn!(
            chain.id = %chain_id, cause, trouble.failures = failures, trouble.duration_s = duration_s,
            "the node does not serve; asking again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NotThere;

    fn later(after: Option<Duration>) -> SourceError {
        SourceError::Later {
            after,
            cause: "connection refused".into(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_respect_what_the_node_asks() {
        let mut trouble = Trouble::new(ChainId::new(1).unwrap());
        let first = trouble.with(&later(None));
        assert!(first < Duration::from_secs(1), "{first:?}");
        for _ in 0..20 {
            let pause = trouble.with(&later(None));
            assert!(pause <= LONGEST.checked_mul(2).unwrap(), "{pause:?}");
        }
        assert!(trouble.with(&later(None)) >= LONGEST);
        let minute = Duration::from_secs(60);
        assert!(trouble.with(&later(Some(minute))) >= minute);
        assert_eq!(trouble.with(&later(Some(Duration::MAX))), LONGEST_ASKED);
    }

    #[tokio::test(start_paused = true)]
    async fn tells_what_lasts_and_that_it_ended() {
        let mut trouble = Trouble::new(ChainId::new(1).unwrap());
        let health = trouble.watch();
        for _ in 0..USUAL {
            let _pause = trouble.with(&NotThere { number: 5 }.into());
            assert_eq!(*health.borrow(), None);
        }
        let _pause = trouble.with(&NotThere { number: 5 }.into());
        let told = health.borrow().clone().unwrap();
        assert!(told.ends_with("it has no block 5"), "{told}");
        trouble.is_over();
        assert_eq!(*health.borrow(), None);
        let _pause = trouble.with(&later(None));
        assert!(
            health.borrow().is_some(),
            "a refused connection is told at once"
        );
    }
}
