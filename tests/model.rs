//! Ten thousand random histories of a chain through the whole pipeline: the books are the chain.

use std::process::Command;

/// As many as one run of the tests tells; more by `cargo xtask simulate --runs N`.
const HISTORIES: &str = "10000";

#[test]
fn the_books_are_the_chain_in_every_history() {
    // A program of its own, so that it can be run longer and for one seed alone.
    let status = Command::new(env!("CARGO_BIN_EXE_paywatch-model"))
        .arg(HISTORIES)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "a history fails; its seed is above"
    );
}
