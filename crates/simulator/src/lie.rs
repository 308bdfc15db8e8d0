//! A chain that only a liar knows: well-formed, provable by itself, and not the truth.

use std::sync::Arc;

use alloy_primitives::{Address, U256};

use crate::{Branch, Ledger as _, SimBlock, SimChain, SimTransaction, SimTransfer};

/// What a lying node shows: blocks of its own making that pay whomever it wants to rob.
#[derive(Clone, Debug)]
pub struct Lie {
    transfer: SimTransfer,
    /// How far below the head its branch begins.
    depth: u64,
    /// How far ahead of the truth it pretends to be.
    ahead: u64,
    branch: Branch,
    nonce: u64,
}

impl Lie {
    /// A branch that begins `depth` blocks below the head, is `ahead` blocks longer than the truth,
    /// and pays `value` units of `token` to `to` in each of its blocks.
    #[must_use]
    pub fn paying(to: Address, token: Address, value: U256, depth: u64, ahead: u64) -> Self {
        Self {
            transfer: SimTransfer {
                token,
                from: Address::repeat_byte(0x1a),
                to,
                value,
            },
            depth,
            ahead,
            branch: Branch::default(),
            nonce: 1 << 40,
        }
    }

    /// The branch as it is now: it grows as the truth does.
    pub(crate) fn branch(&mut self, truth: &SimChain) -> Branch {
        let head = truth.head().header.number;
        let height = head.saturating_add(self.ahead);
        if self.branch.blocks.is_empty() {
            self.branch.first = head.saturating_sub(self.depth).max(1);
        }
        let mut below = match self.branch.blocks.last() {
            Some(block) => Some(Arc::clone(block)),
            None => truth.at(self.branch.first.saturating_sub(1)),
        };
        while let Some(parent) = below.filter(|block| block.header.number < height) {
            self.nonce = self.nonce.saturating_add(1);
            let payment = SimTransaction::moving(&[self.transfer], self.nonce);
            let block = Arc::new(SimBlock::on(
                Some(&parent),
                parent.header.timestamp.saturating_add(1),
                b"a lie",
                vec![payment],
            ));
            self.branch.blocks.push(Arc::clone(&block));
            below = Some(block);
        }
        self.branch.clone()
    }
}
