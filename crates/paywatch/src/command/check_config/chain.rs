//! What of chains may be shown.

use std::num::NonZeroU32;

use paywatch_core::{Address, AddressForm, Amount, FinalityRule, FinalityTag};
use serde::Serialize;

use crate::config::{ChainConfig, EndpointConfig, StartAt, shown, spoken};

/// A chain.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ChainView {
    name: String,
    id: u64,
    endpoints: Vec<EndpointView>,
    agreement: usize,
    genesis: Option<String>,
    treasury: String,
    factory: String,
    receiver: Option<String>,
    wallets: Vec<String>,
    confirmations: u32,
    tag: Option<&'static str>,
    tiers: Vec<TierView>,
    proof: &'static str,
    blooms: bool,
    tokens: Vec<TokenView>,
    start_block: Option<u64>,
    poll_interval: String,
    request_timeout: String,
    window: usize,
    near: u64,
    max_range: u64,
    ranges_at_once: usize,
    filter_up_to: usize,
    stall_after: Option<String>,
    look_alikes: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct EndpointView {
    name: String,
    http: Option<String>,
    ws: Option<String>,
    priority: u32,
    requests_per_second: Option<u32>,
    at_once: usize,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct TierView {
    up_to: String,
    confirmations: u32,
    tag: Option<&'static str>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct TokenView {
    symbol: String,
    address: String,
    decimals: u8,
}

/// For people.
pub(super) fn in_words(chain: &ChainView) -> String {
    let mut lines = vec![format!("chain {} (id {})", chain.name, chain.id)];
    for endpoint in &chain.endpoints {
        let urls: Vec<_> = endpoint.http.iter().chain(&endpoint.ws).cloned().collect();
        lines.push(format!(
            "  node      {}: {}",
            endpoint.name,
            urls.join(" and ")
        ));
    }
    lines.push(format!(
        "  agreement {} of {}",
        chain.agreement,
        chain.endpoints.len()
    ));
    lines.push(format!("  treasury  {}", chain.treasury));
    lines.push(format!("  factory   {}", chain.factory));
    lines.extend(chain.receiver.iter().map(|at| format!("  receiver  {at}")));
    lines.extend(chain.wallets.iter().map(|at| format!("  wallet    {at}")));
    lines.extend(chain.tokens.iter().map(|token| {
        let TokenView {
            symbol,
            address,
            decimals,
        } = token;
        format!("  token     {symbol} {address}, {decimals} decimals")
    }));
    let and_tag =
        |tag: Option<&str>| tag.map_or_else(String::new, |tag| format!(" and the {tag} tag"));
    for tier in &chain.tiers {
        lines.push(format!(
            "  final     after {} confirmations{}, for orders up to {}",
            tier.confirmations,
            and_tag(tier.tag),
            tier.up_to,
        ));
    }
    lines.push(format!(
        "  final     after {} confirmations{}; proof: {}",
        chain.confirmations,
        and_tag(chain.tag),
        chain.proof,
    ));
    lines.push(match chain.start_block {
        None => "  begins    at the head, the first time".to_owned(),
        Some(number) => format!("  begins    at block {number}, the first time"),
    });
    lines.push(format!(
        "  reading   every {}, at most {} blocks at once in {} requests, the last {} by hash",
        chain.poll_interval, chain.max_range, chain.ranges_at_once, chain.near,
    ));
    lines.push(format!(
        "            {} headers kept, {} for an answer\n",
        chain.window, chain.request_timeout,
    ));
    lines.join("\n")
}

/// What of `chain` may be shown.
pub(super) fn view(chain: &ChainConfig) -> ChainView {
    let written = |address: &Address| AddressForm::of(chain.id).write(address);
    ChainView {
        name: chain.name.clone(),
        id: chain.id.get(),
        endpoints: chain.endpoints.iter().map(endpoint_view).collect(),
        agreement: chain.agreement,
        genesis: chain.genesis.map(|hash| hash.to_string()),
        treasury: written(&chain.treasury),
        factory: written(&chain.factory),
        receiver: chain.receiver.as_ref().map(written),
        wallets: chain.wallets.iter().map(written).collect(),
        confirmations: chain.finality.above().min_confirmations(),
        tag: chain.finality.above().tag().map(FinalityTag::name),
        tiers: chain.finality.tiers().iter().map(tier_view).collect(),
        proof: chain.proof.name(),
        blooms: chain.blooms,
        tokens: chain
            .tokens
            .iter()
            .map(|token| TokenView {
                symbol: token.symbol.clone(),
                address: written(&token.address),
                decimals: token.decimals.get(),
            })
            .collect(),
        start_block: match chain.start {
            StartAt::Head => None,
            StartAt::Block(number) => Some(number),
        },
        poll_interval: spoken(chain.poll_interval),
        request_timeout: spoken(chain.request_timeout),
        window: chain.window,
        near: chain.near,
        max_range: chain.max_range,
        ranges_at_once: chain.ranges_at_once,
        filter_up_to: chain.filter_up_to,
        stall_after: chain.stall_after.map(spoken),
        look_alikes: chain.look_alikes.map(spoken),
    }
}

fn endpoint_view(endpoint: &EndpointConfig) -> EndpointView {
    EndpointView {
        name: endpoint.name.clone(),
        http: endpoint.http.as_ref().map(shown),
        ws: endpoint.ws.as_ref().map(shown),
        priority: endpoint.priority,
        requests_per_second: endpoint.requests_per_second.map(NonZeroU32::get),
        at_once: endpoint.at_once,
    }
}

fn tier_view((up_to, rule): &(Amount, FinalityRule)) -> TierView {
    TierView {
        up_to: up_to.to_string(),
        confirmations: rule.min_confirmations(),
        tag: rule.tag().map(FinalityTag::name),
    }
}
