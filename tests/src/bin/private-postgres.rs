//! Starts a private PostgreSQL, prints its URL, and removes it when standard input closes.
#![expect(
    clippy::print_stdout,
    reason = "the URL on standard output is its interface"
)]

use std::io::{Read as _, Write as _};

use paywatch_store::test_postgres::PrivatePostgres;

fn main() -> anyhow::Result<()> {
    let postgres = PrivatePostgres::start()?;
    println!("{}", postgres.url());
    std::io::stdout().flush()?;
    let _bytes = std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
