//! The part of a node's block that is read: chains differ in the rest.

use alloy_primitives::{B256, Bloom, U64};
use paywatch_core::{Block, BlockNumber, Timestamp};
use serde::Deserialize;

use crate::{Contradiction, Header};

/// A block header as a node tells it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireHeader {
    number: U64,
    hash: B256,
    parent_hash: B256,
    timestamp: U64,
    /// Some nodes leave it out.
    #[serde(default)]
    logs_bloom: Option<Bloom>,
}

impl WireHeader {
    /// The height.
    pub(super) fn number(&self) -> BlockNumber {
        self.number.to()
    }

    /// The header. A bloom that is missing is taken for one that excludes nothing.
    pub(super) fn to_header(&self) -> Result<Header, Contradiction> {
        let number = self.number();
        let timestamp = Timestamp::from_unix_s(self.timestamp.to())
            .map_err(|source| Contradiction::Time { number, source })?;
        let block = Block {
            number,
            hash: self.hash,
            parent_hash: self.parent_hash,
            timestamp,
        };
        Ok(Header {
            block,
            bloom: self.logs_bloom.unwrap_or(Bloom::repeat_byte(0xff)),
        })
    }
}
