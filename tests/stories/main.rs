//! The stories: each one is told on SQLite and on PostgreSQL.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it skipped"
)]

/// Tells each story, an `async fn(Engine)`, on both engines.
macro_rules! on_both_engines {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $story() {
                Box::pin(super::$story(paywatch_tests::database::Engine::Sqlite)).await;
            })+
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $story() {
                Box::pin(super::$story(paywatch_tests::database::Engine::Postgres)).await;
            })+
        }
    };
}

mod audit;
mod bad_setup;
mod blockatm;
mod command_line;
mod contract_calls;
mod decisions;
mod deposit_addresses;
mod endpoints;
mod epusdt;
mod events;
mod exact_amounts;
mod faulty_nodes;
mod fuzzed_api;
mod idempotency;
mod outages;
mod paying;
mod proofs_and_repairs;
mod reorgs;
mod strange_tokens;
mod sweeping;
mod telling;
mod time;
mod told;
mod transactions;
mod typescript;
mod unmatched;
mod webhooks;
