//! Money that goes back.

use paywatch_core::{ChainId, OrderId, RecordedRefund, Refund, RefundState, RefundStatus};

/// A refund to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// The refund.
    pub refund: Refund,
    /// Digest of the request that made it, in hex: the same reference with the same digest is the
    /// same refund.
    pub request_digest: String,
}

/// A refund as the books hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRecord {
    /// The refund, and what carries it out.
    pub recorded: RecordedRefund,
    /// What had become of it.
    pub state: RefundState,
    /// Digest of the request that made it.
    pub request_digest: String,
}

/// Which refunds are wanted: those that meet every condition that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefundFilter {
    /// In one of these states; in any, if empty.
    pub statuses: Vec<RefundStatus>,
    /// For this order.
    pub order: Option<OrderId>,
    /// On this chain.
    pub chain_id: Option<ChainId>,
}
