//! By which door a request comes in: how a key is shown there, how often one may call, and in whose
//! words a refusal is.

use axum::http::HeaderMap;
use axum::response::Response;
use paywatch_store::KeyRate;

use crate::auth::{self, Caller};
use crate::limits::{LimitSettings, Subject};
use crate::problem::{Code, Problem};
use crate::{blockatm, epusdt};

/// A set of routes that are used alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Our own API, the pages, and everything else.
    Own,
    /// The routes of the hosted gateway.
    BlockAtm,
    /// The route of plugins for epusdt, which have no key and sign instead.
    Epusdt,
}

impl Door {
    /// The API key that a request with these headers shows.
    pub(crate) fn presented(self, headers: &HeaderMap) -> Result<&str, Problem> {
        match self {
            Self::Own => auth::presented(headers),
            Self::BlockAtm => blockatm::presented(headers),
            Self::Epusdt => Err(Problem::because(Code::Unauthorized, "no key is shown here")),
        }
    }

    /// Who `caller` is counted as, and how often he may call; both doors have buckets of their own.
    pub(crate) fn counted(self, caller: &Caller, settings: &LimitSettings) -> (Subject, KeyRate) {
        let id = caller.key.id.clone();
        let (subject, usual) = match self {
            Self::Own | Self::Epusdt => (Subject::Key(id), settings.rate),
            Self::BlockAtm => (Subject::DropIn(id), blockatm::RATE),
        };
        (subject, caller.key.terms.rate.unwrap_or(usual))
    }

    /// `refusal`, of a request with these headers, as it is said here.
    pub(crate) fn in_its_words(self, refusal: Response, headers: &HeaderMap) -> Response {
        match self {
            Self::Own => refusal,
            Self::BlockAtm => blockatm::in_envelope(refusal, headers),
            Self::Epusdt => epusdt::in_its_words(refusal, headers),
        }
    }
}
