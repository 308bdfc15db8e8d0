//! The recent blocks of a chain as a value, in which forks are found.

use std::collections::VecDeque;

use crate::{Block, BlockNumber, BlockRef};

/// What a header means to a [`Window`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// It is already in the window.
    Known,
    /// It follows the tip.
    Extends,
    /// Headers between the tip and this one are missing; fetch them first.
    Gap {
        /// The first missing block.
        from: BlockNumber,
    },
    /// The node's chain and ours part after this block.
    Forked {
        /// The last common block.
        common: BlockRef,
    },
    /// It is of another branch, and its parent is unknown too: ask for the node's header here.
    WalkBack {
        /// The height to ask for.
        to: BlockNumber,
    },
}

/// The node's chain parted from ours below everything that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the chain forked below block {oldest}, the oldest that is remembered")]
pub struct ForkBelowWindow {
    /// The oldest remembered block.
    pub oldest: BlockNumber,
}

/// Recent blocks that link to each other by parent hash, oldest first; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    older: VecDeque<BlockRef>,
    tip: Block,
    capacity: usize,
}

impl Window {
    /// A window that holds only `tip` and will remember `capacity` blocks before it.
    #[must_use]
    pub const fn new(tip: Block, capacity: usize) -> Self {
        Self {
            older: VecDeque::new(),
            tip,
            capacity,
        }
    }

    /// A window from stored blocks, oldest first: as many as link up from the last one back.
    #[must_use]
    pub fn from_blocks(blocks: &[Block], capacity: usize) -> Option<Self> {
        let (tip, rest) = blocks.split_last()?;
        let mut window = Self::new(*tip, capacity);
        let mut child = *tip;
        for block in rest.iter().rev().take(capacity) {
            let links = block.number.checked_add(1) == Some(child.number)
                && block.hash == child.parent_hash;
            if !links {
                break;
            }
            window.older.push_front(block.to_ref());
            child = *block;
        }
        Some(window)
    }

    /// The newest block.
    #[must_use]
    pub const fn tip(&self) -> &Block {
        &self.tip
    }

    /// The oldest remembered block.
    #[must_use]
    pub fn oldest(&self) -> BlockRef {
        self.older
            .front()
            .copied()
            .unwrap_or_else(|| self.tip.to_ref())
    }

    /// The remembered block at `number`.
    #[must_use]
    pub fn at(&self, number: BlockNumber) -> Option<BlockRef> {
        if number == self.tip.number {
            return Some(self.tip.to_ref());
        }
        let offset = number.checked_sub(self.oldest().number)?;
        self.older.get(usize::try_from(offset).ok()?).copied()
    }

    /// What `block`, which the node calls canonical, means to this window.
    ///
    /// # Errors
    /// [`ForkBelowWindow`] when the branches part below the oldest remembered block.
    pub fn advance(&self, block: &Block) -> Result<Advance, ForkBelowWindow> {
        let next = self.tip.number.saturating_add(1);
        if block.number > next {
            return Ok(Advance::Gap { from: next });
        }
        if block.number == next {
            let extends = block.parent_hash == self.tip.hash;
            let back = Advance::WalkBack {
                to: self.tip.number,
            };
            return Ok(if extends { Advance::Extends } else { back });
        }
        let below = ForkBelowWindow {
            oldest: self.oldest().number,
        };
        let ours = self.at(block.number).ok_or(below)?;
        if ours.hash == block.hash {
            return Ok(Advance::Known);
        }
        let parent = block
            .number
            .checked_sub(1)
            .and_then(|n| self.at(n))
            .ok_or(below)?;
        if parent.hash == block.parent_hash {
            return Ok(Advance::Forked { common: parent });
        }
        Ok(Advance::WalkBack { to: parent.number })
    }

    /// Makes `block`, which must follow the tip, the new tip; forgets what exceeds the capacity.
    /// Returns whether it did follow.
    #[must_use]
    pub fn push(&mut self, block: Block) -> bool {
        if self.advance(&block) != Ok(Advance::Extends) {
            return false;
        }
        self.older.push_back(self.tip.to_ref());
        self.tip = block;
        while self.older.len() > self.capacity {
            self.older.pop_front();
        }
        true
    }

    /// Forgets everything above `common`, whose full header is needed to be the tip again.
    /// Returns whether it was in the window.
    #[must_use]
    pub fn retract_to(&mut self, common: Block) -> bool {
        if self.at(common.number) != Some(common.to_ref()) {
            return false;
        }
        self.older.retain(|block| block.number < common.number);
        self.tip = common;
        true
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers of a test")]
mod tests {
    use alloy_primitives::B256;
    use proptest::prelude::*;

    use super::*;
    use crate::Timestamp;

    /// Block `number` of branch `branch`, whose parent is of branch `parent`.
    fn block(number: u64, branch: u8, parent: u8) -> Block {
        let hash = |number: u64, branch: u8| {
            let mut hash = B256::from(alloy_primitives::U256::from(number));
            hash.0[0] = branch;
            hash
        };
        Block {
            number,
            hash: hash(number, branch),
            parent_hash: hash(number - 1, parent),
            timestamp: Timestamp::EPOCH,
        }
    }

    fn window(numbers: std::ops::RangeInclusive<u64>, capacity: usize) -> Window {
        let blocks: Vec<_> = numbers.map(|n| block(n, 0, 0)).collect();
        Window::from_blocks(&blocks, capacity).unwrap()
    }

    #[test]
    fn says_what_a_header_means() {
        let window = window(10..=20, 64);
        let cases = [
            (block(21, 0, 0), Ok(Advance::Extends)),
            (block(20, 0, 0), Ok(Advance::Known)),
            (block(15, 0, 0), Ok(Advance::Known)),
            (block(30, 0, 0), Ok(Advance::Gap { from: 21 })),
            (block(21, 1, 1), Ok(Advance::WalkBack { to: 20 })),
            (block(20, 1, 1), Ok(Advance::WalkBack { to: 19 })),
            (
                block(18, 1, 0),
                Ok(Advance::Forked {
                    common: block(17, 0, 0).to_ref(),
                }),
            ),
            (block(10, 1, 1), Err(ForkBelowWindow { oldest: 10 })),
            (block(10, 1, 0), Err(ForkBelowWindow { oldest: 10 })),
            (block(5, 0, 0), Err(ForkBelowWindow { oldest: 10 })),
        ];
        for (header, expected) in cases {
            assert_eq!(window.advance(&header), expected, "{header:?}");
        }
    }

    #[test]
    fn forgets_the_oldest_and_retracts_to_a_common_block() {
        let mut window = window(1..=3, 2);
        assert!(window.push(block(4, 0, 0)));
        assert!(!window.push(block(6, 0, 0)));
        assert_eq!(window.oldest().number, 2);
        assert!(!window.retract_to(block(3, 1, 1)));
        assert!(window.retract_to(block(3, 0, 0)));
        assert_eq!(window.tip().number, 3);
        assert!(window.push(block(4, 1, 0)));
        assert_eq!(window.at(4), Some(block(4, 1, 0).to_ref()));
    }

    #[test]
    fn stored_blocks_that_do_not_link_are_left_out() {
        let blocks = [
            block(1, 0, 0),
            block(5, 0, 0),
            block(6, 0, 0),
            block(7, 0, 0),
        ];
        let window = Window::from_blocks(&blocks, 64).unwrap();
        assert_eq!(window.oldest().number, 5);
        assert_eq!(Window::from_blocks(&[], 64), None);
    }

    proptest! {
        #[test]
        fn walking_back_always_ends(fork_at in 2_u64..40, tip in 2_u64..40) {
            let window = window(1..=tip, 64);
            let theirs = |n: u64| block(n, u8::from(n >= fork_at), u8::from(n > fork_at));
            let mut header = theirs(tip + 1);
            for _ in 0..=tip + 1 {
                match window.advance(&header) {
                    Ok(Advance::WalkBack { to }) => {
                        prop_assert!(to < header.number);
                        header = theirs(to);
                    },
                    Ok(Advance::Forked { common }) => {
                        prop_assert_eq!(common.number, fork_at - 1);
                        return Ok(());
                    },
                    Ok(Advance::Extends | Advance::Known) => {
                        prop_assert!(fork_at > tip);
                        return Ok(());
                    },
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            prop_assert!(false, "did not end");
        }
    }
}
