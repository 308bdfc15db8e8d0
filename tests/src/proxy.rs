//! A faulty provider between the daemon and a real Anvil: real sockets, real blocks, wrong answers.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alloy::primitives::{Address, Bytes};
use async_trait::async_trait;
use paywatch_simulator::server::{Manners, Rpc, RpcError, Served, SimServer};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use url::Url;

/// What the provider gets wrong until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// No logs, whatever there is.
    NoLogs,
    /// One log more, to this address.
    InventedLog(Address),
    /// It shows so many blocks fewer than there are, and answers ranges beyond with what it has.
    Behind(u64),
    /// It is another chain.
    OtherChain,
    /// The last receipt of each block is missing.
    LostReceipt,
    /// It has no finalized block.
    NoFinality,
    /// It gives no logs to whom names no contract.
    WantsContracts,
}

/// How often the node is asked for its head, to announce it.
const LOOK: Duration = Duration::from_millis(25);

struct Forwarder {
    upstream: Url,
    http: reqwest::Client,
    wrong: Mutex<BTreeSet<Wrong>>,
    heads: broadcast::Sender<Bytes>,
}

/// A provider that can be told what to get wrong.
#[derive(Debug)]
pub struct Proxy {
    server: SimServer,
    manners: Arc<Manners>,
    forwarder: Arc<Forwarder>,
    announcing: JoinHandle<()>,
}

impl std::fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forwarder")
            .field("wrong", &*self.wrong())
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// A provider that still gets everything right, in front of `upstream`.
    pub async fn start(upstream: Url) -> Self {
        let (heads, _) = broadcast::channel(64);
        let forwarder = Arc::new(Forwarder {
            upstream,
            http: reqwest::Client::new(),
            wrong: Mutex::default(),
            heads,
        });
        let manners = Arc::new(Manners::default());
        let served = Served::new(Arc::<Forwarder>::clone(&forwarder), Arc::clone(&manners));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = SimServer::start(address, [("node".to_owned(), served)]).await;
        let announcing = tokio::spawn(announce(Arc::clone(&forwarder)));
        Self {
            server: server.expect("a free port can be listened on"),
            manners,
            forwarder,
            announcing,
        }
    }

    /// Where it answers HTTP.
    #[must_use]
    pub fn http(&self) -> String {
        self.server.http("node")
    }

    /// Where it answers over a WebSocket.
    #[must_use]
    pub fn ws(&self) -> String {
        self.server.ws("node")
    }

    /// Its limits, and the troubles of its transport.
    #[must_use]
    pub fn manners(&self) -> &Manners {
        &self.manners
    }

    /// From now on it gets this wrong as well.
    pub fn gets_wrong(&self, wrong: Wrong) {
        self.forwarder.wrong().insert(wrong);
    }

    /// From now on it gets everything right.
    pub fn is_mended(&self) {
        self.forwarder.wrong().clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.announcing.abort();
    }
}

async fn announce(forwarder: Arc<Forwarder>) {
    let mut known = Value::Null;
    loop {
        let head = forwarder
            .call("eth_getBlockByNumber", &[json!("latest"), json!(false)])
            .await;
        if let Ok(pieces) = head
            && let Ok(head) = serde_json::from_slice::<Value>(&pieces.concat())
            && head["hash"] != known
        {
            known = head["hash"].clone();
            // Nobody may be listening.
            let _heard = forwarder.heads.send(head.to_string().into_bytes().into());
        }
        sleep(LOOK).await;
    }
}

fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok()
}

impl Forwarder {
    fn wrong(&self) -> MutexGuard<'_, BTreeSet<Wrong>> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let down = |error: reqwest::Error| RpcError::new(-32_000, error.to_string());
        let answer = self
            .http
            .post(self.upstream.clone())
            .json(&question)
            .send()
            .await;
        let mut answer: Value = answer.map_err(down)?.json().await.map_err(down)?;
        if let Some(error) = answer.get("error") {
            let code = error["code"].as_i64().unwrap_or(-32_000);
            return Err(RpcError::new(
                code,
                error["message"].as_str().unwrap_or_default(),
            ));
        }
        Ok(answer["result"].take())
    }

    /// The highest block that it admits to have.
    async fn head(&self) -> Result<u64, RpcError> {
        let head = number(&self.ask("eth_blockNumber", &[]).await?).unwrap_or_default();
        let behind = self.wrong().iter().find_map(|wrong| match wrong {
            Wrong::Behind(by) => Some(*by),
            Wrong::NoLogs
            | Wrong::InventedLog(_)
            | Wrong::OtherChain
            | Wrong::LostReceipt
            | Wrong::NoFinality
            | Wrong::WantsContracts => None,
        });
        Ok(head.saturating_sub(behind.unwrap_or_default()))
    }

    async fn block(&self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        let mut params = params.to_vec();
        let head = self.head().await?;
        if params.first() == Some(&json!("latest")) {
            params[0] = json!(format!("{head:#x}"));
        }
        if params.first() == Some(&json!("finalized")) && self.wrong().contains(&Wrong::NoFinality)
        {
            return Ok(Value::Null);
        }
        let block = self.ask(method, &params).await?;
        let is_beyond = number(&block["number"]).is_some_and(|number| number > head);
        Ok(if is_beyond { Value::Null } else { block })
    }

    async fn logs(&self, params: &[Value]) -> Result<Value, RpcError> {
        let mut params = params.to_vec();
        if params[0].get("address").is_none() && self.wrong().contains(&Wrong::WantsContracts) {
            let message = "please specify an address in your request";
            return Err(RpcError::new(-32_602, message));
        }
        let head = self.head().await?;
        if let Some(hash) = params[0].get("blockHash").cloned() {
            let block = self
                .block("eth_getBlockByHash", &[hash, json!(false)])
                .await?;
            if block.is_null() {
                return Err(RpcError::new(-32_000, "unknown block"));
            }
        }
        if let Some(to) = params[0].get("toBlock").and_then(number) {
            params[0]["toBlock"] = json!(format!("{:#x}", to.min(head)));
        }
        let logs = match number(&params[0]["fromBlock"]) {
            // As a node does that has not heard of the block.
            Some(from) if from > head => json!([]),
            Some(_) | None => self.ask("eth_getLogs", &params).await?,
        };
        let mut logs = logs.as_array().cloned().unwrap_or_default();
        let wrong = self.wrong().clone();
        for wrong in &wrong {
            match wrong {
                Wrong::NoLogs => logs.clear(),
                Wrong::InventedLog(to) => {
                    if let Some(log) = logs.first() {
                        let mut invented = log.clone();
                        invented["logIndex"] = json!("0x63");
                        invented["topics"][2] = json!(to.into_word());
                        logs.push(invented);
                    }
                },
                Wrong::Behind(_)
                | Wrong::OtherChain
                | Wrong::LostReceipt
                | Wrong::NoFinality
                | Wrong::WantsContracts => {},
            }
        }
        Ok(Value::Array(logs))
    }
}

#[async_trait]
impl Rpc for Forwarder {
    async fn call(&self, method: &str, params: &[Value]) -> Result<Vec<Bytes>, RpcError> {
        let result = match method {
            "eth_chainId" if self.wrong().contains(&Wrong::OtherChain) => json!("0x1"),
            "eth_blockNumber" => json!(format!("{:#x}", self.head().await?)),
            "eth_getBlockByNumber" | "eth_getBlockByHash" => self.block(method, params).await?,
            "eth_getLogs" => self.logs(params).await?,
            "eth_getBlockReceipts" => {
                let mut receipts = self.ask(method, params).await?;
                if let Some(receipts) = receipts.as_array_mut()
                    && self.wrong().contains(&Wrong::LostReceipt)
                {
                    receipts.pop();
                }
                receipts
            },
            _ => self.ask(method, params).await?,
        };
        Ok(vec![result.to_string().into_bytes().into()])
    }

    fn new_heads(&self) -> Option<broadcast::Receiver<Bytes>> {
        Some(self.heads.subscribe())
    }
}
