//! `paywatch events`: what happened, and what happens.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use paywatch_client::{Client, ClientError, Event, ListEvents};
use tokio::time::sleep;

use crate::cli;
use crate::command::connect;
use crate::output::{self, Format};

/// How long to wait before a stream that has ended is taken up again.
const PAUSE: Duration = Duration::from_secs(1);

/// Prints events.
pub(crate) async fn run(config: &Path, args: cli::Events, format: Format) -> anyhow::Result<()> {
    let client = connect::client(config, &args.connection)?;
    let list = ListEvents {
        after: args.after,
        types: args.types,
        order: args.order,
        limit: (!args.follow).then_some(args.limit),
        timeout: None,
    };
    if args.follow {
        return tokio::select! {
            followed = follow(&client, list, format) => followed,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted.context("Ctrl-C cannot be listened for")
            },
        };
    }
    let page = client.events(&list).await?;
    for event in &page.data {
        show(event, format)?;
    }
    if page.has_more {
        output::aside(&format!("There may be more: --after {}", page.next_after))?;
    }
    Ok(())
}

/// Prints what happens, for as long as the daemon takes it.
async fn follow(client: &Client, mut list: ListEvents, format: Format) -> anyhow::Result<()> {
    let mut was_reached = false;
    loop {
        match told(client, &mut list, format, &mut was_reached).await {
            Ok(()) => {},
            Err(Ended::Printing(error)) => return Err(error),
            // Only what was reached before is sure to be reached again.
            Err(Ended::Refused(error)) if !was_reached || is_refusal(&error) => {
                return Err(error.into());
            },
            Err(Ended::Refused(error)) => output::aside(&format!("{error}; still trying"))?,
        }
        sleep(PAUSE).await;
    }
}

/// Why a stream is not told any more.
enum Ended {
    Refused(ClientError),
    Printing(anyhow::Error),
}

impl From<ClientError> for Ended {
    fn from(error: ClientError) -> Self {
        Self::Refused(error)
    }
}

/// Prints one stream to its end, and notes in `list` where to go on.
async fn told(
    client: &Client,
    list: &mut ListEvents,
    format: Format,
    was_reached: &mut bool,
) -> Result<(), Ended> {
    let mut stream = client.follow_events(list).await?;
    *was_reached = true;
    loop {
        let event = stream.next().await;
        list.after = stream.place().or(list.after);
        let Some(event) = event? else {
            return Ok(());
        };
        show(&event, format).map_err(Ended::Printing)?;
    }
}

/// Whether asking again would change nothing.
fn is_refusal(error: &ClientError) -> bool {
    match error {
        ClientError::Problem(problem) => problem.status < 500 && problem.status != 429,
        ClientError::Setup { .. } => true,
        ClientError::Unreachable { .. } | ClientError::Unexpected { .. } => false,
    }
}

fn show(event: &Event, format: Format) -> anyhow::Result<()> {
    match format {
        Format::Json => output::json_line(event),
        Format::Text => Ok(output::line(&in_words(event))?),
    }
}

/// An event on one line.
fn in_words(event: &Event) -> String {
    let Event {
        sequence,
        timestamp,
        kind,
        data,
        ..
    } = event;
    let order = data.order.as_ref().map(|order| {
        let (id, reference, status) = (&order.id, &order.reference, &order.status);
        let (received, amount) = (&order.received, &order.amount);
        format!("{reference} ({id}) {status}, {received} of {amount} received")
    });
    let payment = data.payment.as_ref().map(|payment| {
        let (id, amount, status) = (&payment.id, &payment.amount, &payment.status);
        format!("payment {id} of {amount} {status}")
    });
    let sweep = data.sweep.as_ref().map(|sweep| {
        let (chain, amount, address) = (&sweep.chain, &sweep.amount, &sweep.address);
        format!("{chain}: {amount} from {address} in {}", sweep.tx_hash)
    });
    let chain = data.chain.as_ref();
    let chain = chain.map(|about| format!("{}: {}", about.chain, about.detail));
    let endpoint = data.endpoint.as_ref();
    let endpoint = endpoint.map(|about| format!("{}: {}", about.id, about.detail));
    let about: Vec<String> = [order, payment, sweep, chain, endpoint]
        .into_iter()
        .flatten()
        .collect();
    format!(
        "{sequence:>6}  {timestamp}  {kind:<22}  {}",
        about.join("; ")
    )
}
