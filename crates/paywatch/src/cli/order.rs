//! `paywatch order …`

use clap::{Args, Subcommand};
use paywatch_core::{Amount, LatePolicy, MethodKind, Percent, Reason, Reference};

use crate::cli::Connection;

/// `paywatch order …`
#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Expect a payment. The same reference with the same values gives the same order again.
    #[command(after_help = "\
Example:
  paywatch order create --reference INV-1001 --amount 100.5 --expires-in 2h \\
      --chains ethereum,base --metadata customer=42")]
    Create(CreateOrder),
    /// Show an order.
    Show {
        /// The order's id, ord_….
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// List orders, the newest first.
    List(ListOrders),
    /// Cancel an order: what comes is attached, and does not count.
    Cancel {
        /// The order's id, ord_….
        id: String,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
    /// Put the deadline of an order off, also of one that has expired.
    #[command(after_help = "\
Example:
  paywatch order extend ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b --by 2h --reason 'slow exchange'")]
    Extend {
        /// The order's id, ord_….
        id: String,
        /// By how much, from its deadline, or from now if that has passed.
        #[arg(long, value_name = "TIME", required_unless_present = "until")]
        by: Option<humantime::Duration>,
        /// Until when, in RFC 3339.
        #[arg(long, value_name = "TIME", conflicts_with = "by")]
        until: Option<jiff::Timestamp>,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
    /// Accept what has arrived for an order as enough, late money that was held included.
    Accept {
        /// The order's id, ord_….
        id: String,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
    /// Follow an order until it is completed, expired or cancelled.
    #[command(after_help = "\
A live table in a terminal, and a line for every change elsewhere; with --json, an object a line.
Exit code 0 when the order was completed, 1 when it ended otherwise.")]
    Watch {
        /// The order's id, ord_….
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// `paywatch order create`
#[derive(Debug, Args)]
pub(crate) struct CreateOrder {
    /// Your own name for the order, such as an invoice number.
    #[arg(long)]
    pub reference: Reference,
    /// How much to ask, such as 100 or 100.5.
    #[arg(long)]
    pub amount: Amount,
    /// The amount is the least that is wanted; more is welcome, and never an excess.
    #[arg(long)]
    pub any_amount: bool,
    /// How much less is still enough, such as 0.5; by default as configured.
    #[arg(long, value_name = "AMOUNT", conflicts_with = "any_amount")]
    pub tolerance: Option<Amount>,
    /// The same as a percentage; with both, the larger counts.
    #[arg(long, value_name = "PERCENT", conflicts_with = "any_amount")]
    pub tolerance_percent: Option<Percent>,
    /// In which tokens it may be paid, by symbol; by default as configured.
    #[arg(long, value_delimiter = ',', value_name = "SYMBOL,SYMBOL")]
    pub tokens: Option<Vec<String>>,
    /// How it may be paid: `deposit_address`, `contract` or `exact_amount`; by default as configured.
    #[arg(long, value_delimiter = ',', value_name = "METHOD,METHOD")]
    pub methods: Option<Vec<MethodKind>>,
    /// For how long after the deadline money is still in time, such as 10m; by default as configured.
    #[arg(long, value_name = "TIME")]
    pub grace: Option<String>,
    /// What happens with late money: accept or hold; by default as configured.
    #[arg(long, value_name = "POLICY")]
    pub late_payments: Option<LatePolicy>,
    /// Where its events are sent, too; the daemon must allow orders to say so.
    #[arg(long, value_name = "URL")]
    pub callback_url: Option<String>,
    /// On which chains it may be paid; by default on all.
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME")]
    pub chains: Option<Vec<String>>,
    /// How long it may be paid, such as 1h or 30m.
    #[arg(long, value_name = "TIME")]
    pub expires_in: Option<String>,
    /// A note to keep with the order; may be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub metadata: Vec<(String, String)>,
    #[command(flatten)]
    pub connection: Connection,
}

/// `paywatch order list`
#[derive(Debug, Args)]
pub(crate) struct ListOrders {
    /// Only orders in this status, such as paid.
    #[arg(long)]
    pub status: Option<paywatch_core::OrderStatus>,
    /// Only the order with this reference.
    #[arg(long)]
    pub reference: Option<String>,
    /// Only orders that may be paid on this chain.
    #[arg(long, value_name = "NAME")]
    pub chain: Option<String>,
    /// Only orders with this flag, such as overpaid; give it again for any of several.
    #[arg(long, value_name = "FLAG")]
    pub flag: Vec<String>,
    /// Only orders that may be paid to this address.
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Only orders with a payment in this transaction.
    #[arg(long, value_name = "HASH")]
    pub tx: Option<String>,
    /// Only orders that were made at this time or later, such as 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub since: Option<jiff::Timestamp>,
    /// Only orders that were made before this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<jiff::Timestamp>,
    /// Only orders with this note; give it again for orders with all of several.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub metadata: Vec<(String, String)>,
    /// By when they were made: `created_at` for the oldest first, or `-created_at`.
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true,
        value_parser = ["created_at", "-created_at"])]
    pub sort: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Where to go on: what the list before printed at its end.
    #[arg(long)]
    pub cursor: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("write KEY=VALUE, such as customer=42".to_owned()),
    }
}
