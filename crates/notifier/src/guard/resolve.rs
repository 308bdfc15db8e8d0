//! Resolves names for connections, and hands on only what may be connected to.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::{Guard, GuardError};

/// Knows the addresses of names.
#[async_trait]
pub trait Lookup: Send + Sync + fmt::Debug {
    /// All addresses of `host`.
    ///
    /// # Errors
    /// When there is none or nobody knows.
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// The resolver says so.
    #[error("the name {host} was not found")]
    NotFound {
        /// Which.
        host: String,
        /// What the resolver says.
        #[source]
        cause: io::Error,
    },
    /// It has no address.
    #[error("the name {0} has no address")]
    Empty(String),
    /// None of its addresses may be connected to.
    #[error(transparent)]
    Refused(#[from] GuardError),
}

/// The resolver of a client whose connections go to the service itself.
pub(crate) struct Guarded {
    pub(crate) guard: Arc<Guard>,
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookup) = (Arc::clone(&self.guard), Arc::clone(&self.lookup));
        Box::pin(async move {
            let found = addresses(lookup.as_ref(), name.as_str()).await?;
            let admitted = guard.admitted(name.as_str(), found);
            Ok(sockets(admitted.map_err(ResolveError::Refused)?))
        })
    }
}

/// The resolver of a client whose connections all go to a proxy, which looks the services up itself.
pub(crate) struct Direct {
    pub(crate) lookup: Arc<dyn Lookup>,
}

impl Resolve for Direct {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move { Ok(sockets(addresses(lookup.as_ref(), name.as_str()).await?)) })
    }
}

async fn addresses(lookup: &dyn Lookup, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
    let found = lookup.lookup(host).await;
    let found = found.map_err(|cause| ResolveError::NotFound {
        host: host.to_owned(),
        cause,
    })?;
    if found.is_empty() {
        return Err(ResolveError::Empty(host.to_owned()));
    }
    Ok(found)
}

/// With the port 0, which stands for that of the URL.
fn sockets(addresses: Vec<IpAddr>) -> Addrs {
    Box::new(
        addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, 0)),
    )
}
