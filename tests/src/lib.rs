//! The harness of the end-to-end stories: a real Anvil, the real daemon, a real database.
//!
//! A story opens a [`Shop`](shop::Shop), makes orders, lets payers pay, and says what the
//! merchant must see. At its end the harness audits the daemon's books against the chain.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "a test fails by panicking, and its numbers are small"
)]

pub mod bench;
pub mod books;
pub mod browser;
pub mod chain;
pub mod daemon;
pub mod database;
pub mod model;
pub mod node;
pub mod proxy;
pub mod receiver;
pub mod shop;
pub mod tools;
pub mod wait;
