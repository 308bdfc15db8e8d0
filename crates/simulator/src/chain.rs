//! The truth: a chain that grows, forks and becomes final as it is told to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloy_primitives::{Address, B256};
use paywatch_core::{BlockNumber, ChainId};
use tokio::sync::broadcast;

use crate::{Ledger, SimBlock, SimTransaction};

/// How many new heads a slow listener may be behind.
const HEADS: usize = 1_024;

/// Blocks on top of a common one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branch {
    /// The first block's height.
    pub first: BlockNumber,
    /// Its blocks, lowest first.
    pub blocks: Vec<Arc<SimBlock>>,
}

impl Branch {
    /// The block at `number`, if it is one of the branch.
    #[must_use]
    pub fn at(&self, number: BlockNumber) -> Option<&Arc<SimBlock>> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.blocks.get(index)
    }
}

#[derive(Debug)]
struct State {
    /// From the genesis to the head; never empty.
    canonical: Vec<Arc<SimBlock>>,
    head: Arc<SimBlock>,
    by_hash: HashMap<B256, Arc<SimBlock>>,
    /// What the last fork took away.
    left: Branch,
    finalized: Option<BlockNumber>,
    safe: Option<BlockNumber>,
    made: u64,
}

/// A chain as it is.
#[derive(Debug)]
pub struct SimChain {
    chain_id: ChainId,
    block_time_s: u64,
    tokens: BTreeMap<Address, u8>,
    state: Mutex<State>,
    heads: broadcast::Sender<Arc<SimBlock>>,
}

impl SimChain {
    /// A chain that has only its genesis, of the time `start_s`, and tokens with these decimals.
    #[must_use]
    pub fn new(
        chain_id: ChainId,
        start_s: u64,
        block_time_s: u64,
        tokens: impl IntoIterator<Item = (Address, u8)>,
    ) -> Self {
        let genesis = SimBlock::on(None, start_s, &chain_id.get().to_be_bytes(), Vec::new());
        let genesis = Arc::new(genesis);
        let (heads, _) = broadcast::channel(HEADS);
        Self {
            chain_id,
            block_time_s,
            tokens: tokens.into_iter().collect(),
            state: Mutex::new(State {
                canonical: vec![Arc::clone(&genesis)],
                by_hash: HashMap::from([(genesis.hash, Arc::clone(&genesis))]),
                head: genesis,
                left: Branch::default(),
                finalized: None,
                safe: None,
                made: 0,
            }),
            heads,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a block with `transactions`.
    pub fn mine(&self, transactions: Vec<SimTransaction>) -> Arc<SimBlock> {
        let mut state = self.state();
        let time = state
            .head
            .header
            .timestamp
            .saturating_add(self.block_time_s);
        self.add(&mut state, time, transactions)
    }

    /// Adds a block of the time `timestamp_s`, or of just after the one before, if that is later.
    pub fn mine_at(&self, timestamp_s: u64, transactions: Vec<SimTransaction>) -> Arc<SimBlock> {
        let mut state = self.state();
        let time = timestamp_s.max(state.head.header.timestamp.saturating_add(1));
        self.add(&mut state, time, transactions)
    }

    fn add(
        &self,
        state: &mut State,
        timestamp_s: u64,
        transactions: Vec<SimTransaction>,
    ) -> Arc<SimBlock> {
        state.made = state.made.saturating_add(1);
        let block = SimBlock::on(
            Some(&state.head),
            timestamp_s,
            &state.made.to_be_bytes(),
            transactions,
        );
        let block = Arc::new(block);
        state.by_hash.insert(block.hash, Arc::clone(&block));
        state.canonical.push(Arc::clone(&block));
        state.head = Arc::clone(&block);
        // Nobody may be listening.
        let _heard = self.heads.send(Arc::clone(&block));
        block
    }

    /// The newest `depth` blocks leave the chain, though never the genesis. Returns them, lowest
    /// first.
    pub fn fork(&self, depth: usize) -> Vec<Arc<SimBlock>> {
        let mut state = self.state();
        let kept = state.canonical.len().saturating_sub(depth).max(1);
        let gone = state.canonical.split_off(kept);
        if let Some(head) = state.canonical.last() {
            state.head = Arc::clone(head);
        }
        state.left = Branch {
            first: u64::try_from(kept).unwrap_or(u64::MAX),
            blocks: gone.clone(),
        };
        gone
    }

    /// Everything up to `number` is final, as far as there is anything.
    pub fn finalize(&self, number: BlockNumber) {
        self.state().finalized = Some(number);
    }

    /// Everything up to `number` is safe, as far as there is anything.
    pub fn call_safe(&self, number: BlockNumber) {
        self.state().safe = Some(number);
    }

    /// What the last fork took away.
    #[must_use]
    pub fn left(&self) -> Branch {
        self.state().left.clone()
    }

    /// The canonical blocks from `first` on.
    #[must_use]
    pub fn from(&self, first: BlockNumber) -> Vec<Arc<SimBlock>> {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        self.state().canonical.iter().skip(first).cloned().collect()
    }

    /// Whether the block with this hash was ever part of the chain.
    #[must_use]
    pub fn ever_had(&self, hash: B256) -> Option<Arc<SimBlock>> {
        self.state().by_hash.get(&hash).cloned()
    }

    fn tagged(&self, tag: impl FnOnce(&State) -> Option<BlockNumber>) -> Option<Arc<SimBlock>> {
        let state = self.state();
        let number = tag(&state)?.min(state.head.header.number);
        state.canonical.get(usize::try_from(number).ok()?).cloned()
    }
}

impl Ledger for SimChain {
    fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    fn head(&self) -> Arc<SimBlock> {
        Arc::clone(&self.state().head)
    }

    fn at(&self, number: BlockNumber) -> Option<Arc<SimBlock>> {
        let index = usize::try_from(number).ok()?;
        self.state().canonical.get(index).cloned()
    }

    fn with_hash(&self, hash: B256) -> Option<Arc<SimBlock>> {
        self.ever_had(hash)
    }

    fn finalized(&self) -> Option<Arc<SimBlock>> {
        self.tagged(|state| state.finalized)
    }

    fn safe(&self) -> Option<Arc<SimBlock>> {
        self.tagged(|state| state.safe)
    }

    fn decimals(&self, token: Address) -> Option<u8> {
        self.tokens.get(&token).copied()
    }

    fn new_heads(&self) -> broadcast::Receiver<Arc<SimBlock>> {
        self.heads.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> SimChain {
        let Ok(id) = ChainId::new(7) else {
            panic!("7 is a chain id");
        };
        SimChain::new(id, 1_000, 2, [])
    }

    #[test]
    fn blocks_stand_on_each_other_and_a_fork_makes_others() {
        let chain = chain();
        let kept = chain.mine(Vec::new());
        let gone = chain.mine(Vec::new());
        assert_eq!(gone.header.parent_hash, kept.hash);
        assert_eq!(gone.header.timestamp, 1_004);

        let removed = chain.fork(1);
        assert_eq!(removed, [Arc::clone(&gone)]);
        let instead = chain.mine(Vec::new());
        assert_eq!(instead.header.number, gone.header.number);
        assert_ne!(instead.hash, gone.hash);
        assert_eq!(chain.at(2), Some(instead));
        assert_eq!(chain.left().at(2), Some(&gone));
        assert!(chain.with_hash(gone.hash).is_some());
    }

    #[test]
    fn the_genesis_stays_and_what_is_final_exists() {
        let chain = chain();
        chain.mine(Vec::new());
        chain.finalize(9);
        assert_eq!(chain.finalized().map(|block| block.header.number), Some(1));
        chain.fork(50);
        assert_eq!(chain.head().header.number, 0);
    }
}
