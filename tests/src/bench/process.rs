//! Processes of their own, so that one's memory and time are not another's.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// This program.
fn myself() -> Result<PathBuf> {
    std::env::current_exe().context("this program has a path")
}

/// The release build of the daemon, which lies beside this program.
pub(crate) fn paywatch() -> Result<PathBuf> {
    Ok(myself()?.with_file_name("paywatch"))
}

/// The daemon's program, with the configuration in `folder`.
pub(crate) fn daemon(folder: &Path) -> Result<Command> {
    let mut command = Command::new(paywatch()?);
    command
        .current_dir(folder)
        .args(["--config", "paywatch.toml"])
        .stdout(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

/// Where nobody listens now.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A key to the API of the daemon with the configuration in `folder`, made with `options`.
pub(crate) async fn key(folder: &Path, options: &[&str]) -> Result<String> {
    let mut command = daemon(folder)?;
    command.args(["api-key", "create", "--name", "bench"]);
    let made = command.args(options).stdout(Stdio::piped()).output();
    let made = made.await?;
    if !made.status.success() {
        bail!("{}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}

/// A server that runs until this is dropped, and the line with which it began.
#[derive(Debug)]
pub(crate) struct Server {
    _child: Child,
    _lines: Lines<BufReader<ChildStdout>>,
    pub(crate) said: String,
}

impl Server {
    pub(crate) async fn start(arguments: &[String]) -> Result<Self> {
        let mut child = Command::new(myself()?)
            .args(arguments)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("it has an output")?;
        let mut lines = BufReader::new(stdout).lines();
        let said = lines.next_line().await?.context("it says where it is")?;
        Ok(Self {
            _child: child,
            _lines: lines,
            said,
        })
    }
}

/// Runs this program with `arguments` to its end, and reads what it measured.
pub(crate) async fn measured<T: DeserializeOwned>(arguments: &[String]) -> Result<T> {
    let output = Command::new(myself()?)
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()
        .await?;
    if !output.status.success() {
        bail!("{arguments:?} failed");
    }
    let said = String::from_utf8(output.stdout)?;
    let last = said.lines().last().context("it says what it measured")?;
    serde_json::from_str(last).with_context(|| format!("{last} is no measurement"))
}

/// A value of `/proc/<pid>/status` in KiB.
pub(crate) fn memory_kib(pid: u32, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .with_context(|| format!("there is no {field}"))?;
    let number = line.split_whitespace().nth(1).context("it has a value")?;
    Ok(number.parse()?)
}

/// The processor time that a process has used, in hundredths of a second.
pub(crate) fn cpu_ticks(pid: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in brackets may hold anything; after it, the 12th and 13th fields.
    let (_, rest) = stat.rsplit_once(')').context("it names its program")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks = |place: usize| -> Result<u64> {
        Ok(fields.get(place).context("it has the field")?.parse()?)
    };
    Ok(ticks(11)? + ticks(12)?)
}

/// The middle, the slowest in a hundred and the slowest of `times`.
pub(crate) fn percentiles(mut times: Vec<Duration>) -> Result<String> {
    times.sort_unstable();
    let at = |share: usize| {
        let place = (times.len() * share / 100).min(times.len().saturating_sub(1));
        times.get(place).map(Duration::as_millis)
    };
    Ok(format!(
        "p50 {} ms, p99 {} ms, at most {} ms, of {}",
        at(50).context("there are some")?,
        at(99).context("there are some")?,
        at(100).context("there are some")?,
        times.len()
    ))
}
