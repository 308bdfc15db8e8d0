//! A simulated block in the form in which its hash commits to it.

use alloy::eips::eip2718::Encodable2718 as _;
use paywatch_proof::BlockEvidence;

use crate::SimBlock;

/// What an honest node gives to prove `block`.
#[must_use]
pub(crate) fn evidence_of(block: &SimBlock) -> BlockEvidence {
    BlockEvidence {
        header_rlp: alloy::rlp::encode(&block.header).into(),
        receipts: block
            .receipts()
            .iter()
            .map(|receipt| receipt.encoded_2718().into())
            .collect(),
        tx_hashes: block
            .transactions
            .iter()
            .map(|transaction| transaction.hash)
            .collect(),
    }
}
