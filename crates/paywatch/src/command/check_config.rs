//! `paywatch check-config`: whether the configuration can be used, and what is in effect.

mod sinks;
mod webhooks;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use paywatch_core::{Address, AddressForm, Amount, FinalityRule, FinalityTag, SlotTerms};
use serde::Serialize;
use url::Url;

use crate::command::check_config::sinks::SinkView;
use crate::command::check_config::webhooks::WebhooksView;
use crate::config::{
    ApiConfig, ChainConfig, Config, EndpointConfig, StartAt, process_environment, shown, spoken,
};
use crate::output::{self, Format};

/// The configuration in effect, without secrets, in the file's own words.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct View {
    database: String,
    listen: String,
    body_limit: usize,
    trusted_proxies: Vec<String>,
    signature_window: String,
    limits: LimitsView,
    default_expiry: String,
    max_expiry: String,
    grace: String,
    late_payments: &'static str,
    tolerance: String,
    tolerance_percent: String,
    order_tokens: Vec<String>,
    methods: Vec<&'static str>,
    exact_amount: ExactView,
    checkout: Option<CheckoutView>,
    epusdt: Option<String>,
    webhooks: WebhooksView,
    told: Vec<SinkView>,
    dust: String,
    watch_treasury: bool,
    audit_every: Option<String>,
    log_format: &'static str,
    log_filter: String,
    chains: Vec<ChainView>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct LimitsView {
    per_minute: u32,
    burst: u32,
    block_after: u32,
    block_for: String,
    connections: usize,
    header_timeout: String,
    body_timeout: String,
    write_timeout: String,
    header_bytes: usize,
    headers: usize,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ExactView {
    step: String,
    max_surcharge: String,
    quarantine: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct CheckoutView {
    public_url: Option<String>,
    merchant_name: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ChainView {
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

/// Checks the configuration at `path` and prints what is in effect.
pub(crate) fn run(path: &Path, format: Format) -> anyhow::Result<()> {
    let config = Config::load(path, &process_environment())?;
    let view = view(&config);
    if format == Format::Json {
        return output::json(&view);
    }
    output::line(&format!("{} can be used. In effect:\n", path.display()))?;
    output::line(&in_words(&view))?;
    for chain in &view.chains {
        output::line(&chain_in_words(chain))?;
    }
    Ok(())
}

/// What of `config` may be shown.
pub(crate) fn view(config: &Config) -> View {
    let proxies = config.api.access.trusted_proxies.iter();
    View {
        database: config.database.to_string(),
        listen: config.api.listen.to_string(),
        body_limit: config.api.body_limit,
        trusted_proxies: proxies.map(ToString::to_string).collect(),
        signature_window: spoken_ms(config.api.access.signature_window_ms),
        limits: limits_view(&config.api),
        default_expiry: spoken(config.orders.default_expiry),
        max_expiry: spoken(config.orders.max_expiry),
        grace: spoken(config.orders.grace),
        late_payments: config.orders.late_policy.name(),
        tolerance: config.orders.tolerance.absolute.to_string(),
        tolerance_percent: config.orders.tolerance.percent.to_string(),
        order_tokens: order_tokens(config),
        methods: config
            .orders
            .methods
            .iter()
            .map(|method| method.name())
            .collect(),
        exact_amount: exact_view(&config.exact),
        checkout: config.checkout.as_ref().map(|pages| CheckoutView {
            public_url: pages.public_url.as_ref().map(Url::to_string),
            merchant_name: pages.merchant_name.clone(),
        }),
        epusdt: config.epusdt.as_ref().map(ToString::to_string),
        webhooks: webhooks::view(&config.webhooks),
        told: config.sinks.iter().map(sinks::view).collect(),
        dust: config.orders.dust.to_string(),
        watch_treasury: config.watches_treasury,
        audit_every: config.audit_every.map(spoken),
        log_format: config.log.format.name(),
        log_filter: config.log.filter.clone(),
        chains: config.chains.iter().map(chain_view).collect(),
    }
}

fn limits_view(api: &ApiConfig) -> LimitsView {
    LimitsView {
        per_minute: api.limits.rate.per_minute.get(),
        burst: api.limits.rate.burst.get(),
        block_after: api.limits.block_after,
        block_for: spoken_ms(api.limits.block_for_ms),
        connections: api.serve.max_connections,
        header_timeout: spoken(api.serve.header_timeout),
        body_timeout: spoken(api.access.body_timeout),
        write_timeout: spoken(api.serve.write_timeout),
        header_bytes: api.serve.max_header_bytes,
        headers: api.serve.max_headers,
    }
}

fn spoken_ms(ms: i64) -> String {
    spoken(Duration::from_millis(u64::try_from(ms).unwrap_or_default()))
}

fn exact_view(terms: &SlotTerms) -> ExactView {
    ExactView {
        step: terms.step().to_string(),
        max_surcharge: terms.max_surcharge().to_string(),
        quarantine: spoken_ms(terms.quarantine_ms()),
    }
}

/// The symbols of the tokens that orders may be paid in if they do not say.
fn order_tokens(config: &Config) -> Vec<String> {
    let all = || {
        let tokens = config.chains.iter().flat_map(|chain| &chain.tokens);
        let symbols: BTreeSet<_> = tokens.map(|token| token.symbol.clone()).collect();
        symbols.into_iter().collect()
    };
    config.orders.tokens.clone().unwrap_or_else(all)
}

fn chain_view(chain: &ChainConfig) -> ChainView {
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

fn in_words(view: &View) -> String {
    format!(
        "database   {}\napi        http://{}, bodies up to {} bytes\n\
         \x20          {} requests a minute and {} at once; proxies: {}\n\
         orders     may be paid in {} by {} for {}, at most {}; late payments: {}\n\
         \x20          tolerance: {}, or {} % if that is more\ncheckout   {}\n{}{}{}audit      {}\nlog        {}, {}\n",
        view.database,
        view.listen,
        view.body_limit,
        view.limits.per_minute,
        view.limits.burst,
        proxies(&view.trusted_proxies),
        view.order_tokens.join(", "),
        view.methods.join(", "),
        view.default_expiry,
        view.max_expiry,
        view.late_payments,
        view.tolerance,
        view.tolerance_percent,
        pages(view.checkout.as_ref()),
        webhooks::in_words(&view.webhooks),
        plugins(view.epusdt.as_deref()),
        sinks::in_words(&view.told),
        every(view.audit_every.as_deref()),
        view.log_format,
        view.log_filter,
    )
}

fn pages(checkout: Option<&CheckoutView>) -> String {
    let Some(pages) = checkout else {
        return "no pages".to_owned();
    };
    let here = "where the API listens";
    let at = pages.public_url.as_deref().unwrap_or(here);
    let name = pages.merchant_name.as_deref();
    let name = name.map_or_else(|| "without a name".to_owned(), |name| format!("as {name}"));
    format!("at {at}, {name}")
}

fn plugins(epusdt: Option<&str>) -> String {
    let served = |epusdt| format!("epusdt     {epusdt}; signed with MD5, which is weak\n");
    epusdt.map(served).unwrap_or_default()
}

fn proxies(networks: &[String]) -> String {
    if networks.is_empty() {
        return "none".to_owned();
    }
    networks.join(", ")
}

fn every(time: Option<&str>) -> String {
    time.map_or_else(
        || "never by itself".to_owned(),
        |time| format!("every {time}"),
    )
}

fn chain_in_words(chain: &ChainView) -> String {
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
