//! `paywatch tx …`

use clap::{Args, Subcommand};
use paywatch_core::{B256, Reason};

/// `paywatch tx …`
#[derive(Debug, Subcommand)]
pub(crate) enum Tx {
    /// Say what every log of a transaction is to you, and what the books hold of it.
    #[command(after_help = "\
Works on the configuration, the database and the nodes; the daemon may be running. Exit code 1 if no
chain has the transaction.

With --import, payments to addresses of yours that lie below the first covered block come into the
books: proved where the chain can prove, final by its rule, with a line in the audit log. Nothing
between that block and the covered range is read by it.

Examples:
  paywatch tx check 0x…
  paywatch tx check 0x… --chain polygon --json
  paywatch tx check 0x… --import --reason \"paid before we started, ticket 12\"")]
    Check(CheckTx),
}

/// `paywatch tx check`
#[derive(Debug, Args)]
pub(crate) struct CheckTx {
    /// The transaction's hash.
    #[arg(value_name = "HASH")]
    pub hash: B256,
    /// Look on this chain only, by its name in the configuration; by default on all of them.
    #[arg(long, value_name = "NAME")]
    pub chain: Option<String>,
    /// Bring its payments into the books that lie below the covered range.
    #[arg(long, requires = "reason")]
    pub import: bool,
    /// Why. It stays in the audit log.
    #[arg(long, requires = "import", value_name = "TEXT")]
    pub reason: Option<Reason>,
}
