//! How far the books cover each chain.

use std::collections::BTreeMap;

use crate::{Block, BlockNumber, ChainId, Timestamp};

/// How far one chain has been read, with nothing missing below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHeads {
    /// The chain.
    pub chain_id: ChainId,
    /// The last covered block: all logs up to and including it are in the books.
    pub tip: Block,
    /// The highest block that the node called `finalized` and that is covered. Never moves back.
    pub finalized: Option<BlockNumber>,
    /// The latest timestamp that was ever covered. Never moves back, so a reorg cannot un-expire
    /// an order.
    pub covered_time: Timestamp,
}

/// The heads of all followed chains.
pub type Heads = BTreeMap<ChainId, ChainHeads>;

impl ChainHeads {
    /// The first heads of a chain, at `tip`.
    #[must_use]
    pub const fn starting_at(chain_id: ChainId, tip: Block) -> Self {
        Self {
            chain_id,
            tip,
            finalized: None,
            covered_time: tip.timestamp,
        }
    }

    /// These heads after the follower covered up to `tip` and the node called `finalized` final.
    #[must_use]
    pub fn moved_to(&self, tip: Block, finalized: Option<BlockNumber>) -> Self {
        let finalized = finalized.map(|number| number.min(tip.number));
        Self {
            chain_id: self.chain_id,
            tip,
            finalized: self.finalized.max(finalized),
            covered_time: self.covered_time.max(tip.timestamp),
        }
    }

    /// How many blocks, its own included, stand on a block at `number`; 0 if it is not covered.
    #[must_use]
    pub const fn confirmations(&self, number: BlockNumber) -> u64 {
        match self.tip.number.checked_sub(number) {
            Some(above) => above.saturating_add(1),
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;

    fn block(number: u64, second: u64) -> Block {
        Block {
            number,
            hash: B256::with_last_byte(1),
            parent_hash: B256::ZERO,
            timestamp: Timestamp::from_unix_s(second).unwrap(),
        }
    }

    #[test]
    fn finality_and_covered_time_never_move_back() {
        let start = ChainHeads::starting_at(ChainId::new(1).unwrap(), block(10, 100));
        let ahead = start.moved_to(block(20, 200), Some(15));
        let shorter = ahead.moved_to(block(18, 180), Some(12));
        assert_eq!(shorter.tip.number, 18);
        assert_eq!(shorter.finalized, Some(15));
        assert_eq!(shorter.covered_time, Timestamp::from_unix_s(200).unwrap());
    }

    #[test]
    fn what_is_not_covered_is_not_final() {
        let start = ChainHeads::starting_at(ChainId::new(1).unwrap(), block(10, 100));
        assert_eq!(
            start.moved_to(block(11, 101), Some(500)).finalized,
            Some(11)
        );
        assert_eq!(start.confirmations(10), 1);
        assert_eq!(start.confirmations(8), 3);
        assert_eq!(start.confirmations(11), 0);
    }
}
