//! Webhooks, and what was told to them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What makes a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateWebhook {
    /// What the merchant calls it.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Of what it is told, such as `order.*`; everything if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// `hmac`, `ed25519` or `p256`; what is usual in its form if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// `standard` or `blockatm`; `standard` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Why, for the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is to be changed about a webhook; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChangeWebhook {
    /// What the merchant calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of what it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// Why, for the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is to be told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeliver {
    /// All that was given up.
    Failed,
    /// The events from one sequence to another.
    Range(u64, u64),
    /// The event with this id.
    Event(String),
}

/// Somebody who is told of events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Webhook {
    /// Its id, `ep_…`.
    pub id: String,
    /// `webhook`, or what is set up in the configuration: `callbacks`, `nats`, `kafka`, `email`,
    /// `message`.
    pub kind: String,
    /// What the merchant calls it.
    pub name: String,
    /// Where it is, without what may be secret there.
    pub url: Option<String>,
    /// Of what it is told.
    pub types: Vec<String>,
    /// The form of what is told.
    pub format: String,
    /// `hmac`, `ed25519` or `p256`.
    pub signature: Option<String>,
    /// What checks the newest signature, of `ed25519` and `p256`.
    pub public_key: Option<String>,
    /// What signs for it now, the newest first.
    pub secrets: Vec<WebhookSecret>,
    /// `enabled` or `disabled`.
    pub status: String,
    /// Since when it is told nothing.
    pub disabled_at: Option<String>,
    /// Why.
    pub disabled_because: Option<String>,
    /// How it fares.
    pub health: WebhookHealth,
    /// How many deliveries are still to be made.
    pub pending: u64,
    /// Events up to this sequence are queued for it, or not wanted.
    pub queued_to: u64,
    /// When it was made.
    pub created_at: String,
}

/// When something signs for a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct WebhookSecret {
    /// What checks its signatures, of `ed25519` and `p256`.
    pub public_key: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// From when on it does not sign any more.
    pub expires_at: Option<String>,
}

/// How a webhook fares.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct WebhookHealth {
    /// Since when it takes nothing.
    pub failing_since: Option<String>,
    /// How many requests in a row have failed.
    pub failures: u32,
    /// What was wrong the last time.
    pub last_failure: Option<String>,
}

/// A webhook with its new secret, which is shown this once.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// The secret, `whsec_…`; `None` for `ed25519`, and in a repeated answer. Keep it out of logs.
    pub secret: Option<String>,
}

/// Without the secret.
impl fmt::Debug for WebhookWithSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookWithSecret")
            .field("webhook", &self.webhook)
            .finish_non_exhaustive()
    }
}

/// All webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Webhooks {
    pub(crate) data: Vec<Webhook>,
}

/// Which deliveries a list is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListDeliveries {
    /// In one of these states, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of deliveries, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeliveryPage {
    /// The deliveries.
    pub data: Vec<Delivery>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// An event for a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Delivery {
    /// The event's sequence.
    pub sequence: u64,
    /// The event's id.
    pub event: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// `pending`, `delivered`, `failed` or `dropped`.
    pub state: String,
    /// How many requests were sent since it was queued last.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<String>,
    /// When it was queued.
    pub queued_at: String,
    /// When it was delivered, given up or dropped.
    pub finished_at: Option<String>,
}

/// A delivery with its requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeliveryWithRequests {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// Every request that was sent for it, oldest first.
    pub requests: Vec<DeliveryRequest>,
}

/// A request, and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DeliveryRequest {
    /// Counts the requests of the delivery, from 1.
    pub attempt: u32,
    /// When it was sent.
    pub sent_at: String,
    /// How long it took, in milliseconds.
    pub took_ms: u32,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// What was wrong.
    pub failure: Option<String>,
    /// How the answer begins.
    pub answer: String,
}

/// What came of telling again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Redelivered {
    pub(crate) queued: u64,
}
