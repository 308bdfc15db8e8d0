//! `paywatch check-config`: whether the configuration can be used, and what is in effect.

use std::path::Path;

use serde::Serialize;

use crate::config::{ChainConfig, Config, StartAt, process_environment, shown, spoken};
use crate::output::{self, Format};

/// The configuration in effect, without secrets, in the file's own words.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct View {
    database: String,
    listen: String,
    body_limit: usize,
    default_expiry: String,
    max_expiry: String,
    late_payments: &'static str,
    log_format: &'static str,
    log_filter: String,
    chains: Vec<ChainView>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct ChainView {
    name: String,
    id: u64,
    http: String,
    ws: Option<String>,
    treasury: String,
    factory: String,
    confirmations: u32,
    finalized: bool,
    tokens: Vec<TokenView>,
    start_block: Option<u64>,
    poll_interval: String,
    request_timeout: String,
    window: usize,
    near: u64,
    max_range: u64,
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
    View {
        database: config.database.to_string(),
        listen: config.api.listen.to_string(),
        body_limit: config.api.body_limit,
        default_expiry: spoken(config.orders.default_expiry),
        max_expiry: spoken(config.orders.max_expiry),
        late_payments: config.orders.late_policy.name(),
        log_format: config.log.format.name(),
        log_filter: config.log.filter.clone(),
        chains: config.chains.iter().map(chain_view).collect(),
    }
}

fn chain_view(chain: &ChainConfig) -> ChainView {
    ChainView {
        name: chain.name.clone(),
        id: chain.id.get(),
        http: shown(&chain.http),
        ws: chain.ws.as_ref().map(shown),
        treasury: chain.treasury.to_string(),
        factory: chain.factory.to_string(),
        confirmations: chain.finality.min_confirmations(),
        finalized: chain.finality.finalized_tag(),
        tokens: chain
            .tokens
            .iter()
            .map(|token| TokenView {
                symbol: token.symbol.clone(),
                address: token.address.to_string(),
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
    }
}

fn in_words(view: &View) -> String {
    format!(
        "database   {}\napi        http://{}, bodies up to {} bytes\n\
         orders     may be paid for {}, at most {}; late payments: {}\nlog        {}, {}\n",
        view.database,
        view.listen,
        view.body_limit,
        view.default_expiry,
        view.max_expiry,
        view.late_payments,
        view.log_format,
        view.log_filter,
    )
}

fn chain_in_words(chain: &ChainView) -> String {
    let mut lines = vec![
        format!("chain {} (id {})", chain.name, chain.id),
        format!("  node      {}", chain.http),
    ];
    lines.extend(chain.ws.iter().map(|ws| format!("  wake-up   {ws}")));
    lines.push(format!("  treasury  {}", chain.treasury));
    lines.push(format!("  factory   {}", chain.factory));
    lines.extend(chain.tokens.iter().map(|token| {
        let TokenView {
            symbol,
            address,
            decimals,
        } = token;
        format!("  token     {symbol} {address}, {decimals} decimals")
    }));
    let tag = if chain.finalized {
        " and the finalized tag"
    } else {
        ""
    };
    lines.push(format!(
        "  final     after {} confirmations{tag}",
        chain.confirmations
    ));
    lines.push(match chain.start_block {
        None => "  begins    at the head, the first time".to_owned(),
        Some(number) => format!("  begins    at block {number}, the first time"),
    });
    lines.push(format!(
        "  reading   every {}, at most {} blocks at once, the last {} by hash",
        chain.poll_interval, chain.max_range, chain.near,
    ));
    lines.push(format!(
        "            {} headers kept, {} for an answer\n",
        chain.window, chain.request_timeout,
    ));
    lines.join("\n")
}
