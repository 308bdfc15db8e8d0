//! Brings events to webhooks.

use std::time::Duration;

use async_trait::async_trait;
use md5::{Digest as _, Md5};
use paywatch_core::{EventFormat, Timestamp};
use paywatch_store::EndpointRecord;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use url::Url;

use crate::telling::{Blame, Came, Carrier, Refusal, Telling, Verdict};
use crate::{Answer, GatewayKey, Message, PostFailure, PostFailureKind, Poster, Secret};

const SIGNATURE_V1: &str = "blockatm-signature-v1";
const REQUEST_TIME: &str = "blockatm-request-time";

/// Posts what is told, signed by the Standard Webhooks specification unless the form has a way of its
/// own.
#[derive(Clone, Debug)]
pub struct Webhooks {
    poster: Poster,
}

impl Webhooks {
    /// Posts with `poster`.
    #[must_use]
    pub const fn new(poster: Poster) -> Self {
        Self { poster }
    }

    /// Posts `telling` to `endpoint`, or to `target` if the order names one, signed at `now`.
    ///
    /// # Errors
    /// When nothing was sent, because it cannot be signed or may not go there, or no answer came back.
    pub async fn post(
        &self,
        endpoint: &EndpointRecord,
        target: Option<&str>,
        telling: &Telling,
        now: Timestamp,
    ) -> Result<Answer, PostFailure> {
        let unsent = |text: String| PostFailure::unsent(&text);
        let url: Url = target
            .unwrap_or(&endpoint.url)
            .parse()
            .map_err(|error| unsent(format!("its URL cannot be read: {error}")))?;
        let mut headers = telling.headers.clone();
        if !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        match endpoint.format {
            EventFormat::Standard => {
                headers.extend(signed(endpoint, telling, now).map_err(unsent)?);
            },
            EventFormat::BlockAtm => {
                headers.extend(signed_as_gateway(endpoint, telling, now).map_err(unsent)?);
            },
            EventFormat::Epusdt => {
                let body = signed_inside(endpoint, telling).map_err(unsent)?;
                return self.poster.post(&url, headers, body).await;
            },
        }
        self.poster
            .post(&url, headers, telling.body.as_bytes().to_vec())
            .await
    }
}

/// The signatures of all secrets of `endpoint` that are valid at `now`.
fn signed(
    endpoint: &EndpointRecord,
    telling: &Telling,
    now: Timestamp,
) -> Result<HeaderMap, String> {
    let mut secrets = Vec::new();
    for kept in &endpoint.secrets {
        if kept.expires_at.is_none_or(|ends| ends > now) {
            let secret: Secret = kept
                .secret
                .expose_secret()
                .parse()
                .map_err(|error| format!("its secret cannot be read: {error}"))?;
            secrets.push(secret);
        }
    }
    if secrets.is_empty() {
        return Err("it has no secret that signs; give it one".to_owned());
    }
    let seconds = u64::try_from(now.unix_ms())
        .unwrap_or_default()
        .checked_div(1_000)
        .unwrap_or_default();
    let message = Message::new(&telling.id, seconds, telling.body.as_bytes());
    let signed = message.map_err(|error| error.to_string())?.sign(&secrets);
    signed.headers().map_err(|error| error.to_string())
}

/// The signature of the newest key of `endpoint`, as receivers of that gateway's webhooks know it.
fn signed_as_gateway(
    endpoint: &EndpointRecord,
    telling: &Telling,
    now: Timestamp,
) -> Result<HeaderMap, String> {
    let newest = endpoint.secrets.first();
    let newest = newest.ok_or_else(|| "it has no key that signs; give it one".to_owned())?;
    let key = newest.secret.expose_secret().parse::<GatewayKey>();
    let key = key.map_err(|error| error.to_string())?;
    let fields = telling.signed_as.as_deref().unwrap_or_default();
    let time = now.unix_ms();
    let signature = key.sign(&format!("{fields}&time={time}"));
    let mut headers = HeaderMap::new();
    for (name, value) in [(SIGNATURE_V1, signature), (REQUEST_TIME, time.to_string())] {
        let value = value.parse();
        headers.insert(
            name,
            value.map_err(|_never| "a signature is plain text".to_owned())?,
        );
    }
    Ok(headers)
}

/// The body with its signature in it, as plugins for epusdt know it: MD5 over the fields in the order of
/// their names with the secret behind them.
fn signed_inside(endpoint: &EndpointRecord, telling: &Telling) -> Result<String, String> {
    let newest = endpoint.secrets.first();
    let newest = newest.ok_or_else(|| "it has no token that signs; give it one".to_owned())?;
    let mut hash = Md5::new();
    hash.update(telling.signed_as.as_deref().unwrap_or_default());
    hash.update(newest.secret.expose_secret());
    let signature = hex::encode(hash.finalize());
    let open = telling.body.strip_suffix('}');
    let open = open.ok_or_else(|| "what is told is no object".to_owned())?;
    Ok(format!("{open},\"signature\":\"{signature}\"}}"))
}

#[async_trait]
impl Carrier for Webhooks {
    async fn carry(
        &self,
        endpoint: &EndpointRecord,
        target: Option<&str>,
        telling: &Telling,
        now: Timestamp,
    ) -> Came {
        match self.post(endpoint, target, telling, now).await {
            Ok(answer) => {
                let verdict = match endpoint.format {
                    EventFormat::Standard | EventFormat::BlockAtm => verdict(&answer),
                    EventFormat::Epusdt => verdict_in_words(&answer),
                };
                Came {
                    status: Some(answer.status),
                    answer: answer.excerpt,
                    took: answer.took,
                    verdict,
                }
            },
            Err(failure) => Came {
                status: None,
                answer: String::new(),
                took: failure.took,
                verdict: Verdict::Refused(Refusal {
                    blame: blame(failure.kind),
                    because: failure.text,
                    leave_alone_for: None,
                }),
            },
        }
    }
}

fn verdict(answer: &Answer) -> Verdict {
    let status = answer.status;
    if answer.is_success() {
        return Verdict::Taken;
    }
    let because = format!("it answered {status}");
    let asked = answer.retry_after.unwrap_or(Duration::ZERO);
    Verdict::Refused(Refusal {
        because,
        leave_alone_for: (matches!(status, 429 | 503) && !asked.is_zero()).then_some(asked),
        blame: match status {
            410 => Blame::Gone,
            400 | 409 | 413 | 422 => Blame::Event,
            _ => Blame::Receiver,
        },
    })
}

/// What a receiver says that answers with 200 whatever it thinks, and with the word "ok" when it has
/// taken what it was told.
fn verdict_in_words(answer: &Answer) -> Verdict {
    let said = answer.excerpt.trim();
    let is_ok = |word: &str| said.eq_ignore_ascii_case(word);
    match verdict(answer) {
        Verdict::Taken if !["ok", "success"].into_iter().any(is_ok) => Verdict::Refused(Refusal {
            because: format!("it answered {}, but not with \"ok\"", answer.status),
            leave_alone_for: None,
            blame: Blame::Event,
        }),
        verdict @ (Verdict::Taken | Verdict::Refused(_)) => verdict,
    }
}

const fn blame(kind: PostFailureKind) -> Blame {
    match kind {
        PostFailureKind::Refused
        | PostFailureKind::Resolve
        | PostFailureKind::Connect
        | PostFailureKind::Tls
        | PostFailureKind::TimedOut
        | PostFailureKind::Reset
        | PostFailureKind::Unreadable
        | PostFailureKind::Redirected => Blame::Receiver,
    }
}
