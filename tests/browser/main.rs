//! The pages in a real browser, served by the real daemon, paid on a real Anvil.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod checkout;
