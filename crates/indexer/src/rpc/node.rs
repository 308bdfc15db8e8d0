//! Asks a node over whichever of its transports there is, and reads the answers off the runtime
//! when they are long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use url::Url;

use crate::SourceError;
use crate::rpc::classify::classify;
use crate::rpc::endpoint::Endpoint;
use crate::rpc::envelope::{Request, answers, written};
use crate::rpc::failure::{FailureKind, RpcFailure};
use crate::rpc::heads::Heads;
use crate::rpc::http::Http;
use crate::rpc::socket::Socket;

/// Answers longer than this are read on a thread of their own: other chains should not wait.
const LONG: usize = 256 * 1024;

/// The transports of one node.
#[derive(Debug)]
pub(super) struct Node {
    questions: Transport,
    /// Where new heads are announced, if not where the questions go.
    announcements: Option<Socket>,
    next_id: AtomicU64,
}

#[derive(Debug)]
enum Transport {
    Http(Http),
    Socket(Socket),
}

/// An answer as it stands in the message, with where it comes from.
pub(super) struct Given<'a> {
    pub(super) raw: &'a RawValue,
    method: &'static str,
    endpoint: &'a Endpoint,
}

impl Given<'_> {
    /// What it says.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, SourceError> {
        self.parsed().map_err(classify)
    }

    fn parsed<T: DeserializeOwned>(&self) -> Result<T, RpcFailure> {
        serde_json::from_str(self.raw.get()).map_err(|cause| self.unreadable(cause))
    }

    pub(super) fn unreadable(&self, cause: serde_json::Error) -> RpcFailure {
        let kind = FailureKind::unreadable(cause, self.raw.get(), self.endpoint);
        RpcFailure::new(self.endpoint.clone(), self.method, kind)
    }
}

type Answers<'a> = Vec<Result<Given<'a>, RpcFailure>>;

impl From<RpcFailure> for SourceError {
    fn from(failure: RpcFailure) -> Self {
        classify(failure)
    }
}

impl Node {
    /// The node at these URLs; `None` without any.
    pub(super) fn open(
        http: Option<Url>,
        ws: Option<Url>,
        limit: Duration,
    ) -> Result<Option<Self>, reqwest::Error> {
        let socket = ws.map(|url| Socket::open(url, limit));
        let (questions, announcements) = match (http, socket) {
            (Some(url), socket) => (Transport::Http(Http::new(url, limit)?), socket),
            (None, Some(socket)) => (Transport::Socket(socket), None),
            (None, None) => return Ok(None),
        };
        Ok(Some(Self {
            questions,
            announcements,
            next_id: AtomicU64::new(1),
        }))
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        match &self.questions {
            Transport::Http(http) => http.endpoint(),
            Transport::Socket(socket) => socket.endpoint(),
        }
    }

    /// The announced heads, if there is a WebSocket.
    pub(super) fn heads(&self) -> Option<&Heads> {
        match (&self.announcements, &self.questions) {
            (Some(socket), _) | (None, Transport::Socket(socket)) => Some(socket.heads()),
            (None, Transport::Http(_)) => None,
        }
    }

    /// Asks one question.
    pub(super) async fn call<T: DeserializeOwned + Send + 'static>(
        &self,
        request: Request,
    ) -> Result<T, RpcFailure> {
        self.ask_one(request, |given| given.parsed()).await?
    }

    /// Asks one question and reads its answer.
    pub(super) async fn ask_one<R: Send + 'static>(
        &self,
        request: Request,
        read: impl FnOnce(Given<'_>) -> R + Send + 'static,
    ) -> Result<R, RpcFailure> {
        let missing = RpcFailure::new(
            self.endpoint().clone(),
            request.method,
            FailureKind::Missing,
        );
        self.ask(vec![request], move |answers| {
            let answer = answers.into_iter().next().unwrap_or(Err(missing));
            answer.map(read)
        })
        .await?
    }

    /// Asks all of `requests` at once and reads their answers, which are in the same order.
    pub(super) async fn ask<R: Send + 'static>(
        &self,
        requests: Vec<Request>,
        read: impl FnOnce(Answers<'_>) -> R + Send + 'static,
    ) -> Result<R, RpcFailure> {
        let methods: Vec<&'static str> = requests.iter().map(|request| request.method).collect();
        let first_method = methods.first().copied().unwrap_or("nothing");
        let count = u64::try_from(requests.len()).unwrap_or(u64::MAX);
        let first_id = self.next_id.fetch_add(count, Ordering::Relaxed);
        let text = written(&requests, first_id);
        let endpoint = self.endpoint().clone();
        let failed = |kind| RpcFailure::new(self.endpoint().clone(), first_method, kind);
        let body = match &self.questions {
            Transport::Http(http) => http.exchange(text).await,
            Transport::Socket(socket) => socket.exchange(text, first_id, count).await,
        }
        .map_err(failed)?;
        let is_long = body.len() > LONG;
        let read_all = move || {
            let failed = |method, kind| RpcFailure::new(endpoint.clone(), method, kind);
            let answers = answers(&body, first_id, methods.len(), &endpoint)
                .map_err(|kind| failed(first_method, kind))?;
            let given = methods
                .iter()
                .zip(answers)
                .map(|(method, answer)| match answer {
                    Ok(raw) => Ok(Given {
                        raw,
                        method,
                        endpoint: &endpoint,
                    }),
                    Err(kind) => Err(failed(method, kind)),
                })
                .collect();
            Ok(read(given))
        };
        if !is_long {
            return read_all();
        }
        match tokio::task::spawn_blocking(read_all).await {
            Ok(outcome) => outcome,
            Err(cause) => Err(failed(FailureKind::Transport {
                cause: cause.into(),
                timed_out: false,
            })),
        }
    }
}
