//! One chain's loop, wired from its configuration to the API's board.

use std::sync::Arc;

use anyhow::Context as _;
use paywatch_api::{ChainCondition, Clock as _, ConditionBoard, SystemClock};
use paywatch_core::ChainId;
use paywatch_indexer::{FollowSettings, RpcSettings, RpcSource};
use paywatch_reconciler::{AgentState, ChainAgent};
use paywatch_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{ChainConfig, StartAt};

/// The agent that `chain` asks for.
pub(super) async fn agent(chain: &ChainConfig, store: Store) -> anyhow::Result<ChainAgent> {
    let settings = RpcSettings {
        http: chain.http.clone(),
        ws: chain.ws.clone(),
        timeout: chain.request_timeout,
    };
    let source = RpcSource::connect(settings)
        .await
        .with_context(|| format!("chains.{}: the endpoint cannot be used", chain.name))?;
    let follow = FollowSettings {
        chain_id: chain.id,
        tokens: chain.tokens.clone(),
        poll_interval: chain.poll_interval,
        window: chain.window,
        near: chain.near,
        max_range: chain.max_range,
        // Orders keep the rule that they were made under, so the tag is asked for in any case.
        ask_finalized: true,
    };
    let first_block = match chain.start {
        StartAt::Head => None,
        StartAt::Block(number) => Some(number),
    };
    Ok(ChainAgent::new(
        store,
        Arc::new(source),
        follow,
        first_block,
        Arc::new(|| SystemClock.now()),
    ))
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
