//! `paywatch webhook …`

mod call;
mod deliveries;
mod listen;
mod manage;
mod test;
mod view;

use std::path::Path;
use std::process::ExitCode;

use crate::cli::Webhook;
use crate::output::Format;

/// Does what `webhook …` asks.
pub(crate) async fn run(config: &Path, args: Webhook, format: Format) -> anyhow::Result<ExitCode> {
    match args {
        Webhook::Listen(args) => listen::run(args, format).await?,
        Webhook::Manage(args) => return manage::run(config, args, format).await,
    }
    Ok(ExitCode::SUCCESS)
}
