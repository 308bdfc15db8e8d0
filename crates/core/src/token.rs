//! Tokens: which contract on which chain, and how many decimals it counts with.

use alloy_primitives::Address;

use crate::ChainId;

/// How many decimals a token counts with: 0 to 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimals(u8);

/// More decimals than an amount can hold exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} decimals; tokens with 0 to 18 decimals can be counted exactly")]
pub struct DecimalsError(pub u8);

impl Decimals {
    /// Takes a number of decimals.
    ///
    /// # Errors
    /// [`DecimalsError`] above 18.
    pub const fn new(decimals: u8) -> Result<Self, DecimalsError> {
        if decimals > 18 {
            Err(DecimalsError(decimals))
        } else {
            Ok(Self(decimals))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// An ERC-20 token that counts as money here. Its key is the chain and the contract: symbols and
/// addresses alone repeat across chains.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// The chain that its contract lives on.
    pub chain_id: ChainId,
    /// Its contract.
    pub address: Address,
    /// What people call it. Display only: contracts change theirs in place.
    pub symbol: String,
    /// Decimals of its base unit.
    pub decimals: Decimals,
}
