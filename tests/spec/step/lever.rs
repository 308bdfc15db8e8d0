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
    /// The address of the order can send nothing any more.
    Freeze(&'static str),
    /// It can again.
    Release(&'static str),
    /// Somebody else's address can send nothing any more.
    FreezeAStranger,
    /// So many whole units are made.
    Issue(u64),
    /// Calls go on to another contract.
    Deprecate,
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
            Self::Freeze(order) => write!(f, "freezes the address of {order}"),
            Self::Release(order) => write!(f, "releases the address of {order}"),
            Self::FreezeAStranger => write!(f, "freezes an address of somebody else's"),
            Self::Issue(units) => write!(f, "makes {units} USDT"),
            Self::Deprecate => write!(f, "lets another contract do the token's work"),
        }
    }
}
