//! One chain of the configuration: what is given, and what the registry adds.

use std::fmt;
use std::time::Duration;

use alloy_primitives::Address;
use paywatch_core::{AddressForm, B256, BlockNumber, ChainId, FinalityPolicy, Proof, Token};
use url::Url;

use crate::config::endpoint::EndpointConfig;
use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawChain;
use crate::config::section::Section;
use crate::config::{document, endpoint, finality, places, token};
use crate::registry::{self, CHAINS, KnownChain};

/// Blocks whose headers are kept: how deep a reorg can be followed.
const WINDOW: usize = 512;
/// Blocks below the head whose logs are asked for by block hash.
const NEAR: u64 = 64;
/// Blocks that are asked for at once at most; nodes that refuse get fewer.
const MAX_RANGE: u64 = 2_000;
/// How many such ranges are asked for at the same time.
const RANGES_AT_ONCE: usize = 16;
/// Up to how many watched addresses the node filters by recipient.
const FILTER_UP_TO: usize = 200;
/// A chain has stalled after so many of its blocks' times, though not before [`STALL_FLOOR`].
const STALL_BLOCKS: u32 = 20;
const STALL_FLOOR: Duration = Duration::from_secs(120);
/// Blocks of a chain that makes several in a second are taken together.
const GATHER_BELOW: Duration = Duration::from_millis(1_000);
/// How long an answer of a node is waited for.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
/// How often it is looked for look-alike tokens.
const LOOK_ALIKES: Duration = Duration::from_secs(300);
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
    /// The payment receiver, if orders may be paid by calling it.
    pub receiver: Option<Address>,
    /// Wallets at which orders may be paid by exact amounts.
    pub wallets: Vec<Address>,
    /// When a payment is confirmed.
    pub finality: FinalityPolicy,
    /// What must be shown of it.
    pub proof: Proof,
    /// Whether its blocks' blooms mean anything.
    pub blooms: bool,
    /// Its endpoints.
    pub endpoints: Vec<EndpointConfig>,
    /// How many of them must say the same.
    pub agreement: usize,
    /// The hash of its first block, if it is to be checked.
    pub genesis: Option<B256>,
    /// The time from one block to the next, if it is known.
    pub block_time: Option<Duration>,
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
    /// How many such ranges are asked for at the same time.
    pub ranges_at_once: usize,
    /// Up to how many watched addresses the node filters by recipient.
    pub filter_up_to: usize,
    /// After how long without a new block it has stalled.
    pub stall_after: Option<Duration>,
    /// How often it is looked for look-alike tokens; never, if nothing is said.
    pub look_alikes: Option<Duration>,
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
            .field("endpoints", &self.endpoints)
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
    let known = registry::chain_named(&name);
    let endpoints = endpoint::check_all(&name, &mut raw, problems);
    let section = &mut Section::new(format!("chains.{name}"), problems);
    check_name(section, &name)?;
    let id = check_id(section, &name, raw.id, known);
    let tokens = id.and_then(|id| token::check(section, id, raw.tokens.take()));
    let places = places::check(section, &raw, shared, tokens.as_deref().unwrap_or_default());
    let proof = finality::check_proof(section, &raw, known);
    let finality = proof.and_then(|proof| finality::check(section, &raw, known, proof));
    let agreement = endpoints
        .as_ref()
        .map_err(|reported| *reported)
        .and_then(|endpoints| check_agreement(section, raw.agreement, endpoints.len()));
    let genesis = check_genesis(section, raw.genesis.as_deref());
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
    let ranges_at_once =
        section.number("ranges_at_once", raw.ranges_at_once, RANGES_AT_ONCE, 1..=64);
    let filter_up_to = section.number("filter_up_to", raw.filter_up_to, FILTER_UP_TO, 0..=1_000);
    let block_time = known.map(|chain| Duration::from_millis(chain.block_ms));
    let stall_after = check_stall(section, raw.stall_after.as_deref(), block_time);
    let look_alikes = check_look_alikes(section, raw.look_alikes.as_deref(), id);
    let places = places?;
    Ok(ChainConfig {
        name,
        id: id?,
        tokens: tokens?,
        treasury: places.treasury,
        factory: places.factory,
        receiver: places.receiver,
        wallets: places.wallets,
        finality: finality?,
        proof: proof?,
        blooms: raw
            .blooms
            .unwrap_or_else(|| known.is_none_or(|chain| chain.blooms)),
        endpoints: endpoints?,
        agreement: agreement?,
        genesis: genesis?,
        block_time,
        start: raw.start_block.map_or(StartAt::Head, StartAt::Block),
        poll_interval: poll_interval?,
        window: window?,
        near: near?,
        max_range: max_range?,
        ranges_at_once: ranges_at_once?,
        filter_up_to: filter_up_to?,
        stall_after: stall_after?,
        look_alikes: look_alikes?,
        request_timeout: request_timeout?,
    })
}

fn check_name(section: &mut Section<'_>, name: &str) -> Result<(), Reported> {
    let is_name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.is_empty() && name.bytes().all(is_name) {
        return Ok(());
    }
    let allowed = "use lower-case letters, digits and hyphens";
    Err(section.wrong("", "is not a name", allowed))
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

/// How many endpoints must say the same: by default 2 of 3 or more, so that no single one is
/// believed, and 1 of fewer, so that one may fail.
fn check_agreement(
    section: &mut Section<'_>,
    given: Option<usize>,
    endpoints: usize,
) -> Result<usize, Reported> {
    let default = if endpoints >= 3 { 2 } else { 1 };
    let agreement = given.unwrap_or(default);
    if (1..=endpoints).contains(&agreement) {
        return Ok(agreement);
    }
    let wrong = format!("{agreement} cannot agree");
    let allowed = format!("write a number from 1 to {endpoints}, the number of endpoints");
    Err(section.wrong("agreement", wrong, allowed))
}

fn check_genesis(section: &mut Section<'_>, given: Option<&str>) -> Result<Option<B256>, Reported> {
    let Some(text) = given else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|cause| {
        let wrong = format!("\"{text}\" is not a hash ({cause})");
        section.wrong(
            "genesis",
            wrong,
            "write 0x and 64 hex digits, or leave it out",
        )
    })
}

/// A chain that is not built in has no known pace, so it stalls only if the configuration says.
fn check_stall(
    section: &mut Section<'_>,
    given: Option<&str>,
    block_time: Option<Duration>,
) -> Result<Option<Duration>, Reported> {
    let default = block_time.map(|time| time.saturating_mul(STALL_BLOCKS).max(STALL_FLOOR));
    if given.is_none() {
        return Ok(default);
    }
    let range = Duration::from_secs(1)..=Duration::from_secs(86_400);
    section
        .duration("stall_after", given, STALL_FLOOR, range)
        .map(Some)
}

/// How often it is looked for look-alikes. Tron has no deposit addresses, so there only if wanted.
fn check_look_alikes(
    section: &mut Section<'_>,
    given: Option<&str>,
    id: Result<ChainId, Reported>,
) -> Result<Option<Duration>, Reported> {
    match given {
        Some("off") => Ok(None),
        None if AddressForm::of(id?) != AddressForm::Eip55 => Ok(None),
        given => {
            let range = Duration::from_secs(1)..=Duration::from_secs(86_400);
            section
                .duration("look_alikes", given, LOOK_ALIKES, range)
                .map(Some)
        },
    }
}

impl ChainConfig {
    /// How long blocks are let gather before they are taken.
    pub(crate) fn gather(&self) -> Duration {
        match self.block_time {
            Some(time) if time < GATHER_BELOW => GATHER_BELOW,
            Some(_) | None => Duration::ZERO,
        }
    }
}
