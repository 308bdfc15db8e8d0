//! What is told about a chain itself, rather than about an order.

use std::fmt;
use std::str::FromStr;

use crate::{ChainId, UnknownName};

/// What happened to the following of a chain, or to a token on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainEventKind {
    /// No new block has been covered for far longer than the chain takes for one.
    Stalled,
    /// After [`Self::Stalled`]: blocks are covered again.
    Recovered,
    /// The node's `finalized` block has stood still for far longer than usual, or moved back.
    FinalityStalled,
    /// After [`Self::FinalityStalled`]: it moves again.
    FinalityRecovered,
    /// Endpoints contradict each other about what a block holds or which block it is.
    Disagreement,
    /// Covered blocks left the chain.
    Reorged,
    /// The chain is not followed any further: going on would be guessing.
    Stopped,
    /// An operator set the cursor back, and the chain is read again from there.
    Resynced,
    /// The issuer of a token did something with it that concerns the merchant.
    TokenAlert,
    /// What the books say that the merchant's addresses hold is not what they hold, or the books
    /// contradict themselves.
    AuditMismatch,
}

impl ChainEventKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Stalled,
        Self::Recovered,
        Self::FinalityStalled,
        Self::FinalityRecovered,
        Self::Disagreement,
        Self::Reorged,
        Self::Stopped,
        Self::Resynced,
        Self::TokenAlert,
        Self::AuditMismatch,
    ];

    /// The name in the event log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stalled => "chain.stalled",
            Self::Recovered => "chain.recovered",
            Self::FinalityStalled => "chain.finality_stalled",
            Self::FinalityRecovered => "chain.finality_recovered",
            Self::Disagreement => "chain.disagreement",
            Self::Reorged => "chain.reorged",
            Self::Stopped => "chain.stopped",
            Self::Resynced => "chain.resynced",
            Self::TokenAlert => "token.alert",
            Self::AuditMismatch => "audit.mismatch",
        }
    }
}

impl fmt::Display for ChainEventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for ChainEventKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownName {
                what: "chain event",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// Something that happened to the following of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainEvent {
    /// The chain.
    pub chain_id: ChainId,
    /// What happened.
    pub kind: ChainEventKind,
    /// The circumstances, in words for the operator.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for kind in ChainEventKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("chain.gone".parse::<ChainEventKind>().is_err());
    }
}
