//! `paywatch refund …`: prepares what your own wallet is to send back, through a running daemon.

mod qr;

use std::path::Path;

use paywatch_client::{ListRefunds, Refund};

use crate::cli;
use crate::command::connect;
use crate::output::{self, Format};

/// Does what `refund …` asks.
pub(crate) async fn run(config: &Path, args: cli::Refund, format: Format) -> anyhow::Result<()> {
    match args {
        cli::Refund::Prepare(args) => prepare(config, args, format).await,
        cli::Refund::List(args) => list(config, args, format).await,
        cli::Refund::Show { id, connection } => {
            let client = connect::client(config, &connection)?;
            print(&client.refund(&id).await?, format)
        },
        cli::Refund::Cancel {
            id,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            print(&client.cancel_refund(&id, reason.as_str()).await?, format)
        },
        cli::Refund::Link {
            id,
            payment,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            let reason = reason.as_str();
            print(&client.link_refund(&id, &payment, reason).await?, format)
        },
    }
}

async fn prepare(config: &Path, args: cli::PrepareRefund, format: Format) -> anyhow::Result<()> {
    let request = paywatch_client::PrepareRefund {
        reference: args.reference.to_string(),
        chain: args.chain,
        token: args.token,
        amount: args.amount.map(|amount| amount.to_string()),
        to: args.to,
        to_payer: args.to_payer.then_some(true),
        reason: args.reason.as_str().to_owned(),
    };
    let refund = connect::client(config, &args.connection)?
        .prepare_refund(&args.order, &request)
        .await?;
    print(&refund, format)?;
    if format == Format::Text
        && let Some(uri) = &refund.uri
    {
        output::line(&qr::draw(uri)?)?;
    }
    Ok(())
}

async fn list(config: &Path, args: cli::ListRefunds, format: Format) -> anyhow::Result<()> {
    let request = ListRefunds {
        status: args.status,
        order: args.order,
        chain: args.chain,
        limit: Some(args.limit),
        cursor: args.cursor,
    };
    let page = connect::client(config, &args.connection)?
        .refunds(&request)
        .await?;
    if format == Format::Json {
        return output::json(&page);
    }
    let mut table = output::table(["refund", "status", "amount", "on", "to", "order", "made"]);
    for refund in &page.data {
        table.add_row([
            &refund.id,
            &refund.status,
            &refund.amount,
            &refund.chain,
            &refund.to,
            &refund.order,
            &refund.created_at,
        ]);
    }
    output::line(&table.to_string())?;
    if let Some(cursor) = &page.next_cursor {
        output::line(&format!("There are more: --cursor {cursor}"))?;
    }
    Ok(())
}

fn print(refund: &Refund, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(refund);
    }
    Ok(output::line(&in_words(refund))?)
}

fn in_words(refund: &Refund) -> String {
    let Refund {
        id,
        order,
        reference,
        status,
        amount,
        token,
        chain,
        to,
        reason,
        ..
    } = refund;
    let symbol = &token.symbol;
    let mut lines = vec![
        format!("{id}  {reference}  {}", status.to_uppercase()),
        format!("  order        {order}"),
        format!("  amount       {amount} {symbol} on {chain}"),
        format!("  to           {to}"),
        format!("  reason       {reason}"),
    ];
    if let Some(payment) = &refund.payment {
        lines.push(format!(
            "  sent         {} in transaction {}{}",
            payment.amount,
            payment.tx_hash,
            output::confirmations(payment.confirmations)
        ));
    }
    if let Some(transaction) = &refund.transaction {
        lines.push(format!("  send from    {}", refund.send_from.join(" or ")));
        lines.push("  transaction, for your wallet to sign:".to_owned());
        lines.push(format!("    chain      {}", transaction.chain_id));
        lines.push(format!("    to         {}", transaction.to));
        lines.push(format!("    value      {}", transaction.value));
        lines.push(format!("    data       {}", transaction.data));
    }
    if let Some(uri) = &refund.uri {
        lines.push(format!("  uri          {uri}"));
    }
    lines.extend(refund.warnings.iter().map(|text| format!("  mind: {text}")));
    lines.join("\n")
}
