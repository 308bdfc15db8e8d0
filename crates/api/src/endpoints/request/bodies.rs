//! The bodies of requests about endpoints, as the description shows them.

use serde::Serialize;
use utoipa::ToSchema;

/// What a webhook is made from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "shop", "url": "https://shop.example.com/webhooks", "types": ["order.*", "payment.unmatched"]}))]
pub(crate) struct CreateEndpoint {
    /// What you call it; no two webhooks have one name.
    #[schema(example = "shop", min_length = 1, max_length = 100)]
    name: String,
    /// Where it is: `https`, on the public internet, or what the configuration allows.
    #[schema(example = "https://shop.example.com/webhooks")]
    url: String,
    /// Of what it is told: names of events and families such as `order.*`. All, if not given, that
    /// its form has words for.
    #[schema(required = false, default = json!(["*"]), example = json!(["order.*", "payment.unmatched"]))]
    types: Vec<String>,
    /// `hmac`, by a secret that you and paywatch have, or `ed25519`, by a key that only paywatch has.
    /// `hmac`, if not given; the form `blockatm` is signed by `p256` alone.
    #[schema(required = false, example = "hmac")]
    signature: String,
    /// The form of what is told: `standard`, as Standard Webhooks says, or `blockatm`, as that gateway
    /// tells, of `payment.detected`, `.confirmed`, `.reverted`, `.assigned` and `.unassigned`.
    #[schema(required = false, default = "standard", example = "standard")]
    format: String,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(required = false, example = "the new shop goes live")]
    reason: String,
}

/// What is to be changed; what is not given stays.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://shop.example.com/v2/webhooks", "reason": "we moved"}))]
pub(crate) struct ChangeEndpoint {
    /// What you call it.
    #[schema(required = false, example = "shop", min_length = 1, max_length = 100)]
    name: String,
    /// Where it is from now on: also for what is still to be delivered.
    #[schema(required = false, example = "https://shop.example.com/v2/webhooks")]
    url: String,
    /// Of what it is told from now on.
    #[schema(required = false, example = json!(["order.*"]))]
    types: Vec<String>,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(required = false, example = "we moved")]
    reason: String,
}

/// How a secret is to be replaced.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateSecret {
    /// For how many seconds the secrets before it sign along. 0 ends them at once; in the form
    /// `blockatm` they never do.
    #[schema(
        required = false,
        default = 86_400,
        minimum = 0,
        maximum = 604_800,
        example = 86_400
    )]
    overlap_seconds: u64,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(required = false, example = "as every year")]
    reason: String,
}

/// What is to be told again: one of `failed`, `from` with `to`, and `event`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": 5, "to": 9, "reason": "our database was restored"}))]
pub(crate) struct Redeliver {
    /// True for all that was given up.
    #[schema(required = false, example = true)]
    failed: bool,
    /// The sequence of the first event. What the endpoint does not want is left out; what it was
    /// never told, because it was disabled or not there yet, is not.
    #[schema(required = false, example = 5)]
    from: u64,
    /// The sequence of the last event, at most 10,000 events on.
    #[schema(required = false, example = 9)]
    to: u64,
    /// The id of one event.
    #[schema(required = false, example = "evt_7f83b1657ff1fc53b92dc18148a1d65d")]
    event: String,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(required = false, example = "our database was restored")]
    reason: String,
}
