//! `paywatch refund …`

use clap::{Args, Subcommand};
use paywatch_core::{Amount, Reason, Reference};

use crate::cli::Connection;

/// `paywatch refund …`
#[derive(Debug, Subcommand)]
pub(crate) enum Refund {
    /// Prepare a refund: prints the transfer that your own wallet is to sign and send.
    #[command(after_help = "\
Exchanges pay from wallets that many customers share. What goes back to such a wallet is lost to
the customer, so ask for an address and give it with --to.

Examples:
  paywatch refund prepare ord_… --reference R-1 --chain polygon --to 0x… --reason \"came back broken\"
  paywatch refund prepare ord_… --reference R-2 --chain polygon --to-payer --amount 40 --reason \"rebate\"")]
    Prepare(PrepareRefund),
    /// List refunds, newest first.
    #[command(after_help = "\
Example:
  paywatch refund list --status prepared        what waits for your wallet")]
    List(ListRefunds),
    /// Show a refund.
    Show {
        /// The refund's id, ref_….
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Give a refund up that nobody has sent or signed.
    Cancel {
        /// The refund's id, ref_….
        id: String,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
    /// Say which payment of yours was a refund that was not sent as prepared.
    #[command(after_help = "\
Example:
  paywatch payment list --status sent
  paywatch refund link ref_… --payment pay_… --reason \"our wallet rounded it\"")]
    Link {
        /// The refund's id, ref_….
        id: String,
        /// The payment's id, pay_…; its status is sent.
        #[arg(long, value_name = "ID")]
        payment: String,
        /// Why. It stays in the audit log.
        #[arg(long)]
        reason: Reason,
        #[command(flatten)]
        connection: Connection,
    },
}

/// `paywatch refund prepare`
#[derive(Debug, Args)]
pub(crate) struct PrepareRefund {
    /// The order's id, ord_….
    pub order: String,
    /// Your own name for the refund, unique among those of the order: asking twice prepares once.
    #[arg(long)]
    pub reference: Reference,
    /// The chain on which your wallet sends it, by name or id.
    #[arg(long, value_name = "NAME")]
    pub chain: String,
    /// To whom: an address that the customer gave you.
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "to_payer",
        conflicts_with = "to_payer"
    )]
    pub to: Option<String>,
    /// Back to the address that paid. Only where you know that it was no exchange's.
    #[arg(long)]
    pub to_payer: bool,
    /// How much; by default all that is left.
    #[arg(long)]
    pub amount: Option<Amount>,
    /// The token's symbol, if the order was paid in several.
    #[arg(long, value_name = "SYMBOL")]
    pub token: Option<String>,
    /// Why. It stays in the audit log.
    #[arg(long)]
    pub reason: Reason,
    #[command(flatten)]
    pub connection: Connection,
}

/// `paywatch refund list`
#[derive(Debug, Args)]
pub(crate) struct ListRefunds {
    /// Only refunds in these statuses: prepared, sent, confirmed, cancelled.
    #[arg(long, value_name = "NAME,NAME")]
    pub status: Option<String>,
    /// Only refunds of this order.
    #[arg(long, value_name = "ID")]
    pub order: Option<String>,
    /// Only refunds on this chain.
    #[arg(long, value_name = "NAME")]
    pub chain: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Where to go on: what the list before printed at its end.
    #[arg(long)]
    pub cursor: Option<String>,
    #[command(flatten)]
    pub connection: Connection,
}
