//! Payments by themselves.

use paywatch_core::{
    Address, B256, ChainId, Claim, FinalityRule, Loose, OrderId, PaymentState, RecordedTransfer,
    Timestamp,
};

/// A transfer as the books hold it, wherever it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookedTransfer {
    /// The transfer.
    pub recorded: RecordedTransfer,
    /// Where it belongs.
    pub place: BookedPlace,
    /// When it was first seen.
    pub detected_at: Timestamp,
    /// When it was found to have left its chain, if it did.
    pub reverted_at: Option<Timestamp>,
}

/// Where a transfer belongs by the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookedPlace {
    /// To an order.
    Order {
        /// Which.
        id: OrderId,
        /// What it is, or last was, to it.
        state: PaymentState,
        /// Whether it is money for it that came after the deadline.
        is_late: bool,
    },
    /// To none.
    Loose(Loose),
}

impl BookedTransfer {
    /// The order that it belongs to, if there is one.
    #[must_use]
    pub const fn order(&self) -> Option<OrderId> {
        match self.place {
            BookedPlace::Order { id, .. } => Some(id),
            BookedPlace::Loose(_) => None,
        }
    }
}

/// Who claims a transfer by the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Who.
    pub claim: Claim,
    /// When it is confirmed, if an operator gave it to its order.
    pub assigned: Option<FinalityRule>,
}

/// Which payments are wanted: those that meet every condition that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// In one of these states; in any, if empty.
    pub states: Vec<&'static str>,
    /// On this chain.
    pub chain_id: Option<ChainId>,
    /// To this address.
    pub to: Option<Address>,
    /// In this transaction.
    pub tx_hash: Option<B256>,
    /// Of this order.
    pub order: Option<OrderId>,
    /// Of the token with this address.
    pub token: Option<Address>,
    /// First seen at this time or later.
    pub detected_from: Option<Timestamp>,
    /// First seen before this time.
    pub detected_before: Option<Timestamp>,
    /// Those that were seen first come first, instead of last.
    pub oldest_first: bool,
}
