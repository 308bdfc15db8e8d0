//! What a simulated chain shows to whoever asks: blocks with real hashes, blooms and receipt roots.

use std::fmt::Debug;
use std::sync::Arc;

use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{EMPTY_OMMER_ROOT_HASH, Eip658Value, Header, Receipt, ReceiptEnvelope};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log};
use paywatch_core::{BlockNumber, ChainId};
use tokio::sync::broadcast;

/// What a transaction burns; the amount means nothing.
const GAS_EACH: u64 = 60_000;

/// A block and everything in it. Its hash, bloom and receipts root are those that its contents
/// have, so that it can be proved like a real one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimBlock {
    /// The header.
    pub header: Header,
    /// The header's hash.
    pub hash: B256,
    /// What happened in it, in order.
    pub transactions: Vec<SimTransaction>,
}

/// A transaction, as far as anybody here looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimTransaction {
    /// Its hash.
    pub hash: B256,
    /// Who sent it.
    pub from: Address,
    /// The contract that it called.
    pub to: Address,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// What it logged.
    pub logs: Vec<Log>,
}

impl SimBlock {
    /// The block that stands on `parent` (the genesis, if there is none). `branch` goes into the
    /// header, so that two blocks with the same contents may differ.
    #[must_use]
    pub fn on(
        parent: Option<&Self>,
        timestamp_s: u64,
        branch: &[u8],
        transactions: Vec<SimTransaction>,
    ) -> Self {
        let receipts = receipts(&transactions);
        let count = u64::try_from(transactions.len()).unwrap_or(u64::MAX);
        let header = Header {
            parent_hash: parent.map(|block| block.hash).unwrap_or_default(),
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            number: parent.map_or(0, |block| block.header.number.saturating_add(1)),
            timestamp: timestamp_s,
            extra_data: Bytes::copy_from_slice(branch),
            receipts_root: calculate_receipt_root(&receipts),
            logs_bloom: receipts
                .iter()
                .fold(Bloom::ZERO, |all, receipt| all | *receipt.logs_bloom()),
            gas_limit: 60_000_000,
            gas_used: GAS_EACH.saturating_mul(count),
            base_fee_per_gas: Some(7),
            ..Header::default()
        };
        Self {
            hash: header.hash_slow(),
            header,
            transactions,
        }
    }

    /// The receipts of its transactions, in order.
    #[must_use]
    pub fn receipts(&self) -> Vec<ReceiptEnvelope> {
        receipts(&self.transactions)
    }
}

fn receipts(transactions: &[SimTransaction]) -> Vec<ReceiptEnvelope> {
    let mut gas = 0_u64;
    transactions
        .iter()
        .map(|transaction| {
            gas = gas.saturating_add(GAS_EACH);
            let receipt = Receipt {
                status: Eip658Value::Eip658(transaction.succeeded),
                cumulative_gas_used: gas,
                logs: transaction.logs.clone(),
            };
            ReceiptEnvelope::Eip1559(receipt.into())
        })
        .collect()
}

/// One view of a simulated chain: the whole truth, or what one node makes of it.
pub trait Ledger: Send + Sync + Debug {
    /// Which chain it is.
    fn chain_id(&self) -> ChainId;

    /// Its newest block.
    fn head(&self) -> Arc<SimBlock>;

    /// The canonical block at `number`.
    fn at(&self, number: BlockNumber) -> Option<Arc<SimBlock>>;

    /// The block with this hash, also one that is not canonical any more, as real nodes have it.
    fn with_hash(&self, hash: B256) -> Option<Arc<SimBlock>>;

    /// The newest final block; `None` where there is no such notion, or none yet.
    fn finalized(&self) -> Option<Arc<SimBlock>>;

    /// The newest safe block; `None` where there is no such notion, or none yet.
    fn safe(&self) -> Option<Arc<SimBlock>>;

    /// What `decimals()` of the contract at `token` answers; `None` if it is no token.
    fn decimals(&self, token: Address) -> Option<u8>;

    /// Every new canonical block from now on, those of a new branch lowest first.
    fn new_heads(&self) -> broadcast::Receiver<Arc<SimBlock>>;
}
