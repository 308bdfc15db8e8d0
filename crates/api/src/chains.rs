//! The routes of chains.

use axum::Json;
use axum::extract::State;
use paywatch_core::{FinalityPolicy, FinalityTag, Timestamp};
use paywatch_store::ChainRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::condition::ChainCondition;
use crate::problem::Problem;
use crate::state::{ApiState, ChainOffer};
use crate::wire::{TokenView, address, time};

/// The chains on which money is taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChainList {
    /// The chains.
    data: Vec<ChainView>,
}

/// A chain, and how far it is covered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Chain)]
pub(crate) struct ChainView {
    /// Its id (EIP-155).
    #[schema(example = 137)]
    id: u64,
    /// Its name in the configuration.
    #[schema(example = "polygon")]
    name: String,
    /// The tokens that count.
    tokens: Vec<TokenView>,
    /// Where the money goes.
    treasury: String,
    /// The factory that deposit addresses are derived from.
    factory: String,
    /// The node's latest block, as last seen.
    head: Option<u64>,
    /// Everything up to this block is in the books; nothing is missing below.
    covered_up_to: Option<BlockView>,
    /// The first block that was read.
    started_at_block: Option<u64>,
    /// How many blocks the node is ahead of the books.
    lag_blocks: Option<u64>,
    /// How old the last covered block is, in seconds.
    lag_seconds: Option<u64>,
    /// The highest covered block that the node calls final.
    finalized: Option<u64>,
    /// The highest covered block that the node calls safe.
    safe: Option<u64>,
    finality: FinalityView,
    /// How the reading goes: `starting`, `following`, `degraded` (it keeps trying), `stopped`.
    #[schema(example = "following")]
    condition: &'static str,
    /// What is wrong, and what to do.
    cause: Option<String>,
    /// Since when it is wrong.
    since: Option<String>,
}

/// The last covered block.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Block)]
pub(crate) struct BlockView {
    /// Its height.
    number: u64,
    /// Its hash.
    hash: String,
    /// When it was made, by its producer's word.
    timestamp: String,
}

/// When a payment is confirmed: all of it must hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finality)]
pub(crate) struct FinalityView {
    /// Blocks that must stand on a payment, its own included.
    #[schema(example = 12)]
    confirmations: u32,
    /// The tag that must have reached it, if any: `safe` or `finalized`.
    #[schema(example = "finalized")]
    tag: Option<&'static str>,
    /// What must have been shown of it: `receipts_root`, or `none` where the chain cannot give it.
    #[schema(example = "receipts_root")]
    proof: &'static str,
    /// Other rules for smaller orders, by the order's amount.
    tiers: Vec<TierView>,
}

/// A rule for orders up to an amount.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FinalityTier)]
pub(crate) struct TierView {
    /// The largest amount that it is for.
    #[schema(example = "100")]
    up_to: String,
    /// Blocks that must stand on a payment, its own included.
    #[schema(example = 2)]
    confirmations: u32,
    /// The tag that must have reached it, if any.
    tag: Option<&'static str>,
}

fn finality(policy: &FinalityPolicy) -> FinalityView {
    let above = policy.above();
    let tiers = policy.tiers().iter().map(|(up_to, rule)| TierView {
        up_to: up_to.to_string(),
        confirmations: rule.min_confirmations(),
        tag: rule.tag().map(FinalityTag::name),
    });
    FinalityView {
        confirmations: above.min_confirmations(),
        tag: above.tag().map(FinalityTag::name),
        proof: above.proof().name(),
        tiers: tiers.collect(),
    }
}

/// List the chains
///
/// `covered_up_to` is only ever true: every log of the tokens up to that block has been read.
#[utoipa::path(
    get, path = "/v1/chains", operation_id = "list_chains", tag = "chains", security(("api_key" = [])),
    responses(
        (status = 200, description = "All configured chains", body = ChainList),
    )
)]
pub(crate) async fn list(State(state): State<ApiState>) -> Result<Json<ChainList>, Problem> {
    let records = state.store.chains().await?;
    let now = state.clock.now();
    let data = state.shop.chains.iter().map(|chain| {
        let record = records
            .iter()
            .find(|record| record.heads.chain_id == chain.id);
        view(chain, record, &state.board.get(chain.id), now)
    });
    Ok(Json(ChainList {
        data: data.collect(),
    }))
}

fn view(
    chain: &ChainOffer,
    record: Option<&ChainRecord>,
    condition: &ChainCondition,
    now: Timestamp,
) -> ChainView {
    let tip = record.map(|record| record.heads.tip);
    let trouble = condition.trouble();
    ChainView {
        id: chain.id.get(),
        name: chain.name.clone(),
        tokens: chain.tokens.iter().map(TokenView::from).collect(),
        treasury: address(chain.id, chain.treasury),
        factory: address(chain.id, chain.factory),
        head: record.map(|record| record.node_head),
        covered_up_to: tip.map(|tip| BlockView {
            number: tip.number,
            hash: tip.hash.to_string(),
            timestamp: time(tip.timestamp),
        }),
        started_at_block: record.map(|record| record.started_at),
        lag_blocks: record.map(|record| record.node_head.saturating_sub(record.heads.tip.number)),
        lag_seconds: tip.map(|tip| seconds_since(tip.timestamp, now)),
        finalized: record.and_then(|record| record.heads.finalized),
        safe: record.and_then(|record| record.heads.safe),
        finality: finality(&chain.finality),
        condition: condition.name(),
        cause: trouble.map(|(cause, _)| cause.to_owned()),
        since: trouble.map(|(_, since)| time(since)),
    }
}

/// Whole seconds from `then` to `now`; 0 if `then` lies ahead, as blocks' times may.
fn seconds_since(then: Timestamp, now: Timestamp) -> u64 {
    let ms = now.unix_ms().saturating_sub(then.unix_ms());
    u64::try_from(ms)
        .unwrap_or_default()
        .checked_div(1_000)
        .unwrap_or_default()
}
