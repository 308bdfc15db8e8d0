//! A long chain full of transfers that is rendered as it is asked for: for measuring speed.

use alloy_primitives::{Address, B256, Bytes, hex, keccak256};
use async_trait::async_trait;
use paywatch_indexer::TRANSFER_TOPIC;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::server::{Rpc, RpcError};

/// The height of its first block. From there on all heights have as many hex digits.
pub const FIRST: u64 = 0x100_0000;

/// How a bulk chain is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkPlan {
    /// The chain's id.
    pub chain_id: u64,
    /// The token that is moved.
    pub token: Address,
    /// How many blocks there are.
    pub blocks: u64,
    /// How many transfers each holds.
    pub logs_per_block: u64,
    /// Every so many transfers, one goes to a [`payee`]; the others to strangers.
    pub paid_every: u64,
    /// How many payees take turns.
    pub payees: u64,
}

/// The address of the payee with this number.
#[must_use]
pub fn payee(number: u64) -> Address {
    let mut seed = *b"a payee \0\0\0\0\0\0\0\0";
    let (_, tail) = seed.split_at_mut(8);
    tail.copy_from_slice(&number.to_be_bytes());
    Address::from_word(keccak256(seed))
}

/// Where in the text of a log a block's own parts stand.
#[derive(Clone, Copy, Debug)]
struct Places {
    to: usize,
    block_number: usize,
    block_hash: usize,
    tx_hash: usize,
}

/// A chain of blocks that all look the same, but for what tells them apart.
#[derive(Debug)]
pub struct BulkChain {
    plan: BulkPlan,
    /// The logs of one block, and where each of them is to be changed.
    template: Vec<u8>,
    places: Vec<Places>,
    payees: Vec<[u8; 40]>,
}

/// A word that is found in the template and nowhere else.
const MARK_TO: &str = "00000000000000000000000000000000000000a1";
const MARK_NUMBER: &str = "1bbbbbb";
const MARK_HASH: &str = "c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1";
const MARK_TX: &str = "d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1";

impl BulkChain {
    /// The chain of `plan`. Nothing is kept but one block's text.
    #[must_use]
    pub fn new(plan: BulkPlan) -> Self {
        let mut template = Vec::new();
        let mut places = Vec::new();
        for index in 0..plan.logs_per_block {
            if index > 0 {
                template.push(b',');
            }
            let at = template.len();
            let log = format!(
                concat!(
                    r#"{{"address":"{token:#x}","topics":["{topic}","0x000000000000000000000000{from}","#,
                    r#""0x000000000000000000000000{to}"],"data":"0x{value:064x}","#,
                    r#""blockNumber":"0x{number}","transactionHash":"0x{tx}","#,
                    r#""transactionIndex":"{index:#x}","blockHash":"0x{hash}","#,
                    r#""logIndex":"{index:#x}","removed":false}}"#
                ),
                token = plan.token,
                topic = TRANSFER_TOPIC,
                from = "2222222222222222222222222222222222222222",
                to = MARK_TO,
                value = 5_000_000,
                number = MARK_NUMBER,
                tx = MARK_TX,
                hash = MARK_HASH,
                index = index,
            );
            let place = |mark| log.find(mark).map_or(at, |found| at.saturating_add(found));
            places.push(Places {
                to: place(MARK_TO),
                block_number: place(MARK_NUMBER),
                block_hash: place(MARK_HASH),
                tx_hash: place(MARK_TX),
            });
            template.extend_from_slice(log.as_bytes());
        }
        let payees = (0..plan.payees).map(|number| digits(payee(number).as_slice()));
        Self {
            payees: payees.collect(),
            plan,
            template,
            places,
        }
    }

    /// The height of its last block.
    #[must_use]
    pub const fn head(&self) -> u64 {
        FIRST.saturating_add(self.plan.blocks.saturating_sub(1))
    }

    /// How many transfers pay a payee.
    #[must_use]
    pub fn paid(&self) -> u64 {
        let all = self.plan.blocks.saturating_mul(self.plan.logs_per_block);
        all.checked_div(self.plan.paid_every).unwrap_or_default()
    }

    fn logs_of(&self, number: u64) -> Bytes {
        let mut text = self.template.clone();
        let hash: [u8; 64] = digits(hash_of(number).as_slice());
        let height: [u8; 8] = digits(
            &number
                .to_be_bytes()
                .last_chunk::<4>()
                .copied()
                .unwrap_or_default(),
        );
        let before = number
            .saturating_sub(FIRST)
            .saturating_mul(self.plan.logs_per_block);
        for (index, places) in (before..).zip(&self.places) {
            let is_payment = index.checked_rem(self.plan.paid_every) == Some(0);
            let turn = index.checked_div(self.plan.paid_every).unwrap_or_default();
            let payee = turn
                .checked_rem(self.plan.payees)
                .and_then(|turn| usize::try_from(turn).ok());
            let payee = payee
                .filter(|_| is_payment)
                .and_then(|turn| self.payees.get(turn));
            let stranger = || digits(&stranger(index));
            write(
                &mut text,
                places.to,
                &payee.copied().unwrap_or_else(stranger),
            );
            write(
                &mut text,
                places.block_number,
                height.get(1..).unwrap_or_default(),
            );
            write(&mut text, places.block_hash, &hash);
            write(&mut text, places.tx_hash, &hash);
            let own: [u8; 16] = digits(&index.to_be_bytes());
            write(&mut text, places.tx_hash, &own);
        }
        text.into()
    }

    fn header(&self, number: u64) -> Value {
        if !(FIRST..=self.head()).contains(&number) {
            return Value::Null;
        }
        let time = 1_700_000_000_u64.saturating_add(number.saturating_sub(FIRST));
        json!({
            "number": format!("{number:#x}"),
            "hash": hash_of(number),
            "parentHash": hash_of(number.saturating_sub(1)),
            "timestamp": format!("{time:#x}"),
            "logsBloom": format!("0x{}", "ff".repeat(256)),
        })
    }

    fn logs(&self, filter: &Value) -> Result<Vec<Bytes>, RpcError> {
        if !wants_transfers(filter) {
            return Ok(vec![Bytes::from_static(b"[]")]);
        }
        let number = |key: &str| {
            let text = filter.get(key)?.as_str()?.strip_prefix("0x")?;
            u64::from_str_radix(text, 16).ok()
        };
        let hash = filter.get("blockHash").and_then(Value::as_str);
        let (from, to) = match hash.and_then(|hash| hash.parse().ok()) {
            Some(hash) => {
                let number = number_of(hash);
                if !(FIRST..=self.head()).contains(&number) {
                    return Err(RpcError::new(-32_000, "unknown block"));
                }
                (number, number)
            },
            None => (
                number("fromBlock").unwrap_or(FIRST).max(FIRST),
                number("toBlock").unwrap_or(self.head()).min(self.head()),
            ),
        };
        let mut pieces = vec![Bytes::from_static(b"[")];
        for block in from..=to {
            if block > from {
                pieces.push(Bytes::from_static(b","));
            }
            pieces.push(self.logs_of(block));
        }
        pieces.push(Bytes::from_static(b"]"));
        Ok(pieces)
    }
}

/// Whether `filter` asks for transfers from anybody. Nobody here sends but strangers.
fn wants_transfers(filter: &Value) -> bool {
    let topic = |place: usize| filter.get("topics").and_then(|topics| topics.get(place));
    let is_transfer = |topic: &Value| *topic == json!(TRANSFER_TOPIC);
    let has_kind = match topic(0) {
        None | Some(Value::Null) => true,
        Some(Value::Array(kinds)) => kinds.iter().any(is_transfer),
        Some(kind) => is_transfer(kind),
    };
    let from_some = topic(1).is_some_and(|from| !from.is_null() && *from != json!([]));
    has_kind && !from_some
}

/// A hash that says which block it is of.
fn hash_of(number: u64) -> B256 {
    let mut hash = [0xb1; 32];
    let (head, _) = hash.split_at_mut(8);
    head.copy_from_slice(&number.to_be_bytes());
    B256::from(hash)
}

fn number_of(hash: B256) -> u64 {
    u64::from_be_bytes(hash.first_chunk::<8>().copied().unwrap_or_default())
}

/// An address of nobody, different for each transfer.
fn stranger(index: u64) -> [u8; 20] {
    let mut address = [0x33; 20];
    let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (head, _) = address.split_at_mut(8);
    head.copy_from_slice(&mixed.to_be_bytes());
    address
}

/// `N` hex digits.
fn digits<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut text = [b'0'; N];
    // Every caller gives half as many bytes.
    let _fits = hex::encode_to_slice(bytes, &mut text);
    text
}

fn write(text: &mut [u8], at: usize, what: &[u8]) {
    let end = at.saturating_add(what.len());
    if let Some(place) = text.get_mut(at..end) {
        place.copy_from_slice(what);
    }
}

#[async_trait]
impl Rpc for BulkChain {
    async fn call(&self, method: &str, params: &[Value]) -> Result<Vec<Bytes>, RpcError> {
        let first = params.first().unwrap_or(&Value::Null);
        let result = match method {
            "eth_getLogs" => return self.logs(first),
            "eth_chainId" => json!(format!("{:#x}", self.plan.chain_id)),
            "eth_blockNumber" => json!(format!("{:#x}", self.head())),
            "eth_call" => json!(format!("0x{:064x}", 6)),
            "eth_getBlockByNumber" => {
                let text = first.as_str().unwrap_or_default();
                match text.strip_prefix("0x") {
                    Some(digits) => u64::from_str_radix(digits, 16)
                        .map_or(Value::Null, |number| self.header(number)),
                    None if text == "latest" => self.header(self.head()),
                    None => Value::Null,
                }
            },
            other => {
                let message = format!("the method {other} does not exist/is not available");
                return Err(RpcError::new(-32_601, message));
            },
        };
        Ok(vec![result.to_string().into_bytes().into()])
    }

    fn new_heads(&self) -> Option<broadcast::Receiver<Bytes>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_rendered_with_its_own_parts() {
        let chain = BulkChain::new(BulkPlan {
            chain_id: 7,
            token: Address::repeat_byte(0x70),
            blocks: 10,
            logs_per_block: 4,
            paid_every: 5,
            payees: 2,
        });
        assert_eq!(chain.paid(), 8);
        let filter = json!({ "fromBlock": "0x1000001", "toBlock": "0x1000002" });
        let Ok(pieces) = chain.logs(&filter) else {
            panic!("it has logs")
        };
        let logs: Value = serde_json::from_slice(&pieces.concat()).unwrap_or_default();
        let logs = logs.as_array().cloned().unwrap_or_default();
        assert_eq!(logs.len(), 8);
        let second = hash_of(FIRST + 2);
        assert_eq!(logs[4]["blockHash"], json!(second));
        assert_eq!(logs[4]["blockNumber"], json!("0x1000002"));
        assert_eq!(logs[4]["logIndex"], json!("0x0"));
        // The sixth of all is the second payment.
        assert_eq!(logs[1]["topics"][2], json!(payee(1).into_word()));
        assert_ne!(logs[0]["transactionHash"], logs[1]["transactionHash"]);
        assert_eq!(number_of(second), FIRST + 2);
    }
}
