//! Books against balances: what an address should hold by the recorded transfers, and what it
//! does hold; and whether the sums that are kept of an order are those of its payments.

use std::fmt;

use alloy_primitives::U256;

use crate::{Amount, Asking, BlockNumber, ChainHeads, FinalityRule, PaymentState, Token};

/// Chains whose USDT is not Tether's own contract, and logs every change: BNB Smart Chain, opBNB.
const PEGGED: [u64; 2] = [56, 204];

/// From where the transfers of an address are added up, and what it held there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// The books know the address from the beginning, when it held nothing.
    Empty,
    /// It held this much after this block, when it was first looked at.
    At {
        /// The block.
        block: BlockNumber,
        /// What it held.
        balance: Amount,
    },
}

impl Opening {
    /// Whether a transfer in block `number` is added to it.
    #[must_use]
    pub const fn precedes(self, number: BlockNumber) -> bool {
        match self {
            Self::Empty => true,
            Self::At { block, .. } => number > block,
        }
    }

    /// What the address held.
    #[must_use]
    pub const fn balance(self) -> Amount {
        match self {
            Self::Empty => Amount::ZERO,
            Self::At { balance, .. } => balance,
        }
    }
}

/// Sums that are beyond [`Amount::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the transfers add up to more than any amount can hold")]
pub struct SumError;

/// What came to an address and what went from it, by its recorded transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turnover {
    /// What came.
    pub incoming: Amount,
    /// What went.
    pub outgoing: Amount,
}

impl Turnover {
    /// It, and one more transfer to the address.
    ///
    /// # Errors
    /// [`SumError`] when the sum does not fit.
    pub fn receives(&mut self, amount: Amount) -> Result<(), SumError> {
        self.incoming = self.incoming.checked_add(amount).ok_or(SumError)?;
        Ok(())
    }

    /// It, and one more transfer from the address.
    ///
    /// # Errors
    /// [`SumError`] when the sum does not fit.
    pub fn sends(&mut self, amount: Amount) -> Result<(), SumError> {
        self.outgoing = self.outgoing.checked_add(amount).ok_or(SumError)?;
        Ok(())
    }
}

/// What a balance is to what the books say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same, to the last unit.
    Balanced,
    /// The chain has so much more.
    More(Amount),
    /// The chain has so much less.
    Less(Amount),
}

impl Verdict {
    /// Whether there is no difference.
    #[must_use]
    pub const fn is_balanced(self) -> bool {
        match self {
            Self::Balanced => true,
            Self::More(_) | Self::Less(_) => false,
        }
    }
}

impl fmt::Display for Verdict {
    /// `0`, `+1.5` (the chain has more) or `-1.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match self {
            Self::Balanced => "0".to_owned(),
            Self::More(amount) => format!("+{amount}"),
            Self::Less(amount) => format!("-{amount}"),
        })
    }
}

/// Compares `balance` with what the address should hold: what it held at first and what came, less
/// what went.
///
/// # Errors
/// [`SumError`] when the difference does not fit an amount.
pub fn settle(opening: Amount, turnover: Turnover, balance: Amount) -> Result<Verdict, SumError> {
    // What should be there may be less than nothing, so both sides are kept positive.
    let sum = |one: Amount, other: Amount| {
        let (one, other) = (U256::from(one.smallest()), U256::from(other.smallest()));
        one.checked_add(other).ok_or(SumError)
    };
    let booked = sum(opening, turnover.incoming)?;
    let found = sum(balance, turnover.outgoing)?;
    let amount = |units: U256| {
        let units = u128::try_from(units).map_err(|_too_large| SumError)?;
        Ok(Amount::from_smallest(units))
    };
    if booked == found {
        Ok(Verdict::Balanced)
    } else if let Some(more) = found.checked_sub(booked) {
        Ok(Verdict::More(amount(more)?))
    } else {
        let less = booked.checked_sub(found).ok_or(SumError)?;
        Ok(Verdict::Less(amount(less)?))
    }
}

/// The newest covered block that `rule` calls final, if there is any.
#[must_use]
pub fn final_block(heads: &ChainHeads, rule: FinalityRule) -> Option<BlockNumber> {
    let above = u64::from(rule.min_confirmations()).saturating_sub(1);
    let deep = heads.tip.number.checked_sub(above)?;
    match rule.tag() {
        Some(tag) => Some(heads.tagged(tag)?.min(deep)),
        None => Some(deep),
    }
}

/// What a difference in `token` may come from, in words; nothing, if there is none.
#[must_use]
pub fn explain(token: &Token, verdict: Verdict) -> Option<&'static str> {
    let symbol = token.symbol.to_uppercase();
    let is_tether = (symbol.starts_with("USDT") || symbol.starts_with("USD₮"))
        && !PEGGED.contains(&token.chain_id.get());
    match (verdict, is_tether) {
        (Verdict::Balanced, _) => None,
        (Verdict::Less(_), true) => Some(
            "Tether destroys the money of a blacklisted address (destroyBlackFunds) without a \
             Transfer log: look for DestroyedBlackFunds of this address; a fee that the token \
             takes from what is sent on goes to its owner by a log of its own",
        ),
        (Verdict::More(_), true) => Some(
            "a payment is missing in the books, or Tether issued money to this address (issue) \
             without a Transfer log; `paywatch backfill` reads a range again",
        ),
        (Verdict::Less(_), false) => Some(
            "money left without a Transfer log, or by one that the books do not hold; \
             `paywatch backfill` reads a range again",
        ),
        (Verdict::More(_), false) => Some(
            "a payment is missing in the books, or money came without a Transfer log; \
             `paywatch backfill` reads a range again",
        ),
    }
}

/// The sums that the books keep of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptSums {
    /// What it asks.
    pub asked: Amount,
    /// How that is meant.
    pub asking: Asking,
    /// All that arrived.
    pub received: Amount,
    /// What of it counts.
    pub counted: Amount,
    /// What of the counted is confirmed.
    pub confirmed: Amount,
    /// What was counted beyond the asked amount.
    pub excess: Amount,
}

/// A sum of an order that is not that of its payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongSum {
    /// Which sum.
    pub what: &'static str,
    /// What the books keep.
    pub kept: Amount,
    /// What the payments add up to.
    pub added: Amount,
}

impl fmt::Display for WrongSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, kept, added } = self;
        write!(f, "{what} is {kept}, and the payments make {added}")
    }
}

/// The sums of `kept` that are not those of `payments`, which are all of the order's that are on
/// their chains.
///
/// # Errors
/// [`SumError`] when the payments cannot be added up.
pub fn wrong_sums(
    kept: &KeptSums,
    payments: &[(PaymentState, Amount)],
) -> Result<Vec<WrongSum>, SumError> {
    let total = |wanted: fn(PaymentState) -> bool| {
        let of_interest = payments.iter().filter(|(state, _)| wanted(*state));
        of_interest
            .map(|(_, amount)| *amount)
            .try_fold(Amount::ZERO, Amount::checked_add)
            .ok_or(SumError)
    };
    let counted = total(PaymentState::is_counted)?;
    let ignored = total(|state| !state.is_counted())?;
    let received = counted.checked_add(ignored).ok_or(SumError)?;
    let confirmed = total(|state| state == PaymentState::Confirmed)?;
    let sums = [
        ("received", kept.received, received),
        ("counted", kept.counted, counted),
        ("confirmed", kept.confirmed, confirmed),
        (
            "excess",
            kept.excess,
            kept.asking.excess(kept.asked, counted),
        ),
    ];
    let wrong = sums.into_iter().filter(|(_, kept, added)| kept != added);
    Ok(wrong
        .map(|(what, kept, added)| WrongSum { what, kept, added })
        .collect())
}

#[cfg(test)]
mod tests;
