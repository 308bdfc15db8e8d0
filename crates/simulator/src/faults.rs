//! What goes wrong with the answers of a node, drawn by a seed.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// What goes wrong with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No answer: a refused connection, a 5xx, a timeout, half a JSON document.
    Down,
    /// 429, with a time to wait.
    Busy,
    /// Another backend answers, up to so many blocks behind.
    Behind(u64),
    /// A backend answers that still holds the branch before the last fork.
    Stale,
    /// However little is asked for, it is too much.
    TooWide,
    /// No logs, though there are some.
    NoLogs,
    /// No logs of a block that was asked for by its hash.
    EmptyBlock,
    /// Some of the logs.
    SomeLogs,
    /// One log that is not in the block.
    InventedLog,
    /// One log with another amount.
    AlteredLog,
    /// A payment through the receiver that nobody made: a transfer is told as one.
    InventedPaid,
    /// A payment through the receiver is told for another order.
    AlteredRef,
    /// Payments through the receiver are left out; their transfers are not.
    NoPaid,
    /// Every log twice.
    RepeatedLogs,
    /// Logs under another block's hash.
    OtherBlocksLogs,
    /// One header too few, or another one than asked for.
    WrongHeaders,
    /// A receipt missing or altered.
    BrokenReceipts,
    /// It has no notion of finality just now.
    NoFinality,
    /// Finality lies so many blocks lower than before.
    EarlierFinality(u64),
    /// It calls a block final that is not on the chain.
    OtherFinality,
}

impl Fault {
    /// Whether only a node that is wrong by itself does this: broken, or lying. The others are what
    /// load balancers, outages and forks do to honest ones.
    #[must_use]
    pub const fn is_wrong(self) -> bool {
        match self {
            Self::Down
            | Self::Busy
            | Self::Behind(_)
            | Self::Stale
            | Self::TooWide
            | Self::RepeatedLogs
            | Self::OtherBlocksLogs
            | Self::WrongHeaders
            | Self::BrokenReceipts
            | Self::NoFinality
            | Self::EarlierFinality(_)
            | Self::EmptyBlock
            | Self::OtherFinality => false,
            Self::NoLogs
            | Self::SomeLogs
            | Self::InventedLog
            | Self::AlteredLog
            | Self::InventedPaid
            | Self::AlteredRef
            | Self::NoPaid => true,
        }
    }
}

/// How often what goes wrong, in answers of a thousand.
#[derive(Clone, Debug)]
pub struct Faults {
    rng: StdRng,
    per_mille: Vec<(Fault, u16)>,
}

impl Faults {
    /// Faults that are drawn by `seed`.
    #[must_use]
    pub fn new(seed: u64, per_mille: Vec<(Fault, u16)>) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            per_mille,
        }
    }

    /// Nothing goes wrong from now on.
    pub fn end(&mut self) {
        self.per_mille.clear();
    }

    /// What goes wrong with the next answer.
    pub fn draw(&mut self) -> Option<Fault> {
        if self.per_mille.is_empty() {
            return None;
        }
        let drawn: u16 = self.rng.random_range(0..1_000);
        let mut up_to = 0_u16;
        self.per_mille
            .iter()
            .find(|(_, share)| {
                up_to = up_to.saturating_add(*share);
                drawn < up_to
            })
            .map(|(fault, _)| *fault)
    }

    /// A number below `limit`, which is at least 1.
    pub fn below(&mut self, limit: usize) -> usize {
        self.rng.random_range(0..limit.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_faults_again_and_about_as_many_as_asked_for() {
        let drawn = |seed| {
            let mut faults = Faults::new(seed, vec![(Fault::Down, 100), (Fault::Busy, 50)]);
            (0..10_000).map(|_| faults.draw()).collect::<Vec<_>>()
        };
        let first = drawn(1);
        assert_eq!(first, drawn(1));
        assert_ne!(first, drawn(2));
        let down = first
            .iter()
            .filter(|fault| **fault == Some(Fault::Down))
            .count();
        assert!((800..1_200).contains(&down), "{down}");
        let mut faults = Faults::new(1, vec![(Fault::Down, 1_000)]);
        faults.end();
        assert_eq!(faults.draw(), None);
    }
}
