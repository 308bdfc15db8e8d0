//! JSON-RPC over HTTP. Alloy's own transport writes the whole URL into its tracing spans.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use url::Url;

use crate::rpc::endpoint::Endpoint;
use crate::rpc::envelope::refusal;
use crate::rpc::failure::FailureKind;

/// How much of one answer is read.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;
/// How much is put aside for an answer before it came, whatever it says about its length.
const EXPECTED_AT_MOST: usize = 8 * 1024 * 1024;

/// A client of one HTTP endpoint.
#[derive(Debug)]
pub(super) struct Http {
    client: reqwest::Client,
    url: Secret,
    endpoint: Endpoint,
}

/// A URL that shows nothing of itself.
struct Secret(Url);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Endpoint::new(&self.0).fmt(f)
    }
}

impl Http {
    pub(super) fn new(url: Url, timeout: Duration) -> Result<Self, reqwest::Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Somebody else may be quicker; then theirs is used.
            let _installed = rustls::crypto::ring::default_provider().install_default();
        }
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            endpoint: Endpoint::new(&url),
            url: Secret(url),
        })
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends `text` and returns what came back, if it came with a success.
    pub(super) async fn exchange(&self, text: String) -> Result<String, FailureKind> {
        let transport = |error: reqwest::Error| FailureKind::Transport {
            timed_out: error.is_timeout(),
            cause: Box::new(error.without_url()),
        };
        let mut response = self
            .client
            .post(self.url.0.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(text)
            .send()
            .await
            .map_err(transport)?;
        let status = response.status();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs);
        let expected = response.content_length().unwrap_or_default();
        let expected = usize::try_from(expected).unwrap_or(usize::MAX);
        let mut body = Vec::with_capacity(expected.min(EXPECTED_AT_MOST));
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len().saturating_add(chunk.len()) > LONGEST_ANSWER {
                return Err(FailureKind::TooLong(LONGEST_ANSWER));
            }
            body.extend_from_slice(&chunk);
        }
        let body = String::from_utf8(body).map_err(FailureKind::NoText)?;
        if status.is_success() {
            return Ok(body);
        }
        let mut refusal = refusal(&body, &self.endpoint);
        refusal.status = Some(status.as_u16());
        refusal.retry_after = retry_after;
        Err(FailureKind::Refused(refusal))
    }
}
