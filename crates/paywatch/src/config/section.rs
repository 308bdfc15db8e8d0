//! Reads the values of one section of the configuration, and records what is wrong with them.

use std::fmt::Display;
use std::fs;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::Address;
use paywatch_core::read_tron_address;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::config::problem::{Problem, Problems, Reported};

/// How an address may be written.
const ADDRESS: &str =
    "an address is 0x and 40 hex digits, in EIP-55 mixed case or all lower case, or T… on Tron";

/// A section under a path such as `chains.ethereum`.
pub(crate) struct Section<'p> {
    path: String,
    problems: &'p mut Problems,
}

impl<'p> Section<'p> {
    /// The section at `path`, whose problems go into `problems`.
    pub(crate) fn new(path: impl Into<String>, problems: &'p mut Problems) -> Self {
        Self {
            path: path.into(),
            problems,
        }
    }

    /// Records that the value of `key` is `wrong`, and what is `allowed`. An empty key means the
    /// section itself.
    pub(crate) fn wrong(
        &mut self,
        key: &str,
        wrong: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Reported {
        let separator = if key.is_empty() { "" } else { "." };
        self.problems.add(Problem {
            key: format!("{}{separator}{key}", self.path),
            wrong: wrong.into(),
            allowed: allowed.into(),
        })
    }

    /// The value of `key` or the content of the file that `key_file` names, if either is given.
    pub(crate) fn secret(
        &mut self,
        key: &str,
        value: Option<SecretString>,
        file: Option<PathBuf>,
    ) -> Result<Option<SecretString>, Reported> {
        let file_key = format!("{key}_file");
        let (secret, from) = match (value, file) {
            (Some(_), Some(_)) => {
                let wrong = format!("is given, and so is {file_key}");
                return Err(self.wrong(key, wrong, "give one of the two"));
            },
            (Some(value), None) => (value, key),
            (None, Some(path)) => match fs::read_to_string(&path) {
                Ok(content) => (SecretString::from(content.trim()), file_key.as_str()),
                Err(cause) => {
                    let wrong = format!("{} cannot be read ({cause})", path.display());
                    return Err(self.wrong(&file_key, wrong, "name a file with the value alone"));
                },
            },
            (None, None) => return Ok(None),
        };
        if secret.expose_secret().is_empty() {
            return Err(self.wrong(from, "is empty", format!("give a value to {key}")));
        }
        Ok(Some(secret))
    }

    /// A URL with one of `schemes` and a host. Its text is not repeated: it may hold a key.
    pub(crate) fn url(
        &mut self,
        key: &str,
        text: &SecretString,
        schemes: [&str; 2],
    ) -> Result<Url, Reported> {
        let allowed = format!("write {}://… or {}://…", schemes[0], schemes[1]);
        let url: Url = match text.expose_secret().parse() {
            Ok(url) => url,
            Err(cause) => return Err(self.wrong(key, format!("is not a URL ({cause})"), allowed)),
        };
        if !schemes.contains(&url.scheme()) {
            let wrong = format!("has the scheme {}", url.scheme());
            return Err(self.wrong(key, wrong, allowed));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(self.wrong(key, "names no host", allowed));
        }
        Ok(url)
    }

    /// A span of time such as `1h`, or `default`.
    pub(crate) fn duration(
        &mut self,
        key: &str,
        text: Option<&str>,
        default: Duration,
        range: RangeInclusive<Duration>,
    ) -> Result<Duration, Reported> {
        let Some(text) = text else {
            return Ok(default);
        };
        let allowed = format!(
            "write a time such as \"90s\", \"15m\" or \"1h 30m\", from {} to {}",
            spoken(*range.start()),
            spoken(*range.end()),
        );
        match humantime::parse_duration(text) {
            Ok(duration) if range.contains(&duration) => Ok(duration),
            Ok(_) => Err(self.wrong(key, format!("\"{text}\" is out of range"), allowed)),
            Err(cause) => {
                Err(self.wrong(key, format!("\"{text}\" is not a time ({cause})"), allowed))
            },
        }
    }

    /// A number within `range`, or `default`.
    pub(crate) fn number<N: Copy + Display + PartialOrd>(
        &mut self,
        key: &str,
        given: Option<N>,
        default: N,
        range: RangeInclusive<N>,
    ) -> Result<N, Reported> {
        let number = given.unwrap_or(default);
        if range.contains(&number) {
            return Ok(number);
        }
        let allowed = format!("write a number from {} to {}", range.start(), range.end());
        Err(self.wrong(key, format!("{number} is out of range"), allowed))
    }

    /// An address that is not zero; its checksum is checked where it has one.
    pub(crate) fn address(&mut self, key: &str, text: &str) -> Result<Address, Reported> {
        if text.is_empty() {
            return Err(self.wrong(key, "is empty", ADDRESS));
        }
        if text.starts_with('T') {
            let read = read_tron_address(text);
            return read.map_err(|cause| self.wrong(key, cause.to_string(), ADDRESS));
        }
        let digits = text.strip_prefix("0x").unwrap_or_default();
        let address = match text.parse::<Address>() {
            Ok(address) if !digits.is_empty() => address,
            Ok(_) | Err(_) => {
                return Err(self.wrong(key, format!("\"{text}\" is not an address"), ADDRESS));
            },
        };
        let has_case = digits.bytes().any(|b| b.is_ascii_uppercase());
        if has_case && address.to_checksum(None) != text {
            let wrong = format!("the checksum of {text} is wrong, a character may be mistyped");
            return Err(self.wrong(key, wrong, ADDRESS));
        }
        if address.is_zero() {
            return Err(self.wrong(key, "is the zero address", "name one that you control"));
        }
        Ok(address)
    }
}

/// A span of time in its largest whole unit, as the configuration takes it: `90s`, `30d`.
pub(crate) fn spoken(duration: Duration) -> String {
    let ms = duration.as_millis();
    [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ]
    .into_iter()
    .find(|(_, unit)| ms > 0 && ms.is_multiple_of(*unit))
    .and_then(|(name, unit)| Some(format!("{}{name}", ms.checked_div(unit)?)))
    .unwrap_or_else(|| format!("{ms}ms"))
}
