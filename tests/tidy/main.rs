//! The rules of the house that the compiler does not know: who may use whom, how long a file is.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod edges;
mod files;
