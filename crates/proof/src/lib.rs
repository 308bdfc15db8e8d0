//! Proves that a block holds a payment, and checks such proofs with no node and no database.

use alloy_primitives::{B256, Bloom, Bytes, Log};
use paywatch_core::{Block, BlockRef, ChainId};

/// What a node says is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEvidence {
    /// The header.
    pub header_rlp: Bytes,
    /// The receipts.
    pub receipts: Vec<Bytes>,
    /// The transactions.
    pub tx_hashes: Vec<B256>,
}
/// e
#[derive(Debug, thiserror::Error)]
#[error("not yet")]
pub struct EvidenceError;
/// e
#[derive(Debug, thiserror::Error)]
#[error("not yet")]
pub struct ProofError;

/// e
#[derive(Clone, Debug)]
pub struct ProvenBlock;
/// e
#[derive(Clone, Debug)]
pub struct ProvenLog {
    /// e
    pub log_index: u64,
    /// e
    pub tx_index: u64,
    /// e
    pub tx_hash: B256,
    /// e
    pub log: Log,
}
/// e
#[derive(Clone, Debug)]
pub struct ProofBundle;
impl ProofBundle {
    /// e
    pub fn to_json(&self) -> String {
        String::new()
    }
}

impl BlockEvidence {
    /// e
    pub fn from_json(_header: &str, _receipts: &str) -> Result<Self, EvidenceError> {
        Err(EvidenceError)
    }
    /// e
    pub fn verify(self, _expected: BlockRef) -> Result<ProvenBlock, ProofError> {
        Err(ProofError)
    }
}
impl ProvenBlock {
    /// e
    pub fn block(&self) -> Block {
        todo!()
    }
    /// e
    pub fn bloom(&self) -> &Bloom {
        todo!()
    }
    /// e
    pub fn logs(&self) -> &[ProvenLog] {
        &[]
    }
    /// e
    pub fn prove(&self, _c: ChainId, _l: u64) -> Option<ProofBundle> {
        None
    }
}
/// e
#[derive(Clone, Debug)]
pub struct ProvenTransfer {
    /// e
    pub chain_id: ChainId,
    /// e
    pub block: Block,
    /// e
    pub tx_index: u64,
    /// e
    pub log_index: u64,
    /// e
    pub tx_hash: B256,
    /// e
    pub token: alloy_primitives::Address,
    /// e
    pub from: alloy_primitives::Address,
    /// e
    pub to: alloy_primitives::Address,
    /// e
    pub value: alloy_primitives::U256,
    /// e
    pub payment_id: paywatch_core::PaymentId,
}
/// e
pub fn verify_bundle(_json: &[u8]) -> Result<ProvenTransfer, ProofError> {
    Err(ProofError)
}
