//! `paywatch webhook test`: sends a sample event, and says what came of it and what would help.

use std::process::ExitCode;

use paywatch_api::{Clock as _, SystemClock, shown_url};
use paywatch_core::{EndpointId, EventFormat};
use paywatch_notifier::{Answer, PostFailure, PostFailureKind, Poster, Telling, Webhooks};
use paywatch_store::EndpointRecord;
use reqwest::header::HeaderMap;
use serde_json::json;
use uuid::Uuid;

use crate::command::webhook::manage::{Office, called};
use crate::output::{self, Format, rfc3339};

/// The type of the sample, which tells of nothing.
const TYPE: &str = "webhook.test";

/// What came of it.
struct Outcome {
    is_taken: bool,
    status: Option<u16>,
    took_ms: u128,
    /// How the answer begins.
    answer: String,
    failure: Option<String>,
    help: Option<&'static str>,
}

/// Sends the sample to the webhook `id`.
pub(super) async fn run(office: &Office, id: EndpointId) -> anyhow::Result<ExitCode> {
    let endpoint = office.find_webhook(id, "tested").await?;
    anyhow::ensure!(
        endpoint.format == EventFormat::Standard,
        "{} is told in the form {}, which has words for payments alone: its receiver would take a sample \
         for money. Pay an order on a test chain instead",
        called(&endpoint),
        endpoint.format
    );
    let poster = Poster::new(office.config.guard.clone(), &office.config.post)?;
    let sample = sample(&endpoint);
    let now = SystemClock.now();
    let webhooks = Webhooks::new(poster);
    let sent = webhooks.post(&endpoint, None, &sample, now).await;
    let outcome = match sent {
        Ok(answer) => Outcome::of_answer(answer),
        Err(failure) => Outcome::of_failure(failure),
    };
    match office.format {
        Format::Json => output::json(&json!({
            "event": sample.id, "type": TYPE, "taken": outcome.is_taken, "status": outcome.status,
            "took_ms": outcome.took_ms, "answer": outcome.answer, "failure": outcome.failure,
            "help": outcome.help,
        }))?,
        Format::Text => output::line(&outcome.in_words(&endpoint))?,
    }
    Ok(if outcome.is_taken {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// An event in the form of real ones.
fn sample(endpoint: &EndpointRecord) -> Telling {
    let id = format!("evt_{}", Uuid::new_v4().simple());
    let body = json!({
        "id": id,
        "type": TYPE,
        "version": 1,
        "sequence": 0,
        "order_sequence": null,
        "timestamp": rfc3339(SystemClock.now()),
        "data": {"endpoint": {"id": endpoint.id.to_string(), "detail": "a test: nothing happened"}},
        "changes": {},
    });
    Telling {
        id,
        kind: TYPE,
        order: None,
        body: body.to_string().into(),
        signed_as: None,
        headers: HeaderMap::new(),
    }
}

impl Outcome {
    fn of_answer(answer: Answer) -> Self {
        let is_taken = answer.is_success();
        Self {
            is_taken,
            status: Some(answer.status),
            took_ms: answer.took.as_millis(),
            failure: (!is_taken).then(|| format!("it answered {}", answer.status)),
            help: help_with_status(answer.status),
            answer: answer.excerpt,
        }
    }

    fn of_failure(failure: PostFailure) -> Self {
        Self {
            is_taken: false,
            status: None,
            took_ms: failure.took.as_millis(),
            answer: String::new(),
            help: Some(help_with_failure(failure.kind)),
            failure: Some(failure.text),
        }
    }

    fn in_words(&self, endpoint: &EndpointRecord) -> String {
        let place = shown_url(endpoint.kind, &endpoint.url).unwrap_or_default();
        let took = self.took_ms;
        let mut lines = vec![match (&self.failure, self.status) {
            (None, Some(status)) => format!("{place} took it: {status} after {took} ms"),
            (failure, _) => {
                let failure = failure.as_deref().unwrap_or_default();
                format!("{place} did not take it: {failure} ({took} ms)")
            },
        }];
        if !self.answer.trim().is_empty() {
            lines.push(format!("answer: {}", self.answer.trim()));
        }
        if let Some(help) = self.help {
            lines.push(format!("help: {help}"));
        }
        lines.join("\n")
    }
}

const fn help_with_status(status: u16) -> Option<&'static str> {
    match status {
        200..=299 => None,
        400 | 401 | 403 | 422 => Some(
            "if the receiver says that the signature is wrong: has it this endpoint's secret, and \
             does it check the body byte for byte, before it is read as JSON? \
             `paywatch webhook listen` shows how it should come",
        ),
        404 => Some("the server is there and knows no such path: is the URL right?"),
        405 => Some("the receiver must take POST at this path"),
        408 | 504 => Some("the receiver should answer first and do its work after that"),
        410 => Some(
            "this answer means that nothing is wanted any more: a real event would disable \
                     the endpoint",
        ),
        413 => Some("the receiver must take bodies of some 64 KiB"),
        415 => Some("the receiver must take application/json"),
        429 | 503 => Some("it is left alone for as long as its Retry-After says"),
        500..=599 => Some("the receiver failed: its own log says why. It is tried again later"),
        _ => Some("any status from 200 to 299 means that an event was taken"),
    }
}

const fn help_with_failure(kind: PostFailureKind) -> &'static str {
    match kind {
        PostFailureKind::Refused => {
            "nothing was sent: if the receiver is your own, list it in the configuration as \
             [webhooks] allow, with its port; allow_http lets http pass"
        },
        PostFailureKind::Resolve => "is the host's name right, and does this machine know it?",
        PostFailureKind::Connect => {
            "does the receiver run, listen on this port, and let this machine through?"
        },
        PostFailureKind::Tls => {
            "the receiver needs a certificate for this very name, with its intermediate \
             certificates, of an authority that this machine trusts"
        },
        PostFailureKind::TimedOut => {
            "the receiver should answer first and do its work after that; [webhooks] timeout is how \
             long it has"
        },
        PostFailureKind::Reset => {
            "the receiver or a proxy before it closed the connection: its log may say why"
        },
        PostFailureKind::Unreadable => "is there a web server at this port, speaking HTTP/1.1?",
        PostFailureKind::Redirected => {
            "redirects are not followed: change the URL to where it points"
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_taken_comes_with_help() {
        for status in 200..300 {
            assert_eq!(help_with_status(status), None);
        }
        for status in (100..200).chain(300..600) {
            assert!(help_with_status(status).is_some(), "{status}");
        }
    }
}
