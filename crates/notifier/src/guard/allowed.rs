//! What an operator allows beyond public addresses: hosts, hosts with a port, networks.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use url::Host;

/// A service or a network of the operator's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// `shop.internal` or `shop.internal:8080`: whatever addresses it has. An address with a port is
    /// one of these, too.
    Host {
        /// The name in lower case, or the address.
        name: String,
        /// This port, instead of the usual ones.
        port: Option<u16>,
    },
    /// `10.20.0.0/16` or `10.20.0.7`: under whatever name, at the usual ports.
    Network(IpNet),
}

/// A text that is none of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no host, no host with a port and no network; write it like shop.internal, \
     shop.internal:8080, 10.20.0.7:8080 or 10.20.0.0/16"
)]
pub struct AllowedError(String);

impl Allowed {
    /// If it is about this host by name: its port, or that it takes the usual ones.
    pub(super) fn ports(&self, host: &str) -> Option<Option<u16>> {
        match self {
            Self::Host { name, port } => (name == host).then_some(*port),
            Self::Network(_) => None,
        }
    }

    /// Whether it is a network with this address in it.
    pub(super) fn holds(&self, address: IpAddr) -> bool {
        match self {
            Self::Host { .. } => false,
            Self::Network(network) => network.contains(&address),
        }
    }
}

impl FromStr for Allowed {
    type Err = AllowedError;

    fn from_str(text: &str) -> Result<Self, AllowedError> {
        let text = text.trim();
        let refused = || AllowedError(text.chars().take(300).collect());
        if let Ok(network) = text.parse::<IpNet>() {
            return Ok(Self::Network(network.trunc()));
        }
        if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(Self::Network(address.into()));
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(Self::Host {
                name: socket.ip().to_string(),
                port: Some(socket.port()),
            });
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_no_port| refused())?)),
            None => (text, None),
        };
        if port == Some(0) {
            return Err(refused());
        }
        // The same reading as that of a URL's host, so that both have one form.
        match Host::parse(name) {
            // Without a star, too: no name has one, and it would not mean what it seems to.
            Ok(Host::Domain(name)) if is_plain(&name) => Ok(Self::Host {
                name: super::without_dot(&name),
                port,
            }),
            Ok(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => Err(refused()),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.bytes().all(is_plain)
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host { name, port: None } => f.write_str(name),
            Self::Host {
                name,
                port: Some(port),
            } if name.contains(':') => write!(f, "[{name}]:{port}"),
            Self::Host {
                name,
                port: Some(port),
            } => write!(f, "{name}:{port}"),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_has_one_form() {
        for (text, form) in [
            ("Shop.Internal", "shop.internal"),
            ("shop.internal.:8080", "shop.internal:8080"),
            (" shop ", "shop"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("10.20.0.7", "10.20.0.7/32"),
            ("10.20.0.7/16", "10.20.0.0/16"),
            ("10.20.0.7:8080", "10.20.0.7:8080"),
            ("fd00::7", "fd00::7/128"),
            ("[fd00::7]", "fd00::7/128"),
            ("[FD00:0::7]:8080", "[fd00::7]:8080"),
            ("fd00::/8", "fd00::/8"),
        ] {
            let allowed: Allowed = text.parse().unwrap();
            assert_eq!(allowed.to_string(), form);
            assert_eq!(form.parse::<Allowed>().unwrap(), allowed);
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        for text in [
            "",
            ":80",
            "shop:",
            "shop:0",
            "shop:99999",
            "http://shop",
            "shop/path",
            "10.0.0.0/33",
            "*.internal",
            "a b",
            "shop:80:80",
            "0x7f.1:80",
            "user@shop",
        ] {
            let refused = text.parse::<Allowed>();
            assert!(refused.is_err(), "{text:?} is {refused:?}");
        }
    }
}
