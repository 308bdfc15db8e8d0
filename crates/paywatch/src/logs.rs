//! Structured logs on stderr, as text or JSON.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{LogConfig, LogFormat};

/// Starts logging. `RUST_LOG` goes before the configured filter.
///
/// # Errors
/// When the filter is none, or logging has begun before.
pub(crate) fn start(config: &LogConfig) -> anyhow::Result<()> {
    let from_environment = std::env::var("RUST_LOG")
        .ok()
        .filter(|filter| !filter.is_empty());
    let filter = match from_environment {
        Some(filter) => EnvFilter::try_new(&filter).map_err(|cause| {
            anyhow::Error::new(cause).context(format!("RUST_LOG=\"{filter}\" is not a filter"))
        })?,
        None => EnvFilter::try_new(&config.filter)?,
    };
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match config.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|cause| anyhow::anyhow!(cause))
}
