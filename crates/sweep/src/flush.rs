//! What one transaction flushes.

use std::collections::BTreeSet;

use alloy::sol_types::SolCall as _;
use alloy_primitives::{Address, Bytes};
use paywatch_contracts::DepositFactory;
use paywatch_core::Amount;

use crate::deposit::{Holding, total};

/// What deposits must have in common to go into one transaction: a flush names one treasury, and
/// asks every deposit for every token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The factory that is called.
    pub factory: Address,
    /// The treasury.
    pub treasury: Address,
    /// The tokens that each of them holds.
    pub tokens: BTreeSet<Address>,
}

impl Group {
    /// That of `holding`.
    #[must_use]
    pub fn of(holding: &Holding) -> Self {
        Self {
            factory: holding.deposit.factory,
            treasury: holding.deposit.treasury,
            tokens: holding.amounts.keys().copied().collect(),
        }
    }
}

/// Deposits that one transaction flushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What they have in common.
    pub group: Group,
    /// The deposits; at least one.
    pub holdings: Vec<Holding>,
}

impl Batch {
    /// What is flushed, in all.
    #[must_use]
    pub fn value(&self) -> Amount {
        total(self.holdings.iter().map(Holding::value))
    }

    /// The call of the factory.
    #[must_use]
    pub fn call(&self) -> Bytes {
        call(&self.group, &self.holdings)
    }

    /// Both halves of it, if there are two.
    pub(crate) fn halved(self) -> Result<[Self; 2], Self> {
        let middle = self.holdings.len().div_ceil(2);
        match self.holdings.split_at_checked(middle) {
            Some((left, right)) if !right.is_empty() => Ok([left, right].map(|half| Self {
                group: self.group.clone(),
                holdings: half.to_vec(),
            })),
            Some(_) | None => Err(self),
        }
    }
}

/// The call that flushes `holdings`, which are of `group`.
pub(crate) fn call(group: &Group, holdings: &[Holding]) -> Bytes {
    let flush = DepositFactory::flushCall {
        treasury: group.treasury,
        salts: holdings
            .iter()
            .map(|holding| holding.deposit.salt)
            .collect(),
        tokens: group.tokens.iter().copied().collect(),
    };
    flush.abi_encode().into()
}
