//! How far the flush of a deposit address is.

use std::str::FromStr;

use crate::{BlockNumber, Timestamp, UnknownName};

/// How far a sweep is: the flush of a deposit address to its treasury.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SweepStatus {
    /// It is mined, and not yet final by the rules of its order.
    Detected,
    /// It is final.
    Completed,
    /// It left its chain.
    Reverted,
}

impl SweepStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Detected, Self::Completed, Self::Reverted];

    /// How far one is that left its chain at `reverted_at`, if it did, and that was told to be final under
    /// the tip `completed_at`, if it was.
    #[must_use]
    pub const fn of(reverted_at: Option<Timestamp>, completed_at: Option<BlockNumber>) -> Self {
        match (reverted_at, completed_at) {
            (Some(_), _) => Self::Reverted,
            (None, Some(_)) => Self::Completed,
            (None, None) => Self::Detected,
        }
    }

    /// Its name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Completed => "completed",
            Self::Reverted => "reverted",
        }
    }
}

impl FromStr for SweepStatus {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|status| status.name() == name);
        found.ok_or_else(|| UnknownName {
            what: "status of sweeps",
            name: name.to_owned(),
            known: Self::ALL.map(Self::name).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_its_chain_is_reverted_though_it_was_final() {
        let then = Some(Timestamp::EPOCH);
        assert_eq!(SweepStatus::of(None, None), SweepStatus::Detected);
        assert_eq!(SweepStatus::of(None, Some(7)), SweepStatus::Completed);
        assert_eq!(SweepStatus::of(then, Some(7)), SweepStatus::Reverted);
        assert_eq!(SweepStatus::of(then, None), SweepStatus::Reverted);
    }

    #[test]
    fn names_read_back() {
        for status in SweepStatus::ALL {
            assert_eq!(status.name().parse(), Ok(status));
        }
        let unknown = "lost".parse::<SweepStatus>().unwrap_err().to_string();
        assert!(
            unknown.contains("detected, completed, reverted"),
            "{unknown}"
        );
    }
}
