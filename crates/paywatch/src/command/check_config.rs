//! `paywatch check-config`: whether the configuration can be used, and what is in effect.

mod chain;
mod sinks;
mod webhooks;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use paywatch_core::SlotTerms;
use serde::Serialize;
use url::Url;

use crate::command::check_config::chain::ChainView;
use crate::command::check_config::sinks::SinkView;
use crate::command::check_config::webhooks::WebhooksView;
use crate::config::{ApiConfig, Config, process_environment, spoken};
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
        output::line(&chain::in_words(chain))?;
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
        chains: config.chains.iter().map(chain::view).collect(),
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
