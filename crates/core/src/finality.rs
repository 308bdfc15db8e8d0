//! When a transfer counts as something that the chain will not take back.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::{Amount, ChainHeads, RecordedTransfer, Transfer, UnknownName};

/// A block tag by which a node says how settled its chain is (execution-apis; `eth_getBlockByNumber`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FinalityTag {
    /// `safe`: unlikely to be taken back. What it rests on differs between nodes and chains.
    Safe,
    /// `finalized`: not taken back without slashing, or without the chain's operators breaking
    /// their word.
    Finalized,
}

impl FinalityTag {
    /// The name in JSON-RPC, the configuration and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Finalized => "finalized",
        }
    }
}

impl fmt::Display for FinalityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for FinalityTag {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "safe" => Ok(Self::Safe),
            "finalized" => Ok(Self::Finalized),
            _ => Err(UnknownName {
                what: "finality tag",
                name: name.to_owned(),
                known: "safe, finalized".to_owned(),
            }),
        }
    }
}

/// What shows that a block holds a transfer, beyond a node's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// Nothing.
    #[default]
    None,
    /// The block's receipts, which hash to the receipts root in its header, which hashes to the
    /// block's hash.
    ReceiptsRoot,
}

impl Proof {
    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ReceiptsRoot => "receipts_root",
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Proof {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "none" => Ok(Self::None),
            "receipts_root" => Ok(Self::ReceiptsRoot),
            _ => Err(UnknownName {
                what: "proof",
                name: name.to_owned(),
                known: "none, receipts_root".to_owned(),
            }),
        }
    }
}

/// What a chain must show before a payment on it is confirmed: so many blocks, where asked the
/// node's tag at or above the payment's block, and where asked a proof. All of them, not any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FinalityRule {
    /// Blocks on the payment, its own included. At least 1.
    min_confirmations: NonZeroU32,
    /// The tag that must have reached the payment's block as well.
    tag: Option<FinalityTag>,
    /// What must have been shown.
    proof: Proof,
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
            tag: None,
            proof: Proof::None,
        })
    }

    /// This rule, and `tag` must have reached the payment's block as well.
    #[must_use]
    pub const fn and_tag(self, tag: FinalityTag) -> Self {
        Self {
            tag: Some(tag),
            ..self
        }
    }

    /// This rule, and the payment must have been shown by `proof` as well.
    #[must_use]
    pub const fn and_proof(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    /// Blocks that must stand on a payment, its own included.
    #[must_use]
    pub const fn min_confirmations(&self) -> u32 {
        self.min_confirmations.get()
    }

    /// The tag that must have reached the payment's block.
    #[must_use]
    pub const fn tag(&self) -> Option<FinalityTag> {
        self.tag
    }

    /// What must have been shown of the payment.
    #[must_use]
    pub const fn proof(&self) -> Proof {
        self.proof
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
        let is_final = self.tag.is_none_or(|tag| {
            heads
                .tagged(tag)
                .is_some_and(|settled| transfer.block_number <= settled)
        });
        let is_shown = recorded.proof >= self.proof;
        (deep_enough && is_final && is_shown).then(|| Confirmed {
            transfer: Box::new(transfer.clone()),
            at_tip: tip,
        })
    }
}

/// A transfer that the chain will not take back, by its order's rule. Only
/// [`FinalityRule::confirm`] makes one, and an order becomes completed only through them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    transfer: Box<Transfer>,
    at_tip: u64,
}

impl Confirmed {
    /// The transfer.
    #[must_use]
    pub fn transfer(&self) -> &Transfer {
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

/// A finality rule by how much an order asks for: the more is at stake, the more must be shown.
///
/// It goes by the order's amount and not by each payment's: otherwise much would be confirmed by
/// the rule for little, if it only came in small parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalityPolicy {
    /// The rules for orders of at most so much, ascending.
    tiers: Vec<(Amount, FinalityRule)>,
    /// The rule for all others.
    above: FinalityRule,
}

/// Tiers that are not in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tier up to {after} does not ask for more than the one before it")]
pub struct TierError {
    /// The first that is out of order.
    pub after: Amount,
}

impl FinalityPolicy {
    /// Rules for orders up to the given amounts, which must ascend, and one for all above.
    ///
    /// # Errors
    /// [`TierError`] when the amounts do not ascend.
    pub fn tiered(
        tiers: Vec<(Amount, FinalityRule)>,
        above: FinalityRule,
    ) -> Result<Self, TierError> {
        let out_of_order = tiers
            .iter()
            .zip(tiers.iter().skip(1))
            .find(|((one, _), (next, _))| one >= next);
        match out_of_order {
            Some((_, (after, _))) => Err(TierError { after: *after }),
            None => Ok(Self { tiers, above }),
        }
    }

    /// The rule for an order of `amount`.
    #[must_use]
    pub fn rule_for(&self, amount: Amount) -> FinalityRule {
        self.tiers
            .iter()
            .find(|(up_to, _)| amount <= *up_to)
            .map_or(self.above, |(_, rule)| *rule)
    }

    /// The tiers below the highest, ascending: up to how much, and the rule.
    #[must_use]
    pub fn tiers(&self) -> &[(Amount, FinalityRule)] {
        &self.tiers
    }

    /// The rule for what exceeds every tier.
    #[must_use]
    pub const fn above(&self) -> FinalityRule {
        self.above
    }
}

impl From<FinalityRule> for FinalityPolicy {
    fn from(rule: FinalityRule) -> Self {
        Self {
            tiers: Vec::new(),
            above: rule,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_at_stake_asks_for_more() {
        let rule = |blocks| FinalityRule::confirmations(blocks).unwrap();
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let policy = FinalityPolicy::tiered(
            vec![(amount("100"), rule(2)), (amount("10000"), rule(12))],
            rule(1).and_tag(FinalityTag::Finalized),
        )
        .unwrap();
        assert_eq!(policy.rule_for(amount("0.01")), rule(2));
        assert_eq!(policy.rule_for(amount("100")), rule(2));
        assert_eq!(policy.rule_for(amount("100.000001")), rule(12));
        assert_eq!(policy.rule_for(amount("10000")), rule(12));
        assert_eq!(policy.rule_for(amount("10001")), policy.above());
        assert_eq!(policy.above().tag(), Some(FinalityTag::Finalized));
    }

    #[test]
    fn tiers_ascend() {
        let rule = FinalityRule::confirmations(1).unwrap();
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        for next in ["5", "10"] {
            let tiers = vec![(amount("10"), rule), (amount(next), rule)];
            let refused = FinalityPolicy::tiered(tiers, rule);
            assert_eq!(
                refused,
                Err(TierError {
                    after: amount(next)
                })
            );
        }
    }

    #[test]
    fn names_read_back() {
        for tag in [FinalityTag::Safe, FinalityTag::Finalized] {
            assert_eq!(tag.name().parse(), Ok(tag));
        }
        for proof in [Proof::None, Proof::ReceiptsRoot] {
            assert_eq!(proof.name().parse(), Ok(proof));
        }
        assert!("latest".parse::<FinalityTag>().is_err());
    }
}
