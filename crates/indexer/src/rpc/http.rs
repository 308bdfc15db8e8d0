//! JSON-RPC over HTTP. Alloy's own transport writes the whole URL into its tracing spans.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy::rpc::json_rpc::{ErrorPayload, Id, Response, ResponsePacket, ResponsePayload};
use reqwest::header::RETRY_AFTER;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use crate::rpc::endpoint::Endpoint;
use crate::rpc::failure::{FailureKind, Refusal, RpcFailure};

/// How much of one answer is read.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// A client of one HTTP endpoint.
#[derive(Debug)]
pub(super) struct HttpRpc {
    client: reqwest::Client,
    url: Secret,
    endpoint: Endpoint,
    next_id: AtomicU64,
}

/// A URL that shows nothing of itself.
struct Secret(Url);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Endpoint::new(&self.0).fmt(f)
    }
}

impl HttpRpc {
    pub(super) fn new(url: Url, timeout: Duration) -> Result<Self, reqwest::Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Somebody else may be quicker; then theirs is used.
            let _installed = rustls::crypto::ring::default_provider().install_default();
        }
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            endpoint: Endpoint::new(&url),
            url: Secret(url),
            next_id: AtomicU64::new(1),
        })
    }

    /// One request.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, RpcFailure> {
        let (_id, body) = self.request(method, &params);
        let failed = |kind| RpcFailure::new(self.endpoint.clone(), method, kind);
        let answer = match self.send(&body).await.map_err(failed)? {
            ResponsePacket::Single(answer) => Some(answer),
            ResponsePacket::Batch(answers) => answers.into_iter().next(),
        };
        let value = answer
            .ok_or(FailureKind::Missing)
            .and_then(|answer| self.payload(answer))
            .map_err(failed)?;
        self.parse(method, &value)
    }

    /// Several requests in one HTTP request; their answers in the same order.
    pub(super) async fn batch(
        &self,
        requests: Vec<(&'static str, Value)>,
    ) -> Result<Vec<Result<Box<RawValue>, RpcFailure>>, RpcFailure> {
        let Some((first, _)) = requests.first() else {
            return Ok(Vec::new());
        };
        let failed = |kind| RpcFailure::new(self.endpoint.clone(), first, kind);
        let mut asked = Vec::with_capacity(requests.len());
        let mut bodies = Vec::with_capacity(requests.len());
        for (method, params) in &requests {
            let (id, body) = self.request(method, params);
            asked.push((id, *method));
            bodies.push(body);
        }
        let answers = match self.send(&Value::Array(bodies)).await.map_err(failed)? {
            ResponsePacket::Batch(answers) => answers,
            // A single answer to a batch is a refusal of the whole.
            ResponsePacket::Single(answer) => {
                self.payload(answer).map_err(failed)?;
                Vec::new()
            },
        };
        let mut by_id: HashMap<Option<u64>, Response> = answers
            .into_iter()
            .map(|answer| (number(&answer.id), answer))
            .collect();
        Ok(asked
            .into_iter()
            .map(|(id, method)| {
                by_id
                    .remove(&Some(id))
                    .ok_or(FailureKind::Missing)
                    .and_then(|answer| self.payload(answer))
                    .map_err(|kind| RpcFailure::new(self.endpoint.clone(), method, kind))
            })
            .collect())
    }

    /// What an answer of `method` says.
    pub(super) fn parse<T: DeserializeOwned>(
        &self,
        method: &'static str,
        value: &RawValue,
    ) -> Result<T, RpcFailure> {
        serde_json::from_str(value.get()).map_err(|cause| {
            let kind = self.unreadable(cause, value.get().as_bytes());
            RpcFailure::new(self.endpoint.clone(), method, kind)
        })
    }

    fn request(&self, method: &str, params: &Value) -> (u64, Value) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        (id, body)
    }

    async fn send(&self, request: &Value) -> Result<ResponsePacket, FailureKind> {
        let transport = |error: reqwest::Error| FailureKind::Transport(error.without_url());
        let mut response = self
            .client
            .post(self.url.0.clone())
            .json(request)
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
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len().saturating_add(chunk.len()) > LONGEST_ANSWER {
                return Err(FailureKind::TooLong(LONGEST_ANSWER));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = serde_json::from_slice::<ResponsePacket>(&body);
        if status.is_success() {
            return answer.map_err(|cause| self.unreadable(cause, &body));
        }
        let mut refusal = match answer.ok().as_ref().and_then(ResponsePacket::as_error) {
            Some(error) => self.refusal(error),
            None => Refusal {
                text: self.endpoint.scrub(&String::from_utf8_lossy(&body)),
                ..Refusal::default()
            },
        };
        refusal.status = Some(status.as_u16());
        refusal.retry_after = retry_after;
        Err(FailureKind::Refused(refusal))
    }

    fn payload(&self, answer: Response) -> Result<Box<RawValue>, FailureKind> {
        match answer.payload {
            ResponsePayload::Success(value) => Ok(value),
            ResponsePayload::Failure(error) => Err(FailureKind::Refused(self.refusal(&error))),
        }
    }

    /// Some nodes say what matters in the error's data.
    fn refusal(&self, error: &ErrorPayload<Box<RawValue>>) -> Refusal {
        let data = error.data.as_ref().map_or("", |data| data.get());
        let text = match data {
            "" | "null" | "{}" | "\"\"" => error.message.to_string(),
            data => format!("{} {data}", error.message),
        };
        Refusal {
            code: Some(error.code),
            text: self.endpoint.scrub(&text),
            ..Refusal::default()
        }
    }

    fn unreadable(&self, cause: serde_json::Error, body: &[u8]) -> FailureKind {
        let start = body.get(..200).unwrap_or(body);
        FailureKind::Unreadable {
            cause,
            text: self.endpoint.scrub(&String::from_utf8_lossy(start)),
        }
    }
}

fn number(id: &Id) -> Option<u64> {
    match id {
        Id::Number(number) => Some(*number),
        Id::String(text) => text.parse().ok(),
        Id::None => None,
    }
}
