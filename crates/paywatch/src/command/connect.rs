//! How the commands reach a running daemon.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use anyhow::Context as _;
use paywatch_client::Client;
use secrecy::SecretString;
use url::Url;

use crate::cli::Connection;
use crate::config::{ConfigError, load_listen, process_environment};

/// Where the key of the API is looked for.
const KEY_VARIABLE: &str = "PAYWATCH_API_KEY";
/// Where the daemon is if there is no configuration to say.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// A client of the daemon that `connection` names, or the configuration at `config`.
pub(crate) fn client(config: &Path, connection: &Connection) -> anyhow::Result<Client> {
    let key = key(connection.api_key_file.as_deref())?;
    let url = match &connection.url {
        Some(url) => url.clone(),
        None => configured_url(config)?,
    };
    Client::new(url, key).context("the client of the API could not be made")
}

fn key(file: Option<&Path>) -> anyhow::Result<SecretString> {
    let key = match file {
        Some(path) => fs::read_to_string(path)
            .with_context(|| format!("--api-key-file {} cannot be read", path.display()))?,
        None => std::env::var(KEY_VARIABLE).with_context(|| {
            format!(
                "there is no key of the API: set {KEY_VARIABLE}, or give --api-key-file \
                 (`paywatch api-key create --name NAME` makes one)"
            )
        })?,
    };
    anyhow::ensure!(!key.trim().is_empty(), "the key of the API is empty");
    Ok(SecretString::from(key.trim()))
}

fn configured_url(config: &Path) -> anyhow::Result<Url> {
    match load_listen(config, &process_environment()) {
        Ok(listen) => Ok(format!("http://{}", reachable(listen)).parse()?),
        Err(ConfigError::Missing { .. }) => Ok(DEFAULT_URL.parse()?),
        Err(error) => Err(anyhow::Error::new(error).context("--url was not given")),
    }
}

/// Whoever listens on every address is reached on the loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_on_the_loopback() {
        let cases = [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:81", "[::1]:81"),
            ("192.0.2.7:82", "192.0.2.7:82"),
        ];
        for (listen, reached) in cases {
            assert_eq!(reachable(listen.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
