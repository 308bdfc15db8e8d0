//! JSON-RPC over HTTP to one endpoint, one question or many at once.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::endpoint::Endpoint;

/// How many questions are put at once. Fewer, if the endpoint does not like so many.
const AT_ONCE: usize = 100;
/// How much of one answer is read, in bytes.
const LONGEST_ANSWER: usize = 32 * 1024 * 1024;
/// How often an endpoint that says "not so fast" is asked again, and how long it is left alone.
const PATIENCE: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);
/// HTTP's "too many requests".
const TOO_MANY: u16 = 429;
/// The code of a reverted call (EIP-1474 and geth).
const REVERTED: i64 = 3;

/// One endpoint of a chain.
#[derive(Debug)]
pub struct Node {
    client: reqwest::Client,
    endpoint: Endpoint,
}

/// A question that was not answered. It shows no more of the endpoint than scheme and host.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint}: {method}")]
pub struct NodeError {
    endpoint: String,
    method: &'static str,
    #[source]
    kind: Box<NodeErrorKind>,
}

#[derive(Debug, thiserror::Error)]
enum NodeErrorKind {
    #[error("no answer")]
    NoAnswer(#[source] reqwest::Error),
    #[error("HTTP {status}: {text}")]
    Http { status: u16, text: String },
    #[error("error {code}: {text}")]
    Refused { code: i64, text: String },
    #[error("an answer that cannot be read: {0}")]
    Unreadable(String),
}

impl NodeError {
    /// Whether the call itself failed, as opposed to the question.
    #[must_use]
    pub fn is_revert(&self) -> bool {
        match &*self.kind {
            NodeErrorKind::Refused { code, text } => {
                let text = text.to_ascii_lowercase();
                let signs = ["revert", "invalid opcode", "vm execution error"];
                *code == REVERTED || signs.iter().any(|sign| text.contains(sign))
            },
            NodeErrorKind::NoAnswer(_)
            | NodeErrorKind::Http { .. }
            | NodeErrorKind::Unreadable(_) => false,
        }
    }

    /// Whether the transaction that was sent had arrived before.
    pub(crate) fn is_known_already(&self) -> bool {
        match &*self.kind {
            NodeErrorKind::Refused { text, .. } => {
                let text = text.to_ascii_lowercase();
                let signs = ["already known", "known transaction", "already imported"];
                signs.iter().any(|sign| text.contains(sign))
            },
            NodeErrorKind::NoAnswer(_)
            | NodeErrorKind::Http { .. }
            | NodeErrorKind::Unreadable(_) => false,
        }
    }

    /// Whether it is open what became of the question: it may have arrived.
    pub(crate) fn is_open(&self) -> bool {
        match &*self.kind {
            NodeErrorKind::NoAnswer(_)
            | NodeErrorKind::Http { .. }
            | NodeErrorKind::Unreadable(_) => true,
            NodeErrorKind::Refused { .. } => false,
        }
    }

    fn asks_to_wait(&self) -> bool {
        match &*self.kind {
            NodeErrorKind::Http { status, .. } => *status == TOO_MANY,
            NodeErrorKind::Refused { .. }
            | NodeErrorKind::NoAnswer(_)
            | NodeErrorKind::Unreadable(_) => false,
        }
    }
}

/// What one question came to.
pub(crate) type Answer = Result<Value, NodeError>;

impl Node {
    /// The endpoint at `url`, whose answers are waited for as long as `timeout`. Nothing is asked
    /// yet.
    ///
    /// # Errors
    /// When there can be no client at all.
    pub fn new(url: Url, timeout: Duration) -> Result<Self, NodeError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Somebody else may be quicker; then theirs is used.
            let _installed = rustls::crypto::ring::default_provider().install_default();
        }
        let endpoint = Endpoint::new(url);
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| NodeError {
                endpoint: endpoint.to_string(),
                method: "connect",
                kind: Box::new(NodeErrorKind::NoAnswer(cause.without_url())),
            })?;
        Ok(Self { client, endpoint })
    }

    /// The answer to one question.
    pub(crate) async fn ask(&self, method: &'static str, params: Value) -> Answer {
        let mut answers = self.ask_all(method, vec![params]).await?.into_iter();
        answers
            .next()
            .unwrap_or_else(|| Err(self.unreadable(method, "nothing")))
    }

    /// The answers to many questions of one kind, in their order. A call that reverted is an
    /// answer, too.
    pub(crate) async fn ask_all(
        &self,
        method: &'static str,
        params: Vec<Value>,
    ) -> Result<Vec<Answer>, NodeError> {
        let mut answers = Vec::with_capacity(params.len());
        let (mut rest, mut at_once, mut waits) = (params.as_slice(), AT_ONCE, 0_u32);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(at_once.min(rest.len()));
            let trouble = match self.exchange(method, now).await.and_then(settled) {
                Ok(batch) => {
                    answers.extend(batch);
                    rest = later;
                    continue;
                },
                Err(trouble) => trouble,
            };
            if trouble.asks_to_wait() && waits < PATIENCE {
                waits = waits.saturating_add(1);
                tokio::time::sleep(PAUSE).await;
            } else if now.len() > 1 {
                at_once = now.len().div_ceil(4);
            } else {
                return Err(trouble);
            }
        }
        Ok(answers)
    }

    async fn exchange(
        &self,
        method: &'static str,
        params: &[Value],
    ) -> Result<Vec<Answer>, NodeError> {
        let questions: Vec<Value> = (0_u64..)
            .zip(params)
            .map(|(id, params)| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .collect();
        let question = match <[Value; 1]>::try_from(questions) {
            Ok([single]) => single,
            Err(many) => Value::Array(many),
        };
        let body = self.post(method, question.to_string()).await?;
        let answer: Value = serde_json::from_str(&body)
            .map_err(|cause| self.unreadable(method, &format!("{cause} in {body}")))?;
        if let Some(many) = answer.as_array() {
            return (0_u64..)
                .zip(params)
                .map(|(id, _)| {
                    let found = many.iter().find(|answer| is_numbered(answer, id));
                    found
                        .map(|answer| self.opened(method, answer))
                        .ok_or_else(|| self.unreadable(method, "an answer is missing"))
                })
                .collect();
        }
        // A single answer to a batch is a refusal of the whole.
        match self.opened(method, &answer) {
            answer if params.len() == 1 => Ok(vec![answer]),
            Err(refused) => Err(refused),
            Ok(_) => Err(self.unreadable(method, "one answer to many questions")),
        }
    }

    async fn post(&self, method: &'static str, question: String) -> Result<String, NodeError> {
        let no_answer = |cause: reqwest::Error| {
            self.failed(method, NodeErrorKind::NoAnswer(cause.without_url()))
        };
        let mut response = self
            .client
            .post(self.endpoint.url())
            .header("content-type", "application/json")
            .body(question)
            .send()
            .await
            .map_err(no_answer)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
            if body.len().saturating_add(chunk.len()) > LONGEST_ANSWER {
                return Err(self.unreadable(method, "it does not end"));
            }
            body.extend_from_slice(&chunk);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        if status.is_success() {
            return Ok(body);
        }
        Err(match refusal_in(&body) {
            Some((code, text)) if status.as_u16() != TOO_MANY => {
                let text = self.endpoint.scrub(&text);
                self.failed(method, NodeErrorKind::Refused { code, text })
            },
            Some(_) | None => {
                let (status, text) = (status.as_u16(), self.endpoint.scrub(&body));
                self.failed(method, NodeErrorKind::Http { status, text })
            },
        })
    }

    /// The result in one answer.
    fn opened(&self, method: &'static str, answer: &Value) -> Answer {
        if let Some((code, text)) = refusal(answer) {
            let text = self.endpoint.scrub(&text);
            return Err(self.failed(method, NodeErrorKind::Refused { code, text }));
        }
        answer
            .get("result")
            .cloned()
            .ok_or_else(|| self.unreadable(method, &answer.to_string()))
    }

    fn failed(&self, method: &'static str, kind: NodeErrorKind) -> NodeError {
        NodeError {
            endpoint: self.endpoint.to_string(),
            method,
            kind: Box::new(kind),
        }
    }

    /// An answer to `method` that is not what it answers.
    pub(crate) fn unreadable(&self, method: &'static str, text: &str) -> NodeError {
        self.failed(method, NodeErrorKind::Unreadable(self.endpoint.scrub(text)))
    }
}

/// The answers of a batch, unless one of them says nothing about its question: then all are put
/// again.
fn settled(batch: Vec<Answer>) -> Result<Vec<Answer>, NodeError> {
    batch
        .into_iter()
        .map(|answer| match answer {
            Err(trouble) if !trouble.is_revert() => Err(trouble),
            settled => Ok(settled),
        })
        .collect()
}

/// Some nodes give the number back as a text.
fn is_numbered(answer: &Value, id: u64) -> bool {
    match answer.get("id") {
        Some(Value::String(text)) => text.parse() == Ok(id),
        Some(number) => number.as_u64() == Some(id),
        None => false,
    }
}

fn refusal_in(body: &str) -> Option<(i64, String)> {
    refusal(&serde_json::from_str(body).ok()?)
}

/// What a node says when it says no; some say what matters in the error's data.
fn refusal(answer: &Value) -> Option<(i64, String)> {
    let error = answer.get("error").filter(|error| !error.is_null())?;
    let code = error
        .get("code")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let message = error.get("message").and_then(Value::as_str);
    let text = match (message, error.get("data").and_then(Value::as_str)) {
        (Some(message), Some(data)) => format!("{message} {data}"),
        (Some(message), None) => message.to_owned(),
        (None, _) => error.to_string(),
    };
    Some((code, text))
}
