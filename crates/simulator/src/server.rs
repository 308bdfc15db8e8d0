//! A node over JSON-RPC and WebSocket, as real ones speak it, with limits and faults to choose.

mod connection;
mod envelope;
mod manners;
mod rendered;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::Bytes;
use async_trait::async_trait;
use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

pub use crate::server::envelope::RpcError;
pub use crate::server::manners::{Announcing, Manners, Trouble};
pub use crate::server::rendered::LedgerNode;

/// What answers questions. The server adds transport, limits and faults.
#[async_trait]
pub trait Rpc: Send + Sync + 'static {
    /// The `result` of a call, as JSON in pieces.
    ///
    /// # Errors
    /// What a node says instead.
    async fn call(&self, method: &str, params: &[Value]) -> Result<Vec<Bytes>, RpcError>;

    /// New heads in JSON, as `newHeads` has them; `None` if it takes no subscriptions.
    fn new_heads(&self) -> Option<broadcast::Receiver<Bytes>>;
}

/// Counts the calls of each method.
#[derive(Debug, Default)]
pub struct Calls {
    all: AtomicU64,
}

impl Calls {
    fn count(&self) {
        self.all.fetch_add(1, Ordering::Relaxed);
    }

    /// How many calls there were; each call of a batch counts.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.all.load(Ordering::Relaxed)
    }
}

/// One node that is served.
#[derive(Clone)]
pub struct Served {
    node: Arc<dyn Rpc>,
    manners: Arc<Manners>,
    calls: Arc<Calls>,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Served")
            .field("calls", &self.calls.total())
            .finish_non_exhaustive()
    }
}

impl Served {
    /// `node`, served with `manners`.
    #[must_use]
    pub fn new(node: Arc<dyn Rpc>, manners: Arc<Manners>) -> Self {
        Self {
            node,
            manners,
            calls: Arc::default(),
        }
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> Arc<Calls> {
        Arc::clone(&self.calls)
    }
}

type Nodes = Arc<BTreeMap<String, Served>>;

/// A listener with nodes behind it; it ends when this is dropped.
#[derive(Debug)]
pub struct SimServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl SimServer {
    /// Serves each of `nodes` under the path of its name, over HTTP and WebSocket alike.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(
        address: SocketAddr,
        nodes: impl IntoIterator<Item = (String, Served)>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let nodes: Nodes = Arc::new(nodes.into_iter().collect());
        let router = Router::new().route("/{name}", any(serve)).with_state(nodes);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the simulated node ended");
            }
        });
        Ok(Self { address, task })
    }

    /// Where the node `name` answers HTTP.
    #[must_use]
    pub fn http(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Where the node `name` answers over a WebSocket.
    #[must_use]
    pub fn ws(&self, name: &str) -> String {
        format!("ws://{}/{name}", self.address)
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the listener fails.
    pub async fn run(&mut self) {
        // A cancelled task has been dropped.
        let _ended = (&mut self.task).await;
    }
}

impl Drop for SimServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    Path(name): Path<String>,
    State(nodes): State<Nodes>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    body: axum::body::Bytes,
) -> Response {
    let Some(served) = nodes.get(&name).cloned() else {
        let known: Vec<_> = nodes.keys().map(String::as_str).collect();
        let text = format!("no node {name} here; there are: {}\n", known.join(", "));
        return (axum::http::StatusCode::NOT_FOUND, text).into_response();
    };
    match upgrade {
        Ok(upgrade) => upgrade
            .max_message_size(64 << 20)
            .on_upgrade(move |socket| connection::talk(socket, served))
            .into_response(),
        Err(_no_websocket) => connection::answer_http(&served, &body).await,
    }
}
