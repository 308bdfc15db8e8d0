//! How each chain's loop is, as whoever runs the loops says it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use paywatch_core::{ChainId, Timestamp};

/// How a chain's loop is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainCondition {
    /// It has not read anything yet.
    Starting,
    /// It reads and commits.
    Following,
    /// Something is amiss; it keeps trying.
    Degraded {
        /// Since when.
        since: Timestamp,
        /// What.
        cause: String,
    },
    /// It gave up and needs somebody.
    Stopped {
        /// Since when.
        since: Timestamp,
        /// Why.
        cause: String,
    },
}

impl ChainCondition {
    /// The name in the API.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Following => "following",
            Self::Degraded { .. } => "degraded",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// What is wrong, and since when.
    #[must_use]
    pub fn trouble(&self) -> Option<(&str, Timestamp)> {
        match self {
            Self::Starting | Self::Following => None,
            Self::Degraded { since, cause } | Self::Stopped { since, cause } => {
                Some((cause, *since))
            },
        }
    }
}

/// Where the loops write how they are, and the API reads it.
#[derive(Clone, Debug)]
pub struct ConditionBoard(Arc<RwLock<BTreeMap<ChainId, ChainCondition>>>);

impl ConditionBoard {
    /// A board on which every chain is starting.
    #[must_use]
    pub fn new(chains: impl IntoIterator<Item = ChainId>) -> Self {
        let starting = chains
            .into_iter()
            .map(|chain| (chain, ChainCondition::Starting));
        Self(Arc::new(RwLock::new(starting.collect())))
    }

    /// Writes how `chain` is.
    pub fn set(&self, chain: ChainId, condition: ChainCondition) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(chain, condition);
    }

    /// How `chain` is; starting, if nobody has said.
    #[must_use]
    pub fn get(&self, chain: ChainId) -> ChainCondition {
        let board = self.0.read().unwrap_or_else(PoisonError::into_inner);
        board
            .get(&chain)
            .cloned()
            .unwrap_or(ChainCondition::Starting)
    }
}
