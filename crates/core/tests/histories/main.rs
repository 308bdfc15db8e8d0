//! Whatever a chain does, the books stay right: random histories of payments, reorgs and time.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod books;
mod stories;

use paywatch_core::{Amount, LatePolicy};
use proptest::prelude::*;

use crate::books::{Books, deeds, order};

proptest! {
    #[test]
    fn the_books_stay_right(
        deeds in deeds(),
        confirmations in 1_u32..8,
        hold in any::<bool>(),
        tolerance in prop_oneof![Just("0"), Just("2.5")],
        deadline_s in 0_u64..400,
    ) {
        let late_policy = if hold { LatePolicy::Hold } else { LatePolicy::Accept };
        let mut books = Books::open(order(confirmations, late_policy, tolerance, deadline_s));
        for deed in &deeds {
            books.apply(deed)?;
        }
        // The sum of what is on the chains is what the order says it received.
        let on_chain = books
            .transfers
            .values()
            .try_fold(Amount::ZERO, |sum, r| sum.checked_add(r.transfer.amount));
        prop_assert_eq!(on_chain, Some(books.snapshot.received));
    }
}
