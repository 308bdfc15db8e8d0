//! Debian's `nats-server`, if it is installed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long a server may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// A server with JetStream, on a port that is its own for as long as the test lasts.
#[derive(Debug)]
pub struct NatsServer {
    child: Child,
    folder: TempDir,
    program: PathBuf,
    port: u16,
    login: &'static [&'static str],
}

impl NatsServer {
    /// Starts one with these arguments about who may connect. `None` if it is not installed, which a
    /// test should say.
    pub async fn start(login: &'static [&'static str]) -> Option<Self> {
        let program = program()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (child, port) = run(&program, folder.path(), "-1", login).await;
        Some(Self {
            child,
            folder,
            program,
            port,
            login,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it.
    pub async fn stop(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Starts it where it was, with what it had stored.
    pub async fn start_again(&mut self) {
        let port = self.port.to_string();
        (self.child, _) = run(&self.program, self.folder.path(), &port, self.login).await;
    }
}

fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders
        .by_ref()
        .map(|folder| folder.join("nats-server"))
        .find(|path| path.is_file())
}

/// Starts the server and waits for the file in which it writes its ports.
async fn run(program: &Path, folder: &Path, port: &str, login: &[&str]) -> (Child, u16) {
    let child = Command::new(program)
        .args(["--jetstream", "--addr", "127.0.0.1", "--port", port])
        .arg("--store_dir")
        .arg(folder.join("store"))
        .arg("--ports_file_dir")
        .arg(folder)
        .args(login)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("nats-server can be started");
    let id = child.id().expect("it runs");
    let ports = folder.join(format!("nats-server_{id}.ports"));
    let start = Instant::now();
    loop {
        let said = std::fs::read_to_string(&ports).unwrap_or_default();
        let number = said
            .rsplit(':')
            .next()
            .map(|rest| rest.trim_matches(|c: char| !c.is_ascii_digit()));
        if let Some(port) = number.and_then(|number| number.parse().ok()) {
            return (child, port);
        }
        let waited = start.elapsed();
        assert!(waited < LIMIT, "nats-server does not start: {said}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
