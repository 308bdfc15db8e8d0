//! How far the books cover each chain.

use std::collections::BTreeMap;

use crate::{Block, BlockNumber, ChainId, FinalityTag, Timestamp};

/// The newest blocks that a node calls settled, by tag; `None` where it has no such notion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// The `safe` block.
    pub safe: Option<BlockNumber>,
    /// The `finalized` block.
    pub finalized: Option<BlockNumber>,
}

/// How far one chain has been read, with nothing missing below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHeads {
    /// The chain.
    pub chain_id: ChainId,
    /// The last covered block: all logs up to and including it are in the books.
    pub tip: Block,
    /// The highest block that the node called `safe` and that is covered. Never moves back.
    pub safe: Option<BlockNumber>,
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
            safe: None,
            finalized: None,
            covered_time: tip.timestamp,
        }
    }

    /// These heads after the follower covered up to `tip` and the node called the blocks of `tags`
    /// settled.
    #[must_use]
    pub fn moved_to(&self, tip: Block, tags: Tags) -> Self {
        let covered = |tagged: Option<BlockNumber>| tagged.map(|number| number.min(tip.number));
        Self {
            chain_id: self.chain_id,
            tip,
            safe: self.safe.max(covered(tags.safe)),
            finalized: self.finalized.max(covered(tags.finalized)),
            covered_time: self.covered_time.max(tip.timestamp),
        }
    }

    /// The highest covered block that the node called settled by `tag`. What is final is safe.
    #[must_use]
    pub fn tagged(&self, tag: FinalityTag) -> Option<BlockNumber> {
        match tag {
            FinalityTag::Safe => self.safe.max(self.finalized),
            FinalityTag::Finalized => self.finalized,
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

    fn finalized(number: BlockNumber) -> Tags {
        Tags {
            finalized: Some(number),
            ..Tags::default()
        }
    }

    #[test]
    fn finality_and_covered_time_never_move_back() {
        let start = ChainHeads::starting_at(ChainId::new(1).unwrap(), block(10, 100));
        let ahead = start.moved_to(block(20, 200), finalized(15));
        let shorter = ahead.moved_to(block(18, 180), finalized(12));
        assert_eq!(shorter.tip.number, 18);
        assert_eq!(shorter.finalized, Some(15));
        assert_eq!(shorter.covered_time, Timestamp::from_unix_s(200).unwrap());
    }

    #[test]
    fn what_is_not_covered_is_not_final() {
        let start = ChainHeads::starting_at(ChainId::new(1).unwrap(), block(10, 100));
        assert_eq!(
            start.moved_to(block(11, 101), finalized(500)).finalized,
            Some(11)
        );
        let safe = Tags {
            safe: Some(10),
            finalized: None,
        };
        let moved = start.moved_to(block(11, 101), safe);
        assert_eq!(moved.tagged(FinalityTag::Safe), Some(10));
        assert_eq!(moved.tagged(FinalityTag::Finalized), None);
        let moved = moved.moved_to(block(12, 102), finalized(11));
        assert_eq!(moved.tagged(FinalityTag::Safe), Some(11));
        assert_eq!(start.confirmations(10), 1);
        assert_eq!(start.confirmations(8), 3);
        assert_eq!(start.confirmations(11), 0);
    }
}
