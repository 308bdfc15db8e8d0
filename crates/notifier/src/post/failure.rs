//! A post that brought no answer, and why.

use std::error::Error;
use std::io;
use std::time::Duration;

use crate::guard::{GuardError, ResolveError};
use crate::post::answer::clean;

/// How much of a cause's text is kept.
const LONGEST_TEXT: usize = 400;

/// A post that brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PostFailure {
    /// What kind of failure it is.
    pub kind: PostFailureKind,
    /// What happened, in a line for people. It does not hold the URL.
    pub text: String,
    /// How long it took to fail.
    pub took: Duration,
}

/// The kinds of failure, by what would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostFailureKind {
    /// The guard does not allow it; nothing was sent.
    Refused,
    /// The name leads nowhere; nothing was sent.
    Resolve,
    /// Nobody takes connections; nothing was sent.
    Connect,
    /// No agreement about TLS, such as over a certificate; nothing was sent.
    Tls,
    /// Too slow. It may have been received.
    TimedOut,
    /// The connection ended before the answer. It may have been received.
    Reset,
    /// The answer is not HTTP, or has a head without end. It has probably been received.
    Unreadable,
    /// The answer points elsewhere (3xx), and is not followed.
    Redirected,
}

impl PostFailureKind {
    /// The word for it in lists and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::TimedOut => "timed_out",
            Self::Reset => "reset",
            Self::Unreadable => "unreadable",
            Self::Redirected => "redirected",
        }
    }
}

impl PostFailure {
    fn new(kind: PostFailureKind, text: &str, took: Duration) -> Self {
        let text = clean(text).replace('\n', " ");
        let text = text.chars().take(LONGEST_TEXT).collect();
        Self { kind, text, took }
    }

    /// Nothing was sent, because of what is wrong with the request itself.
    pub(crate) fn unsent(text: &str) -> Self {
        Self::new(PostFailureKind::Refused, text, Duration::ZERO)
    }

    pub(super) fn refused(error: &GuardError) -> Self {
        Self::new(
            PostFailureKind::Refused,
            &in_one_line(error),
            Duration::ZERO,
        )
    }

    pub(super) fn redirected(status: u16, location: Option<String>, took: Duration) -> Self {
        let target = location.map_or_else(String::new, |location| {
            format!(" to {}", location.chars().take(200).collect::<String>())
        });
        let text = format!(
            "it answered {status} and points{target}; redirects are not followed, so configure the \
             address that answers itself"
        );
        Self::new(PostFailureKind::Redirected, &text, took)
    }

    pub(super) fn transport(error: reqwest::Error, took: Duration) -> Self {
        // Whoever is told of a failure knows where the post went, and URLs may hold secrets.
        let error = error.without_url();
        if let Some(cause) = causes(&error).find_map(|cause| cause.downcast_ref::<ResolveError>()) {
            let kind = match cause {
                ResolveError::Refused(_) => PostFailureKind::Refused,
                ResolveError::NotFound { .. } | ResolveError::Empty(_) => PostFailureKind::Resolve,
            };
            return Self::new(kind, &in_one_line(cause), took);
        }
        let kind = kind_of(&error);
        let said = in_one_line(&error);
        let text = match kind {
            PostFailureKind::TimedOut if error.is_connect() => {
                format!("no connection after {} ms", took.as_millis())
            },
            PostFailureKind::TimedOut => format!("no answer after {} ms", took.as_millis()),
            PostFailureKind::Connect => format!("no connection: {said}"),
            PostFailureKind::Tls => format!("no agreement about TLS: {said}"),
            PostFailureKind::Reset => format!("the connection ended before the answer: {said}"),
            PostFailureKind::Unreadable => format!("the answer cannot be read: {said}"),
            PostFailureKind::Refused | PostFailureKind::Resolve | PostFailureKind::Redirected => {
                said
            },
        };
        Self::new(kind, &text, took)
    }
}

fn kind_of(error: &reqwest::Error) -> PostFailureKind {
    if error.is_timeout() {
        return PostFailureKind::TimedOut;
    }
    if causes(error).any(is_tls) {
        return PostFailureKind::Tls;
    }
    if error.is_connect() {
        return PostFailureKind::Connect;
    }
    let is_no_http = |cause: &(dyn Error + 'static)| {
        cause
            .downcast_ref::<hyper::Error>()
            .is_some_and(hyper::Error::is_parse)
    };
    if causes(error).any(is_no_http) {
        return PostFailureKind::Unreadable;
    }
    PostFailureKind::Reset
}

/// The TLS library's errors travel inside of errors of input and output, which hide them from the
/// chain of causes.
fn is_tls(cause: &(dyn Error + 'static)) -> bool {
    let inner = cause
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    cause.is::<rustls::Error>() || inner.is_some_and(|inner| is_tls(inner))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// An error and its causes, each said once: many repeat the text of their cause in their own.
pub(crate) fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error).map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
