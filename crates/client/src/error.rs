//! Why a call did not give what was asked for.

use std::fmt;

use reqwest::StatusCode;
use serde::Deserialize;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The daemon refused, and said why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// Nobody answered.
    #[error("paywatch does not answer at {url}; is `paywatch run` running there?")]
    Unreachable {
        /// Where it was expected.
        url: String,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// Something answered that is not paywatch, or not this version of it.
    #[error("{url} answered {status} with something that is not paywatch's; check the URL")]
    Unexpected {
        /// Who answered.
        url: String,
        /// The status.
        status: StatusCode,
        /// What could not be read.
        #[source]
        source: serde_json::Error,
    },
    /// No client can be made, or no URL can be formed.
    #[error("no request can be made: {what}")]
    Setup {
        /// What is wrong.
        what: String,
    },
}

/// Problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable name of the kind of problem.
    pub code: String,
    /// What kind of problem it is.
    pub title: String,
    /// What is wrong in this case.
    #[serde(default)]
    pub detail: Option<String>,
    /// Which fields are wrong.
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
    /// What to look for in the daemon's log.
    #[serde(default)]
    pub request_id: Option<String>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldProblem {
    /// The field.
    pub field: String,
    /// The stable name of what is wrong with it.
    pub code: String,
    /// What is wrong with it.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_ref().unwrap_or(&self.title))?;
        for error in &self.errors {
            write!(f, "\n  {}: {}", error.field, error.detail)?;
        }
        if let (true, Some(id)) = (self.status >= 500, &self.request_id) {
            write!(f, "\n  the daemon's log has more under request {id}")?;
        }
        Ok(())
    }
}
