//! A real Anvil node that can be stopped and started again on the same chain.

use std::path::PathBuf;
use std::process::Stdio;

use alloy::network::Ethereum;
use alloy::providers::{Provider as _, ProviderBuilder, RootProvider};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use crate::{tools, wait};

/// A running (or stopped) Anvil.
#[derive(Debug)]
pub struct Node {
    /// Its chain id.
    pub chain_id: u64,
    /// A block is final once two epochs of so many slots stand on it.
    slots_in_an_epoch: u32,
    port: u16,
    child: Option<Child>,
    folder: TempDir,
}

impl Node {
    /// Starts a fresh chain on a free port, whose blocks are final four blocks later.
    pub async fn start(chain_id: u64) -> Self {
        Self::start_with(chain_id, 2).await
    }

    /// Starts a fresh chain on a free port, whose blocks are final two epochs later.
    pub async fn start_with(chain_id: u64, slots_in_an_epoch: u32) -> Self {
        tools::install_tls();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut node = Self {
            chain_id,
            slots_in_an_epoch,
            port: 0,
            child: None,
            folder,
        };
        node.start_again().await;
        node
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> Url {
        format!("http://127.0.0.1:{}", self.port)
            .parse()
            .expect("a valid URL")
    }

    /// Where its WebSocket listens.
    #[must_use]
    pub fn ws_url(&self) -> Url {
        format!("ws://127.0.0.1:{}", self.port)
            .parse()
            .expect("a valid URL")
    }

    /// A provider without fillers: Anvil fills in what is missing, and knows nonces after reorgs.
    #[must_use]
    pub fn provider(&self) -> RootProvider<Ethereum> {
        ProviderBuilder::new()
            .disable_recommended_fillers()
            .connect_http(self.url())
    }

    fn state_file(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    /// Starts it where it was stopped: same chain, same port.
    pub async fn start_again(&mut self) {
        assert!(self.child.is_none(), "the node runs already");
        let mut child = Command::new(tools::anvil())
            .args(["--host", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--chain-id", &self.chain_id.to_string()])
            .args(["--slots-in-an-epoch", &self.slots_in_an_epoch.to_string()])
            .arg("--state")
            .arg(self.state_file())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Anvil can be started");
        let mut lines = BufReader::new(child.stdout.take().expect("it has an output")).lines();
        let mut said = String::new();
        while let Some(line) = lines.next_line().await.expect("its output can be read") {
            if let Some(port) = line.strip_prefix("Listening on 127.0.0.1:") {
                self.port = port.trim().parse().expect("a port");
                break;
            }
            said.push_str(&line);
            said.push('\n');
        }
        assert!(self.port != 0, "Anvil did not start: {said}");
        // Its log goes on; nobody reads it, and a full pipe must not stop it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.child = Some(child);
        let provider = self.provider();
        wait::until("Anvil to answer", || async {
            provider
                .get_block_number()
                .await
                .map_err(|error| error.to_string())
        })
        .await;
    }

    /// Stops it; it keeps its chain in a file.
    pub async fn stop(&mut self) {
        let mut child = self.child.take().expect("the node runs");
        interrupt(&child).await;
        child.wait().await.expect("Anvil ends");
        assert!(self.state_file().exists(), "Anvil kept its state");
    }
}

/// Sends SIGINT, which is what makes Anvil write its state.
async fn interrupt(child: &Child) {
    let id = child.id().expect("it runs").to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status().await;
    assert!(
        sent.is_ok_and(|status| status.success()),
        "SIGINT could not be sent to {id}"
    );
}
