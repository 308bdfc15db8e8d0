//! What a seed decides before anything happens.

use std::sync::Arc;
use std::time::Duration;

use paywatch_core::{Address, ChainId, Decimals, FinalityTag, Proof, Token, U256};
use paywatch_indexer::{Endpoint, FollowSettings, PoolSettings};
use paywatch_simulator::{Fault, Faults, Lie, SimChain, SimNode};
use rand::Rng;
use rand::rngs::StdRng;

pub(crate) const TOKEN: Address = Address::repeat_byte(0x70);
/// The token of something else, which pays nothing.
pub(crate) const OTHER_TOKEN: Address = Address::repeat_byte(0x71);

/// Where contract payments and flushes go, and from where the merchant pays others.
pub(crate) const TREASURY: Address = Address::repeat_byte(0xee);
/// Where orders are told apart by their amounts.
pub(crate) const WALLET: Address = Address::repeat_byte(0xdd);
pub(crate) const RECEIVER: Address = Address::repeat_byte(0x50);

pub(crate) fn chain_id() -> ChainId {
    ChainId::new(31_337).expect("it is one")
}

pub(crate) fn token() -> Token {
    Token {
        chain_id: chain_id(),
        address: TOKEN,
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(6).expect("they are possible"),
    }
}

/// Whether one endpoint of several is wrong by itself: it is fewer than must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Liar {
    /// None is.
    None,
    /// One leaves out logs, alters some, or makes some up.
    Sloppy,
    /// One has a whole chain of its own besides.
    Inventor,
}

/// How a history is set up.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) endpoints: usize,
    pub(crate) agreement: usize,
    pub(crate) proof: Proof,
    /// How deep below the highest head there ever was a fork may go.
    pub(crate) deepest: u64,
    pub(crate) follow: FollowSettings,
    pub(crate) liar: Liar,
}

impl Plan {
    pub(crate) fn draw(rng: &mut StdRng) -> Self {
        let endpoints = *pick(rng, &[1, 1, 2, 3, 3, 4]);
        let agreement = if endpoints >= 3 { 2 } else { 1 };
        let is_deep = rng.random_ratio(1, 12);
        let deepest = if is_deep { 64 } else { rng.random_range(3..9) };
        let near = deepest + rng.random_range(1..9);
        let liar = if agreement > 1 {
            *pick(
                rng,
                &[Liar::None, Liar::Sloppy, Liar::Sloppy, Liar::Inventor],
            )
        } else {
            Liar::None
        };
        Self {
            endpoints,
            agreement,
            proof: *pick(
                rng,
                &[Proof::ReceiptsRoot, Proof::ReceiptsRoot, Proof::None],
            ),
            deepest,
            liar,
            follow: FollowSettings {
                chain_id: chain_id(),
                tokens: vec![token()],
                receivers: vec![RECEIVER],
                poll_interval: Duration::from_secs(2),
                watchdog: Duration::from_secs(8),
                gather: Duration::ZERO,
                window: usize::try_from(near).expect("it is small") + 80,
                near,
                max_range: rng.random_range(3..80),
                ranges_at_once: rng.random_range(1..5),
                filter_up_to: *pick(rng, &[0, 10]),
                blooms: true,
                tags: vec![FinalityTag::Finalized],
                tag_interval: Duration::from_secs(3),
            },
        }
    }

    /// The nodes, each with its faults.
    pub(crate) fn nodes(&self, rng: &mut StdRng, truth: &Arc<SimChain>) -> Vec<Arc<SimNode>> {
        (0..self.endpoints)
            .map(|index| {
                let mut faults = honest(rng);
                if self.liar != Liar::None && index == 0 {
                    faults.extend(wrong(rng));
                } else if self.agreement == 1 && self.proof == Proof::ReceiptsRoot {
                    // Without receipts, the word of one endpoint alone is all there is.
                    faults.push((Fault::EmptyBlock, rng.random_range(0..60)));
                    faults.push((Fault::InventedLog, rng.random_range(0..40)));
                    faults.push((Fault::InventedPaid, rng.random_range(0..40)));
                    faults.push((Fault::AlteredRef, rng.random_range(0..40)));
                    faults.push((Fault::NoPaid, rng.random_range(0..40)));
                }
                let node = SimNode::new(Arc::clone(truth), Faults::new(rng.random(), faults));
                if rng.random_ratio(1, 6) {
                    node.lags(rng.random_range(1..12));
                }
                if rng.random_ratio(1, 4) {
                    node.serves_at_most(Some(rng.random_range(1..20)));
                }
                Arc::new(node)
            })
            .collect()
    }

    /// What the liar tells, to pay `to`.
    pub(crate) fn lie(rng: &mut StdRng, to: Address) -> Lie {
        let value = U256::from(rng.random_range(1..200_u64) * 1_000_000);
        let ahead = *pick(rng, &[0, 0, 1, 3, 40]);
        Lie::paying(to, TOKEN, value, rng.random_range(0..6), ahead)
    }

    pub(crate) fn pool(&self) -> PoolSettings {
        PoolSettings {
            chain_id: chain_id(),
            agreement: self.agreement,
            max_range: self.follow.max_range,
            head_patience: Duration::from_secs(20),
            blooms: true,
            proof: self.proof,
            genesis: None,
        }
    }

    pub(crate) fn endpoints(&self, nodes: &[Arc<SimNode>]) -> Vec<Endpoint> {
        nodes
            .iter()
            .enumerate()
            .map(|(index, node)| Endpoint {
                name: format!("node-{index}"),
                source: Arc::<SimNode>::clone(node),
                priority: u32::from(index > 1),
                // Its clock is the real one.
                requests_per_second: None,
                at_once: 4,
            })
            .collect()
    }
}

/// What happens to honest nodes, and more to some than to others.
fn honest(rng: &mut StdRng) -> Vec<(Fault, u16)> {
    let behind = rng.random_range(1..14);
    let earlier = rng.random_range(1..20);
    let all = [
        Fault::Down,
        Fault::Busy,
        Fault::Behind(behind),
        Fault::Stale,
        Fault::TooWide,
        Fault::RepeatedLogs,
        Fault::OtherBlocksLogs,
        Fault::WrongHeaders,
        Fault::BrokenReceipts,
        Fault::NoFinality,
        Fault::EarlierFinality(earlier),
        Fault::OtherFinality,
    ];
    some_of(rng, &all, 50)
}

/// What only a broken or lying node does.
fn wrong(rng: &mut StdRng) -> Vec<(Fault, u16)> {
    let all = [
        Fault::NoLogs,
        Fault::SomeLogs,
        Fault::InventedLog,
        Fault::AlteredLog,
        Fault::InventedPaid,
        Fault::AlteredRef,
        Fault::NoPaid,
    ];
    some_of(rng, &all, 100)
}

fn some_of(rng: &mut StdRng, faults: &[Fault], most: u16) -> Vec<(Fault, u16)> {
    let mut chosen = Vec::new();
    for fault in faults {
        if rng.random_ratio(1, 3) {
            chosen.push((*fault, rng.random_range(1..most)));
        }
    }
    chosen
}

pub(crate) fn pick<'a, T>(rng: &mut StdRng, from: &'a [T]) -> &'a T {
    let index = rng.random_range(0..from.len());
    from.get(index).expect("it is one of them")
}
