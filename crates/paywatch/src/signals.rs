//! Turns SIGTERM and Ctrl-C into a token that the daemon watches.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGTERM or SIGINT.
///
/// # Errors
/// When the system lets no handler be set.
pub(crate) fn shutdown() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let told = token.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!(signal.name = "SIGTERM", "told to stop by SIGTERM"),
            _ = interrupt.recv() => tracing::info!(signal.name = "SIGINT", "told to stop by Ctrl-C"),
        }
        told.cancel();
    });
    Ok(token)
}
