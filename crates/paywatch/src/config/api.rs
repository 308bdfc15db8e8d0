//! The HTTP API: where it listens, whom it believes, and how much anybody may ask of it.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use paywatch_api::{Access, LimitSettings, ServeSettings, StreamSettings};
use paywatch_store::KeyRate;

use crate::config::problem::{Problems, Reported};
use crate::config::raw::{RawApi, RawLimits};
use crate::config::section::Section;

/// Where the API listens if the configuration does not say.
const LISTEN: &str = "127.0.0.1:8080";
/// Bytes that the body of a request may have if the configuration does not say.
const BODY_LIMIT: usize = 64 * 1024;
/// The most requests a minute that can be configured.
const MOST_A_MINUTE: u32 = 10_000_000;
/// A request as a whole may take little longer than this.
const LONGEST_BODY: Duration = Duration::from_secs(25);
/// The most connections that can be configured.
const MOST_CONNECTIONS: usize = 1_000_000;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The HTTP API.
#[derive(Clone, Debug)]
pub(crate) struct ApiConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Bytes that the body of a request may have.
    pub body_limit: usize,
    /// Whom it believes, and for how long.
    pub access: Access,
    /// How often one may call.
    pub limits: LimitSettings,
    /// What a connection may cost.
    pub serve: ServeSettings,
}

/// Checks `[api]`.
pub(crate) fn check(raw: &RawApi, problems: &mut Problems) -> Result<ApiConfig, Reported> {
    let mut section = Section::new("api", problems);
    let listen = raw.listen.as_deref().unwrap_or(LISTEN);
    let listen = listen.parse().map_err(|cause| {
        let wrong = format!("\"{listen}\" is not where one can listen ({cause})");
        section.wrong(
            "listen",
            wrong,
            "write an IP address and a port, such as 127.0.0.1:8080",
        )
    });
    let limits = 1_024..=16 * 1024 * 1024;
    let body_limit = section.number("body_limit", raw.body_limit, BODY_LIMIT, limits);
    let proxies = raw.trusted_proxies.as_deref().unwrap_or_default();
    let trusted_proxies = networks(&mut section, "trusted_proxies", proxies);
    let usual = Access::default();
    let usual_window = u64::try_from(usual.signature_window_ms).unwrap_or_default();
    let window = section.duration(
        "signature_window",
        raw.signature_window.as_deref(),
        Duration::from_millis(usual_window),
        SECOND..=HOUR,
    );
    let mut section = Section::new("api.limits", problems);
    let body_timeout = section.duration(
        "body_timeout",
        raw.limits.body_timeout.as_deref(),
        usual.body_timeout,
        SECOND..=LONGEST_BODY,
    );
    let limits = check_limits(&mut section, &raw.limits);
    let serve = check_serve(&mut section, &raw.limits);
    Ok(ApiConfig {
        listen: listen?,
        body_limit: body_limit?,
        access: Access {
            trusted_proxies: trusted_proxies?,
            signature_window_ms: millis(window?),
            body_timeout: body_timeout?,
        },
        limits: limits?,
        serve: serve?,
    })
}

/// A network, or one address alone.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let alone = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(alone)
}

fn networks(
    section: &mut Section<'_>,
    key: &str,
    texts: &[String],
) -> Result<Vec<IpNet>, Reported> {
    let networks: Vec<Option<IpNet>> = texts.iter().map(|text| network(text)).collect();
    if let Some((text, _)) = texts.iter().zip(&networks).find(|(_, net)| net.is_none()) {
        let allowed = "write addresses or networks, such as [\"10.0.0.0/8\", \"::1\"]";
        return Err(section.wrong(key, format!("\"{text}\" is not a network"), allowed));
    }
    Ok(networks.into_iter().flatten().collect())
}

fn check_limits(section: &mut Section<'_>, raw: &RawLimits) -> Result<LimitSettings, Reported> {
    let usual = LimitSettings::default();
    let mut number = |key, given, usual, most| section.number(key, given, usual, 1..=most);
    let (per_minute, burst) = (usual.rate.per_minute.get(), usual.rate.burst.get());
    let per_minute = number("per_minute", raw.per_minute, per_minute, MOST_A_MINUTE);
    let burst = number("burst", raw.burst, burst, MOST_A_MINUTE);
    let block_after = number("block_after", raw.block_after, usual.block_after, u32::MAX);
    let usual_block = u64::try_from(usual.block_for_ms).unwrap_or_default();
    let block_for = section.duration(
        "block_for",
        raw.block_for.as_deref(),
        Duration::from_millis(usual_block),
        SECOND..=DAY.saturating_mul(30),
    );
    let mut streams = |key, given, usual| section.number(key, given, usual, 1..=MOST_CONNECTIONS);
    let of_each = streams("streams", raw.streams, usual.streams.of_each);
    let of_all = streams("all_streams", raw.all_streams, usual.streams.of_all);
    let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Ok(LimitSettings {
        rate: KeyRate {
            per_minute: at_least_one(per_minute?),
            burst: at_least_one(burst?),
        },
        block_after: block_after?,
        block_for_ms: millis(block_for?),
        streams: StreamSettings {
            of_each: of_each?,
            of_all: of_all?,
        },
    })
}

fn check_serve(section: &mut Section<'_>, raw: &RawLimits) -> Result<ServeSettings, Reported> {
    let usual = ServeSettings::default();
    let mut time = |key, given: &Option<String>, usual| {
        section.duration(key, given.as_deref(), usual, SECOND..=HOUR)
    };
    let header_timeout = time("header_timeout", &raw.header_timeout, usual.header_timeout);
    let write_timeout = time("write_timeout", &raw.write_timeout, usual.write_timeout);
    let mut number = |key, given, usual, range| section.number(key, given, usual, range);
    let connections = number(
        "connections",
        raw.connections,
        usual.max_connections,
        1..=MOST_CONNECTIONS,
    );
    let header_bytes = raw.header_bytes;
    let header_bytes = number(
        "header_bytes",
        header_bytes,
        usual.max_header_bytes,
        1_024..=256 * 1_024,
    );
    let headers = number("headers", raw.headers, usual.max_headers, 16..=1_024);
    Ok(ServeSettings {
        max_connections: connections?,
        header_timeout: header_timeout?,
        write_timeout: write_timeout?,
        max_header_bytes: header_bytes?,
        max_headers: headers?,
    })
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_network_of_one() {
        let alone = network("192.0.2.7").unwrap();
        assert_eq!(alone, "192.0.2.7/32".parse::<IpNet>().unwrap());
        assert!(network("2001:db8::/32").is_some());
        for wrong in ["", "here", "10.0.0.0/33", "10.0.0"] {
            assert!(network(wrong).is_none(), "{wrong:?}");
        }
    }
}
