//! `paywatch payment proof` and `paywatch verify-proof`: the evidence of a payment.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use paywatch_proof::{ProvenTransfer, verify_bundle};
use serde_json::{Value, json};

use crate::cli;
use crate::command::connect;
use crate::output::{self, Format};

/// Does what `payment …` asks.
pub(crate) async fn run(config: &Path, args: cli::Payment, format: Format) -> anyhow::Result<()> {
    let cli::Payment::Proof {
        id,
        out,
        connection,
    } = args;
    let bundle = connect::client(config, &connection)?
        .payment_proof(&id)
        .await?;
    let Some(path) = out else {
        return Ok(output::bytes(&bundle)?);
    };
    let shown = path.display();
    fs::write(&path, &bundle).with_context(|| format!("{shown} cannot be written"))?;
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
