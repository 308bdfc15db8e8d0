//! When a transfer counts as something that the chain will not take back.

use std::num::NonZeroU32;

use crate::{Amount, ChainHeads, RecordedTransfer, Transfer};

/// What a chain must show before a payment on it is confirmed: so many blocks, and, where asked,
/// the node's `finalized` tag at or above the payment's block. Both, not either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FinalityRule {
    /// Blocks on the payment, its own included. At least 1.
    min_confirmations: NonZeroU32,
    /// Whether the `finalized` tag must have reached the payment's block as well.
    finalized_tag: bool,
}

/// A rule that would confirm what is not even mined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at least 1 confirmation is needed; the payment's own block is the first")]
pub struct FinalityError;

impl FinalityRule {
    /// A rule that asks for so many blocks, the payment's own included.
    ///
    /// # Errors
    /// [`FinalityError`] for 0 confirmations.
    pub fn confirmations(min_confirmations: u32) -> Result<Self, FinalityError> {
        let min_confirmations = NonZeroU32::new(min_confirmations).ok_or(FinalityError)?;
        Ok(Self {
            min_confirmations,
            finalized_tag: false,
        })
    }

    /// This rule, and the `finalized` tag must have reached the payment's block as well.
    #[must_use]
    pub const fn and_finalized(self) -> Self {
        Self {
            finalized_tag: true,
            ..self
        }
    }

    /// Blocks that must stand on a payment, its own included.
    #[must_use]
    pub const fn min_confirmations(&self) -> u32 {
        self.min_confirmations.get()
    }

    /// Whether the `finalized` tag must have reached the payment's block.
    #[must_use]
    pub const fn finalized_tag(&self) -> bool {
        self.finalized_tag
    }

    /// The witness that `recorded` is confirmed, if the rule holds under `heads`.
    #[must_use]
    pub fn confirm(&self, recorded: &RecordedTransfer, heads: &ChainHeads) -> Option<Confirmed> {
        let transfer = &recorded.transfer;
        if transfer.id.chain_id != heads.chain_id || transfer.block_number > heads.tip.number {
            return None;
        }
        let tip = recorded
            .confirmed_at_tip
            .unwrap_or_default()
            .max(heads.tip.number);
        let depth = tip.checked_sub(transfer.block_number)?.saturating_add(1);
        let deep_enough = depth >= u64::from(self.min_confirmations.get());
        let is_final = !self.finalized_tag
            || heads
                .finalized
                .is_some_and(|finalized| transfer.block_number <= finalized);
        (deep_enough && is_final).then(|| Confirmed {
            transfer: transfer.clone(),
            at_tip: tip,
        })
    }
}

/// A transfer that the chain will not take back, by its order's rule. Only
/// [`FinalityRule::confirm`] makes one, and an order becomes completed only through them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    transfer: Transfer,
    at_tip: u64,
}

impl Confirmed {
    /// The transfer.
    #[must_use]
    pub const fn transfer(&self) -> &Transfer {
        &self.transfer
    }

    /// The tip that the rule was satisfied under, to be kept with the transfer.
    #[must_use]
    pub const fn at_tip(&self) -> u64 {
        self.at_tip
    }

    /// The sum of `confirmed`, or `None` when it does not fit.
    #[must_use]
    pub fn total(confirmed: &[Self]) -> Option<Amount> {
        confirmed.iter().try_fold(Amount::ZERO, |sum, one| {
            sum.checked_add(one.transfer.amount)
        })
    }
}
