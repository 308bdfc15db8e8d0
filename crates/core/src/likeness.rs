//! What a contract is that is no token of ours and wrote a `Transfer` to an address of ours.

use std::fmt;
use std::str::FromStr;

/// What such a contract is. Neither is money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Likeness {
    /// It gives itself the name or the symbol of a token of ours, or what looks like it.
    LookAlike,
    /// It is something else, or says nothing of itself.
    UnknownToken,
}

impl Likeness {
    /// Both.
    pub const ALL: [Self; 2] = [Self::LookAlike, Self::UnknownToken];

    /// What it is called in books and API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LookAlike => "look_alike",
            Self::UnknownToken => "unknown_token",
        }
    }
}

impl fmt::Display for Likeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither look_alike nor unknown_token")]
pub struct NoLikeness(String);

impl FromStr for Likeness {
    type Err = NoLikeness;

    fn from_str(text: &str) -> Result<Self, NoLikeness> {
        let mut all = Self::ALL.into_iter();
        all.find(|one| one.name() == text)
            .ok_or_else(|| NoLikeness(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for one in Likeness::ALL {
            assert_eq!(one.to_string().parse(), Ok(one));
        }
        assert!("usdt".parse::<Likeness>().is_err());
    }
}
