//! The arithmetic of an audit, by example and by property.

use alloy_primitives::{Address, B256};
use proptest::prelude::*;

use super::*;
use crate::{Block, ChainId, Decimals, FinalityTag, IgnoredBecause, Tags, Timestamp};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn token(symbol: &str, chain: u64) -> Token {
    Token {
        chain_id: ChainId::new(chain).unwrap(),
        address: Address::repeat_byte(1),
        symbol: symbol.to_owned(),
        decimals: Decimals::new(6).unwrap(),
    }
}

#[test]
fn a_difference_is_told_to_the_last_unit_and_with_its_sign() {
    let turnover = Turnover {
        incoming: amount("100"),
        outgoing: amount("40"),
    };
    for (opening, balance, expected) in [
        ("0", "60", "0"),
        ("5", "65", "0"),
        ("0", "60.000001", "+0.000001"),
        ("0", "59.999999", "-0.000001"),
        ("0", "0", "-60"),
    ] {
        let verdict = settle(amount(opening), turnover, amount(balance)).unwrap();
        assert_eq!(verdict.to_string(), expected, "{opening} {balance}");
        assert_eq!(verdict.is_balanced(), expected == "0");
    }
    // More went than ever came: what should be there is less than nothing.
    let overdrawn = Turnover {
        incoming: amount("1"),
        outgoing: amount("4"),
    };
    let verdict = settle(Amount::ZERO, overdrawn, amount("2"));
    assert_eq!(verdict, Ok(Verdict::More(amount("5"))));
    let most = Turnover {
        incoming: Amount::ZERO,
        outgoing: Amount::MAX,
    };
    assert_eq!(settle(Amount::ZERO, most, Amount::MAX), Err(SumError));
}

#[test]
fn what_lies_before_the_opening_is_in_it() {
    let opening = Opening::At {
        block: 7,
        balance: amount("3"),
    };
    assert!(!opening.precedes(7) && opening.precedes(8) && Opening::Empty.precedes(0));
    assert_eq!(opening.balance(), amount("3"));
}

#[test]
fn the_final_block_is_covered_deep_enough_and_tagged() {
    let tip = Block {
        number: 100,
        hash: B256::ZERO,
        parent_hash: B256::ZERO,
        timestamp: Timestamp::EPOCH,
    };
    let heads = ChainHeads::starting_at(ChainId::new(1).unwrap(), tip);
    let depth = FinalityRule::confirmations(12).unwrap();
    let tagged = depth.and_tag(FinalityTag::Finalized);
    assert_eq!(final_block(&heads, depth), Some(89));
    assert_eq!(heads.confirmations(89), 12);
    assert_eq!(final_block(&heads, tagged), None);
    for (finalized, expected) in [(64, 64), (99, 89)] {
        let tags = Tags {
            safe: None,
            finalized: Some(finalized),
        };
        assert_eq!(
            final_block(&heads.moved_to(tip, tags), tagged),
            Some(expected)
        );
    }
    let deep = FinalityRule::confirmations(102).unwrap();
    assert_eq!(final_block(&heads, deep), None);
}

#[test]
fn only_tethers_own_tokens_change_in_silence() {
    let less = Verdict::Less(amount("1"));
    let says = |symbol, chain, verdict| explain(&token(symbol, chain), verdict);
    assert!(says("USDT", 1, less).unwrap().contains("destroyBlackFunds"));
    assert!(!says("USDT", 56, less).unwrap().contains("Tether"));
    assert!(!says("USDC", 1, less).unwrap().contains("Tether"));
    let more = Verdict::More(amount("1"));
    assert!(says("USD₮0", 42_161, more).unwrap().contains("issue"));
    assert_eq!(says("USDT", 1, Verdict::Balanced), None);
}

#[test]
fn every_sum_of_an_order_is_compared() {
    let payments = [
        (PaymentState::Seen, amount("5")),
        (PaymentState::Confirmed, amount("100")),
        (PaymentState::Ignored(IgnoredBecause::HeldLate), amount("2")),
    ];
    let right = KeptSums {
        asked: amount("100"),
        asking: Asking::Exactly,
        received: amount("107"),
        counted: amount("105"),
        confirmed: amount("100"),
        excess: amount("5"),
    };
    assert_eq!(wrong_sums(&right, &payments), Ok(Vec::new()));
    let off = amount("9");
    let wrongs = [
        (
            "received",
            KeptSums {
                received: off,
                ..right
            },
        ),
        (
            "counted",
            KeptSums {
                counted: off,
                ..right
            },
        ),
        (
            "confirmed",
            KeptSums {
                confirmed: off,
                ..right
            },
        ),
        (
            "excess",
            KeptSums {
                excess: off,
                ..right
            },
        ),
    ];
    for (what, kept) in wrongs {
        let wrong = wrong_sums(&kept, &payments).unwrap();
        assert_eq!((wrong.len(), wrong[0].what, wrong[0].kept), (1, what, off));
    }
    let too_much = [(PaymentState::Seen, Amount::MAX), (PaymentState::Seen, off)];
    assert_eq!(wrong_sums(&right, &too_much), Err(SumError));
}

/// Amounts of up to 2^100 units: many of them can be added up.
fn some_amount() -> impl Strategy<Value = Amount> {
    (0..1_u128 << 100).prop_map(Amount::from_smallest)
}

proptest! {
    /// Whatever moves in whatever order, an account that was moved as its books say balances, and
    /// any single unit that is missing or too much is found, with its sign.
    #[test]
    fn one_unit_is_never_lost(
        opening in some_amount(),
        moves in prop::collection::vec((any::<bool>(), some_amount()), 0..30),
        off in 1..1_u128 << 100,
    ) {
        let mut turnover = Turnover::default();
        let mut balance = opening;
        for (is_in, amount) in moves {
            if is_in {
                turnover.receives(amount).unwrap();
                balance = balance.checked_add(amount).unwrap();
            } else if let Some(left) = balance.checked_sub(amount) {
                turnover.sends(amount).unwrap();
                balance = left;
            }
        }
        let verdict = |balance| settle(opening, turnover, balance);
        prop_assert_eq!(verdict(balance), Ok(Verdict::Balanced));
        let off = Amount::from_smallest(off);
        let more = balance.checked_add(off).unwrap();
        prop_assert_eq!(verdict(more), Ok(Verdict::More(off)));
        if let Some(less) = balance.checked_sub(off) {
            prop_assert_eq!(verdict(less), Ok(Verdict::Less(off)));
        }
    }

    /// The sums of payments are right, and any other value of any of them is told.
    #[test]
    fn a_wrong_sum_is_always_told(
        payments in prop::collection::vec((0..5_usize, some_amount()), 0..20),
        off in some_amount(),
    ) {
        let payments: Vec<_> = payments
            .into_iter()
            .map(|(state, amount)| (PaymentState::ALL[state], amount))
            .collect();
        let sum = |wanted: fn(PaymentState) -> bool| {
            let wanted = payments.iter().filter(|(state, _)| wanted(*state));
            let amounts = wanted.map(|(_, amount)| *amount);
            amounts.fold(Amount::ZERO, |sum, amount| sum.checked_add(amount).unwrap())
        };
        let counted = sum(PaymentState::is_counted);
        let kept = KeptSums {
            asked: Amount::MAX,
            asking: Asking::Exactly,
            received: sum(|_| true),
            counted,
            confirmed: sum(|state| state == PaymentState::Confirmed),
            excess: Amount::ZERO,
        };
        prop_assert_eq!(wrong_sums(&kept, &payments), Ok(Vec::new()));
        let other = KeptSums { counted: off, ..kept };
        prop_assert_eq!(wrong_sums(&other, &payments).unwrap().len(), usize::from(off != counted));
    }
}
