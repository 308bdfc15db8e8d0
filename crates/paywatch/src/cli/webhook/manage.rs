//! `paywatch webhook …`, as far as it works on the database.

use std::time::Duration;

use clap::{Args, Subcommand};
use paywatch_core::{
    DeliveryState, EndpointId, EndpointName, EventFormat, EventTypes, LONGEST_OVERLAP_S, Reason,
    SignatureKind, UnknownName,
};

/// `paywatch webhook …`, as far as it works on the database.
#[derive(Debug, Subcommand)]
pub(crate) enum ManageWebhook {
    /// Make a webhook: it is told of what happens from now on. Its secret is printed once, alone on
    /// stdout; with --signature ed25519 or --format blockatm its public key is.
    #[command(after_help = "\
Examples:
  paywatch webhook add --name shop --url https://shop.example.com/webhooks > secret
  paywatch webhook add --name bank --url https://bank.example.com/in --types order.completed \\
      --signature ed25519
  paywatch webhook add --name till --url https://till.example.com/hook --format blockatm > key")]
    Add(AddWebhook),
    /// List who is told of events, and how each fares.
    List,
    /// Show all about one, but for its secrets.
    Show {
        /// Its id, as `webhook list` shows it.
        id: EndpointId,
    },
    /// Change its name, where it is, or of what it is told.
    #[command(after_help = "\
Example:
  paywatch webhook change ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b --url https://shop.example.com/v2")]
    Change(ChangeWebhook),
    /// Give it another secret, which is printed once, alone on stdout. Those before it sign along for
    /// a while.
    Rotate {
        /// Its id, as `webhook list` shows it.
        id: EndpointId,
        /// For how long they do, at most a week; 0s ends them at once. A day, if not given; not at all
        /// in the form blockatm, in which the newest key alone signs.
        #[arg(long, value_name = "TIME", value_parser = overlap)]
        overlap: Option<Duration>,
        /// Why. It stays in the audit log.
        #[arg(long, default_value = "rotation")]
        reason: Reason,
    },
    /// Tell it nothing any more. What is still to be delivered is dropped.
    Disable {
        /// Its id, as `webhook list` shows it.
        id: EndpointId,
        /// Why. It stays in the audit log.
        #[arg(long, default_value = "no reason given")]
        reason: Reason,
    },
    /// Tell it again, of what happens from now on; `webhook redeliver` tells what it missed.
    Enable {
        /// Its id, as `webhook list` shows it.
        id: EndpointId,
        /// Why. It stays in the audit log.
        #[arg(long, default_value = "no reason given")]
        reason: Reason,
    },
    /// List what it was told and is still to be told, newest first; or one of these with its requests.
    #[command(after_help = "\
Examples:
  paywatch webhook deliveries ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b --state pending,failed
  paywatch webhook deliveries ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b --sequence 31")]
    Deliveries(ListDeliveries),
    /// Tell it once more: what was given up, a range of events, or one.
    #[command(after_help = "\
Events keep their ids, so that a receiver can drop what it has seen.

Examples:
  paywatch webhook redeliver ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b --failed
  paywatch webhook redeliver ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b --from 5 --to 9")]
    Redeliver(RedeliverWebhook),
    /// Send it a sample event now, and say what came back and what would help.
    #[command(after_help = "\
The event is of type webhook.test and tells of nothing. It is signed as real ones are, goes through
the same guard, and is sent once. Exit code 1 if it is not taken.")]
    Test {
        /// Its id, as `webhook list` shows it.
        id: EndpointId,
    },
}

/// `paywatch webhook add`
#[derive(Debug, Args)]
pub(crate) struct AddWebhook {
    /// What you call it; no two webhooks have one name.
    #[arg(long)]
    pub name: EndpointName,
    /// Where it is.
    #[arg(long)]
    pub url: String,
    /// Of what it is told: names of events and families such as `order.*`; by default everything that
    /// its form has words for.
    #[arg(long, value_name = "TYPE,TYPE", default_value = "*", value_parser = types)]
    pub types: EventTypes,
    /// `hmac`, by a secret that both have, or `ed25519`, by a key that only paywatch has; by default
    /// hmac. The form blockatm is signed by `p256` alone.
    #[arg(long, value_name = "KIND")]
    pub signature: Option<SignatureKind>,
    /// `standard`, as Standard Webhooks says, or `blockatm`, as that gateway tells, of payments alone.
    #[arg(long, value_name = "FORM", default_value = "standard")]
    pub format: EventFormat,
    /// Why. It stays in the audit log.
    #[arg(long, default_value = "no reason given")]
    pub reason: Reason,
}

/// `paywatch webhook change`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct ChangeWebhook {
    /// Its id, as `webhook list` shows it.
    pub id: EndpointId,
    /// What you call it.
    #[arg(long, group = "what")]
    pub name: Option<EndpointName>,
    /// Where it is from now on, also for what is still to be delivered.
    #[arg(long, group = "what")]
    pub url: Option<String>,
    /// Of what it is told from now on.
    #[arg(long, value_name = "TYPE,TYPE", value_parser = types, group = "what")]
    pub types: Option<EventTypes>,
    /// Why. It stays in the audit log.
    #[arg(long, default_value = "no reason given")]
    pub reason: Reason,
}

/// `paywatch webhook deliveries`
#[derive(Debug, Args)]
pub(crate) struct ListDeliveries {
    /// Its id, as `webhook list` shows it.
    pub id: EndpointId,
    /// Only the one of the event with this sequence, with its requests.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=i64::MAX.unsigned_abs()))]
    pub sequence: Option<u64>,
    /// Only those in these states: pending, delivered, failed, dropped.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub state: Vec<DeliveryState>,
    /// How many at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub limit: u32,
    /// Only those of events with a smaller sequence: where to go on.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=i64::MAX.unsigned_abs()))]
    pub before: Option<u64>,
}

/// `paywatch webhook redeliver`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("again").required(true))]
pub(crate) struct RedeliverWebhook {
    /// Its id, as `webhook list` shows it.
    pub id: EndpointId,
    /// What was given up.
    #[arg(long, group = "again")]
    pub failed: bool,
    /// The events from this sequence on, also those that it was never told.
    #[arg(long, value_name = "NUMBER", group = "again", requires = "to", value_parser = clap::value_parser!(u64).range(1..=i64::MAX.unsigned_abs()))]
    pub from: Option<u64>,
    /// Up to this one, at most 10,000 events.
    #[arg(long, value_name = "NUMBER", requires = "from", value_parser = clap::value_parser!(u64).range(1..=i64::MAX.unsigned_abs()))]
    pub to: Option<u64>,
    /// The event with this id.
    #[arg(long, value_name = "ID", group = "again")]
    pub event: Option<String>,
    /// Why. It stays in the audit log.
    #[arg(long, default_value = "no reason given")]
    pub reason: Reason,
}

fn types(text: &str) -> Result<EventTypes, UnknownName> {
    EventTypes::read(text.split(',').map(str::trim))
}

fn overlap(text: &str) -> Result<Duration, String> {
    let overlap = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if overlap.as_secs() > LONGEST_OVERLAP_S {
        return Err("at most 7d".to_owned());
    }
    Ok(overlap)
}
