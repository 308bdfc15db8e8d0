//! Deposits and what they hold.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use paywatch_contracts::deposit::deposit_address;
use paywatch_core::Amount;

/// A deposit: what its address follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deposit {
    /// The factory that deploys and flushes it.
    pub factory: Address,
    /// Where it forwards everything.
    pub treasury: Address,
    /// What tells it from the treasury's others.
    pub salt: B256,
}

impl Deposit {
    /// Where it lies.
    #[must_use]
    pub fn address(&self) -> Address {
        deposit_address(self.factory, self.treasury, self.salt)
    }
}

/// What one deposit holds: something of at least one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The deposit.
    pub deposit: Deposit,
    /// How much of each token.
    pub amounts: BTreeMap<Address, Amount>,
}

impl Holding {
    /// What it is worth: all tokens count alike.
    #[must_use]
    pub fn value(&self) -> Amount {
        total(self.amounts.values().copied())
    }
}

/// The sum of `amounts`, or the largest amount if that is more.
pub(crate) fn total(amounts: impl IntoIterator<Item = Amount>) -> Amount {
    amounts.into_iter().fold(Amount::ZERO, |sum, amount| {
        sum.checked_add(amount).unwrap_or(Amount::MAX)
    })
}
