//! The configuration: a TOML file, with environment variables over it and secrets from files.
//!
//! What is written is raw text; what the program sees is checked. A wrong file is told all that
//! is wrong with it at once.

mod api;
mod chain;
mod checkout;
mod document;
mod endpoint;
mod epusdt;
mod finality;
mod methods;
mod orders;
mod places;
mod problem;
mod raw;
mod section;
mod sinks;
#[cfg(test)]
mod tests;
mod token;
mod webhooks;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use alloy_primitives::Address;
use paywatch_api::Epusdt;
use paywatch_core::SlotTerms;
use paywatch_store::{DatabaseUrl, DatabaseUrlError};
use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;

pub(crate) use crate::config::api::{ApiConfig, network};
pub(crate) use crate::config::chain::{ChainConfig, StartAt, shown};
pub(crate) use crate::config::checkout::CheckoutConfig;
pub(crate) use crate::config::document::process_environment;
pub(crate) use crate::config::endpoint::EndpointConfig;
pub(crate) use crate::config::orders::OrdersConfig;
pub(crate) use crate::config::problem::ConfigError;
use crate::config::problem::{Problems, Reported};
use crate::config::raw::{Raw, RawAudit, RawChain, RawDatabase, RawLog, RawTreasury};
use crate::config::section::Section;
pub(crate) use crate::config::section::spoken;
pub(crate) use crate::config::sinks::SinkConfig;
pub(crate) use crate::config::webhooks::WebhooksConfig;

/// Where the database lies if the configuration does not say.
const DATABASE: &str = "sqlite:paywatch.sqlite";
/// What is logged if the configuration does not say.
const FILTER: &str = "info";
/// How often the books are audited if the configuration does not say.
const AUDIT_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that is configured, checked.
pub(crate) struct Config {
    /// The database.
    pub database: DatabaseUrl,
    /// The HTTP API.
    pub api: ApiConfig,
    /// What orders get if they do not say.
    pub orders: OrdersConfig,
    /// How exact amounts are told apart.
    pub exact: SlotTerms,
    /// The pages on which orders are paid; none, if nothing is said.
    pub checkout: Option<CheckoutConfig>,
    /// How services are told of events.
    pub webhooks: WebhooksConfig,
    /// Who else is told of them: buses and people.
    pub sinks: Vec<SinkConfig>,
    /// How shop plugins for epusdt are served, if they are.
    pub epusdt: Option<Epusdt>,
    /// Whether what comes to a treasury without an order is looked at.
    pub watches_treasury: bool,
    /// How often the books are audited; never, if nothing is said.
    pub audit_every: Option<Duration>,
    /// How it logs.
    pub log: LogConfig,
    /// The chains that are followed, by name.
    pub chains: Vec<ChainConfig>,
}

/// How it logs.
#[derive(Clone, Debug)]
pub(crate) struct LogConfig {
    /// As what.
    pub format: LogFormat,
    /// Which modules and levels, in the syntax of `RUST_LOG`.
    pub filter: String,
}

/// As what it logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// The name in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl Config {
    /// Reads the file at `path` and the variables of `environment` over it.
    pub(crate) fn load(path: &Path, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let (raw, misfits) = document::read(path, environment)?;
        let problems = match Self::try_from(raw) {
            Ok(config) if misfits.is_empty() => return Ok(config),
            Ok(_) => misfits,
            Err(problems) => misfits.then(problems),
        };
        Err(ConfigError::Wrong {
            path: path.to_owned(),
            problems,
        })
    }
}

/// The database alone, for commands that need no chain.
pub(crate) fn load_database(
    path: &Path,
    environment: &[(String, String)],
) -> Result<DatabaseUrl, ConfigError> {
    load_section(path, environment, "database", |raw, problems| {
        check_database(raw.database, problems)
    })
}

/// Where the API listens, for commands that talk to it.
pub(crate) fn load_listen(
    path: &Path,
    environment: &[(String, String)],
) -> Result<SocketAddr, ConfigError> {
    load_section(path, environment, "api", |raw, problems| {
        api::check(&raw.api, problems)
    })
    .map(|api| api.listen)
}

/// How webhooks are sent, for commands that do it themselves.
pub(crate) fn load_webhooks(
    path: &Path,
    environment: &[(String, String)],
) -> Result<WebhooksConfig, ConfigError> {
    load_section(path, environment, "webhooks", |raw, problems| {
        webhooks::check(&raw.webhooks, problems)
    })
}

fn load_section<T>(
    path: &Path,
    environment: &[(String, String)],
    name: &str,
    check: impl FnOnce(Raw, &mut Problems) -> Result<T, Reported>,
) -> Result<T, ConfigError> {
    let (raw, misfits) = document::read(path, environment)?;
    let mut problems = misfits.within(name);
    match check(raw, &mut problems) {
        Ok(value) if problems.is_empty() => Ok(value),
        Ok(_) | Err(Reported) => Err(ConfigError::Wrong {
            path: path.to_owned(),
            problems,
        }),
    }
}

impl TryFrom<Raw> for Config {
    type Error = Problems;

    /// Checks everything, and reports everything that is wrong at once.
    fn try_from(raw: Raw) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let config = check(raw, &mut problems);
        match config {
            Ok(config) if problems.is_empty() => Ok(config),
            Ok(_) | Err(Reported) => Err(problems),
        }
    }
}

fn check(mut raw: Raw, problems: &mut Problems) -> Result<Config, Reported> {
    let sinks = sinks::RawSinks::take(&mut raw);
    let database = check_database(raw.database, problems);
    let api = api::check(&raw.api, problems);
    let orders = orders::check(raw.orders, problems);
    let exact = methods::check_exact(&raw.exact_amount, problems);
    let checkout = checkout::check(raw.checkout, problems);
    let webhooks = webhooks::check(&raw.webhooks, problems);
    let sinks = sinks::check(sinks, &webhooks, problems);
    let shared = chain::Shared {
        treasury: check_treasury(&raw.treasury, problems),
        factory: paywatch_contracts::deposit::factory_address(),
    };
    let epusdt = raw.epusdt.take();
    let audit_every = check_audit(&raw.audit, problems);
    let log = check_log(raw.log, problems);
    let chains = check_chains(raw.chains, &shared, problems);
    if let (Ok(orders), Ok(chains)) = (&orders, &chains) {
        orders::check_tokens(orders, chains, problems)?;
    }
    if let (Ok(exact), Ok(chains)) = (&exact, &chains) {
        methods::check_steps(exact, chains, problems)?;
    }
    let (webhooks, chains) = (webhooks?, chains?);
    let epusdt = epusdt::check(epusdt, &webhooks, &chains, problems);
    Ok(Config {
        database: database?,
        api: api?,
        orders: orders?,
        exact: exact?,
        checkout: checkout?,
        webhooks,
        sinks: sinks?,
        epusdt: epusdt?,
        watches_treasury: raw.treasury.watch.unwrap_or(true),
        audit_every: audit_every?,
        log: log?,
        chains,
    })
}

fn check_database(raw: RawDatabase, problems: &mut Problems) -> Result<DatabaseUrl, Reported> {
    let mut section = Section::new("database", problems);
    let url = section.secret("url", raw.url, raw.url_file)?;
    let url = url.unwrap_or_else(|| SecretString::from(DATABASE));
    url.expose_secret().parse().map_err(|cause| {
        let wrong = match cause {
            DatabaseUrlError::UnknownScheme => "is not a database".to_owned(),
            DatabaseUrlError::NoPath => "names no file".to_owned(),
            DatabaseUrlError::InMemory => "would forget every payment".to_owned(),
            DatabaseUrlError::Parameters => "takes no parameters after \"?\"".to_owned(),
            DatabaseUrlError::Malformed(cause) => format!("is not a URL ({cause})"),
            DatabaseUrlError::NoHost => "names no server".to_owned(),
        };
        let allowed =
            "write \"sqlite:<path>\" or \"postgres://<user>:<password>@<host>/<database>\"";
        section.wrong("url", wrong, allowed)
    })
}

fn check_treasury(raw: &RawTreasury, problems: &mut Problems) -> Result<Option<Address>, Reported> {
    let mut section = Section::new("treasury", problems);
    raw.address
        .as_deref()
        .map(|text| section.address("address", text))
        .transpose()
}

fn check_audit(raw: &RawAudit, problems: &mut Problems) -> Result<Option<Duration>, Reported> {
    let mut section = Section::new("audit", problems);
    let range = Duration::ZERO..=AUDIT_EVERY.saturating_mul(31);
    let every = section.duration("every", raw.every.as_deref(), AUDIT_EVERY, range)?;
    Ok((!every.is_zero()).then_some(every.max(Duration::from_secs(1))))
}

fn check_log(raw: RawLog, problems: &mut Problems) -> Result<LogConfig, Reported> {
    let mut section = Section::new("log", problems);
    let format = match raw.format.as_deref() {
        None | Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        Some(other) => {
            let wrong = format!("\"{other}\" is not a format");
            Err(section.wrong("format", wrong, "write \"text\" or \"json\""))
        },
    };
    let filter = raw.filter.unwrap_or_else(|| FILTER.to_owned());
    let is_filter = EnvFilter::try_new(&filter)
        .map(|_filter| filter)
        .map_err(|cause| {
            let allowed =
                "write a level, or levels of modules, such as \"info,paywatch_indexer=debug\"";
            section.wrong("filter", format!("is not a filter ({cause})"), allowed)
        });
    Ok(LogConfig {
        format: format?,
        filter: is_filter?,
    })
}

fn check_chains(
    raw: BTreeMap<String, RawChain>,
    shared: &chain::Shared,
    problems: &mut Problems,
) -> Result<Vec<ChainConfig>, Reported> {
    if raw.is_empty() {
        let allowed = "name at least one chain and its node, such as [chains.ethereum] with http = \"https://…\"";
        return Err(Section::new("chains", problems).wrong("", "there are none", allowed));
    }
    let checked: Vec<_> = raw
        .into_iter()
        .map(|(name, raw)| chain::check(name, raw, shared, problems))
        .collect();
    let usable: Vec<&ChainConfig> = checked.iter().flatten().collect();
    for (index, chain) in usable.iter().enumerate() {
        if let Some(twin) = usable.iter().take(index).find(|other| other.id == chain.id) {
            let wrong = format!("{} is the id of chains.{} too", chain.id, twin.name);
            let mut section = Section::new(format!("chains.{}", chain.name), problems);
            section.wrong("id", wrong, "name each chain once");
        }
    }
    checked.into_iter().collect()
}
