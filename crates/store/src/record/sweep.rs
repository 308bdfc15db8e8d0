//! What the books hold of flushes of deposit addresses.

use paywatch_core::{Address, B256, ChainId, OrderId, RecordedTransfer, SweepStatus, Timestamp};

/// The flush of an order's deposit address to its treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The transfer.
    pub recorded: RecordedTransfer,
    /// The order whose deposit address it was.
    pub order: OrderId,
    /// When it was first seen.
    pub detected_at: Timestamp,
    /// When it was found to have left its chain, if it did.
    pub reverted_at: Option<Timestamp>,
}

/// Which sweeps are wanted: those that meet every condition that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SweepFilter {
    /// That are so far; as far as they may be, if empty.
    pub statuses: Vec<SweepStatus>,
    /// On this chain.
    pub chain_id: Option<ChainId>,
    /// Of the token with this address.
    pub token: Option<Address>,
    /// Of this deposit address.
    pub address: Option<Address>,
    /// Of this order's deposit addresses.
    pub order: Option<OrderId>,
    /// In this transaction.
    pub tx_hash: Option<B256>,
    /// First seen at this time or later.
    pub detected_from: Option<Timestamp>,
    /// First seen before this time.
    pub detected_before: Option<Timestamp>,
    /// Those that were seen first come first, instead of last.
    pub oldest_first: bool,
}

impl Sweep {
    /// How far it is.
    #[must_use]
    pub const fn status(&self) -> SweepStatus {
        SweepStatus::of(self.reverted_at, self.recorded.confirmed_at_tip)
    }
}
