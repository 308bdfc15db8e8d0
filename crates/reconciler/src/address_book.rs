//! Which order an address belongs to, kept in memory and read on from the store.

use std::collections::HashMap;

use paywatch_core::{Address, OrderId, Transfer};
use paywatch_store::{Store, StoreError};

/// All watched addresses. Read on *after* the blocks were fetched: an order's address is in the
/// store before anybody can pay to it, so a payment in those blocks finds its order.
#[derive(Debug, Default)]
pub(crate) struct AddressBook {
    orders: HashMap<Address, OrderId>,
    last_seq: u64,
}

impl AddressBook {
    /// Reads what was added since the last time.
    pub(crate) async fn read_on(&mut self, store: &Store) -> Result<(), StoreError> {
        for watched in store.watched_after(self.last_seq).await? {
            self.last_seq = self.last_seq.max(watched.seq);
            self.orders.insert(watched.address, watched.order_id);
        }
        Ok(())
    }

    /// The order that `transfer` pays, if it is money to a watched address. Transfers of nothing
    /// are not: anybody can send them in anybody's name.
    pub(crate) fn order_paid_by(&self, transfer: &Transfer) -> Option<OrderId> {
        if transfer.amount.is_zero() {
            return None;
        }
        self.orders.get(&transfer.to).copied()
    }
}
