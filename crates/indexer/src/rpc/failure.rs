//! A request that failed, as it may be shown.

use std::time::Duration;

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
    Transport(#[source] reqwest::Error),
    /// An answer that says no.
    #[error("{0}")]
    Refused(Refusal),
    /// Not JSON-RPC, or not what the method answers.
    #[error("an answer that cannot be read ({text})")]
    Unreadable {
        #[source]
        cause: serde_json::Error,
        text: String,
    },
    /// More than is read.
    #[error("an answer of more than {0} bytes")]
    TooLong(usize),
    /// A batch's answer that lacks this one.
    #[error("no answer to this request among those of its batch")]
    Missing,
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
            FailureKind::Transport(error) => error.is_timeout(),
            FailureKind::Refused(_)
            | FailureKind::Unreadable { .. }
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
            FailureKind::Transport(_)
            | FailureKind::Unreadable { .. }
            | FailureKind::TooLong(_)
            | FailureKind::Missing => false,
        }
    }
}
