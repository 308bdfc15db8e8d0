//! Asks a node for transfers of any contract to some addresses, by the topics of the logs alone.

use alloy::rpc::types::{Filter, FilterSet, Topic};
use alloy_primitives::{Address, B256, Bytes, U64};
use paywatch_core::BlockNumber;
use serde::Deserialize;
use serde_json::json;

use crate::decode::{TRANSFER_TOPIC, decode};
use crate::rpc::envelope::Request;
use crate::rpc::failure::RpcFailure;
use crate::rpc::node::{Given, Node};
use crate::rpc::wire::WireHeader;
use crate::rpc::{GET_LOGS, header_at, too_wide_if_slow};
use crate::{NotThere, SourceError, TransferLog};

/// A log of a contract that may write what it likes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StrangeLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    block_number: Option<U64>,
    block_hash: Option<B256>,
    transaction_hash: Option<B256>,
    log_index: Option<U64>,
    #[serde(default)]
    removed: Option<bool>,
}

impl StrangeLog {
    /// The transfer, if it is one as ERC-20 has it that stands in a block.
    fn transfer(self) -> Option<TransferLog> {
        if self.removed == Some(true) {
            return None;
        }
        let movement = decode(self.address, &self.topics, &self.data).ok()??;
        Some(TransferLog {
            block_number: self.block_number?.to(),
            block_hash: self.block_hash?,
            tx_hash: self.transaction_hash?,
            log_index: self.log_index?.to(),
            token: self.address,
            from: movement.from,
            to: movement.to,
            value: movement.value,
        })
    }
}

/// Those of any contract to `recipients` in a range. In the same request the node shows the last
/// block: one that does not have it yet would answer with fewer logs.
pub(super) async fn transfers_to(
    node: &Node,
    (from, to): (BlockNumber, BlockNumber),
    recipients: &[Address],
) -> Result<Vec<TransferLog>, SourceError> {
    // An empty list would mean everybody.
    if recipients.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<B256> = recipients.iter().map(Address::into_word).collect();
    let filter = Filter::new()
        .event_signature(TRANSFER_TOPIC)
        .topic2(Topic::from(FilterSet::from(words)))
        .from_block(from)
        .to_block(to);
    let requests = vec![Request::new(GET_LOGS, json!([filter])), header_at(to)];
    let wanted = recipients.to_vec();
    let read = move |answers: Vec<Result<Given<'_>, RpcFailure>>| {
        let mut answers = answers.into_iter();
        let (Some(logs), Some(last)) = (answers.next(), answers.next()) else {
            return Err(NotThere { number: to }.into());
        };
        let logs: Vec<StrangeLog> = logs.map_err(too_wide_if_slow)?.parse()?;
        let last: Option<WireHeader> = last.map_err(too_wide_if_slow)?.parse()?;
        if last.is_none() {
            return Err(NotThere { number: to }.into());
        }
        let transfers = logs.into_iter().filter_map(StrangeLog::transfer);
        Ok(transfers
            .filter(|log| (from..=to).contains(&log.block_number) && wanted.contains(&log.to))
            .collect())
    };
    node.ask(requests, read).await.map_err(too_wide_if_slow)?
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TO: Address = Address::repeat_byte(0xbb);

    fn log(topics: &[B256], data: &[u8]) -> Value {
        json!({
            "address": Address::repeat_byte(0x73),
            "topics": topics,
            "data": Bytes::copy_from_slice(data),
            "blockNumber": "0x10",
            "blockHash": B256::repeat_byte(1),
            "transactionHash": B256::repeat_byte(2),
            "transactionIndex": "0x0",
            "logIndex": "0x3",
            "removed": false,
        })
    }

    fn read(log: Value) -> Option<TransferLog> {
        serde_json::from_value::<StrangeLog>(log)
            .unwrap()
            .transfer()
    }

    #[test]
    fn only_transfers_as_erc20_has_them_are_read() {
        let party = Address::repeat_byte(0xaa).into_word();
        let topics = [TRANSFER_TOPIC, party, TO.into_word()];
        let found = read(log(&topics, &[7; 32])).unwrap();
        assert_eq!((found.to, found.block_number, found.log_index), (TO, 16, 3));
        // An ERC-721 has four topics; others have no value, or no address where one should be.
        assert_eq!(
            read(log(&[topics.as_slice(), &[party]].concat(), &[])),
            None
        );
        assert_eq!(read(log(&topics, &[7; 31])), None);
        assert_eq!(read(log(&topics[..2], &[7; 64])), None);
        let dirty = [TRANSFER_TOPIC, party, B256::repeat_byte(9)];
        assert_eq!(read(log(&dirty, &[7; 32])), None);
        let mut gone = log(&topics, &[7; 32]);
        gone["removed"] = json!(true);
        assert_eq!(read(gone), None);
        let mut pending = log(&topics, &[7; 32]);
        pending["blockHash"] = Value::Null;
        assert_eq!(read(pending), None);
    }
}
