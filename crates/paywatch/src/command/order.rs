//! `paywatch order …`: makes and follows orders through a running daemon.

mod screen;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use paywatch_client::ListOrders;

use crate::cli;
use crate::command::connect;
use crate::output::{self, Format};

/// Does what `order …` asks.
pub(crate) async fn run(
    config: &Path,
    args: cli::Order,
    format: Format,
) -> anyhow::Result<ExitCode> {
    match args {
        cli::Order::Create(args) => create(config, args, format).await?,
        cli::Order::Show { id, connection } => {
            let order = connect::client(config, &connection)?.order(&id).await?;
            print(&order, format)?;
        },
        cli::Order::List(args) => list(config, args, format).await?,
        cli::Order::Cancel {
            id,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            print(&client.cancel_order(&id, reason.as_str()).await?, format)?;
        },
        cli::Order::Extend {
            id,
            by,
            until,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            let until = match (until, by) {
                (Some(until), _) => until,
                (None, by) => put_off(&client.order(&id).await?, *by.unwrap_or_default())?,
            };
            let order = client
                .extend_order(&id, &until.to_string(), reason.as_str())
                .await?;
            print(&order, format)?;
        },
        cli::Order::Accept {
            id,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            print(&client.accept_order(&id, reason.as_str()).await?, format)?;
        },
        cli::Order::Watch { id, connection } => {
            let client = connect::client(config, &connection)?;
            return watch::run(&client, &id, format).await;
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// The deadline of `order`, or now if that has passed, and `by` more.
fn put_off(order: &paywatch_client::Order, by: Duration) -> anyhow::Result<jiff::Timestamp> {
    let deadline: jiff::Timestamp = order.expires_at.parse()?;
    let from = deadline.max(jiff::Timestamp::now());
    Ok(from.checked_add(by)?)
}

async fn create(config: &Path, args: cli::CreateOrder, format: Format) -> anyhow::Result<()> {
    let request = paywatch_client::CreateOrder {
        reference: args.reference.to_string(),
        amount: args.amount.to_string(),
        any_amount: args.any_amount.then_some(true),
        tolerance: args.tolerance.map(|amount| amount.to_string()),
        tolerance_percent: args.tolerance_percent.map(|percent| percent.to_string()),
        tokens: args.tokens,
        methods: args.methods.map(|methods| {
            let names = methods.into_iter().map(|method| method.name().to_owned());
            names.collect()
        }),
        late_payments: args.late_payments.map(|policy| policy.name().to_owned()),
        chains: args.chains,
        expires_in: args.expires_in,
        grace: args.grace,
        callback_url: args.callback_url,
        metadata: args.metadata.into_iter().collect(),
    };
    let order = connect::client(config, &args.connection)?
        .create_order(&request)
        .await?;
    print(&order, format)
}

async fn list(config: &Path, args: cli::ListOrders, format: Format) -> anyhow::Result<()> {
    let request = ListOrders {
        status: args.status.map(|status| status.name().to_owned()),
        reference: args.reference,
        chain: args.chain,
        flag: (!args.flag.is_empty()).then(|| args.flag.join(",")),
        metadata: args.metadata.into_iter().collect(),
        address: args.address,
        tx_hash: args.tx,
        created_from: args.since.map(|time| time.to_string()),
        created_before: args.until.map(|time| time.to_string()),
        sort: args.sort,
        limit: Some(args.limit),
        cursor: args.cursor,
    };
    let page = connect::client(config, &args.connection)?
        .orders(&request)
        .await?;
    if format == Format::Json {
        return output::json(&page);
    }
    let mut table = output::table([
        "order",
        "reference",
        "status",
        "amount",
        "received",
        "expires",
    ]);
    for order in &page.data {
        let cells = [
            &order.id,
            &order.reference,
            &order.status,
            &order.amount,
            &order.received,
            &order.expires_at,
        ];
        table.add_row(cells);
    }
    output::line(&table.to_string())?;
    if let Some(cursor) = &page.next_cursor {
        output::line(&format!(
            "There are more: the same again with --cursor {cursor}"
        ))?;
    }
    Ok(())
}

fn print(order: &paywatch_client::Order, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(order);
    }
    Ok(output::line(&screen::draw(order))?)
}
