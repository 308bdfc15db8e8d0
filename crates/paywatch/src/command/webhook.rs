//! `paywatch webhook …`

mod call;
mod listen;

use crate::cli::Webhook;
use crate::output::Format;

/// Does what `webhook …` asks.
pub(crate) async fn run(args: Webhook, format: Format) -> anyhow::Result<()> {
    match args {
        Webhook::Listen(args) => listen::run(args, format).await,
    }
}
