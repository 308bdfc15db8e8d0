//! How a node treats those who ask: limits, delays, and troubles of the transport.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy_primitives::Bytes;
use serde_json::Value;

use crate::server::RpcError;

/// What goes wrong with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This HTTP status, such as 429 or 503.
    Status(u16),
    /// Half of the answer.
    Truncated,
    /// No answer at all.
    Silence,
    /// The connection is closed.
    Closed,
}

/// How new heads are announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Announcing {
    /// Each once.
    #[default]
    Once,
    /// Each twice.
    Twice,
    /// Not at all, though subscriptions hold.
    Never,
}

impl Announcing {
    pub(super) const fn times(self) -> usize {
        match self {
            Self::Once => 1,
            Self::Twice => 2,
            Self::Never => 0,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    max_range: Option<u64>,
    max_logs: Option<usize>,
    latency: Duration,
    troubles: Vec<Trouble>,
    announcing: Announcing,
    is_away: bool,
}

/// How a node treats those who ask. May be changed while it serves.
#[derive(Debug, Default)]
pub struct Manners(Mutex<State>);

impl Manners {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It serves no ranges of more blocks than this.
    pub fn limit_range(&self, blocks: Option<u64>) {
        self.state().max_range = blocks;
    }

    /// It gives no more logs than this at once.
    pub fn limit_logs(&self, logs: Option<usize>) {
        self.state().max_logs = logs;
    }

    /// Every answer takes at least this long.
    pub fn delay(&self, latency: Duration) {
        self.state().latency = latency;
    }

    /// The next messages go wrong like this, one each.
    pub fn trouble(&self, troubles: impl IntoIterator<Item = Trouble>) {
        let mut state = self.state();
        state.troubles.extend(troubles);
    }

    /// No more troubles are to come.
    pub fn forgive(&self) {
        self.state().troubles.clear();
    }

    /// From now on it answers nobody and announces nothing, as a node that is switched off.
    pub fn goes_away(&self) {
        self.state().is_away = true;
    }

    /// It answers again.
    pub fn comes_back(&self) {
        self.state().is_away = false;
    }

    /// It announces new heads like this.
    pub fn announce(&self, how: Announcing) {
        self.state().announcing = how;
    }

    pub(super) fn announcing(&self) -> Announcing {
        let state = self.state();
        if state.is_away {
            return Announcing::Never;
        }
        state.announcing
    }

    pub(super) fn latency(&self) -> Duration {
        self.state().latency
    }

    pub(super) fn next_trouble(&self) -> Option<Trouble> {
        let mut state = self.state();
        if state.is_away {
            return Some(Trouble::Closed);
        }
        if state.troubles.is_empty() {
            return None;
        }
        Some(state.troubles.remove(0))
    }

    pub(super) fn check(&self, method: &str, params: &[Value]) -> Result<(), RpcError> {
        let Some(limit) = self.state().max_range.filter(|_| method == "eth_getLogs") else {
            return Ok(());
        };
        let end = |key| params.first()?.get(key)?.as_str().and_then(quantity);
        let (Some(from), Some(to)) = (end("fromBlock"), end("toBlock")) else {
            return Ok(());
        };
        if to.saturating_sub(from) >= limit {
            let message = format!("exceed maximum block range: {limit}");
            return Err(RpcError::new(-32_602, message));
        }
        Ok(())
    }

    /// Counts the pieces of an answer: a node gives one for each log.
    pub(super) fn check_size(
        &self,
        method: &str,
        result: Vec<Bytes>,
    ) -> Result<Vec<Bytes>, RpcError> {
        match self.state().max_logs {
            Some(limit) if method == "eth_getLogs" && logs_in(&result) > limit => Err(
                RpcError::new(-32_005, format!("query returned more than {limit} results")),
            ),
            Some(_) | None => Ok(result),
        }
    }
}

/// How many logs an answer holds: each names the transaction that wrote it.
fn logs_in(pieces: &[Bytes]) -> usize {
    let needle = b"\"transactionHash\"";
    pieces
        .iter()
        .map(|piece| memchr::memmem::find_iter(piece, needle).count())
        .sum()
}

/// A number as JSON-RPC writes it.
pub(super) fn quantity(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_away_answers_nobody_until_it_comes_back() {
        let manners = Manners::default();
        manners.trouble([Trouble::Silence]);
        manners.goes_away();
        for _ in 0..2 {
            assert_eq!(manners.next_trouble(), Some(Trouble::Closed));
        }
        assert_eq!(manners.announcing(), Announcing::Never);
        manners.comes_back();
        assert_eq!(manners.next_trouble(), Some(Trouble::Silence));
        assert_eq!(manners.next_trouble(), None);
        assert_eq!(manners.announcing(), Announcing::Once);
    }
}
