//! A request that failed, as it may be shown.

use std::string::FromUtf8Error;
use std::time::Duration;

use crate::Cause;
use crate::rpc::endpoint::Endpoint;

/// The code of a reverted call (EIP-1474 and geth).
const REVERTED: i64 = 3;

/// A request to a node that failed. It shows no more of the endpoint than scheme and host.
#[derive(Debug, thiserror::Error)]
#[error("{endpoint}: {method}")]
pub struct RpcFailure {
    endpoint: Endpoint,
    method: &'static str,
    #[source]
    kind: Box<FailureKind>,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(super) enum FailureKind {
    /// No answer.
    #[error("no answer")]
    Transport {
        #[source]
        cause: Cause,
        timed_out: bool,
    },
    /// An answer that says no.
    #[error("{0}")]
    Refused(Refusal),
    /// Not JSON-RPC, or not what the method answers.
    #[error("an answer that cannot be read ({text})")]
    Unreadable {
        #[source]
        cause: Cause,
        text: String,
    },
    /// Not even text.
    #[error("an answer that is no text")]
    NoText(#[source] FromUtf8Error),
    /// More than is read.
    #[error("an answer of more than {0} bytes")]
    TooLong(usize),
    /// A batch's answer that lacks this one.
    #[error("no answer to this request")]
    Missing,
}

impl FailureKind {
    /// An answer that begins like `body` and cannot be read.
    pub(super) fn unreadable(cause: impl Into<Cause>, body: &str, endpoint: &Endpoint) -> Self {
        Self::Unreadable {
            cause: cause.into(),
            text: endpoint.scrub(&body.chars().take(200).collect::<String>()),
        }
    }
}

/// What a node said when it said no, by HTTP, by JSON-RPC, or both.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusal {
    /// The HTTP status, if it was not 200.
    pub(super) status: Option<u16>,
    /// How long it asked to wait.
    pub(super) retry_after: Option<Duration>,
    /// The JSON-RPC error's code.
    pub(super) code: Option<i64>,
    /// Its words.
    pub(super) text: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(status) = self.status {
            write!(f, "HTTP {status}: ")?;
        }
        if let Some(code) = self.code {
            write!(f, "error {code}: ")?;
        }
        f.write_str(if self.text.is_empty() {
            "no text"
        } else {
            &self.text
        })
    }
}

impl RpcFailure {
    pub(super) fn new(endpoint: Endpoint, method: &'static str, kind: FailureKind) -> Self {
        Self {
            endpoint,
            method,
            kind: Box::new(kind),
        }
    }

    pub(super) fn kind(&self) -> &FailureKind {
        &self.kind
    }

    /// Whether it took too long.
    pub(super) fn is_timeout(&self) -> bool {
        match self.kind() {
            FailureKind::Transport { timed_out, .. } => *timed_out,
            FailureKind::Refused(_)
            | FailureKind::Unreadable { .. }
            | FailureKind::NoText(_)
            | FailureKind::TooLong(_)
            | FailureKind::Missing => false,
        }
    }

    /// Whether the contract that was called refused.
    pub(super) fn is_revert(&self) -> bool {
        match self.kind() {
            FailureKind::Refused(refusal) => {
                refusal.code == Some(REVERTED)
                    || crate::rpc::classify::tells_of_a_revert(&refusal.text)
            },
            FailureKind::Transport { .. }
            | FailureKind::Unreadable { .. }
            | FailureKind::NoText(_)
            | FailureKind::TooLong(_)
            | FailureKind::Missing => false,
        }
    }
}
