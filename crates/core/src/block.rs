//! Chains and their blocks.

use std::fmt;
use std::num::NonZeroU64;

use alloy_primitives::B256;

use crate::Timestamp;

/// A block's height. Block 0 is the genesis.
pub type BlockNumber = u64;

/// An EVM chain id (EIP-155), at most 2^63 − 1 so that it fits the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(NonZeroU64);

/// A number that is no chain id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a chain id; chain ids are between 1 and 9223372036854775807")]
pub struct ChainIdError(pub u64);

impl ChainId {
    /// Takes a chain id.
    ///
    /// # Errors
    /// [`ChainIdError`] for 0 and for what exceeds 2^63 − 1.
    pub fn new(id: u64) -> Result<Self, ChainIdError> {
        NonZeroU64::new(id)
            .filter(|id| i64::try_from(id.get()).is_ok())
            .map(Self)
            .ok_or(ChainIdError(id))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A block by number and hash: enough to say which block is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockRef {
    /// Its height.
    pub number: BlockNumber,
    /// The hash of its header.
    pub hash: B256,
}

/// A block's header, as far as matching payments needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Its height.
    pub number: BlockNumber,
    /// The hash of its header.
    pub hash: B256,
    /// The hash of the block before it.
    pub parent_hash: B256,
    /// When it was made, by its producer's word.
    pub timestamp: Timestamp,
}

impl Block {
    /// Number and hash.
    #[must_use]
    pub const fn to_ref(&self) -> BlockRef {
        BlockRef {
            number: self.number,
            hash: self.hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_ids_are_positive_and_fit_the_database() {
        assert_eq!(ChainId::new(1).map(ChainId::get), Ok(1));
        assert_eq!(ChainId::new(0), Err(ChainIdError(0)));
        assert_eq!(ChainId::new(u64::MAX), Err(ChainIdError(u64::MAX)));
    }
}
