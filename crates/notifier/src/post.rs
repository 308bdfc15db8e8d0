//! Posts to the merchant's services, and to nobody else: one client, bounded in every direction.

mod answer;
mod failure;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, redirect, retry};
use url::Url;

use crate::guard::{Direct, Guard, Guarded, Lookup, SystemLookup};

pub use crate::post::answer::{Answer, LONGEST_RETRY_AFTER};
pub(crate) use crate::post::failure::in_one_line;
pub use crate::post::failure::{PostFailure, PostFailureKind};

/// How much of an answer is read. What is longer is cut off with its connection.
const READ_AT_MOST: usize = 16 * 1024;
/// By what receivers know us.
const USER_AGENT: &str = concat!("paywatch/", env!("CARGO_PKG_VERSION"));

/// How long a post may take, and how many connections wait for the next.
#[derive(Clone)]
pub struct PostOptions {
    /// To look a name up, connect, and agree on TLS.
    pub connect_within: Duration,
    /// For all of it, from the first look-up to the end of the answer.
    pub answer_within: Duration,
    /// Open connections that are kept for each host.
    pub idle_per_host: usize,
    /// How long one is kept. Shorter than what servers usually wait, so that they rarely close it just
    /// when it is used.
    pub idle_for: Duration,
    /// A proxy that everything goes through. It looks names up itself, so which addresses they may
    /// have is for it to decide.
    pub proxy: Option<Url>,
}

/// Of the proxy only the host: its URL may hold a password.
impl fmt::Debug for PostOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let proxy = self.proxy.as_ref().and_then(Url::host_str);
        f.debug_struct("PostOptions")
            .field("connect_within", &self.connect_within)
            .field("answer_within", &self.answer_within)
            .field("idle_per_host", &self.idle_per_host)
            .field("idle_for", &self.idle_for)
            .field("proxy", &proxy)
            .finish()
    }
}

impl Default for PostOptions {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(5),
            answer_within: Duration::from_secs(15),
            idle_per_host: 16,
            idle_for: Duration::from_secs(20),
            proxy: None,
        }
    }
}

/// Posts to whom its guard lets it. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Poster {
    client: reqwest::Client,
    guard: Arc<Guard>,
}

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for outgoing requests could not be made")]
pub struct PosterError(#[source] reqwest::Error);

impl Poster {
    /// Makes one that looks names up with the system's resolver.
    ///
    /// # Errors
    /// When TLS cannot be set up or the proxy is none.
    pub fn new(guard: Guard, options: &PostOptions) -> Result<Self, PosterError> {
        Self::with_lookup(guard, options, Arc::new(SystemLookup))
    }

    /// Makes one that looks names up with `lookup`.
    ///
    /// # Errors
    /// When TLS cannot be set up or the proxy is none.
    pub fn with_lookup(
        guard: Guard,
        options: &PostOptions,
        lookup: Arc<dyn Lookup>,
    ) -> Result<Self, PosterError> {
        install_tls();
        let guard = Arc::new(guard);
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .http1_only()
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(options.connect_within)
            .timeout(options.answer_within)
            .pool_max_idle_per_host(options.idle_per_host)
            .pool_idle_timeout(options.idle_for);
        let builder = match &options.proxy {
            None => {
                let guard = Arc::clone(&guard);
                builder.dns_resolver(Arc::new(Guarded { guard, lookup }))
            },
            Some(proxy) => {
                let proxy = reqwest::Proxy::all(proxy.clone()).map_err(PosterError)?;
                builder
                    .proxy(proxy)
                    .dns_resolver(Arc::new(Direct { lookup }))
            },
        };
        let client = builder.build().map_err(PosterError)?;
        Ok(Self { client, guard })
    }

    /// What it goes by.
    #[must_use]
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Posts `body` and waits for the answer, whatever its status says; only one that points elsewhere
    /// is a failure. Once the status is there the answer counts, however its body ends.
    ///
    /// # Errors
    /// When nothing was sent, or no answer came back.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: impl Into<Bytes>,
    ) -> Result<Answer, PostFailure> {
        // A connection to an address that stands in the URL itself asks no resolver.
        self.guard
            .check(url)
            .map_err(|error| PostFailure::refused(&error))?;
        let start = Instant::now();
        let request = self
            .client
            .post(url.clone())
            .headers(headers)
            .body(body.into());
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(PostFailure::transport(error, start.elapsed())),
        };
        let status = response.status();
        if status.is_redirection() {
            let location = text_of(&response, LOCATION);
            return Err(PostFailure::redirected(
                status.as_u16(),
                location,
                start.elapsed(),
            ));
        }
        let retry_after = text_of(&response, RETRY_AFTER)
            .and_then(|text| answer::retry_after(&text, SystemTime::now()));
        let body = beginning(&mut response).await;
        Ok(Answer {
            status: status.as_u16(),
            retry_after,
            excerpt: answer::excerpt(&body),
            took: start.elapsed(),
        })
    }
}

/// Sets up what TLS encrypts with, unless the program has done so.
pub(crate) fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may be quicker; then theirs is used.
        let _installed = rustls::crypto::ring::default_provider().install_default();
    }
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poster")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}

fn text_of(response: &Response, name: reqwest::header::HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The beginning of the body. Read to its end, a connection can be used again.
async fn beginning(response: &mut Response) -> Vec<u8> {
    let mut read = Vec::new();
    // An error cuts the text short and nothing else: the receiver has said what it thinks.
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = READ_AT_MOST.saturating_sub(read.len());
        read.extend(chunk.iter().take(room));
        if chunk.len() > room {
            break;
        }
    }
    read
}

#[cfg(test)]
pub(crate) mod tests;
