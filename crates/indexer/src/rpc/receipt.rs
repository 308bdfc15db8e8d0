//! Asks a node for one transaction's receipt.

use alloy_primitives::{Address, B256, Bytes, U64};
use paywatch_core::BlockRef;
use serde::Deserialize;
use serde_json::json;

use crate::rpc::classify::classify;
use crate::rpc::envelope::Request;
use crate::rpc::node::Node;
use crate::{Contradiction, SourceError, TxLog, TxReceipt};

const RECEIPT: &str = "eth_getTransactionReceipt";

/// The part of a receipt that is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReceipt {
    transaction_hash: B256,
    /// Some nodes give a receipt before there is a block.
    block_number: Option<U64>,
    block_hash: Option<B256>,
    /// Receipts before Byzantium have none.
    #[serde(default)]
    status: Option<U64>,
    logs: Vec<WireLog>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog {
    log_index: U64,
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

/// The receipt of `tx`; `None` while it is in no block.
pub(super) async fn receipt(node: &Node, tx: B256) -> Result<Option<TxReceipt>, SourceError> {
    let request = Request::new(RECEIPT, json!([tx]));
    let answer: Option<WireReceipt> = node.call(request).await.map_err(classify)?;
    let Some(answer) = answer else {
        return Ok(None);
    };
    if answer.transaction_hash != tx {
        return Err(Contradiction::OtherTransaction {
            asked: tx,
            answered: answer.transaction_hash,
        }
        .into());
    }
    let (Some(number), Some(hash)) = (answer.block_number, answer.block_hash) else {
        return Ok(None);
    };
    Ok(Some(TxReceipt {
        tx_hash: tx,
        block: BlockRef {
            number: number.to(),
            hash,
        },
        succeeded: answer.status.is_none_or(|status| !status.is_zero()),
        logs: answer.logs.into_iter().map(TxLog::from).collect(),
    }))
}

impl From<WireLog> for TxLog {
    fn from(log: WireLog) -> Self {
        Self {
            log_index: log.log_index.to(),
            contract: log.address,
            topics: log.topics,
            data: log.data,
        }
    }
}
