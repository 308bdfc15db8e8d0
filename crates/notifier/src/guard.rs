//! Where requests may go: to public addresses, by https, and wherever the operator says.
//!
//! Whoever may set the address of a webhook must not reach through it what only this machine can
//! reach. A URL is checked when it is configured and before each request; what its name resolves to
//! is checked by the resolver of the connection itself, so no name can change in between.

mod allowed;
mod network;
mod resolve;

use std::net::IpAddr;

use url::{Host, Url};

pub use crate::guard::allowed::{Allowed, AllowedError};
pub(crate) use crate::guard::resolve::{Direct, Guarded};
pub use crate::guard::resolve::{Lookup, ResolveError, SystemLookup};

/// The rules for outgoing requests.
#[derive(Clone, Debug)]
pub struct Guard {
    allow_http: bool,
    ports: Vec<u16>,
    allowed: Vec<Allowed>,
}

/// Why a URL is not asked. Each says what would help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// It is none.
    #[error("it is no URL; write it like https://shop.example/webhooks")]
    Unreadable(#[source] url::ParseError),
    /// Another protocol.
    #[error("{0} is not allowed here; use https{also}", also = if *.1 { " or http" } else { " (http only where allow_http is set)" })]
    Scheme(String, bool),
    /// It holds a user or password, which would end in logs and lists.
    #[error("it holds a user or a password; leave them out (a webhook is known by its signature)")]
    Credentials,
    /// It names nobody.
    #[error("it names no host; write it like https://shop.example/webhooks")]
    NoHost,
    /// Another port.
    #[error(
        "port {port} is not allowed for {host}; allowed are {}, and what the operator lists as {host}:{port}",
        listed(allowed)
    )]
    Port {
        /// Whose.
        host: String,
        /// Which.
        port: u16,
        /// Which are.
        allowed: Vec<u16>,
    },
    /// An address that only insiders can reach.
    #[error(
        "{host} is {address}, which is {what}; only public addresses are asked, and those that the operator lists as allowed"
    )]
    Address {
        /// The name, or the address itself.
        host: String,
        /// Where it leads.
        address: IpAddr,
        /// What is there.
        what: &'static str,
    },
    /// A name of this very machine.
    #[error(
        "{0} is a name of this machine; only public addresses are asked, and those that the operator lists as allowed"
    )]
    ThisMachine(String),
}

fn listed(ports: &[u16]) -> String {
    let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
    if ports.is_empty() {
        return "none".to_owned();
    }
    ports.join(", ")
}

impl Default for Guard {
    fn default() -> Self {
        Self::new()
    }
}

impl Guard {
    /// Https to port 443 of public addresses.
    #[must_use]
    pub fn new() -> Self {
        Self {
            allow_http: false,
            ports: vec![443],
            allowed: Vec::new(),
        }
    }

    /// And http to port 80, where everybody on the way can read along.
    #[must_use]
    pub fn with_http(mut self) -> Self {
        self.allow_http = true;
        self.ports.push(80);
        self
    }

    /// These ports and no others, of hosts that are not allowed with a port of their own.
    #[must_use]
    pub fn with_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.ports = ports.into_iter().collect();
        self
    }

    /// And these services, wherever they are.
    #[must_use]
    pub fn with_allowed(mut self, allowed: impl IntoIterator<Item = Allowed>) -> Self {
        self.allowed.extend(allowed);
        self
    }

    /// Whether http is taken, beside https.
    #[must_use]
    pub const fn takes_http(&self) -> bool {
        self.allow_http
    }

    /// The ports of hosts that are not allowed with a port of their own.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// The services that are allowed wherever they are.
    #[must_use]
    pub fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }

    /// Reads a URL and checks it.
    ///
    /// # Errors
    /// When it is none, or may not be asked.
    pub fn parse(&self, text: &str) -> Result<Url, GuardError> {
        let url = Url::parse(text.trim()).map_err(GuardError::Unreadable)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Checks all of a URL that can be told without asking for its name's addresses.
    ///
    /// # Errors
    /// When it may not be asked.
    pub fn check(&self, url: &Url) -> Result<(), GuardError> {
        let is_right = match url.scheme() {
            "https" => true,
            "http" => self.allow_http,
            _ => false,
        };
        if !is_right {
            return Err(GuardError::Scheme(url.scheme().to_owned(), self.allow_http));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GuardError::Credentials);
        }
        let host = url.host().ok_or(GuardError::NoHost)?;
        let port = url.port_or_known_default().ok_or(GuardError::NoHost)?;
        let name = name_of(&host);
        self.check_port(&name, port)?;
        if self.is_listed(&name) {
            return Ok(());
        }
        match host {
            Host::Ipv4(address) => self.check_address(&name, address.into()),
            Host::Ipv6(address) => self.check_address(&name, address.into()),
            Host::Domain(_) if name == "localhost" || name.ends_with(".localhost") => {
                self.check_this_machine(name)
            },
            Host::Domain(_) => Ok(()),
        }
    }

    /// A host that is listed with ports has those and no others, since its addresses are not looked
    /// at; all others have the usual ones.
    fn check_port(&self, name: &str, port: u16) -> Result<(), GuardError> {
        let of_host: Vec<_> = self
            .allowed
            .iter()
            .filter_map(|entry| entry.ports(name))
            .collect();
        let has_own = !of_host.is_empty();
        let takes_usual = !has_own || of_host.iter().any(Option::is_none);
        let own: Vec<u16> = of_host.into_iter().flatten().collect();
        if own.contains(&port) || (takes_usual && self.ports.contains(&port)) {
            return Ok(());
        }
        let usual = self.ports.iter().copied().filter(|_| takes_usual);
        Err(GuardError::Port {
            host: name.to_owned(),
            port,
            allowed: own.into_iter().chain(usual).collect(),
        })
    }

    /// Whether the operator vouches for the host, wherever it is.
    fn is_listed(&self, name: &str) -> bool {
        self.allowed.iter().any(|entry| entry.ports(name).is_some())
    }

    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), GuardError> {
        let Some(what) = network::special(address) else {
            return Ok(());
        };
        if self.allowed.iter().any(|entry| entry.holds(address)) {
            return Ok(());
        }
        Err(GuardError::Address {
            host: host.to_owned(),
            address,
            what,
        })
    }

    /// Names under `localhost` lead here (RFC 6761), which is fine if the loopback is allowed.
    fn check_this_machine(&self, name: String) -> Result<(), GuardError> {
        let here = [
            IpAddr::from(std::net::Ipv4Addr::LOCALHOST),
            std::net::Ipv6Addr::LOCALHOST.into(),
        ];
        let is_allowed = here
            .iter()
            .any(|&here| self.allowed.iter().any(|entry| entry.holds(here)));
        if is_allowed {
            return Ok(());
        }
        Err(GuardError::ThisMachine(name))
    }

    /// Those of the `addresses` of a name that may be connected to.
    ///
    /// Nobody is connected to the others, so nothing is gained by refusing the whole answer because of
    /// one of them, and names that have an internal address beside the public one would be lost.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn admitted(
        &self,
        name: &str,
        addresses: Vec<IpAddr>,
    ) -> Result<Vec<IpAddr>, GuardError> {
        let name = without_dot(name);
        if self.is_listed(&name) {
            return Ok(addresses);
        }
        let mut refused = None;
        let mut admitted = Vec::with_capacity(addresses.len());
        for address in addresses {
            match self.check_address(&name, address) {
                Ok(()) => admitted.push(address),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            Some(error) if admitted.is_empty() => Err(error),
            Some(_) | None => Ok(admitted),
        }
    }
}

/// A host as it is compared: lower case, addresses in their one form, no dot at the end.
fn name_of(host: &Host<&str>) -> String {
    match host {
        Host::Domain(name) => without_dot(name),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    }
}

fn without_dot(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
