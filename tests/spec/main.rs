//! The specification: one table of stories, each played on a real Anvil and in the simulator.
//!
//! A row is a function that returns a [`Story`](story::Story), in a file of `table` by its
//! subject, and its name in the list at the head of that file. The name is a sentence; the steps
//! are what happens and what must be seen. Every story ends with the audit of the daemon's books
//! against the chains. `cargo test -p paywatch-tests --test spec on_anvil` plays one half,
//! `in_the_simulator` the other, and the name of a row that row.
//!
//! The daemon catches up after every step, so that what is told is told in one order. Only what
//! becomes final in the very block of another payment is told before or after it as their hashes
//! are: such a story lets one become final first, or does not say what was told.
//!
//! - A new thing that can happen: a variant of `Step`, its words, a method of `Story`, its arm
//!   in `runner::scene::deeds` (or `sights`).
//! - Something new that a chain can do: a method of `Place`, in both places.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, and its numbers are small"
)]

/// Rows that are played in both places.
macro_rules! told_in_both_places {
    ($($story:ident),+ $(,)?) => {
        $(mod $story {
            #[tokio::test]
            async fn on_anvil() {
                let story = super::$story();
                crate::runner::play::<crate::places::OnAnvil>(stringify!($story), story).await;
            }

            #[tokio::test]
            async fn in_the_simulator() {
                let story = super::$story();
                crate::runner::play::<crate::places::Simulated>(stringify!($story), story).await;
            }
        })+

        /// The rows of this file.
        pub(crate) fn rows() -> Vec<crate::table::Row> {
            vec![$((stringify!($story), $story())),+]
        }
    };
}

/// Rows that need a real contract.
macro_rules! told_on_anvil_only {
    ($($story:ident because $why:literal),+ $(,)?) => {
        $(#[doc = $why]
        mod $story {
            #[tokio::test]
            async fn on_anvil() {
                let story = super::$story();
                crate::runner::play::<crate::places::OnAnvil>(stringify!($story), story).await;
            }
        })+

        /// The rows of this file.
        pub(crate) fn rows() -> Vec<crate::table::Row> {
            vec![$((stringify!($story), $story())),+]
        }
    };
}

mod expectation;
mod places;
mod runner;
mod step;
mod story;
mod table;
