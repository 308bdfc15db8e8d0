//! Who is blocked, from a running daemon, and the end of a block.

use std::path::Path;

use crate::cli::Connection;
use crate::command::connect;
use crate::output::{self, Format};

/// Prints who is blocked.
pub(super) async fn list(
    config: &Path,
    connection: &Connection,
    format: Format,
) -> anyhow::Result<()> {
    let blocks = connect::client(config, connection)?.blocked().await?;
    if format == Format::Json {
        return output::json(&blocks);
    }
    let mut table = output::table(["id", "who", "since", "until"]);
    for block in &blocks {
        let who = format!("{} {}", block.kind, block.subject);
        table.add_row([&block.id, &who, &block.since, &block.until]);
    }
    Ok(output::line(&table.to_string())?)
}

/// Lifts the block `id`.
pub(super) async fn lift(
    config: &Path,
    connection: &Connection,
    id: &str,
    format: Format,
) -> anyhow::Result<()> {
    let lifted = connect::client(config, connection)?.unblock(id).await?;
    if format == Format::Json {
        return output::json(&lifted);
    }
    let who = format!("{} {} may call again", lifted.kind, lifted.subject);
    Ok(output::line(&who)?)
}
