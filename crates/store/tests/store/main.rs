//! Stories of the store. Each runs on SQLite and on PostgreSQL.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else comes fails the test"
)]

/// Makes a test on each engine of every story that is named.
macro_rules! on_both_engines {
    ($($story:ident),* $(,)?) => {
        mod on_sqlite {
            use crate::books::{Books, Engine};
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(Books::fresh(Engine::Sqlite).await).await;
            })*
        }
        mod on_postgres {
            use crate::books::{Books, Engine};
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(Books::fresh(Engine::Postgres).await).await;
            })*
        }
    };
}

mod assessing;
mod auditing;
mod books;
mod bulk;
mod cancelled;
mod checkout;
mod committing;
mod creating;
mod deciding;
mod delivering;
mod delivering_again;
mod deposits;
mod from_outside;
mod idempotency;
mod keys;
mod large;
mod line;
mod listing;
mod log;
mod look_alikes;
mod loose;
mod managing;
mod opening;
mod proofs;
mod racing;
mod refunds;
mod reorgs;
mod slots;
mod slots_at_random;
mod what_else;
