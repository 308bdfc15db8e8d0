//! What is asked of a chain, in types.

use alloy_primitives::{Address, B256, Bytes, U256, hex};
use serde_json::{Map, Value, json};

use crate::fees::Fees;
use crate::node::{Node, NodeError};

/// What the newest block tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatestBlock {
    /// How much gas it could have used.
    pub gas_limit: u64,
    /// What gas cost in it at least, in wei (EIP-1559).
    pub base_fee: Option<u128>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Whether it did what it should.
    pub succeeded: bool,
    /// The block that holds it.
    pub block_number: u64,
    /// How much gas it used.
    pub gas_used: u64,
    /// What it paid for each, in wei, if the chain says.
    pub gas_price: Option<u128>,
    /// What was announced in it.
    pub logs: Vec<ReceiptLog>,
}

/// A log of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptLog {
    /// The contract.
    pub address: Address,
    /// Its topics.
    pub topics: Vec<B256>,
    /// Its data.
    pub data: Bytes,
}

/// A call that only looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) from: Option<Address>,
    pub(crate) to: Address,
    pub(crate) data: Bytes,
    pub(crate) gas: Option<u64>,
}

impl Call {
    pub(crate) const fn new(to: Address, data: Bytes) -> Self {
        Self {
            from: None,
            to,
            data,
            gas: None,
        }
    }

    fn as_value(&self) -> Value {
        let mut call = Map::new();
        call.insert("to".to_owned(), json!(self.to));
        call.insert("data".to_owned(), json!(self.data));
        if let Some(from) = self.from {
            call.insert("from".to_owned(), json!(from));
        }
        if let Some(gas) = self.gas {
            call.insert("gas".to_owned(), json!(format!("{gas:#x}")));
        }
        Value::Object(call)
    }
}

impl Node {
    /// The chain's id.
    ///
    /// # Errors
    /// When the node does not answer with one; as all questions here.
    pub async fn chain_id(&self) -> Result<u64, NodeError> {
        self.number("eth_chainId", json!([])).await
    }

    /// The code at `address`; empty for an account.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn code(&self, address: Address) -> Result<Bytes, NodeError> {
        let method = "eth_getCode";
        let answer = self.ask(method, json!([address, "latest"])).await?;
        self.bytes(method, &answer)
    }

    /// What `account` has of the native coin, in wei.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn native_balance(&self, account: Address) -> Result<U256, NodeError> {
        self.number("eth_getBalance", json!([account, "latest"]))
            .await
    }

    /// The newest block.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn latest_block(&self) -> Result<LatestBlock, NodeError> {
        let method = "eth_getBlockByNumber";
        let answer = self.ask(method, json!(["latest", false])).await?;
        let base_fee = match answer.get("baseFeePerGas") {
            None | Some(Value::Null) => None,
            Some(fee) => Some(self.read(method, fee)?),
        };
        Ok(LatestBlock {
            gas_limit: self.field(method, &answer, "gasLimit")?,
            base_fee,
        })
    }

    /// What gas costs now.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn fees(&self) -> Result<Fees, NodeError> {
        let Some(base) = self.latest_block().await?.base_fee else {
            let price = self.number("eth_gasPrice", json!([])).await?;
            return Ok(Fees::Legacy { price });
        };
        // Not every node knows how much of a tip is usual; what is above the base fee is one.
        let usual = self.number("eth_maxPriorityFeePerGas", json!([])).await;
        let tip = match usual {
            Ok(tip) => tip,
            Err(_unknown) => {
                let price: u128 = self.number("eth_gasPrice", json!([])).await?;
                price.saturating_sub(base)
            },
        };
        Ok(Fees::Dynamic { base, tip })
    }

    /// How many transactions `account` has sent, by the newest block, and with those that wait to
    /// be mined.
    pub(crate) async fn nonces(&self, account: Address) -> Result<(u64, u64), NodeError> {
        let method = "eth_getTransactionCount";
        let mined = self.number(method, json!([account, "latest"])).await?;
        let waiting = self.number(method, json!([account, "pending"])).await?;
        Ok((mined, waiting))
    }

    /// What `call` returns.
    pub(crate) async fn call(&self, call: &Call) -> Result<Bytes, NodeError> {
        let method = "eth_call";
        let answer = self.ask(method, json!([call.as_value(), "latest"])).await?;
        self.bytes(method, &answer)
    }

    /// What each of `calls` returns, or why it reverts.
    pub(crate) async fn calls(
        &self,
        calls: &[Call],
    ) -> Result<Vec<Result<Bytes, NodeError>>, NodeError> {
        let method = "eth_call";
        let params = calls
            .iter()
            .map(|call| json!([call.as_value(), "latest"]))
            .collect();
        let answers = self.ask_all(method, params).await?;
        Ok(answers
            .into_iter()
            .map(|answer| self.bytes(method, &answer?))
            .collect())
    }

    /// How much gas `call` needs as a transaction.
    pub(crate) async fn estimate(&self, call: &Call) -> Result<u64, NodeError> {
        self.number("eth_estimateGas", json!([call.as_value()]))
            .await
    }

    /// Hands a signed transaction over.
    pub(crate) async fn send(&self, raw: &[u8]) -> Result<(), NodeError> {
        let raw = hex::encode_prefixed(raw);
        let answer = self.ask("eth_sendRawTransaction", json!([raw])).await;
        answer.map(drop)
    }

    /// What became of a transaction, if it is mined.
    pub(crate) async fn receipt(&self, hash: B256) -> Result<Option<Receipt>, NodeError> {
        let method = "eth_getTransactionReceipt";
        let answer = self.ask(method, json!([hash])).await?;
        if answer.is_null() {
            return Ok(None);
        }
        let status: u64 = self.field(method, &answer, "status")?;
        let gas_price = match answer.get("effectiveGasPrice") {
            None | Some(Value::Null) => None,
            Some(price) => Some(self.read(method, price)?),
        };
        let logs = answer.get("logs").and_then(Value::as_array);
        let logs = logs.map(Vec::as_slice).unwrap_or_default();
        Ok(Some(Receipt {
            succeeded: status == 1,
            block_number: self.field(method, &answer, "blockNumber")?,
            gas_used: self.field(method, &answer, "gasUsed")?,
            gas_price,
            logs: logs
                .iter()
                .map(|log| read_log(log).ok_or_else(|| self.unreadable(method, &log.to_string())))
                .collect::<Result<_, _>>()?,
        }))
    }

    async fn number<T: TryFrom<U256>>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, NodeError> {
        let answer = self.ask(method, params).await?;
        self.read(method, &answer)
    }

    fn field<T: TryFrom<U256>>(
        &self,
        method: &'static str,
        answer: &Value,
        name: &str,
    ) -> Result<T, NodeError> {
        let field = answer.get(name);
        let field = field.ok_or_else(|| self.unreadable(method, &format!("there is no {name}")))?;
        self.read(method, field)
    }

    /// A number as JSON-RPC writes it.
    fn read<T: TryFrom<U256>>(&self, method: &'static str, value: &Value) -> Result<T, NodeError> {
        let digits = value.as_str().and_then(|text| text.strip_prefix("0x"));
        digits
            .and_then(|digits| U256::from_str_radix(digits, 16).ok())
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| self.unreadable(method, &value.to_string()))
    }

    fn bytes(&self, method: &'static str, value: &Value) -> Result<Bytes, NodeError> {
        let text = value.as_str();
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| self.unreadable(method, &value.to_string()))
    }
}

fn read_log(log: &Value) -> Option<ReceiptLog> {
    let topics = log.get("topics")?.as_array()?;
    Some(ReceiptLog {
        address: log.get("address")?.as_str()?.parse().ok()?,
        topics: topics
            .iter()
            .map(|topic| topic.as_str()?.parse().ok())
            .collect::<Option<_>>()?,
        data: log.get("data")?.as_str()?.parse().ok()?,
    })
}
