//! In what two views of an order differ. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::orders::view::OrderView;

/// What something was and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventChange)]
pub(crate) struct Change {
    /// What it was; `null` if there was nothing, or nothing known.
    #[schema(value_type = Option<Value>, example = "awaiting_payment")]
    pub(crate) from: Value,
    /// What it is.
    #[schema(value_type = Option<Value>, example = "partially_paid")]
    pub(crate) to: Value,
}

/// What changed, each with its place within `data`.
pub(crate) type Changes = BTreeMap<&'static str, Change>;

/// Notes under `name` that something is not any more what it was.
pub(crate) fn note(changes: &mut Changes, name: &'static str, from: Value, to: Value) {
    if from != to {
        changes.insert(name, Change { from, to });
    }
}

/// In what `after` differs from `before`, which came before it, beside payments and refunds, which
/// have statuses of their own. An order that is new has a status only.
pub(crate) fn differences(before: Option<&OrderView>, after: &OrderView) -> Changes {
    let mut changes = Changes::new();
    match before {
        None => note(
            &mut changes,
            "order.status",
            Value::Null,
            after.status.into(),
        ),
        Some(before) => {
            for ((name, from), (_, to)) in facts(before).into_iter().zip(facts(after)) {
                note(&mut changes, name, from, to);
            }
        },
    }
    changes
}

/// What may change of an order.
fn facts(order: &OrderView) -> [(&'static str, Value); 12] {
    [
        ("order.status", order.status.into()),
        ("order.flags", json!(order.flags)),
        ("order.accepted", json!(order.accepted)),
        ("order.received", json!(order.received)),
        ("order.confirmed", json!(order.confirmed)),
        ("order.remaining", json!(order.remaining)),
        ("order.excess", json!(order.excess)),
        ("order.ignored", json!(order.ignored)),
        ("order.refunded", json!(order.refunded)),
        ("order.late_policy", order.late_policy.into()),
        ("order.expires_at", json!(order.expires_at)),
        ("order.grace_until", json!(order.grace_until)),
    ]
}
