//! The audit log.

use serde::{Deserialize, Serialize};

/// What an operator decided.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Decision {
    /// Its id, `dec_…`.
    pub id: String,
    /// What was decided: `cancel`, `extend`, `accept`, `assign`, `unassign`, `write_off`, `refund`,
    /// `cancel_refund`, `link_refund`, `create_key`, `rotate_key`, `revoke_key`, `create_endpoint`,
    /// `change_endpoint`, `rotate_secret`, `disable_endpoint`, `enable_endpoint` or `redeliver`.
    pub kind: String,
    /// About which order.
    pub order: Option<String>,
    /// About which payment.
    pub payment: Option<String>,
    /// Why.
    pub reason: String,
    /// Whose key it was.
    pub decided_by: String,
    /// What it changed.
    pub detail: String,
    /// When.
    pub decided_at: String,
    /// Covers all of this and the digest before it.
    pub digest: String,
}

/// A page of decisions, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct DecisionPage {
    /// The decisions.
    pub data: Vec<Decision>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// Which decisions a list is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListDecisions {
    /// About this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// About this payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
