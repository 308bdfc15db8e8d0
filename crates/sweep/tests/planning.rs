//! Properties of a plan: nothing twice, nothing forgotten, nothing above the limits.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{Address, Amount, B256, U256};
use paywatch_sweep::{Deposit, GasModel, Group, Holding, Limits, Plan, plan};
use proptest::prelude::*;

fn holding(number: u64, treasury: u8, amounts: &[(u8, u64)]) -> Holding {
    Holding {
        deposit: Deposit {
            factory: Address::repeat_byte(0xfa),
            treasury: Address::repeat_byte(treasury),
            salt: B256::from(U256::from(number)),
        },
        amounts: amounts
            .iter()
            .map(|(token, whole)| {
                let amount = whole.to_string().parse().unwrap();
                (Address::repeat_byte(*token), amount)
            })
            .collect(),
    }
}

fn amount(whole: u64) -> Amount {
    whole.to_string().parse().unwrap()
}

fn salts(holdings: &[Holding]) -> Vec<Deposit> {
    holdings.iter().map(|holding| holding.deposit).collect()
}

prop_compose! {
    fn holdings()(
        some in prop::collection::vec(
            (1_u8..4, prop::collection::btree_map(1_u8..4, 1_u64..50, 1..3)),
            0..60,
        ),
    ) -> Vec<Holding> {
        (0..)
            .zip(some)
            .map(|(number, (treasury, amounts))| {
                let amounts: Vec<_> = amounts.into_iter().collect();
                holding(number, treasury, &amounts)
            })
            .collect()
    }
}

prop_compose! {
    fn limits()(min in 0_u64..60, deposits in 1_usize..20, gas in 0_u64..2_000_000) -> Limits {
        Limits { min: amount(min), deposits, gas }
    }
}

proptest! {
    #[test]
    fn every_deposit_ends_in_one_place_within_the_limits(
        holdings in holdings(),
        limits in limits(),
        base in 0_u64..200_000,
        each in 0_u64..200_000,
    ) {
        // Groups differ in what they use.
        let model = |group: &Group| {
            let tokens = u64::try_from(group.tokens.len()).unwrap();
            GasModel { base, each: each.saturating_mul(tokens) }
        };
        let Plan { batches, below, too_large } = plan(holdings.clone(), model, &limits);
        let mut places: Vec<Deposit> = salts(&below);
        places.extend(salts(&too_large));
        for batch in &batches {
            let model = model(&batch.group);
            prop_assert!(!batch.holdings.is_empty());
            prop_assert!(batch.holdings.len() <= limits.deposits);
            prop_assert!(model.of(batch.holdings.len()) <= limits.gas);
            for holding in &batch.holdings {
                prop_assert!(holding.value() >= limits.min);
                prop_assert_eq!(&Group::of(holding), &batch.group);
            }
            places.extend(salts(&batch.holdings));
        }
        prop_assert!(below.iter().all(|holding| holding.value() < limits.min));
        for holding in &too_large {
            prop_assert!(model(&Group::of(holding)).of(1) > limits.gas);
        }
        let once: BTreeSet<_> = places.iter().copied().collect();
        prop_assert_eq!(once.len(), places.len(), "a deposit is planned twice");
        prop_assert_eq!(once, salts(&holdings).into_iter().collect::<BTreeSet<_>>());
    }

    #[test]
    fn the_order_of_arrival_does_not_matter(
        (holdings, shuffled) in holdings().prop_flat_map(|some| {
            (Just(some.clone()), Just(some).prop_shuffle())
        }),
        limits in limits(),
    ) {
        let model = |_: &Group| GasModel { base: 21_000, each: 90_000 };
        prop_assert_eq!(plan(holdings, model, &limits), plan(shuffled, model, &limits));
    }

    #[test]
    fn a_line_through_two_measurements_is_not_below_them(
        base in 0_u64..1_000_000, each in 1_u64..1_000_000, count in 1_usize..500,
    ) {
        let exact = GasModel { base, each };
        let model = GasModel::through(exact.of(1), (count, exact.of(count)));
        for some in [1, count.div_ceil(2), count, count + 1] {
            prop_assert!(model.of(some) >= exact.of(some), "{}", some);
        }
    }
}

#[test]
fn the_most_valuable_go_first() {
    let held = vec![
        holding(1, 1, &[(1, 5)]),
        holding(2, 1, &[(1, 50)]),
        holding(3, 2, &[(1, 1), (2, 300)]),
        holding(4, 1, &[(1, 4)]),
    ];
    let limits = Limits {
        min: amount(5),
        deposits: 1,
        gas: 1_000_000,
    };
    let planned = plan(held, |_| GasModel { base: 1, each: 1 }, &limits);
    let values: Vec<_> = planned
        .batches
        .iter()
        .map(|batch| batch.value().to_string())
        .collect();
    assert_eq!(values, ["301", "50", "5"]);
    assert_eq!(planned.below.len(), 1);
    let tokens: BTreeMap<_, _> = planned
        .batches
        .iter()
        .map(|batch| (batch.value(), batch.group.tokens.len()))
        .collect();
    assert_eq!(tokens.get(&amount(301)), Some(&2));
}
