//! `paywatch decisions`: the audit log, from a running daemon.

use std::path::Path;

use paywatch_client::ListDecisions;

use crate::cli;
use crate::command::connect;
use crate::output::{self, Format};

/// Prints a page of the log.
pub(crate) async fn run(config: &Path, args: cli::Decisions, format: Format) -> anyhow::Result<()> {
    let list = ListDecisions {
        order: args.order,
        payment: args.payment,
        limit: Some(args.limit),
        cursor: args.cursor,
    };
    let page = connect::client(config, &args.connection)?
        .decisions(&list)
        .await?;
    if format == Format::Json {
        return output::json(&page);
    }
    let mut table = output::table(["when", "decision", "about", "what", "why", "by"]);
    for decision in &page.data {
        let about = decision.order.as_ref().or(decision.payment.as_ref());
        table.add_row([
            &decision.decided_at,
            &decision.kind,
            about.unwrap_or(&decision.id),
            &decision.detail,
            &decision.reason,
            &decision.decided_by,
        ]);
    }
    output::line(&table.to_string())?;
    if let Some(cursor) = &page.next_cursor {
        output::line(&format!("There are more: --cursor {cursor}"))?;
    }
    Ok(())
}
