//! Stories of deliveries: a real store, receivers that behave as they are told, and a clock that is
//! driven.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod house;
mod stories;
