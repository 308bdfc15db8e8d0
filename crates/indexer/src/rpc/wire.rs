//! The part of a node's block that is read: chains differ in the rest.

use alloy_primitives::{B256, U64};
use paywatch_core::{Block, BlockNumber, Timestamp};
use serde::Deserialize;

use crate::Contradiction;

/// A block header as a node tells it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
}

impl Header {
    /// The height.
    pub(super) fn number(&self) -> BlockNumber {
        self.number.to()
    }

    /// The block.
    pub(super) fn to_block(self) -> Result<Block, Contradiction> {
        let number = self.number();
        let timestamp = Timestamp::from_unix_s(self.timestamp.to())
            .map_err(|source| Contradiction::Time { number, source })?;
        Ok(Block {
            number,
            hash: self.hash,
            parent_hash: self.parent_hash,
            timestamp,
        })
    }
}
