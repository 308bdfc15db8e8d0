//! `paywatch payment …`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use paywatch_core::Reason;

use crate::cli::Connection;

/// `paywatch payment …`
#[derive(Debug, Subcommand)]
pub(crate) enum Payment {
    /// List payments, those first that were seen last.
    #[command(after_help = "\
Examples:
  paywatch payment list --status unmatched      what waits for you
  paywatch payment list --tx 0x…                what a transaction is to us")]
    List(ListPayments),
    /// List what came from contracts that are no configured token: look-alikes and noise, no money.
    #[command(after_help = "\
Examples:
  paywatch payment look-alikes                  all of them, those first that were heard of last
  paywatch payment look-alikes --order ord_…    \"But I paid!\"")]
    LookAlikes(ListLookAlikes),
    /// Show a payment.
    Show {
        /// The payment's id, pay_….
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Give a payment that belongs to no order to one.
    Assign {
        /// The payment's id, pay_….
        id: String,
        /// The order's id, ord_….
        #[arg(long, value_name = "ID")]
        order: String,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
    /// Take a payment away from the order that an operator gave it to.
    Unassign {
        /// The payment's id, pay_….
        id: String,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
    /// Leave an unmatched payment alone from now on.
    WriteOff {
        /// The payment's id, pay_….
        id: String,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
    /// Write the proof of a payment: header, receipt, Merkle path and log.
    Proof {
        /// The payment's id, pay_….
        id: String,
        /// Where to write it; by default to stdout.
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
        #[command(flatten)]
        connection: Connection,
    },
}

/// `paywatch payment look-alikes`
#[derive(Debug, Args)]
pub(crate) struct ListLookAlikes {
    /// Only on this chain.
    #[arg(long, value_name = "NAME")]
    pub chain: Option<String>,
    /// Only to this address.
    #[arg(long)]
    pub address: Option<String>,
    /// Only to the deposit address of this order.
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Where to go on: what the list before printed at its end.
    #[arg(long)]
    pub cursor: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `paywatch payment list`
#[derive(Debug, Args)]
pub(crate) struct ListPayments {
    /// Only payments in these statuses, such as unmatched.
    #[arg(long, value_name = "NAME,NAME")]
    pub status: Option<String>,
    /// Only payments on this chain.
    #[arg(long, value_name = "NAME")]
    pub chain: Option<String>,
    /// Only payments to this address.
    #[arg(long)]
    pub address: Option<String>,
    /// Only payments in this transaction.
    #[arg(long, value_name = "HASH")]
    pub tx: Option<String>,
    /// Only payments of this order.
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Where to go on: what the list before printed at its end.
    #[arg(long)]
    pub cursor: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}
