//! What operators decided.

use paywatch_core::{DecisionKind, OrderId, PaymentId, Reason, Timestamp};

/// What an operator decided, to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDecision {
    /// Its id, `dec_` and 32 hex digits.
    pub id: String,
    /// What was decided.
    pub kind: DecisionKind,
    /// Why.
    pub reason: Reason,
    /// Who decided, as far as the program knows.
    pub by: String,
    /// What it changed, for people.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// An operator's decision that a payment is to be in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The payment.
    pub payment: PaymentId,
    /// The order that it belongs to, if it belongs to one.
    pub order: Option<OrderId>,
    /// The decision.
    pub decision: NewDecision,
}

/// A decision as the books hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Its place: 1, 2, 3 and so on.
    pub seq: u64,
    /// Its id.
    pub id: String,
    /// What was decided.
    pub kind: DecisionKind,
    /// About which order.
    pub order: Option<OrderId>,
    /// About which payment.
    pub payment: Option<PaymentId>,
    /// Why.
    pub reason: Reason,
    /// Who decided.
    pub by: String,
    /// What it changed.
    pub detail: String,
    /// When.
    pub at: Timestamp,
    /// Covers all of this and the digest of the decision before it, in hex.
    pub digest: String,
}

/// Which decisions are wanted: those that meet every condition that is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// About this order.
    pub order: Option<OrderId>,
    /// About this payment.
    pub payment: Option<PaymentId>,
}
