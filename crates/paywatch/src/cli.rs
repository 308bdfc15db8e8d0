//! The command line: what can be asked of paywatch, and the help that explains it.

mod api_key;
mod books;
mod events;
mod order;
mod payment;
mod refund;
mod sweep;
mod tx;
mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use paywatch_core::{Address, Amount};
use url::Url;

pub(crate) use crate::cli::api_key::{ApiKey, CreateKey};
pub(crate) use crate::cli::books::{Audit, Export, ExportFormat, Exported};
pub(crate) use crate::cli::events::Events;
pub(crate) use crate::cli::order::{CreateOrder, ListOrders, Order};
pub(crate) use crate::cli::payment::{ListLookAlikes, ListPayments, Payment};
pub(crate) use crate::cli::refund::{ListRefunds, PrepareRefund, Refund};
pub(crate) use crate::cli::sweep::{
    Contracts, Deploy, PlanFormat, PlanSweep, RunSweep, Spending, Sweep, SweepLimits,
};
pub(crate) use crate::cli::tx::{CheckTx, Tx};
pub(crate) use crate::cli::webhook::{
    AddWebhook, ChangeWebhook, ListDeliveries, Listen, ManageWebhook, RedeliverWebhook, Webhook,
};

/// Be paid in USDT straight on chain: watches the chains for payments to your orders' own
/// addresses, and tells your services. It holds no key that can move money.
#[derive(Debug, Parser)]
#[command(name = "paywatch", version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "PAYWATCH_CONFIG",
        default_value = "paywatch.toml"
    )]
    pub config: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
To begin:
  paywatch init                               write paywatch.toml, then fill in treasury and node
  paywatch check-config                       see whether it can be used
  paywatch api-key create --name shop         make a key for your shop's server
  paywatch run                                follow the chains and serve the API

Every key of the configuration can be set by a variable of the environment:
  PAYWATCH__API__LISTEN=0.0.0.0:8080          is [api] listen
  PAYWATCH__CHAINS__ETHEREUM__HTTP=https://…  is [chains.ethereum] http

Exit codes: 0 it went well, 1 it did not, 2 the command line is wrong.";

/// What is asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a configuration with comments, to be filled in.
    #[command(after_help = "\
Examples:
  paywatch init
  paywatch init --path /etc/paywatch/paywatch.toml")]
    Init(Init),
    /// Run the daemon: follow the chains and serve the API.
    #[command(after_help = "\
It logs to stderr and ends in good order on SIGTERM or Ctrl-C. Killed at any point, it goes on
where it was when it starts again.

Examples:
  paywatch run
  PAYWATCH__LOG__FORMAT=json RUST_LOG=info,paywatch_indexer=debug paywatch run")]
    Run,
    /// Check the configuration and print what is in effect, without secrets.
    CheckConfig,
    /// Make, list, rotate and revoke the keys of the API. Works on the database, with no daemon.
    #[command(subcommand)]
    ApiKey(ApiKey),
    /// List payments, decide about those that belong to no order, and what shows that one happened.
    #[command(subcommand, after_help = CONNECTION_HELP)]
    Payment(Payment),
    /// Check the proof of a payment. Needs no daemon, no database and no node.
    #[command(after_help = "\
It shows that the block with this hash holds this payment. That the block is on its chain, any
explorer tells. Exit code 1 if the file proves nothing.

Example:
  paywatch payment proof pay_5f1d7a84db00d2fce00b31a7fc73224f --out proof.json
  paywatch verify-proof proof.json")]
    VerifyProof {
        /// The file that `payment proof` wrote.
        file: PathBuf,
    },
    /// Read a range of a chain once more and compare it with the books. Changes nothing.
    #[command(after_help = "\
Works on the configuration and the database; the daemon may be running. Exit code 1 if there are
differences; `paywatch chain resync` mends them.

Example:
  paywatch backfill --chain ethereum --from 21000000 --to 21010000")]
    Backfill(Backfill),
    /// Compare the books with what the addresses hold on chain, to the last unit.
    #[command(after_help = books::AUDIT_HELP)]
    Audit(Audit),
    /// Write payments or orders of a period, for accounting.
    #[command(after_help = books::EXPORT_HELP)]
    Export(Export),
    /// Say what a transaction is to you, and bring an old payment into the books.
    #[command(subcommand)]
    Tx(Tx),
    /// Mend how a chain is followed.
    #[command(subcommand)]
    Chain(Chain),
    /// Flush deposit addresses to the treasury: what it costs, unsigned, or with a gas-only key.
    #[command(subcommand)]
    Sweep(Sweep),
    /// Manage webhooks, which tell your services of events; and receive them here while you write
    /// such a service. Works on the database, with no daemon.
    #[command(subcommand)]
    Webhook(Webhook),
    /// Whether the contracts stand on their chains, and put them there.
    #[command(subcommand)]
    Contracts(Contracts),
    /// Make and follow orders, through a running daemon.
    #[command(subcommand, after_help = CONNECTION_HELP)]
    Order(Order),
    /// Give money back through your own wallet, and see what was sent.
    #[command(subcommand, after_help = CONNECTION_HELP)]
    Refund(Refund),
    /// What happened to orders, payments and chains, and what happens from now on.
    #[command(after_help = events::EVENTS_HELP)]
    Events(Events),
    /// What operators decided about orders and payments, and why: the audit log.
    #[command(after_help = CONNECTION_HELP)]
    Decisions(Decisions),
    /// Chains without a node, for your own tests: pay, pay late or on the wrong chain, reorg.
    #[command(
        subcommand,
        after_help = "\
Examples:
  paywatch simulate run > simulated.toml &       serves two chains, and prints their configuration
  paywatch simulate pay --to 0x… --amount 40     a part of what an order asks
  paywatch simulate pay --to 0x… --amount 60 --chain other
  paywatch simulate reorg --depth 2              the newest payments were never made
  paywatch simulate mine --blocks 3              or are final
  paywatch simulate advance --by 2h              whatever comes now is late"
    )]
    Simulate(Simulate),
    /// How far each chain is followed, by a running daemon.
    #[command(after_help = "\
Examples:
  PAYWATCH_API_KEY=… paywatch chains
  paywatch chains --built-in                  what can be configured by name alone")]
    Chains(Chains),
}

const CONNECTION_HELP: &str = "\
The key of the API comes from PAYWATCH_API_KEY or --api-key-file, never from an argument: other
users of the machine can read those.

Examples:
  export PAYWATCH_API_KEY=$(paywatch api-key create --name me)
  paywatch order create --reference INV-1001 --amount 100 --chains ethereum,base
  paywatch order watch ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b
  paywatch order list --status paid --json";

/// `paywatch init`
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write it; by default where --config looks.
    #[arg(long, value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Overwrite what is there.
    #[arg(long)]
    pub force: bool,
}

/// Where the daemon is and with which key.
#[derive(Debug, Args)]
pub(crate) struct Connection {
    /// The daemon's address; by default where the configuration says that it listens.
    #[arg(long, env = "PAYWATCH_URL", value_name = "URL")]
    pub url: Option<Url>,
    /// A file that holds the key of the API, instead of the variable.
    #[arg(long, value_name = "PATH")]
    pub api_key_file: Option<PathBuf>,
}

/// `paywatch chains`
#[derive(Debug, Args)]
pub(crate) struct Chains {
    /// List the chains and tokens that are built in; needs no daemon.
    #[arg(long)]
    pub built_in: bool,
    #[command(flatten)]
    pub connection: Connection,
}

/// `paywatch decisions`
#[derive(Debug, Args)]
pub(crate) struct Decisions {
    /// Only those about this order.
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// Only those about this payment.
    #[arg(long, value_name = "ID")]
    pub payment: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Where to go on: what the list before printed at its end.
    #[arg(long)]
    pub cursor: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `paywatch backfill`
#[derive(Debug, Args)]
pub(crate) struct Backfill {
    /// The chain, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    pub chain: String,
    /// The first block.
    #[arg(long, value_name = "BLOCK")]
    pub from: u64,
    /// The last block; by default the last that the books cover.
    #[arg(long, value_name = "BLOCK")]
    pub to: Option<u64>,
}

/// `paywatch chain …`
#[derive(Debug, Subcommand)]
pub(crate) enum Chain {
    /// Set the cursor of a chain back, and let the chain be read again from there.
    #[command(after_help = "\
For a chain that stopped because its past changed: first make sure that the endpoints are right.
Payments above that block are taken back, with an event each, and come back as they are found. A
running daemon goes on from there by itself.

Examples:
  paywatch chain resync --chain polygon            to the last block that is certainly shared
  paywatch chain resync --chain polygon --to 76000000")]
    Resync {
        /// The chain, by its name in the configuration.
        #[arg(long, value_name = "NAME")]
        chain: String,
        /// The block to go back to; by default the highest that books and chain certainly share.
        #[arg(long, value_name = "BLOCK")]
        to: Option<u64>,
    },
}

/// `paywatch simulate …`
#[derive(Debug, Subcommand)]
pub(crate) enum Simulate {
    /// Serve two simulated chains until told to stop.
    Run {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:8555")]
        listen: SocketAddr,
        /// The time between blocks; 0s mines only what is asked for.
        #[arg(long, default_value = "1s", value_name = "TIME")]
        block_time: humantime::Duration,
    },
    /// Pay to an address, in a block of its own.
    Pay {
        /// Who is paid: the address of an order.
        #[arg(long)]
        to: Address,
        /// How much, such as 40 or 0.5.
        #[arg(long)]
        amount: Amount,
        #[command(flatten)]
        connection: SimulateConnection,
    },
    /// Mine empty blocks.
    Mine {
        /// How many.
        #[arg(long, default_value_t = 1)]
        blocks: u64,
        #[command(flatten)]
        connection: SimulateConnection,
    },
    /// Replace the newest blocks by others.
    Reorg {
        /// How many.
        #[arg(long)]
        depth: u64,
        /// What was in them is in the new ones, too.
        #[arg(long)]
        keep: bool,
        #[command(flatten)]
        connection: SimulateConnection,
    },
    /// Let the time of the chain go on.
    Advance {
        /// By how much, such as 2h.
        #[arg(long, value_name = "TIME")]
        by: humantime::Duration,
        #[command(flatten)]
        connection: SimulateConnection,
    },
}

/// Which simulated chain is meant.
#[derive(Debug, Args)]
pub(crate) struct SimulateConnection {
    /// Where the simulation listens.
    #[arg(long, default_value = "http://127.0.0.1:8555")]
    pub url: Url,
    /// Which of its chains.
    #[arg(long, default_value = "sim", value_name = "NAME")]
    pub chain: String,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_can_be_printed() {
        let mut commands = vec![Cli::command()];
        while let Some(mut command) = commands.pop() {
            let help = command.render_long_help().to_string();
            assert!(command.get_about().is_some(), "{help}");
            commands.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn wrong_values_are_refused_with_what_is_right() {
        let create = ["paywatch", "order", "create", "--reference", "INV-1"];
        let cases = [
            (vec!["--amount", "1e3"], "write it like"),
            (vec!["--amount", "1", "--metadata", "x"], "KEY=VALUE"),
        ];
        for (rest, words) in cases {
            let error = Cli::try_parse_from(create.iter().chain(&rest)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation);
            assert!(error.to_string().contains(words), "{error}");
        }
        let list = ["paywatch", "order", "list", "--status", "done"];
        let error = Cli::try_parse_from(list).unwrap_err();
        assert!(error.to_string().contains("awaiting_payment"), "{error}");
    }
}
