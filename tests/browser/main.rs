//! The pages in a real browser, served by the real daemon, paid on a real Anvil.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod checkout;
