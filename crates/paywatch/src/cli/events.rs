//! `paywatch events`

use clap::Args;

use crate::cli::Connection;

/// What is printed after its help.
pub(super) const EVENTS_HELP: &str = "\
Without --follow, what the log holds; with it, also what is written from then on, until Ctrl-C: the
connection may break and the daemon be started again, and nothing is missed. With --json, each event
is an object on a line.

Examples:
  paywatch events --types order.completed,payment.unmatched
  paywatch events --follow --json --after 1203 | your-program
  paywatch events --order ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b";

/// `paywatch events`
#[derive(Debug, Args)]
pub(crate) struct Events {
    /// Only events after this place in the log; from its beginning, or with --follow from now on,
    /// if it is not given.
    #[arg(long, value_name = "SEQUENCE")]
    pub after: Option<u64>,
    /// Only these, separated by commas; order.* is all that begin so.
    #[arg(long, value_name = "NAMES")]
    pub types: Option<String>,
    /// Only those of this order.
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// How many at most, if they are not followed.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=500), conflicts_with = "follow")]
    pub limit: u32,
    /// Go on with what happens from now on.
    #[arg(long)]
    pub follow: bool,
    #[command(flatten)]
    pub connection: Connection,
}
