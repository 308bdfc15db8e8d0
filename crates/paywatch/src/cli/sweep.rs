//! `paywatch sweep …` and `paywatch contracts …`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use paywatch_core::Amount;
use paywatch_sweep::GasPrice;

/// What a key on the command line can do, and what not.
const KEY_HELP: &str = "\
The key pays for gas, and can steer nothing: a flush moves money from a deposit address to the
treasury that is written into that address, whoever calls it. Use a key that holds a little of the
native coin and nothing else. Whoever steals it can take that coin, and no payment. The treasury's
own key is refused.

The file holds the key as 0x and 64 hex digits, and nobody but its owner may read it (chmod 600).";

/// `paywatch sweep …`
#[derive(Debug, Subcommand)]
pub(crate) enum Sweep {
    /// What lies at deposit addresses, and what it would cost to flush all of it now.
    #[command(after_help = "\
The books say where to look, the chain says what is there. Rollups add a fee for data to the cost
that is shown. Exit code 1 if a chain could not be asked.

Examples:
  paywatch sweep balances
  paywatch sweep balances --chain polygon --json")]
    Balances {
        /// Only this chain, by its name in the configuration.
        #[arg(long, value_name = "NAME")]
        chain: Option<String>,
    },
    /// Put deposits together into transactions for whoever signs them. Sends nothing.
    #[command(after_help = "\
Anybody may sign and send them, with any account that can pay for gas. `json` are transactions as
JSON-RPC takes them; `safe` is a file for the transaction builder of a Safe, which puts all of them
into one transaction: so many as fit, and what is left is told.

Examples:
  paywatch sweep plan --chain polygon --min 20
  paywatch sweep plan --chain ethereum --max-gas-price 5gwei --format safe --out sweep.json")]
    Plan(PlanSweep),
    /// Send them, with a key that can pay for gas and steer nothing.
    #[command(after_help = KEY_HELP)]
    Run(RunSweep),
}

/// Which deposits are flushed, and how.
#[derive(Debug, Args)]
pub(crate) struct SweepLimits {
    /// The chain, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    pub chain: String,
    /// Leave deposits alone that hold less than this.
    #[arg(long, value_name = "AMOUNT", default_value = "5")]
    pub min: Amount,
    /// Do nothing while gas costs more than this, such as 30gwei or 0.05gwei.
    #[arg(long, value_name = "PRICE", default_value = "30gwei")]
    pub max_gas_price: GasPrice,
    /// How many deposits one transaction flushes at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub batch: u16,
}

/// As what a plan is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    Table,
    /// Unsigned transactions.
    Json,
    /// A file for the transaction builder of a Safe.
    Safe,
}

/// `paywatch sweep plan`
#[derive(Debug, Args)]
pub(crate) struct PlanSweep {
    #[command(flatten)]
    pub limits: SweepLimits,
    /// As what it is written; --json is the same as json.
    #[arg(long, value_enum, default_value = "table")]
    pub format: PlanFormat,
    /// Where transactions are written; by default to stdout.
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

/// With which key transactions are sent.
#[derive(Debug, Args)]
pub(crate) struct Spending {
    /// The file that holds the key.
    #[arg(long, value_name = "PATH")]
    pub key_file: PathBuf,
    /// How long one transaction may take to be mined.
    #[arg(long, value_name = "TIME", default_value = "5m")]
    pub wait: humantime::Duration,
    /// Send without asking.
    #[arg(long)]
    pub yes: bool,
}

/// `paywatch sweep run`
#[derive(Debug, Args)]
pub(crate) struct RunSweep {
    #[command(flatten)]
    pub limits: SweepLimits,
    #[command(flatten)]
    pub spending: Spending,
}

/// `paywatch contracts …`
#[derive(Debug, Subcommand)]
pub(crate) enum Contracts {
    /// Look for the contracts and compare their code with ours.
    #[command(after_help = "\
Deposit addresses receive without the factory; it is needed for flushing. The payment receiver is
looked for where the configuration names one (receiver = \"default\"). Exit code 1 if something is
missing or is not ours, or a chain could not be asked.

Example:
  paywatch contracts status --chain base")]
    Status {
        /// Only this chain, by its name in the configuration.
        #[arg(long, value_name = "NAME")]
        chain: Option<String>,
    },
    /// Deploy the contracts that are missing, and compare their code with ours afterwards.
    #[command(after_help = KEY_HELP)]
    Deploy(Deploy),
}

/// `paywatch contracts deploy`
#[derive(Debug, Args)]
pub(crate) struct Deploy {
    /// The chain, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    pub chain: String,
    /// Do nothing while gas costs more than this, such as 30gwei or 0.05gwei.
    #[arg(long, value_name = "PRICE", default_value = "30gwei")]
    pub max_gas_price: GasPrice,
    #[command(flatten)]
    pub spending: Spending,
}
