//! Transfers of simulated tokens.

use alloy_primitives::{Address, B256, Bytes, Log, LogData, U256, keccak256};
use paywatch_indexer::TRANSFER_TOPIC;

use crate::SimTransaction;

/// One `Transfer` to be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimTransfer {
    /// The token's contract.
    pub token: Address,
    /// Who pays.
    pub from: Address,
    /// Who is paid.
    pub to: Address,
    /// How much, in the token's base units.
    pub value: U256,
}

impl SimTransfer {
    /// The log that the token writes.
    #[must_use]
    pub fn log(&self) -> Log {
        let topics = vec![TRANSFER_TOPIC, self.from.into_word(), self.to.into_word()];
        let data = Bytes::copy_from_slice(&self.value.to_be_bytes::<32>());
        Log {
            address: self.token,
            data: LogData::new_unchecked(topics, data),
        }
    }
}

impl SimTransaction {
    /// A transaction that makes `transfers`. `nonce` tells it from others that do the same.
    #[must_use]
    pub fn moving(transfers: &[SimTransfer], nonce: u64) -> Self {
        let first = transfers.first();
        Self {
            hash: tx_hash(nonce),
            from: first.map(|transfer| transfer.from).unwrap_or_default(),
            to: first.map(|transfer| transfer.token).unwrap_or_default(),
            succeeded: true,
            logs: transfers.iter().map(SimTransfer::log).collect(),
        }
    }
}

fn tx_hash(nonce: u64) -> B256 {
    let mut seed = *b"a simulated transaction.\0\0\0\0\0\0\0\0";
    let (_, number) = seed.split_at_mut(24);
    number.copy_from_slice(&nonce.to_be_bytes());
    keccak256(seed)
}
