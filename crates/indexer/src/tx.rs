//! A transaction as its receipt tells it.

use alloy_primitives::{Address, B256, Bytes};
use paywatch_core::BlockRef;

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxReceipt {
    /// The transaction.
    pub tx_hash: B256,
    /// The block that holds it.
    pub block: BlockRef,
    /// Whether it did what it was to do. One that failed moved nothing.
    pub succeeded: bool,
    /// What contracts wrote in it, in order.
    pub logs: Vec<TxLog>,
}

/// A log of a transaction, of whichever contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxLog {
    /// Its index within the block.
    pub log_index: u64,
    /// The contract that wrote it.
    pub contract: Address,
    /// Its topics.
    pub topics: Vec<B256>,
    /// Its data.
    pub data: Bytes,
}
