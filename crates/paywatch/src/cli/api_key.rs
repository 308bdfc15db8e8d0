//! `paywatch api-key …`

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use ipnet::IpNet;
use paywatch_core::{Reason, Scope};

use crate::cli::Connection;
use crate::config;

/// `paywatch api-key …`
#[derive(Debug, Subcommand)]
pub(crate) enum ApiKey {
    /// Make a key. It is printed once, alone on stdout; only its hash is kept.
    #[command(after_help = "\
Examples:
  paywatch api-key create --name shop > /run/secrets/paywatch_key
  paywatch api-key create --name till --scopes orders:read,orders:write --expires-in 90d \\
      --allow 10.1.0.0/16 --public-key till.pub.pem")]
    Create(CreateKey),
    /// List the keys, without the keys themselves.
    List,
    /// Show all about a key, but for the key itself.
    Show {
        /// Its id, as `api-key list` shows it.
        id: String,
    },
    /// Make a key in the place of another, which is still taken for a while. The new one is printed
    /// once, alone on stdout.
    #[command(after_help = "\
It has the name, scopes, networks, rate and public keys of the old one, and its time to live.

Example:
  paywatch api-key rotate key_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b --overlap 24h > /run/secrets/new_key")]
    Rotate {
        /// The old key's id.
        id: String,
        /// For how long the old key is still taken.
        #[arg(long, value_name = "TIME", default_value = "24h")]
        overlap: humantime::Duration,
        /// Why. It stays in the audit log.
        #[arg(long, default_value = "rotation")]
        reason: Reason,
    },
    /// Revoke a key for good. It is refused at once.
    Revoke {
        /// Its id, as `api-key list` shows it.
        id: String,
        /// Why. It stays in the audit log.
        #[arg(long, default_value = "no reason given")]
        reason: Reason,
    },
    /// Who is blocked by a running daemon, because requests went on after they were refused.
    Blocked {
        #[command(flatten)]
        connection: Connection,
    },
    /// Lift a block. It asks the running daemon, which has it in memory.
    Unblock {
        /// Its id, as `api-key blocked` shows it.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// `paywatch api-key create`
#[derive(Debug, Args)]
pub(crate) struct CreateKey {
    /// What the key is for, so that you know it again in the list.
    #[arg(long)]
    pub name: String,
    /// What it may do: orders:read, orders:write, payments:read, operator, webhooks; by default
    /// everything.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub scopes: Vec<Scope>,
    /// For an installation on test chains: it begins with `pw_test_`, so that nobody takes it for
    /// one that stands before real money.
    #[arg(long)]
    pub test: bool,
    /// For how long it is taken, such as 90d; by default for ever.
    #[arg(long, value_name = "TIME")]
    pub expires_in: Option<humantime::Duration>,
    /// From where it may be used: addresses or networks such as 10.0.0.0/8; by default everywhere.
    #[arg(long, value_name = "NETWORK,NETWORK", value_delimiter = ',', value_parser = network)]
    pub allow: Vec<IpNet>,
    /// Requests a minute, if other than [api.limits] says.
    #[arg(long, value_name = "NUMBER", requires = "burst")]
    pub per_minute: Option<NonZeroU32>,
    /// Requests at once, if other than [api.limits] says.
    #[arg(long, value_name = "NUMBER", requires = "per_minute")]
    pub burst: Option<NonZeroU32>,
    /// A public key, Ed25519 or P-256, in PEM or base64 of DER: every request must be signed with
    /// it (RFC 9421).
    #[arg(long, value_name = "PATH")]
    pub public_key: Option<PathBuf>,
    /// The public key, P-256, that you had registered with the hosted gateway whose routes are served
    /// under /api/v1: what creates an order there must be signed with it.
    #[arg(long, value_name = "PATH")]
    pub gateway_public_key: Option<PathBuf>,
    /// Why. It stays in the audit log.
    #[arg(long, default_value = "no reason given")]
    pub reason: Reason,
}

/// A network, or one address alone.
fn network(text: &str) -> Result<IpNet, &'static str> {
    config::network(text).ok_or("write an address, or a network such as 10.0.0.0/8")
}
