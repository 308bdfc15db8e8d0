//! What the issuer of a token can do to everybody.

use std::fmt;

/// A lever of the token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lever {
    /// Of every transfer it takes so many hundredths of a percent, and so many whole units at most.
    Fee(u64, u64),
    /// Transfers are stopped.
    Pause,
    /// Transfers are possible again.
    Unpause,
}

impl fmt::Display for Lever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fee(share, most) => {
                write!(
                    f,
                    "takes {share} hundredths of a percent, {most} USDT at most"
                )
            },
            Self::Pause => write!(f, "stops all transfers"),
            Self::Unpause => write!(f, "lets transfers go on"),
        }
    }
}
