//! From what deposits hold to transactions that could be sent: how much gas they need.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes};
use paywatch_core::Token;

use crate::chain::Call;
use crate::deposit::Holding;
use crate::flush::{Batch, Group, call};
use crate::node::{Node, NodeError};
use crate::plan::{GasModel, Limits, plan};
use crate::survey::{Candidate, SweepError, known_to_factories, survey};

/// How many deposits are measured to find out what one more uses.
const SAMPLE: usize = 8;
/// No transaction gets more, whatever a block holds: Ethereum refuses more than 2²⁴ (EIP-7825).
const MOST_GAS: u64 = 15_000_000;

/// A transaction that flushes a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flush {
    /// What it flushes.
    pub batch: Batch,
    /// Whom it calls: the factory.
    pub to: Address,
    /// With what.
    pub data: Bytes,
    /// How much gas it gets: what it needed when it was tried, and a fifth.
    pub gas: u64,
}

/// What could be sent, and what is left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The transactions.
    pub flushes: Vec<Flush>,
    /// Deposits that hold less than the minimum.
    pub below: Vec<Holding>,
    /// Deposits of which not even one fits into a transaction.
    pub too_large: Vec<Holding>,
}

/// How much gas a transaction may get on a chain whose blocks hold `block` of it.
#[must_use]
pub fn gas_limit(block: u64) -> u64 {
    block.checked_div(2).unwrap_or_default().min(MOST_GAS)
}

/// Puts `holdings` into transactions within `limits`, and tries each. `from` is who would send them.
///
/// # Errors
/// When the node does not answer, there is no factory for a deposit, or a flush fails as a whole.
pub async fn prepare(
    node: &Node,
    holdings: Vec<Holding>,
    limits: &Limits,
    from: Option<Address>,
) -> Result<Prepared, SweepError> {
    known_to_factories(node, &holdings).await?;
    let mut groups: BTreeMap<Group, Vec<Holding>> = BTreeMap::new();
    for holding in &holdings {
        let members = groups.entry(Group::of(holding)).or_default();
        if members.len() < SAMPLE && holding.value() >= limits.min {
            members.push(holding.clone());
        }
    }
    let mut models = BTreeMap::new();
    for (group, sample) in groups {
        let model = measure(node, &group, &sample, from).await?;
        models.insert(group, model);
    }
    let unmeasured = GasModel { base: 0, each: 0 };
    let model_of = |group: &Group| models.get(group).copied().unwrap_or(unmeasured);
    let planned = plan(holdings, model_of, limits);
    let mut prepared = Prepared {
        below: planned.below,
        too_large: planned.too_large,
        ..Prepared::default()
    };
    // What was measured may not hold for all: a batch that uses more is halved.
    let mut waiting: Vec<Batch> = planned.batches.into_iter().rev().collect();
    while let Some(batch) = waiting.pop() {
        let flush = tried(node, batch, from).await?;
        if flush.gas <= limits.gas {
            prepared.flushes.push(flush);
            continue;
        }
        match flush.batch.halved() {
            Ok([left, right]) => waiting.extend([right, left]),
            Err(single) => prepared.too_large.extend(single.holdings),
        }
    }
    Ok(prepared)
}

/// The transaction for what the deposits of `batch` hold now; none if they hold nothing any more,
/// because somebody else has flushed them meanwhile.
///
/// # Errors
/// As [`prepare`].
pub async fn renew(
    node: &Node,
    batch: &Batch,
    tokens: &[Token],
    from: Option<Address>,
) -> Result<Option<Flush>, SweepError> {
    let mut candidates = Vec::new();
    for holding in &batch.holdings {
        let held = tokens
            .iter()
            .filter(|token| holding.amounts.contains_key(&token.address));
        candidates.extend(held.map(|token| Candidate {
            deposit: holding.deposit,
            token: token.clone(),
        }));
    }
    let holdings = survey(node, &candidates).await?.holdings;
    if holdings.is_empty() {
        return Ok(None);
    }
    let group = batch.group.clone();
    tried(node, Batch { group, holdings }, from).await.map(Some)
}

/// What flushes of `group` use, by those of one and of all in `sample`.
async fn measure(
    node: &Node,
    group: &Group,
    sample: &[Holding],
    from: Option<Address>,
) -> Result<GasModel, SweepError> {
    let (Some(first), count) = (sample.get(..1), sample.len()) else {
        return Ok(GasModel { base: 0, each: 0 });
    };
    let one = gas_for(node, group.factory, call(group, first), from).await?;
    if count == 1 {
        return Ok(GasModel::through(one, (1, one)));
    }
    let many = gas_for(node, group.factory, call(group, sample), from).await?;
    Ok(GasModel::through(one, (count, many)))
}

async fn tried(node: &Node, batch: Batch, from: Option<Address>) -> Result<Flush, SweepError> {
    let (to, data) = (batch.group.factory, batch.call());
    let gas = gas_for(node, to, data.clone(), from).await?;
    Ok(Flush {
        batch,
        to,
        data,
        gas,
    })
}

/// How much gas a call of `to` gets: what it needs, and a fifth, since balances move until it is
/// mined.
///
/// # Errors
/// When the node does not answer, or the call would fail.
pub async fn gas_for(
    node: &Node,
    to: Address,
    data: Bytes,
    from: Option<Address>,
) -> Result<u64, NodeError> {
    let call = Call {
        from,
        ..Call::new(to, data)
    };
    let needed = node.estimate(&call).await?;
    let reserve = needed.div_ceil(5);
    Ok(needed.saturating_add(reserve))
}
