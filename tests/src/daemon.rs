//! The real daemon as a process of its own, with its configuration in a folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use paywatch_client::Client;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use crate::chain::{Chain, TREASURY};
use crate::database::Engine;
use crate::proxy::Proxy;
use crate::{tools, wait};

/// Stories ask again and again, as fast as they can.
const LIMITS: &str = "[api.limits]\nper_minute = 1000000\nburst = 100000\n";

/// A daemon that can be killed and started again on the same database.
#[derive(Debug)]
pub struct Daemon {
    folder: TempDir,
    /// The URL of its database.
    pub database: String,
    child: Option<Child>,
    url: Option<Url>,
    log: Arc<Mutex<String>>,
    key: Option<SecretString>,
}

/// What the configuration says of one chain.
#[must_use]
pub fn chain_section(chain: &Chain, confirmations: u32) -> String {
    let Chain {
        name,
        token,
        decimals,
        node,
        ..
    } = chain;
    format!(
        "[chains.{name}]\nid = {id}\nhttp = \"{http}\"\nws = \"{ws}\"\nconfirmations = {confirmations}\n\
         start_block = 0\npoll_interval = \"100ms\"\n\
         tokens = [{{ symbol = \"USDT\", address = \"{token}\", decimals = {decimals} }}]\n",
        id = node.chain_id,
        http = node.url(),
        ws = node.ws_url(),
    )
}

/// What the configuration says of a chain that is reached through `proxies` only.
#[must_use]
pub fn section_behind(chain: &Chain, confirmations: u32, proxies: &[Proxy], more: &str) -> String {
    let Chain {
        name,
        token,
        decimals,
        node,
        ..
    } = chain;
    let endpoints: Vec<String> = proxies
        .iter()
        .enumerate()
        .map(|(index, proxy)| {
            let (http, ws) = (proxy.http(), proxy.ws());
            format!("{{ name = \"proxy-{index}\", http = \"{http}\", ws = \"{ws}\" }}")
        })
        .collect();
    format!(
        "[chains.{name}]\nid = {id}\nconfirmations = {confirmations}\nstart_block = 0\n\
         poll_interval = \"100ms\"\nendpoints = [{endpoints}]\n\
         tokens = [{{ symbol = \"USDT\", address = \"{token}\", decimals = {decimals} }}]\n{more}",
        id = node.chain_id,
        endpoints = endpoints.join(", "),
    )
}

impl Daemon {
    /// A daemon, not yet started, that follows the chains of `sections`.
    #[must_use]
    pub fn new(engine: Engine, sections: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let database = engine.fresh_database(folder.path());
        let log = Arc::new(Mutex::new(String::new()));
        let daemon = Self {
            folder,
            database,
            child: None,
            url: None,
            log,
            key: None,
        };
        daemon.configure(sections);
        daemon
    }

    /// From its next start on it follows the chains of `sections`.
    pub fn configure(&self, sections: &[String]) {
        let database = &self.database;
        let mut config = format!(
            "[database]\nurl = \"{database}\"\n[api]\nlisten = \"127.0.0.1:0\"\n{LIMITS}[log]\nformat = \"json\"\n\
             filter = \"info,paywatch_indexer=debug,paywatch_reconciler=debug\"\n[treasury]\naddress = \"{TREASURY}\"\n"
        );
        for section in sections {
            write!(config, "{section}").expect("a string takes text");
        }
        std::fs::write(self.config(), config).expect("the folder takes a file");
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("paywatch.toml")
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program with this daemon's configuration, and no configuration from the environment.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(tools::paywatch());
        command
            .current_dir(self.folder.path())
            .arg("--config")
            .arg(self.config());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PAYWATCH_") {
                command.env_remove(name);
            }
        }
        command.env_remove("RUST_LOG").kill_on_drop(true);
        command
    }

    /// Runs a command of the program to its end: whether it went well, and what it said.
    pub async fn says(&self, arguments: &[&str]) -> (bool, String) {
        let output = self
            .command()
            .args(arguments)
            .output()
            .await
            .expect("the program runs");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    /// Runs a command of the program against the running daemon, with its key: whether it went
    /// well, and its standard output and standard error.
    pub async fn operator(&self, arguments: &[&str]) -> (bool, String, String) {
        let mut command = self.command();
        command.args(arguments);
        command.env("PAYWATCH_URL", self.url().as_str());
        command.env("PAYWATCH_API_KEY", self.key().expose_secret());
        let output = command.output().await.expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// Starts it and waits until its API answers.
    pub async fn start(&mut self) {
        assert!(self.child.is_none(), "the daemon runs already");
        let mut command = self.command();
        command
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the daemon can be started");
        let stderr = child.stderr.take().expect("it has a log");
        self.child = Some(child);
        self.url = None;
        let log = Arc::clone(&self.log);
        let from = lock(&log).len();
        tokio::spawn(async move {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = lock(&log);
                log.push_str(&line);
                log.push('\n');
            }
        });
        let log = Arc::clone(&self.log);
        let url = wait::until("the daemon to listen", || async {
            let log = lock(&log);
            let said = log.get(from..).unwrap_or_default();
            said.lines()
                .find_map(listens_at)
                .ok_or_else(|| said.to_owned())
        })
        .await;
        self.url = Some(url);
        if self.key.is_none() {
            self.key = Some(self.mint_key().await);
        }
    }

    async fn mint_key(&self) -> SecretString {
        let mut command = self.command();
        command.args(["api-key", "create", "--name", "story"]);
        let output = command.output().await.expect("the program runs");
        assert!(
            output.status.success(),
            "no key: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .to_owned()
            .into()
    }

    /// Where its API listens.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.url.as_ref().expect("the daemon was started")
    }

    /// A key of its API.
    #[must_use]
    pub fn key(&self) -> &SecretString {
        self.key.as_ref().expect("the daemon was started")
    }

    /// A client of its API.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.url().clone(), self.key().clone()).expect("a client can be made")
    }

    /// Waits until it follows all of its chains.
    pub async fn becomes_ready(&self) {
        let client = self.client();
        wait::until("the daemon to be ready", || async {
            let readiness = client.ready().await.map_err(|error| error.to_string())?;
            if readiness.ready {
                Ok(())
            } else {
                Err(format!("{readiness:?}"))
            }
        })
        .await;
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        lock(&self.log).clone()
    }

    /// Ends it as a power failure would (SIGKILL).
    pub async fn is_killed(&mut self) {
        let mut child = self.child.take().expect("the daemon runs");
        child.kill().await.expect("it can be killed");
    }

    /// Ends it as an operator does (SIGTERM), which it must follow with success.
    pub async fn stop(&mut self) {
        let mut child = self.child.take().expect("the daemon runs");
        let id = child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(
            sent.is_ok_and(|status| status.success()),
            "SIGTERM could not be sent to {id}"
        );
        let ended = tokio::time::timeout(wait::LIMIT, child.wait()).await;
        let status = ended.expect("it ends in time").expect("it ends");
        assert!(status.success(), "it ended with {status}: {}", self.log());
    }

    /// Whether it runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }
}

fn lock(log: &Mutex<String>) -> std::sync::MutexGuard<'_, String> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The address in the log line that says where the API listens.
fn listens_at(line: &str) -> Option<Url> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let address = line.get("fields")?.get("api.listen")?.as_str()?;
    format!("http://{address}").parse().ok()
}
