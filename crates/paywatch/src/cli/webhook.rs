//! `paywatch webhook …`

mod manage;

use std::convert::Infallible;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::SecretString;

pub(crate) use crate::cli::webhook::manage::{
    AddWebhook, ChangeWebhook, ListDeliveries, ManageWebhook, RedeliverWebhook,
};

/// `paywatch webhook …`
#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Receive webhooks on this machine, check each, and say what is wrong with those that fail.
    #[command(after_help = LISTEN_HELP)]
    Listen(Listen),
    #[command(flatten)]
    Manage(ManageWebhook),
}

const LISTEN_HELP: &str = "\
For whoever writes a receiver: it takes webhooks under every path, checks id, time and signature as
your service must, and prints a line for each. What verifies is answered with 204; what does not
with 400 and the reason, as text. An event that comes again under its id is marked: your service
should answer it with success and do nothing.

With --fail it answers the first N that verify with --status, so that you can see them come again
later. With --status alone it answers all of them so.

It needs no configuration and no database. The daemon sends to this machine only if it is allowed
to: allow http and this address with its port among the webhooks' allowed hosts.

The secret comes from --secret-file or PAYWATCH_WEBHOOK_SECRET, never from an argument: other users
of the machine can read those. While one is changed for another both may be there, one after the
other.

Examples:
  paywatch webhook listen --secret-file secret
  export PAYWATCH_WEBHOOK_SECRET=$(cat secret)
  paywatch webhook listen --port 9000 --json | jq .body
  paywatch webhook listen --public-key whpk_…
  paywatch webhook listen --fail 2          twice down, then well again
  paywatch webhook listen --status 410      gone for good";

/// `paywatch webhook listen`
#[derive(Debug, Args)]
pub(crate) struct Listen {
    /// Where to listen on this machine; 0 takes any port that is free.
    #[arg(long, default_value_t = 3_000)]
    pub port: u16,
    /// The address to listen at; 0.0.0.0 is every one that this machine has.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub address: IpAddr,
    /// A file that holds the secret of the endpoint (whsec_…), instead of the variable.
    #[arg(long, value_name = "PATH")]
    pub secret_file: Option<PathBuf>,
    /// The public key of the endpoint (whpk_…), if it signs with Ed25519.
    #[arg(long, value_name = "KEY", value_parser = hidden)]
    pub public_key: Vec<SecretString>,
    /// Answer the first N that verify with --status, or with 500.
    #[arg(long, value_name = "N")]
    pub fail: Option<u64>,
    /// Answer those of --fail, or without it all that verify, with this status.
    #[arg(long, value_parser = clap::value_parser!(u16).range(200..=599))]
    pub status: Option<u16>,
    /// How far the time of a webhook may be off.
    #[arg(long, default_value = "5m", value_name = "TIME")]
    pub tolerance: humantime::Duration,
}

/// Kept from the messages of wrong command lines; what is wrong with it is said without showing it.
fn hidden(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}
