//! Recomputes a block's `receiptsRoot` from its receipts, whatever transaction types the chain has.

use alloy::consensus::proofs::calculate_receipt_root;
use alloy::consensus::{Receipt, ReceiptWithBloom};
use alloy::network::{AnyReceiptEnvelope, AnyTransactionReceipt};
use alloy_primitives::B256;

/// The root of the trie that `receipts`, all of one block and in its order, make up.
#[must_use]
pub fn receipts_root(receipts: &[AnyReceiptEnvelope]) -> B256 {
    calculate_receipt_root(receipts)
}

/// The part of a node's answer that the chain itself holds.
#[must_use]
pub fn consensus_receipt(receipt: &AnyTransactionReceipt) -> AnyReceiptEnvelope {
    let envelope = &receipt.inner.inner;
    let told = &envelope.inner.receipt;
    AnyReceiptEnvelope {
        inner: ReceiptWithBloom {
            receipt: Receipt {
                status: told.status,
                cumulative_gas_used: told.cumulative_gas_used,
                logs: told.logs.iter().map(|log| log.inner.clone()).collect(),
            },
            logs_bloom: envelope.inner.logs_bloom,
        },
        r#type: envelope.r#type,
    }
}
