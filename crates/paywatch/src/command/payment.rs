//! `paywatch payment …` and `paywatch verify-proof`: payments by themselves, and their evidence.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use paywatch_client::{ListLookAlikes, ListPayments, Payment};
use paywatch_proof::{ProvenTransfer, verify_bundle};
use serde_json::{Value, json};

use crate::cli;
use crate::command::connect;
use crate::output::{self, Format};

/// Does what `payment …` asks.
pub(crate) async fn run(config: &Path, args: cli::Payment, format: Format) -> anyhow::Result<()> {
    match args {
        cli::Payment::List(args) => list(config, args, format).await,
        cli::Payment::LookAlikes(args) => look_alikes(config, args, format).await,
        cli::Payment::Show { id, connection } => {
            let client = connect::client(config, &connection)?;
            print(&client.payment(&id).await?, format)
        },
        cli::Payment::Assign {
            id,
            order,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            let reason = reason.as_str();
            print(&client.assign_payment(&id, &order, reason).await?, format)
        },
        cli::Payment::Unassign {
            id,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            let payment = client.unassign_payment(&id, reason.as_str()).await?;
            print(&payment, format)
        },
        cli::Payment::WriteOff {
            id,
            reason,
            connection,
        } => {
            let client = connect::client(config, &connection)?;
            let payment = client.write_off_payment(&id, reason.as_str()).await?;
            print(&payment, format)
        },
        cli::Payment::Proof {
            id,
            out,
            connection,
        } => {
            let bundle = connect::client(config, &connection)?
                .payment_proof(&id)
                .await?;
            write_proof(&bundle, out, format)
        },
    }
}

async fn list(config: &Path, args: cli::ListPayments, format: Format) -> anyhow::Result<()> {
    let request = ListPayments {
        status: args.status,
        chain: args.chain,
        address: args.address,
        tx_hash: args.tx,
        order: args.order,
        limit: Some(args.limit),
        cursor: args.cursor,
        ..ListPayments::default()
    };
    let page = connect::client(config, &args.connection)?
        .payments(&request)
        .await?;
    if format == Format::Json {
        return output::json(&page);
    }
    let mut table = output::table(["payment", "status", "amount", "to", "order", "seen"]);
    for payment in &page.data {
        table.add_row([
            payment.id.as_str(),
            &payment.status,
            &payment.amount,
            &payment.to,
            payment.order.as_deref().unwrap_or("-"),
            &payment.detected_at,
        ]);
    }
    output::line(&table.to_string())?;
    if let Some(cursor) = &page.next_cursor {
        output::line(&format!("There are more: --cursor {cursor}"))?;
    }
    Ok(())
}

async fn look_alikes(
    config: &Path,
    args: cli::ListLookAlikes,
    format: Format,
) -> anyhow::Result<()> {
    let request = ListLookAlikes {
        chain: args.chain,
        address: args.address,
        order: args.order,
        limit: Some(args.limit),
        cursor: args.cursor,
    };
    let page = connect::client(config, &args.connection)?
        .look_alikes(&request)
        .await?;
    if format == Format::Json {
        return output::json(&page);
    }
    let mut table = output::table(["is", "calls itself", "contract", "to", "times", "last"]);
    for one in &page.data {
        table.add_row([
            one.kind.as_str(),
            one.symbol.as_deref().or(one.name.as_deref()).unwrap_or("-"),
            &one.contract,
            &one.to,
            &one.transfers.to_string(),
            &one.last.tx_hash,
        ]);
    }
    output::line(&table.to_string())?;
    if let Some(cursor) = &page.next_cursor {
        output::line(&format!("There are more: --cursor {cursor}"))?;
    }
    Ok(())
}

fn print(payment: &Payment, format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        return output::json(payment);
    }
    let by = if payment.assigned {
        ", given by an operator"
    } else {
        ""
    };
    let order = payment.order.as_deref().unwrap_or("none");
    let frozen = if payment.frozen == Some(true) {
        "\n  frozen       the issuer froze the address that was paid: the money cannot be moved"
    } else {
        ""
    };
    let confirmations = output::confirmations(payment.confirmations);
    Ok(output::line(&format!(
        "{}  {}{confirmations}\n\
         \x20 amount       {}\n\
         \x20 from         {}\n\
         \x20 to           {}\n\
         \x20 order        {order}{by}\n\
         \x20 chain        {}, block {}\n\
         \x20 transaction  {}\n\
         \x20 proof        {}{frozen}",
        payment.id,
        payment.status,
        payment.amount,
        payment.from,
        payment.to,
        payment.chain_id,
        payment.block_number,
        payment.tx_hash,
        payment.proof.as_deref().unwrap_or("-"),
    ))?)
}

fn write_proof(bundle: &[u8], out: Option<PathBuf>, format: Format) -> anyhow::Result<()> {
    let Some(path) = out else {
        return Ok(output::bytes(bundle)?);
    };
    let shown = path.display();
    fs::write(&path, bundle).with_context(|| format!("{shown} cannot be written"))?;
    match format {
        Format::Json => output::json(&json!({ "written": path })),
        Format::Text => Ok(output::line(&format!(
            "Wrote {shown}. `paywatch verify-proof {shown}` checks it."
        ))?),
    }
}

/// Checks the proof in `file`.
pub(crate) fn verify(file: &Path, format: Format) -> anyhow::Result<()> {
    let shown = file.display();
    let bundle = fs::read(file).with_context(|| format!("{shown} cannot be read"))?;
    let proven = verify_bundle(&bundle).with_context(|| format!("{shown} proves nothing"))?;
    match format {
        Format::Json => output::json(&as_value(&proven)),
        Format::Text => Ok(output::line(&in_words(&proven))?),
    }
}

fn in_words(proven: &ProvenTransfer) -> String {
    let ProvenTransfer {
        chain_id,
        block,
        tx_index,
        log_index,
        tx_hash,
        token,
        from,
        to,
        value,
        payment_id,
    } = proven;
    format!(
        "The proof of {payment_id} holds.\n\
         \x20 chain        {chain_id} (as the file says; a block does not name its chain)\n\
         \x20 block        {} {}\n\
         \x20 transaction  number {tx_index} of the block; {tx_hash}, as the node said\n\
         \x20 log          {log_index}\n\
         \x20 token        {token}\n\
         \x20 from         {from}\n\
         \x20 to           {to}\n\
         \x20 value        {value} base units\n\
         Whether the block is on its chain, an explorer tells.",
        block.number, block.hash,
    )
}

fn as_value(proven: &ProvenTransfer) -> Value {
    json!({
        "payment_id": proven.payment_id.to_string(),
        "chain_id": proven.chain_id.get(),
        "block_number": proven.block.number,
        "block_hash": proven.block.hash.to_string(),
        "transaction_index": proven.tx_index,
        "transaction_hash_as_told": proven.tx_hash.to_string(),
        "log_index": proven.log_index,
        "token": proven.token.to_string(),
        "from": proven.from.to_string(),
        "to": proven.to.to_string(),
        "value_base_units": proven.value.to_string(),
    })
}
