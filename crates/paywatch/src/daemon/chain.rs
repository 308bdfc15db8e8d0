//! One chain's loop, wired from its configuration to the API's board.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use paywatch_api::{ChainCondition, Clock as _, ConditionBoard, SystemClock};
use paywatch_core::{Address, Amount, ChainId, FinalityTag, Proof, Token};
use paywatch_indexer::{Endpoint, FollowSettings, Pool, PoolSettings, RpcSettings, RpcSource};
use paywatch_reconciler::{AddressBook, AgentSettings, AgentState, ChainAgent};
use paywatch_store::{Promises, Store};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{ChainConfig, StartAt};

/// How often the settled blocks are asked for, in blocks' times, while a payment waits for them.
const TAG_BLOCKS: u32 = 8;
/// Bounds of that.
const TAG_INTERVAL: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(60));
/// The same for chains whose pace is not known.
const TAG_DEFAULT: Duration = Duration::from_secs(2);
/// How long nothing may be announced before it is polled for, in blocks' times, and bounds of it.
const WATCHDOG_BLOCKS: u32 = 4;
const WATCHDOG: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// After how long a finalized block that stands still is told of.
const FINALITY_STALL: Duration = Duration::from_secs(3_600);

/// The endpoints of `chain` as one source.
pub(crate) async fn pool(chain: &ChainConfig) -> anyhow::Result<Pool> {
    let mut endpoints = Vec::with_capacity(chain.endpoints.len());
    for endpoint in &chain.endpoints {
        let settings = RpcSettings {
            http: endpoint.http.clone(),
            ws: endpoint.ws.clone(),
            timeout: chain.request_timeout,
        };
        let source = RpcSource::connect(settings).await.with_context(|| {
            format!(
                "chains.{}: the endpoint {} cannot be used",
                chain.name, endpoint.name
            )
        })?;
        endpoints.push(Endpoint {
            name: endpoint.name.clone(),
            source: Arc::new(source),
            priority: endpoint.priority,
            requests_per_second: endpoint.requests_per_second,
            at_once: endpoint.at_once,
        });
    }
    let settings = PoolSettings {
        chain_id: chain.id,
        agreement: chain.agreement,
        max_range: chain.max_range,
        head_patience: watchdog(chain).saturating_mul(2),
        blooms: chain.blooms,
        proof: chain.proof,
        genesis: chain.genesis,
    };
    Pool::new(endpoints, settings).with_context(|| format!("chains.{}", chain.name))
}

fn watchdog(chain: &ChainConfig) -> Duration {
    let (least, most) = WATCHDOG;
    let blocks = chain.block_time.unwrap_or(chain.poll_interval);
    blocks.saturating_mul(WATCHDOG_BLOCKS).clamp(least, most)
}

/// How `chain` is followed: for what is configured, and for what orders were promised before.
pub(crate) fn follow_settings(chain: &ChainConfig, promises: &Promises) -> FollowSettings {
    let uses_safe = chain
        .finality
        .tiers()
        .iter()
        .map(|(_, rule)| *rule)
        .chain([chain.finality.above()])
        .any(|rule| rule.tag() == Some(FinalityTag::Safe));
    // Orders keep the rule that they were made under, so the finalized tag is asked for in any
    // case; what is final is safe, too.
    let mut tags = vec![FinalityTag::Finalized];
    if uses_safe {
        tags.push(FinalityTag::Safe);
    }
    let (least, most) = TAG_INTERVAL;
    FollowSettings {
        chain_id: chain.id,
        tokens: tokens(chain, promises),
        receivers: receivers(chain, promises),
        poll_interval: chain.poll_interval,
        watchdog: watchdog(chain),
        gather: chain.gather(),
        window: chain.window,
        near: chain.near,
        max_range: chain.max_range,
        ranges_at_once: chain.ranges_at_once,
        filter_up_to: chain.filter_up_to,
        blooms: chain.blooms,
        tags,
        tag_interval: chain.block_time.map_or(TAG_DEFAULT, |time| {
            time.saturating_mul(TAG_BLOCKS).clamp(least, most)
        }),
    }
}

pub(super) fn tokens(chain: &ChainConfig, promises: &Promises) -> Vec<Token> {
    let mut tokens = chain.tokens.clone();
    for token in &promises.tokens {
        let is_known = tokens.iter().any(|known| known.address == token.address);
        if token.chain_id == chain.id && !is_known {
            tokens.push(token.clone());
        }
    }
    tokens
}

pub(super) fn receivers(chain: &ChainConfig, promises: &Promises) -> Vec<Address> {
    let promised = promises.receivers.iter();
    let promised = promised.filter(|(chain_id, _)| *chain_id == chain.id);
    let receivers = chain.receiver.into_iter();
    let receivers: BTreeSet<_> = receivers.chain(promised.map(|(_, at)| *at)).collect();
    receivers.into_iter().collect()
}

/// Says where orders may still be paid and nobody looks.
pub(super) fn warn_of_unfollowed(chains: &[ChainConfig], promises: &Promises) {
    let is_followed = |id| chains.iter().any(|chain| chain.id == id);
    let promised: BTreeSet<_> = promises.tokens.iter().map(|token| token.chain_id).collect();
    for chain_id in promised.into_iter().filter(|id| !is_followed(*id)) {
        tracing::warn!(
            chain.id = %chain_id,
            "orders may be paid on this chain, which is not configured any more: such payments \
             are not seen. Configure it again to read on where it ended"
        );
    }
}

/// The agent that follows `chain` by what `pool` says, for what was promised; less than `dust` is
/// not looked at.
pub(super) fn agent(
    chain: &ChainConfig,
    (promises, dust): (&Promises, Amount),
    pool: Arc<Pool>,
    store: Store,
    addresses: Arc<AddressBook>,
) -> ChainAgent {
    let alarms = pool.alarms();
    let settings = AgentSettings {
        follow: follow_settings(chain, promises),
        checked_tokens: chain.tokens.clone(),
        first_block: match chain.start {
            StartAt::Head => None,
            StartAt::Block(number) => Some(number),
        },
        proofs: chain.proof == Proof::ReceiptsRoot,
        dust,
        stall_after: chain.stall_after,
        finality_stall_after: Some(FINALITY_STALL),
    };
    let now = Arc::new(|| SystemClock.now());
    ChainAgent::new(store, addresses, pool, settings, now).with_alarms(alarms)
}

/// Tells the API's board how the agent of `chain` is, until it ends.
pub(super) async fn relay(
    chain: ChainId,
    mut state: watch::Receiver<AgentState>,
    board: ConditionBoard,
    shutdown: CancellationToken,
) {
    loop {
        let condition = match state.borrow_and_update().clone() {
            AgentState::Starting => ChainCondition::Starting,
            AgentState::Following => ChainCondition::Following,
            AgentState::Waiting { since, cause } => ChainCondition::Degraded { since, cause },
            AgentState::Stopped { since, cause } => ChainCondition::Stopped { since, cause },
        };
        board.set(chain, condition);
        match shutdown.run_until_cancelled(state.changed()).await {
            Some(Ok(())) => {},
            Some(Err(_)) | None => return,
        }
    }
}
