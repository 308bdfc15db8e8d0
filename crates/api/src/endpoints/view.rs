//! An endpoint as the API shows it. Pure: a record in, JSON types out. No secret is in it, but in
//! [`WithSecret`], which is sent once.

use paywatch_core::{EventFormat, EventTypes, SignatureKind, Timestamp};
use paywatch_store::{EndpointRecord, EndpointSecret};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::endpoints::desk::WebhookDesk;
use crate::endpoints::shown_url::shown_url;
use crate::wire::time;

/// Somebody who is told of events.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub struct EndpointView {
    /// Its id.
    #[schema(example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    id: String,
    /// `webhook`; of the configuration `callbacks` (to URLs that orders name), `nats`, `kafka`,
    /// `email` and `message`.
    #[schema(example = "webhook")]
    kind: &'static str,
    /// What you call it.
    #[schema(example = "shop")]
    name: String,
    /// Where it is, without the values of its query; of what is no webhook the server alone. `null`
    /// if it has no URL.
    #[schema(example = "https://shop.example.com/webhooks?key=***")]
    url: Option<String>,
    /// Of what it is told.
    #[schema(example = json!(["*"]))]
    types: Vec<&'static str>,
    /// The form of what is told.
    #[schema(example = "standard")]
    format: &'static str,
    /// `hmac`, `ed25519` or, in the form `blockatm`, `p256`; `null` if nothing signs for it.
    #[schema(example = "hmac")]
    signature: Option<&'static str>,
    /// What checks the newest signature, of `ed25519` and `p256` (base64 of its
    /// `SubjectPublicKeyInfo`).
    #[schema(example = json!(null))]
    public_key: Option<String>,
    /// What signs for it now, the newest first. While one takes the place of another, all sign.
    secrets: Vec<SecretView>,
    /// `enabled` or `disabled`.
    #[schema(example = "enabled")]
    status: &'static str,
    /// Since when it is told nothing.
    #[schema(example = json!(null))]
    disabled_at: Option<String>,
    /// Why.
    #[schema(example = json!(null))]
    disabled_because: Option<String>,
    health: HealthView,
    /// How many deliveries are still to be made.
    #[schema(example = 0)]
    pending: u64,
    /// Events up to this sequence are queued for it, or not wanted.
    #[schema(example = 31)]
    queued_to: u64,
    /// When it was made.
    #[schema(example = "2026-11-23T14:50:12.120Z")]
    created_at: String,
}

/// What signs for an endpoint, but not itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookSecret)]
pub(crate) struct SecretView {
    /// What checks its signatures, of `ed25519` and `p256`.
    #[schema(example = json!(null))]
    public_key: Option<String>,
    /// When it was made.
    #[schema(example = "2026-11-23T14:50:12.120Z")]
    created_at: String,
    /// From when on it does not sign any more.
    #[schema(example = json!(null))]
    expires_at: Option<String>,
}

/// How an endpoint fares.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookHealth)]
pub(crate) struct HealthView {
    /// Since when it takes nothing; `null` while it does.
    #[schema(example = json!(null))]
    failing_since: Option<String>,
    /// How many requests in a row have failed.
    #[schema(example = 0)]
    failures: u32,
    /// What was wrong the last time.
    #[schema(example = json!(null))]
    last_failure: Option<String>,
}

/// An endpoint with what signs for it from now on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret)]
pub(crate) struct WithSecret {
    #[serde(flatten)]
    pub(super) endpoint: EndpointView,
    /// The new secret, shown this once. `null` for `ed25519` and `p256`, whose `public_key` is all
    /// that you need, and in the answer to a request that is repeated under its `Idempotency-Key`: the secret
    /// is not kept for that. If the first answer was lost, rotate.
    #[serde(serialize_with = "revealed")]
    #[schema(value_type = Option<String>, example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub(super) secret: Option<SecretString>,
}

fn revealed<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret
        .as_ref()
        .map(ExposeSecret::expose_secret)
        .serialize(serializer)
}

impl EndpointView {
    /// `record` as it is shown at `now`, with so many deliveries to be made.
    #[must_use]
    pub fn new(
        record: &EndpointRecord,
        pending: u64,
        (desk, now): (&dyn WebhookDesk, Timestamp),
    ) -> Self {
        let secrets: Vec<SecretView> = signing(record, now)
            .map(|kept| SecretView {
                public_key: desk.public_key_of(&kept.secret),
                created_at: time(kept.created_at),
                expires_at: kept.expires_at.map(time),
            })
            .collect();
        let newest = secrets.first();
        let disabled = record.disabled.as_ref();
        Self {
            id: record.id.to_string(),
            kind: record.kind.name(),
            name: record.name.clone(),
            url: shown_url(record.kind, &record.url),
            types: match &record.types {
                EventTypes::All => vec!["*"],
                EventTypes::Only(names) => names.iter().copied().collect(),
            },
            format: record.format.name(),
            signature: newest.map(|_| signature_of(record, desk).name()),
            public_key: newest.and_then(|newest| newest.public_key.clone()),
            secrets,
            status: if disabled.is_some() {
                "disabled"
            } else {
                "enabled"
            },
            disabled_at: disabled.map(|(at, _)| time(*at)),
            disabled_because: disabled.map(|(_, because)| because.clone()),
            health: HealthView {
                failing_since: record.health.failing_since.map(time),
                failures: record.health.failures,
                last_failure: record.health.last_failure.clone(),
            },
            pending,
            queued_to: record.queued_to,
            created_at: time(record.created_at),
        }
    }
}

/// How the newest secret of `record` signs.
#[must_use]
pub fn signature_of(record: &EndpointRecord, desk: &dyn WebhookDesk) -> SignatureKind {
    let newest = record.secrets.first();
    let public_key = newest.and_then(|newest| desk.public_key_of(&newest.secret));
    match (record.format, public_key) {
        (EventFormat::BlockAtm, _) => SignatureKind::P256,
        (EventFormat::Epusdt, _) => SignatureKind::Md5,
        (EventFormat::Standard, Some(_)) => SignatureKind::Ed25519,
        (EventFormat::Standard, None) => SignatureKind::Hmac,
    }
}

fn signing(record: &EndpointRecord, now: Timestamp) -> impl Iterator<Item = &EndpointSecret> {
    let kept = record.secrets.iter();
    kept.filter(move |kept| kept.expires_at.is_none_or(|ends| ends > now))
}
