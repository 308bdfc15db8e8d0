//! Following a chain that lags, forks, fails and lies: nothing lost, nothing invented.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod books;
mod chain;
mod histories;
mod stories;
mod what_else;
