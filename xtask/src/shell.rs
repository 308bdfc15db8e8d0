//! Running other programs from the root of the workspace, and saying so.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map_or(xtask.clone(), PathBuf::from)
}

/// Writes a line for the person who runs the task.
pub(crate) fn say(line: &str) {
    // With standard error gone there is nobody left to tell.
    let _told = writeln!(std::io::stderr(), "{line}");
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// A program, to be run from the root of the workspace.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// Runs `command` under a heading, with the time that it took; an error when it fails.
pub(crate) fn step(name: &str, command: &mut Command) -> Result<()> {
    say(&format!("\n== {name}"));
    let start = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("{name}: {program} could not be started; is it installed?"))?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    say(&format!(
        "== {name}: done in {} s",
        start.elapsed().as_secs()
    ));
    Ok(())
}
