//! Amounts that tell orders apart at an address that many of them share.

use crate::Amount;

/// The amounts that pay one order at an address that many orders share: from the least to what is
/// asked, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    low: Amount,
    high: Amount,
}

/// No amount, or none that could be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("amounts from {low} to {high} are no slot: it begins above 0 and does not end before that")]
pub struct SlotError {
    /// The least.
    pub low: Amount,
    /// The largest.
    pub high: Amount,
}

impl Slot {
    /// The slot from `low` to `high`.
    ///
    /// # Errors
    /// [`SlotError`] when it is empty or begins at nothing.
    pub fn new(low: Amount, high: Amount) -> Result<Self, SlotError> {
        if low.is_zero() || low > high {
            return Err(SlotError { low, high });
        }
        Ok(Self { low, high })
    }

    /// The least that pays it.
    #[must_use]
    pub const fn low(&self) -> Amount {
        self.low
    }

    /// What the payer is asked to send.
    #[must_use]
    pub const fn high(&self) -> Amount {
        self.high
    }

    /// Whether `amount` pays it.
    #[must_use]
    pub fn takes(&self, amount: Amount) -> bool {
        (self.low..=self.high).contains(&amount)
    }

    /// Whether some amount pays both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}

/// How amounts are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotTerms {
    step: Amount,
    max_surcharge: Amount,
    quarantine_ms: i64,
}

/// Amounts that cannot be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("amounts that differ by 0 cannot be told apart")]
pub struct StepError;

impl SlotTerms {
    /// Slots `step` apart, at most `max_surcharge` above what is asked. A slot is free again
    /// `quarantine_ms` milliseconds of chain time after its order ended.
    ///
    /// # Errors
    /// [`StepError`] for a step of 0.
    pub const fn new(
        step: Amount,
        max_surcharge: Amount,
        quarantine_ms: i64,
    ) -> Result<Self, StepError> {
        if step.is_zero() {
            return Err(StepError);
        }
        Ok(Self {
            step,
            max_surcharge,
            quarantine_ms,
        })
    }

    /// How far amounts are apart.
    #[must_use]
    pub const fn step(&self) -> Amount {
        self.step
    }

    /// The most that is asked above the amount of the order.
    #[must_use]
    pub const fn max_surcharge(&self) -> Amount {
        self.max_surcharge
    }

    /// For how many milliseconds of chain time a slot stays taken after its order ended.
    #[must_use]
    pub const fn quarantine_ms(&self) -> i64 {
        self.quarantine_ms
    }

    /// The smallest free slot at or just above `asked`, of which `tolerance` may be missing; `None`
    /// if there is none within the largest surcharge.
    #[must_use]
    pub fn choose(&self, asked: Amount, tolerance: Amount, taken: &[Slot]) -> Option<Slot> {
        let last = asked.checked_add(self.max_surcharge)?;
        let slot_at = |high: Amount| Slot::new(high.less(tolerance), high).ok();
        let mut slot = slot_at(asked)?;
        let mut taken = taken.to_vec();
        taken.sort_unstable();
        // What was passed stays passed: the slot only moves up, and the taken ones are ordered by
        // where they begin.
        for other in taken {
            if other.overlaps(&slot) {
                slot = slot_at(self.first_above(asked, other.high, tolerance)?)?;
            }
        }
        (slot.high <= last).then_some(slot)
    }

    /// The first of the amounts `asked`, `asked` + step and so on whose slot begins above `top`.
    fn first_above(&self, asked: Amount, top: Amount, tolerance: Amount) -> Option<Amount> {
        let beyond = top.checked_add(tolerance)?.less(asked).smallest();
        // One more than whole steps, so that it lies above and not at it.
        let steps = beyond
            .checked_div(self.step.smallest())?
            .checked_add(1)?
            .checked_mul(self.step.smallest())?;
        asked.checked_add(Amount::from_smallest(steps))
    }
}

#[cfg(test)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a test that overflows fails"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn slot(low: &str, high: &str) -> Slot {
        Slot::new(amount(low), amount(high)).unwrap()
    }

    fn terms() -> SlotTerms {
        SlotTerms::new(amount("0.01"), amount("0.05"), 0).unwrap()
    }

    #[test]
    fn the_first_is_asked_exactly_and_the_next_ones_a_step_more() {
        let mut taken = Vec::new();
        for expected in ["100", "100.01", "100.02", "100.03", "100.04", "100.05"] {
            let chosen = terms().choose(amount("100"), Amount::ZERO, &taken).unwrap();
            assert_eq!(chosen, slot(expected, expected));
            taken.push(chosen);
        }
        assert_eq!(terms().choose(amount("100"), Amount::ZERO, &taken), None);
        taken.remove(2);
        let chosen = terms().choose(amount("100"), Amount::ZERO, &taken);
        assert_eq!(chosen, Some(slot("100.02", "100.02")));
    }

    #[test]
    fn a_tolerance_does_not_reach_into_another_slot() {
        let taken = [slot("99.99", "99.99"), slot("100.02", "100.02")];
        let chosen = |tolerance| terms().choose(amount("100"), amount(tolerance), &taken);
        assert_eq!(chosen("0.005"), Some(slot("99.995", "100")));
        // 100.03 would reach down to 100.02, so it takes one more.
        assert_eq!(chosen("0.01"), Some(slot("100", "100.01")));
        assert_eq!(chosen("0.02"), Some(slot("100.03", "100.05")));
        assert_eq!(chosen("0.03"), None);
        assert_eq!(terms().choose(amount("0.01"), amount("0.01"), &[]), None);
    }

    #[test]
    fn a_slot_is_not_empty_and_steps_are_not_nothing() {
        assert!(Slot::new(Amount::ZERO, amount("1")).is_err());
        assert!(Slot::new(amount("2"), amount("1")).is_err());
        assert!(SlotTerms::new(Amount::ZERO, amount("1"), 0).is_err());
    }

    proptest! {
        /// Against the plain way: try one candidate after the other.
        #[test]
        fn the_smallest_free_slot_is_chosen(
            asked in 1_u128..60, tolerance in 0_u128..6, step in 1_u128..5, most in 0_u128..30,
            taken in proptest::collection::vec((1_u128..90, 0_u128..8), 0..20),
        ) {
            let units = Amount::from_smallest;
            let taken: Vec<Slot> = taken
                .into_iter()
                .map(|(low, width)| Slot::new(units(low), units(low + width)).unwrap())
                .collect();
            let terms = SlotTerms::new(units(step), units(most), 0).unwrap();
            let plain = (0..=most / step)
                .map(|steps| asked + steps * step)
                .filter(|high| *high > tolerance)
                .filter_map(|high| Slot::new(units(high - tolerance), units(high)).ok())
                .find(|slot| taken.iter().all(|other| !other.overlaps(slot)));
            let chosen = terms.choose(units(asked), units(tolerance), &taken);
            if asked > tolerance {
                prop_assert_eq!(chosen, plain);
            }
            if let Some(chosen) = chosen {
                prop_assert!(taken.iter().all(|other| !other.overlaps(&chosen)));
                prop_assert!(chosen.high() >= units(asked));
            }
        }
    }
}
