//! How services are told of events.

use std::time::Duration;

use paywatch_notifier::{Allowed, Guard, LaneSettings, PostOptions, Schedule};

use crate::config::problem::{Problems, Reported};
use crate::config::raw::RawWebhooks;
use crate::config::section::Section;

/// How long finished deliveries are kept if nothing is said.
const KEEP: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long a receiver may take to answer if nothing is said.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How services are told of events.
#[derive(Clone, Debug)]
pub(crate) struct WebhooksConfig {
    /// Where requests may go.
    pub guard: Guard,
    /// How they are sent.
    pub post: PostOptions,
    /// When they are sent, and again.
    pub lanes: LaneSettings,
    /// How long finished deliveries are kept.
    pub keep: Duration,
    /// Whether orders may name where they are told of.
    pub callbacks: bool,
}

/// Checks `[webhooks]`.
pub(crate) fn check(
    raw: &RawWebhooks,
    problems: &mut Problems,
) -> Result<WebhooksConfig, Reported> {
    let mut section = Section::new("webhooks", problems);
    let day = Duration::from_secs(24 * 3_600);
    let second = Duration::from_secs(1);
    let guard = check_guard(&mut section, raw);
    let timeout = raw.timeout.as_deref();
    let timeout = section.duration(
        "timeout",
        timeout,
        TIMEOUT,
        second..=second.saturating_mul(60),
    );
    let proxy = raw.proxy.as_ref();
    let proxy = proxy.map(|url| section.url("proxy", url, ["http", "https"]));
    let usual = LaneSettings::default();
    let at_once = section.number("at_once", raw.at_once, usual.at_once, 1..=256);
    let alert_after = raw.alert_after.as_deref();
    let range = second..=day.saturating_mul(30);
    let alert_after = section.duration("alert_after", alert_after, usual.alert_after, range);
    let keep = section.duration(
        "keep",
        raw.keep.as_deref(),
        KEEP,
        day..=day.saturating_mul(3_650),
    );
    let schedule = check_schedule(&mut section, raw.retries.as_deref());
    Ok(WebhooksConfig {
        guard: guard?,
        post: PostOptions {
            answer_within: timeout?,
            proxy: proxy.transpose()?,
            ..PostOptions::default()
        },
        lanes: LaneSettings {
            at_once: at_once?,
            schedule: schedule?,
            alert_after: alert_after?,
        },
        keep: keep?,
        callbacks: raw.callbacks.unwrap_or(false),
    })
}

fn check_guard(section: &mut Section<'_>, raw: &RawWebhooks) -> Result<Guard, Reported> {
    let mut allowed: Vec<Allowed> = Vec::new();
    for text in raw.allow.iter().flatten() {
        match text.parse() {
            Ok(one) => allowed.push(one),
            Err(error) => {
                let allowed = "name hosts, hosts with a port, or networks of your own";
                return Err(section.wrong("allow", error.to_string(), allowed));
            },
        }
    }
    let mut guard = Guard::new().with_allowed(allowed);
    if raw.allow_http.unwrap_or(false) {
        guard = guard.with_http();
    }
    if let Some(ports) = &raw.ports {
        guard = guard.with_ports(ports.iter().copied());
    }
    Ok(guard)
}

fn check_schedule(
    section: &mut Section<'_>,
    given: Option<&[String]>,
) -> Result<Schedule, Reported> {
    let Some(given) = given else {
        return Ok(Schedule::default());
    };
    let allowed = "write the pauses between attempts, such as [\"5s\", \"1m\", \"1h\", \"12h\"]";
    let mut pauses = Vec::with_capacity(given.len());
    for text in given {
        match humantime::parse_duration(text) {
            Ok(pause) => pauses.push(pause),
            Err(cause) => {
                let wrong = format!("\"{text}\" is not a time ({cause})");
                return Err(section.wrong("retries", wrong, allowed));
            },
        }
    }
    Schedule::new(pauses).map_err(|error| section.wrong("retries", error.to_string(), allowed))
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format as _, Toml};

    use super::*;

    fn checked(text: &str) -> Result<WebhooksConfig, String> {
        let raw: RawWebhooks = Figment::from(Toml::string(text)).extract().unwrap();
        let mut problems = Problems::default();
        check(&raw, &mut problems).map_err(|Reported| problems.to_string())
    }

    #[test]
    fn only_public_servers_are_told_unless_it_is_said_otherwise() {
        let usual = checked("").unwrap();
        assert!(!usual.callbacks);
        assert!(usual.guard.parse("https://shop.example.com/hook").is_ok());
        assert!(usual.guard.parse("http://shop.example.com/hook").is_err());
        assert!(usual.guard.parse("https://127.0.0.1/hook").is_err());
        let own =
            checked("allow_http = true\nallow = [\"127.0.0.1:8080\", \"10.0.0.0/8\"]").unwrap();
        assert!(own.guard.parse("http://127.0.0.1:8080/hook").is_ok());
        assert!(own.guard.parse("http://127.0.0.1:8081/hook").is_err());
        let paced = checked("retries = [\"1s\", \"2m\"]\nat_once = 3\nkeep = \"7d\"").unwrap();
        assert_eq!(paced.lanes.at_once, 3);
        assert!(paced.lanes.schedule.after(3, 0).is_none());
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (text, wrong) in [
            ("retries = []", "webhooks.retries: it has no pauses"),
            (
                "retries = [\"soon\"]",
                "webhooks.retries: \"soon\" is not a time",
            ),
            ("retries = [\"30d\"]", "webhooks.retries: a pause is longer"),
            ("allow = [\"http://x\"]", "webhooks.allow: "),
            (
                "timeout = \"5m\"",
                "webhooks.timeout: \"5m\" is out of range",
            ),
            ("at_once = 0", "webhooks.at_once: "),
            ("keep = \"1h\"", "webhooks.keep: "),
            (
                "proxy = \"socks5://x\"",
                "webhooks.proxy: has the scheme socks5",
            ),
        ] {
            let problems = checked(text).unwrap_err();
            assert!(problems.contains(wrong), "{text}: {problems}");
        }
    }
}
