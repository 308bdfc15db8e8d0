//! `paywatch run`: the daemon.

use std::path::Path;

use crate::config::{Config, process_environment};
use crate::{daemon, logs, signals};

/// Runs the daemon until it is told to stop.
pub(crate) async fn run(path: &Path) -> anyhow::Result<()> {
    let config = Config::load(path, &process_environment())?;
    logs::start(&config.log)?;
    let shutdown = signals::shutdown()?;
    Box::pin(daemon::run(config, shutdown)).await
}
