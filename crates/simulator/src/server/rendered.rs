//! A ledger in the words of a node.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::server::manners::quantity;
use crate::server::{Rpc, RpcError};
use crate::{Ledger, SimBlock, token};

/// How many heads a slow listener may be behind.
const HEADS: usize = 256;

/// A node that shows a ledger.
#[derive(Debug)]
pub struct LedgerNode {
    ledger: Arc<dyn Ledger>,
    heads: broadcast::Sender<Bytes>,
}

impl LedgerNode {
    /// A node that shows `ledger`. Needs a runtime, for announcing heads.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>) -> Self {
        let (heads, _) = broadcast::channel(HEADS);
        let mut blocks = ledger.new_heads();
        let announced = heads.clone();
        tokio::spawn(async move {
            loop {
                match blocks.recv().await {
                    // Nobody may be listening.
                    Ok(block) => drop(announced.send(bytes(&header(&block)))),
                    Err(broadcast::error::RecvError::Lagged(_)) => {},
                    Err(broadcast::error::RecvError::Closed) => return,
                }
            }
        });
        Self { ledger, heads }
    }

    fn block(&self, given: &Value) -> Result<Option<Arc<SimBlock>>, RpcError> {
        let text = given.as_str().unwrap_or_default();
        Ok(match text {
            "latest" | "pending" => Some(self.ledger.head()),
            "earliest" => self.ledger.at(0),
            "finalized" => self.ledger.finalized(),
            "safe" => self.ledger.safe(),
            _ if text.len() == 66 => text
                .parse()
                .ok()
                .and_then(|hash: B256| self.ledger.with_hash(hash)),
            _ => {
                let number = quantity(text).ok_or_else(|| {
                    RpcError::params(format!("invalid argument 0: {given} is no block"))
                })?;
                self.ledger.at(number)
            },
        })
    }

    fn logs(&self, filter: &Value) -> Result<Value, RpcError> {
        let wanted = Wanted::read(filter)?;
        let mut logs = Vec::new();
        if let Some(hash) = filter.get("blockHash") {
            let block = self
                .block(hash)?
                .ok_or_else(|| RpcError::new(-32_000, "unknown block"))?;
            wanted.take(&block, &mut logs);
            return Ok(Value::Array(logs));
        }
        let head = self.ledger.head().header.number;
        let end = |key| -> Result<u64, RpcError> {
            match filter.get(key) {
                None => Ok(head),
                Some(given) => Ok(match self.block(given)? {
                    Some(block) => block.header.number,
                    None => given.as_str().and_then(quantity).unwrap_or(head),
                }),
            }
        };
        let (from, to) = (end("fromBlock")?, end("toBlock")?);
        if from > to {
            return Err(RpcError::params("invalid block range params"));
        }
        for number in from..=to.min(head) {
            if let Some(block) = self.ledger.at(number) {
                wanted.take(&block, &mut logs);
            }
        }
        Ok(Value::Array(logs))
    }

    /// The answer of a token at the block that `params` name, the newest if they name none.
    fn token_call(&self, params: &[Value]) -> Result<Value, RpcError> {
        let call = params.first().unwrap_or(&Value::Null);
        let field = |key: &str| call.get(key).and_then(Value::as_str);
        let to: Address = field("to")
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| RpcError::params("a call of no contract"))?;
        let data: Bytes = field("data")
            .or_else(|| field("input"))
            .unwrap_or("0x")
            .parse()
            .map_err(|cause| RpcError::params(format!("data: {cause}")))?;
        let place = match params.get(1) {
            None | Some(Value::Null) => &json!("latest"),
            // EIP-1898.
            Some(Value::Object(place)) => place
                .get("blockHash")
                .or_else(|| place.get("blockNumber"))
                .unwrap_or(&Value::Null),
            Some(place) => place,
        };
        let block = self
            .block(place)?
            .ok_or_else(|| RpcError::new(-32_000, "header not found"))?;
        let decimals = self.ledger.decimals(to);
        token::answer(to, &data, decimals, block, |hash| {
            self.ledger.with_hash(hash)
        })
        .map(|answer| json!(answer))
        .ok_or_else(|| RpcError::new(3, "execution reverted"))
    }
}

#[async_trait]
impl Rpc for LedgerNode {
    async fn call(&self, method: &str, params: &[Value]) -> Result<Vec<Bytes>, RpcError> {
        let first = params.first().unwrap_or(&Value::Null);
        let result = match method {
            "eth_chainId" => json!(format!("{:#x}", self.ledger.chain_id().get())),
            "net_version" => json!(self.ledger.chain_id().to_string()),
            "web3_clientVersion" => json!("paywatch-simulator"),
            "eth_syncing" => json!(false),
            "eth_blockNumber" => json!(format!("{:#x}", self.ledger.head().header.number)),
            "eth_getBlockByNumber" | "eth_getBlockByHash" => match self.block(first)? {
                Some(block) => header(&block),
                None => Value::Null,
            },
            "eth_getBlockReceipts" => match self.block(first)? {
                Some(block) => receipts(&block),
                None => Value::Null,
            },
            "eth_getLogs" => self.logs(first)?,
            "eth_call" => self.token_call(params)?,
            other => {
                let message = format!("the method {other} does not exist/is not available");
                return Err(RpcError::new(-32_601, message));
            },
        };
        Ok(vec![bytes(&result)])
    }

    fn new_heads(&self) -> Option<broadcast::Receiver<Bytes>> {
        Some(self.heads.subscribe())
    }
}

/// Which logs a filter asks for.
struct Wanted {
    addresses: Vec<Address>,
    topics: Vec<Vec<B256>>,
}

impl Wanted {
    fn read(filter: &Value) -> Result<Self, RpcError> {
        let topics = filter.get("topics").and_then(Value::as_array);
        Ok(Self {
            addresses: one_or_many(filter.get("address"))?,
            topics: topics
                .into_iter()
                .flatten()
                .map(|topic| one_or_many(Some(topic)))
                .collect::<Result<_, _>>()?,
        })
    }

    fn take(&self, block: &SimBlock, into: &mut Vec<Value>) {
        let mut log_index = 0_u64;
        for (tx_index, transaction) in (0_u64..).zip(&block.transactions) {
            for log in &transaction.logs {
                let has_topics = self.topics.iter().enumerate().all(|(place, wanted)| {
                    let topic = log.topics().get(place);
                    wanted.is_empty() || topic.is_some_and(|topic| wanted.contains(topic))
                });
                let is_of = self.addresses.is_empty() || self.addresses.contains(&log.address);
                if is_of && has_topics {
                    into.push(log_json(
                        block,
                        transaction.hash,
                        (tx_index, log_index),
                        log,
                    ));
                }
                log_index = log_index.saturating_add(1);
            }
        }
    }
}

/// Nothing, one, or a list.
fn one_or_many<T: std::str::FromStr>(given: Option<&Value>) -> Result<Vec<T>, RpcError> {
    let texts: Vec<&Value> = match given {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(many)) => many.iter().collect(),
        Some(one) => vec![one],
    };
    let read = |text: &Value| text.as_str().and_then(|text| text.parse().ok());
    texts
        .into_iter()
        .map(|text| read(text).ok_or_else(|| RpcError::params(format!("invalid argument: {text}"))))
        .collect()
}

fn bytes(value: &Value) -> Bytes {
    value.to_string().into_bytes().into()
}

/// A block without its transactions, as `eth_getBlockByNumber` has it.
fn header(block: &SimBlock) -> Value {
    let header = alloy::rpc::types::Header::new(block.header.clone());
    let mut value = serde_json::to_value(header).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        let hashes: Vec<_> = block.transactions.iter().map(|tx| json!(tx.hash)).collect();
        fields.insert("transactions".to_owned(), Value::Array(hashes));
        fields.insert("uncles".to_owned(), json!([]));
    }
    value
}

fn log_json(
    block: &SimBlock,
    tx_hash: B256,
    (tx_index, log_index): (u64, u64),
    log: &alloy_primitives::Log,
) -> Value {
    json!({
        "address": log.address,
        "topics": log.topics(),
        "data": log.data.data,
        "blockNumber": format!("{:#x}", block.header.number),
        "blockHash": block.hash,
        "blockTimestamp": format!("{:#x}", block.header.timestamp),
        "transactionHash": tx_hash,
        "transactionIndex": format!("{tx_index:#x}"),
        "logIndex": format!("{log_index:#x}"),
        "removed": false,
    })
}

fn receipts(block: &SimBlock) -> Value {
    let mut log_index = 0_u64;
    let mut gas_before = 0_u64;
    let receipts = block.receipts();
    let all = (0_u64..).zip(block.transactions.iter().zip(&receipts));
    let rendered = all.map(|(tx_index, (transaction, receipt))| {
        let logs: Vec<_> = transaction
            .logs
            .iter()
            .map(|log| {
                let rendered = log_json(block, transaction.hash, (tx_index, log_index), log);
                log_index = log_index.saturating_add(1);
                rendered
            })
            .collect();
        let gas = receipt.cumulative_gas_used();
        let used = gas.saturating_sub(gas_before);
        gas_before = gas;
        json!({
            "type": "0x2",
            "status": if transaction.succeeded { "0x1" } else { "0x0" },
            "cumulativeGasUsed": format!("{gas:#x}"),
            "gasUsed": format!("{used:#x}"),
            "effectiveGasPrice": "0x7",
            "logsBloom": receipt.logs_bloom(),
            "logs": logs,
            "transactionHash": transaction.hash,
            "transactionIndex": format!("{tx_index:#x}"),
            "blockHash": block.hash,
            "blockNumber": format!("{:#x}", block.header.number),
            "from": transaction.from,
            "to": transaction.to,
            "contractAddress": null,
        })
    });
    Value::Array(rendered.collect())
}
