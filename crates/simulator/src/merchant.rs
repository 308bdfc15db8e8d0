//! A chain for a merchant's own tests: it grows by the clock, and does what it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{Address, Bytes, U256};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::server::{LedgerNode, Rpc, RpcError};
use crate::{Ledger as _, SimChain, SimTransaction, SimTransfer};

/// Who pays, on every such chain.
pub const PAYER: Address = Address::repeat_byte(0xaa);

/// A simulated chain with methods of its own beside those of a node: `sim_pay`, `sim_mine`,
/// `sim_reorg`, `sim_advance`.
#[derive(Debug)]
pub struct MerchantChain {
    chain: Arc<SimChain>,
    node: LedgerNode,
    token: Address,
    /// How far the chain's time is ahead of the clock, in seconds.
    ahead_s: AtomicU64,
    nonce: AtomicU64,
}

impl MerchantChain {
    /// Takes `chain`, on which payments are made in `token`. Needs a runtime.
    #[must_use]
    pub fn new(chain: SimChain, token: Address) -> Self {
        let chain = Arc::new(chain);
        let ledger: Arc<SimChain> = Arc::clone(&chain);
        Self {
            node: LedgerNode::new(ledger),
            chain,
            token,
            ahead_s: AtomicU64::new(0),
            nonce: AtomicU64::new(0),
        }
    }

    /// Adds an empty block of the time `clock_s`.
    pub fn tick(&self, clock_s: u64) {
        self.mine(clock_s, Vec::new());
    }

    fn mine(&self, clock_s: u64, transactions: Vec<SimTransaction>) -> Value {
        let time = clock_s.saturating_add(self.ahead_s.load(Ordering::Relaxed));
        let block = self.chain.mine_at(time, transactions);
        let number = block.header.number;
        self.chain.call_safe(number.saturating_sub(4));
        self.chain.finalize(number.saturating_sub(12));
        json!({ "block": number, "hash": block.hash })
    }

    fn pay(&self, to: &Value, units: &Value) -> Result<Value, RpcError> {
        let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
        let to: Address = text(to)
            .parse()
            .map_err(|_unreadable| RpcError::params(format!("{to} is no address")))?;
        let value: U256 = text(units)
            .parse()
            .map_err(|_unreadable| RpcError::params(format!("{units} is no number of units")))?;
        let transfer = SimTransfer {
            token: self.token,
            from: PAYER,
            to,
            value,
        };
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed);
        let transaction = SimTransaction::moving(&[transfer], nonce);
        let hash = transaction.hash;
        let mut mined = self.mine(0, vec![transaction]);
        if let Value::Object(fields) = &mut mined {
            fields.insert("transaction".to_owned(), json!(hash));
        }
        Ok(mined)
    }

    /// The newest blocks leave the chain, and as many and one more take their place, with what was
    /// in them or without.
    fn reorg(&self, depth: u64, keeps: &Value) -> Value {
        let gone = self
            .chain
            .fork(usize::try_from(depth).unwrap_or(usize::MAX));
        let mut lost = 0_usize;
        for block in &gone {
            let again = if keeps == &json!(true) {
                block.transactions.clone()
            } else {
                lost = lost.saturating_add(block.transactions.len());
                Vec::new()
            };
            self.mine(0, again);
        }
        let head = self.mine(0, Vec::new());
        json!({ "blocks": gone.len(), "transactions_lost": lost, "head": head })
    }
}

#[async_trait]
impl Rpc for MerchantChain {
    async fn call(&self, method: &str, params: &[Value]) -> Result<Vec<Bytes>, RpcError> {
        let given = |place: usize| params.get(place).unwrap_or(&Value::Null);
        let number = |place| {
            let wrong = || RpcError::params(format!("{} is no number", given(place)));
            given(place).as_u64().ok_or_else(wrong)
        };
        let result = match method {
            "sim_pay" => self.pay(given(0), given(1))?,
            "sim_mine" => {
                let mut mined = Value::Null;
                for _ in 0..number(0)?.min(10_000) {
                    mined = self.mine(0, Vec::new());
                }
                mined
            },
            "sim_reorg" => self.reorg(number(0)?, given(1)),
            "sim_advance" => {
                let seconds = number(0)?;
                self.ahead_s.fetch_add(seconds, Ordering::Relaxed);
                let head = self.chain.head().header.timestamp;
                let ahead = self.ahead_s.load(Ordering::Relaxed);
                // The next block is later by that much, whatever the clock says.
                let time = head.saturating_add(seconds);
                self.mine(time.saturating_sub(ahead), Vec::new())
            },
            _ => return self.node.call(method, params).await,
        };
        Ok(vec![result.to_string().into_bytes().into()])
    }

    fn new_heads(&self) -> Option<broadcast::Receiver<Bytes>> {
        self.node.new_heads()
    }
}

#[cfg(test)]
mod tests {
    use paywatch_core::ChainId;

    use super::*;

    async fn told(chain: &MerchantChain, method: &str, params: Value) -> Value {
        let params = params.as_array().cloned().unwrap_or_default();
        let Ok(pieces) = chain.call(method, &params).await else {
            panic!("{method} is refused")
        };
        serde_json::from_slice(&pieces.concat()).unwrap_or_default()
    }

    #[tokio::test]
    async fn pays_reorgs_and_advances_as_it_is_told() {
        let Ok(id) = ChainId::new(31_337) else {
            panic!("it is one")
        };
        let token = Address::repeat_byte(0x70);
        let chain = MerchantChain::new(SimChain::new(id, 1_000, 1, [(token, 6)]), token);
        let to = Address::repeat_byte(0xbb);
        let paid = told(&chain, "sim_pay", json!([to, "5000000"])).await;
        assert_eq!(paid["block"], 1);
        let logs = told(
            &chain,
            "eth_getLogs",
            json!([{ "fromBlock": "0x0", "toBlock": "0x1" }]),
        )
        .await;
        assert_eq!(logs[0]["topics"][2], json!(to.into_word()));

        let reorged = told(&chain, "sim_reorg", json!([1, false])).await;
        assert_eq!(reorged["transactions_lost"], 1);
        assert_eq!(reorged["head"]["block"], 2);

        let before = chain.chain.head().header.timestamp;
        told(&chain, "sim_advance", json!([3_600])).await;
        assert_eq!(chain.chain.head().header.timestamp, before + 3_600);
        assert!(chain.call("sim_pay", &[json!("nobody")]).await.is_err());
    }
}
