//! The endpoints of a chain, as they are written and as they are used.

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;

use url::Url;

use crate::config::chain::shown;
use crate::config::problem::{Problems, Reported};
use crate::config::raw::{RawChain, RawEndpoint};
use crate::config::section::Section;

/// How many requests an endpoint gets at the same time if the configuration does not say.
const AT_ONCE: usize = 32;

/// One endpoint of a chain.
pub(crate) struct EndpointConfig {
    /// What it is called in the log.
    pub name: String,
    /// Where it answers, if over HTTP.
    pub http: Option<Url>,
    /// Where it announces new blocks, and answers if not over HTTP.
    pub ws: Option<Url>,
    /// Lower ones are asked first.
    pub priority: u32,
    /// How many requests it may get in a second.
    pub requests_per_second: Option<NonZeroU32>,
    /// How many requests it may get at the same time.
    pub at_once: usize,
}

impl fmt::Debug for EndpointConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointConfig")
            .field("name", &self.name)
            .field("http", &self.http.as_ref().map(shown))
            .field("ws", &self.ws.as_ref().map(shown))
            .finish_non_exhaustive()
    }
}

/// Checks the endpoints of the chain `name`: the one that is written into its section, if any,
/// and those of its list.
pub(crate) fn check_all(
    name: &str,
    raw: &mut RawChain,
    problems: &mut Problems,
) -> Result<Vec<EndpointConfig>, Reported> {
    let path = format!("chains.{name}");
    let more = raw.endpoints.take().unwrap_or_default();
    let own = RawEndpoint {
        http: raw.http.take(),
        http_file: raw.http_file.take(),
        ws: raw.ws.take(),
        ws_file: raw.ws_file.take(),
        requests_per_second: raw.requests_per_second.take(),
        ..RawEndpoint::default()
    };
    let has_own = own.has_url();
    if !has_own && more.is_empty() {
        let allowed = "give the URL of a node, or http_file with the name of a file that holds \
            it, or several of them as endpoints";
        return Err(Section::new(path, problems).wrong("http", "is missing", allowed));
    }
    let mut checked = Vec::new();
    if has_own {
        checked.push(check(path.clone(), own, problems));
    }
    for (index, endpoint) in more.into_iter().enumerate() {
        let path = format!("{path}.endpoints.{index}");
        if endpoint.has_url() {
            checked.push(check(path, endpoint, problems));
        } else {
            let allowed = "give it http, ws, or both";
            let wrong = "names no URL";
            checked.push(Err(Section::new(path, problems).wrong("", wrong, allowed)));
        }
    }
    let endpoints = checked.into_iter().collect::<Result<Vec<_>, _>>()?;
    named_apart(&path, endpoints, problems)
}

/// Endpoints need names that tell them apart; those of one host are numbered.
fn named_apart(
    path: &str,
    mut endpoints: Vec<EndpointConfig>,
    problems: &mut Problems,
) -> Result<Vec<EndpointConfig>, Reported> {
    let mut names = BTreeSet::new();
    for (number, endpoint) in (1..).zip(&mut endpoints) {
        if names.contains(&endpoint.name) {
            endpoint.name = format!("{} #{number}", endpoint.name);
        }
        if !names.insert(endpoint.name.clone()) {
            let wrong = format!("has two endpoints named \"{}\"", endpoint.name);
            let mut section = Section::new(path, problems);
            return Err(section.wrong("endpoints", wrong, "name each of them otherwise"));
        }
    }
    Ok(endpoints)
}

fn check(
    path: String,
    raw: RawEndpoint,
    problems: &mut Problems,
) -> Result<EndpointConfig, Reported> {
    let section = &mut Section::new(path, problems);
    let http = match section.secret("http", raw.http, raw.http_file)? {
        Some(text) => Some(section.url("http", &text, ["https", "http"])?),
        None => None,
    };
    let ws = match section.secret("ws", raw.ws, raw.ws_file)? {
        Some(text) => Some(section.url("ws", &text, ["wss", "ws"])?),
        None => None,
    };
    let requests_per_second = match raw.requests_per_second {
        None => None,
        Some(0) => {
            let allowed = "write at least 1, or leave it out for no limit";
            return Err(section.wrong("requests_per_second", "is 0", allowed));
        },
        Some(rate) => NonZeroU32::new(rate),
    };
    let at_once = section.number("at_once", raw.at_once, AT_ONCE, 1..=256)?;
    let host = http
        .as_ref()
        .or(ws.as_ref())
        .and_then(|url| {
            let host = url.host_str()?;
            Some(match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            })
        })
        .unwrap_or_default();
    Ok(EndpointConfig {
        name: raw.name.unwrap_or(host),
        http,
        ws,
        priority: raw.priority.unwrap_or_default(),
        requests_per_second,
        at_once,
    })
}
