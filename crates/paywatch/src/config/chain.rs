//! One chain of the configuration: what is given, and what the registry adds.

use std::fmt;
use std::time::Duration;

use alloy_primitives::Address;
use paywatch_core::{BlockNumber, ChainId, FinalityRule, Token};
use url::Url;

use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawChain;
use crate::config::section::Section;
use crate::config::{document, token};
use crate::registry::{self, CHAINS, KnownChain};

/// Blocks whose headers are kept: how deep a reorg can be followed.
const WINDOW: usize = 512;
/// Blocks below the head whose logs are asked for by block hash.
const NEAR: u64 = 64;
/// Blocks that are asked for at once at most; nodes that refuse get fewer.
const MAX_RANGE: u64 = 2_000;
/// How long an answer of a node is waited for.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// Bounds of how often the head is asked for where the configuration does not say.
const POLL_MS: (u64, u64) = (1_000, 4_000);

/// A chain that is followed.
pub(crate) struct ChainConfig {
    /// Its name in the API.
    pub name: String,
    /// Its id, which the node must agree with.
    pub id: ChainId,
    /// The tokens that count.
    pub tokens: Vec<Token>,
    /// Where the money goes.
    pub treasury: Address,
    /// The factory of its deposit addresses.
    pub factory: Address,
    /// When a payment is confirmed.
    pub finality: FinalityRule,
    /// Its node.
    pub http: Url,
    /// The same by WebSocket: a hint that something happened.
    pub ws: Option<Url>,
    /// Where to begin, the first time only.
    pub start: StartAt,
    /// How often the head is asked for.
    pub poll_interval: Duration,
    /// How many headers are kept.
    pub window: usize,
    /// How many blocks below the head are asked for by hash.
    pub near: u64,
    /// How many blocks are asked for at once at most.
    pub max_range: u64,
    /// How long an answer is waited for.
    pub request_timeout: Duration,
}

/// Where a chain is followed from when the database knows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartAt {
    /// The newest block.
    Head,
    /// This block.
    Block(BlockNumber),
}

/// What holds for all chains.
pub(crate) struct Shared {
    /// The treasury of chains without one of their own, or that it is missing or wrong.
    pub treasury: Result<Option<Address>, Reported>,
    /// The factory that lies at the same address on every chain.
    pub factory: Address,
}

/// A URL as far as it may be shown: paths and queries hold keys.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let has_more = url.path().len() > 1 || url.query().is_some() || !url.username().is_empty();
    let rest = if has_more { "/…" } else { "" };
    format!("{}://{host}{port}{rest}", url.scheme())
}

impl fmt::Debug for ChainConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainConfig")
            .field("name", &self.name)
            .field("id", &self.id)
            .field("http", &shown(&self.http))
            .field("ws", &self.ws.as_ref().map(shown))
            .finish_non_exhaustive()
    }
}

/// Checks the chain under `name`, and adds what is built in.
pub(crate) fn check(
    name: String,
    mut raw: RawChain,
    shared: &Shared,
    problems: &mut Problems,
) -> Result<ChainConfig, Reported> {
    let section = &mut Section::new(format!("chains.{name}"), problems);
    let known = registry::chain_named(&name);
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err(section.wrong(
            "",
            "is not a name",
            "use lower-case letters, digits and hyphens",
        ));
    }

    let id = check_id(section, &name, raw.id, known);
    let tokens = id.and_then(|id| token::check(section, id, raw.tokens.take()));
    let addresses = check_addresses(section, &raw, shared, tokens.as_deref().unwrap_or_default());
    let finality = check_finality(section, &raw, known);
    let http = check_http(section, &mut raw);
    let ws = match section.secret("ws", raw.ws.take(), raw.ws_file.take()) {
        Ok(Some(text)) => section.url("ws", &text, ["wss", "ws"]).map(Some),
        Ok(None) => Ok(None),
        Err(reported) => Err(reported),
    };
    let poll_default = known.map_or(POLL_MS.0, |chain| {
        chain.block_ms.clamp(POLL_MS.0, POLL_MS.1)
    });
    let poll_interval = section.duration(
        "poll_interval",
        raw.poll_interval.as_deref(),
        Duration::from_millis(poll_default),
        Duration::from_millis(10)..=Duration::from_secs(600),
    );
    let request_timeout = section.duration(
        "request_timeout",
        raw.request_timeout.as_deref(),
        REQUEST_TIMEOUT,
        Duration::from_millis(100)..=Duration::from_secs(300),
    );
    let window = section.number("window", raw.window, WINDOW, 16..=10_000);
    let near = section.number("near", raw.near, NEAR, 1..=10_000);
    let max_range = section.number("max_range", raw.max_range, MAX_RANGE, 1..=100_000);
    let (treasury, factory) = addresses?;
    Ok(ChainConfig {
        name,
        id: id?,
        tokens: tokens?,
        treasury,
        factory,
        finality: finality?,
        http: http?,
        ws: ws?,
        start: raw.start_block.map_or(StartAt::Head, StartAt::Block),
        poll_interval: poll_interval?,
        window: window?,
        near: near?,
        max_range: max_range?,
        request_timeout: request_timeout?,
    })
}

fn check_id(
    section: &mut Section<'_>,
    name: &str,
    given: Option<u64>,
    known: Option<&KnownChain>,
) -> Result<ChainId, Reported> {
    let id = match (given, known) {
        (Some(given), Some(known)) if given != known.id => {
            let wrong = format!(
                "{given} is not the id of {}, which is {}",
                known.title, known.id
            );
            return Err(section.wrong("id", wrong, "leave it out, or name the chain otherwise"));
        },
        (_, Some(known)) => known.id,
        (Some(given), None) => given,
        (None, None) => {
            let names = CHAINS.iter().map(|chain| chain.name);
            let hint = document::nearest(name, names.clone())
                .map(|near| format!(" (did you mean {near}?)"))
                .unwrap_or_default();
            let names: Vec<_> = names.collect();
            let allowed = format!(
                "give the chain's id, or name a built-in one: {}",
                names.join(", ")
            );
            let wrong = format!("is missing, and {name} is not built in{hint}");
            return Err(section.wrong("id", wrong, allowed));
        },
    };
    ChainId::new(id)
        .map_err(|cause| section.wrong("id", format!("{id} is not a chain id"), cause.to_string()))
}

/// The treasury and the factory. Money sent to a token's own contract, or to the factory, would
/// be lost, so neither can be the treasury.
fn check_addresses(
    section: &mut Section<'_>,
    raw: &RawChain,
    shared: &Shared,
    tokens: &[Token],
) -> Result<(Address, Address), Reported> {
    let factory = match &raw.factory {
        Some(text) => section.address("factory", text),
        None => Ok(shared.factory),
    };
    let treasury = match (&raw.treasury, &shared.treasury) {
        (Some(text), _) => section.address("treasury", text)?,
        (None, Ok(Some(treasury))) => *treasury,
        (None, Ok(None)) => {
            let allowed = "give it here, or treasury.address for all chains";
            return Err(section.wrong("treasury", "is missing", allowed));
        },
        (None, Err(reported)) => return Err(*reported),
    };
    let factory = factory?;
    let allowed = "name a wallet or a Safe that you control on this chain";
    if let Some(token) = tokens.iter().find(|token| token.address == treasury) {
        let wrong = format!("{treasury} is the contract of {}", token.symbol);
        return Err(section.wrong("treasury", wrong, allowed));
    }
    if treasury == factory {
        let wrong = format!("{treasury} is the deposit factory");
        return Err(section.wrong("treasury", wrong, allowed));
    }
    Ok((treasury, factory))
}

fn check_finality(
    section: &mut Section<'_>,
    raw: &RawChain,
    known: Option<&KnownChain>,
) -> Result<FinalityRule, Reported> {
    let default = known.map(|chain| &chain.finality);
    let allowed = "how many blocks make a payment final, its own included: 1 to 100000";
    let confirmations = raw
        .confirmations
        .or_else(|| default.map(|rule| rule.confirmations));
    let Some(confirmations) = confirmations else {
        return Err(section.wrong("confirmations", "is missing", allowed));
    };
    if confirmations > 100_000 {
        return Err(section.wrong("confirmations", "is out of range", allowed));
    }
    let rule = FinalityRule::confirmations(confirmations)
        .map_err(|cause| section.wrong("confirmations", cause.to_string(), allowed))?;
    let finalized = raw
        .finalized
        .unwrap_or_else(|| default.is_some_and(|rule| rule.finalized));
    Ok(if finalized {
        rule.and_finalized()
    } else {
        rule
    })
}

fn check_http(section: &mut Section<'_>, raw: &mut RawChain) -> Result<Url, Reported> {
    match section.secret("http", raw.http.take(), raw.http_file.take())? {
        Some(text) => section.url("http", &text, ["https", "http"]),
        None => {
            let allowed =
                "give the URL of a node, or http_file with the name of a file that holds it";
            Err(section.wrong("http", "is missing", allowed))
        },
    }
}
