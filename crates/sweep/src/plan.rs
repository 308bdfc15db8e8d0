//! Which deposits are flushed, and in which transactions: values in, values out.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use paywatch_core::Amount;

use crate::deposit::Holding;
use crate::flush::{Batch, Group};

/// What a sweep must keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Deposits that hold less are left alone.
    pub min: Amount,
    /// How many deposits one transaction may flush.
    pub deposits: usize,
    /// How much gas one transaction may use.
    pub gas: u64,
}

/// What a flush uses: so much for itself, and so much for each deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasModel {
    /// For itself.
    pub base: u64,
    /// For each deposit.
    pub each: u64,
}

/// What is flushed, and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The transactions, those first whose deposits hold most.
    pub batches: Vec<Batch>,
    /// Deposits that hold less than the minimum.
    pub below: Vec<Holding>,
    /// Deposits of which not even one fits into a transaction.
    pub too_large: Vec<Holding>,
}

impl GasModel {
    /// The line through two measurements: what one deposit uses, and what `count` of them use.
    #[must_use]
    pub fn through(one: u64, (count, many): (usize, u64)) -> Self {
        let others = u64::try_from(count).unwrap_or(u64::MAX).saturating_sub(1);
        match many.saturating_sub(one).checked_div(others) {
            // What a division drops would be missing from a large batch.
            Some(each) => {
                let each = each.saturating_add(1);
                let base = one.saturating_sub(each);
                Self { base, each }
            },
            None => Self { base: 0, each: one },
        }
    }

    /// What a flush of `count` deposits uses.
    #[must_use]
    pub fn of(self, count: usize) -> u64 {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.base.saturating_add(self.each.saturating_mul(count))
    }

    /// How many deposits fit into `gas`.
    fn fitting(self, gas: u64) -> usize {
        let room = gas.saturating_sub(self.base);
        let count = match room.checked_div(self.each) {
            Some(count) => count,
            None if gas >= self.base => u64::MAX,
            None => 0,
        };
        usize::try_from(count).unwrap_or(usize::MAX)
    }
}

/// Puts `holdings` into transactions within `limits`. `model` says what a flush of a group uses.
///
/// Pure, and the same in whatever order they come; each deposit ends in exactly one place.
#[must_use]
pub fn plan(holdings: Vec<Holding>, model: impl Fn(&Group) -> GasModel, limits: &Limits) -> Plan {
    let mut plan = Plan::default();
    let mut groups: BTreeMap<Group, Vec<Holding>> = BTreeMap::new();
    for holding in holdings {
        if holding.value() < limits.min || holding.amounts.is_empty() {
            plan.below.push(holding);
        } else {
            groups.entry(Group::of(&holding)).or_default().push(holding);
        }
    }
    for (group, mut members) in groups {
        let most = limits.deposits.min(model(&group).fitting(limits.gas));
        if most == 0 {
            plan.too_large.append(&mut members);
            continue;
        }
        // What is worth most goes first: a sweep that ends early has done most of its work.
        members.sort_by_key(|holding| (Reverse(holding.value()), holding.deposit));
        plan.batches.extend(members.chunks(most).map(|chunk| Batch {
            group: group.clone(),
            holdings: chunk.to_vec(),
        }));
    }
    let by_value = |batch: &Batch| (Reverse(batch.value()), batch.group.clone());
    plan.batches.sort_by_cached_key(by_value);
    plan.below.sort_by_key(|holding| holding.deposit);
    plan.too_large.sort_by_key(|holding| holding.deposit);
    plan
}
