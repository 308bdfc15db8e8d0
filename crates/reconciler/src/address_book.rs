//! Which addresses are watched, kept in memory and read on from the store.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use paywatch_core::Address;
use paywatch_indexer::{Cause, RecipientSet, WatchList};
use paywatch_store::{Store, StoreError};
use tokio::sync::Mutex;

/// How many orders' addresses are read at once.
const AT_ONCE: u32 = 5_000;

/// All watched addresses, for all chains. Only the addresses are kept, so that a million of them
/// are no burden; whose they are is asked of the store when one is paid.
pub struct AddressBook {
    store: Store,
    addresses: Arc<RecipientSet>,
    /// Those among them from which money may go anywhere: not the deposits, which can pay the
    /// treasury only. Few.
    own: Arc<RecipientSet>,
    position: Mutex<Position>,
}

/// How far the addresses were read.
#[derive(Default)]
struct Position {
    last_seq: u64,
    has_shared: bool,
}

impl fmt::Debug for AddressBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AddressBook").field(&self.addresses).finish()
    }
}

impl AddressBook {
    /// A book of what `store` watches. Nothing is read yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self::with_own(store, [])
    }

    /// The same, and `own` addresses of the merchant's, such as the treasury, where money may come
    /// in without an order, and from which it may leave.
    #[must_use]
    pub fn with_own(store: Store, own: impl IntoIterator<Item = Address>) -> Self {
        let own: Vec<Address> = own.into_iter().collect();
        Self {
            store,
            addresses: Arc::new(own.iter().copied().collect()),
            own: Arc::new(own.into_iter().collect()),
            position: Mutex::new(Position::default()),
        }
    }

    /// The merchant's own addresses, from which money may go anywhere; complete once
    /// [`Self::read_on`] was called.
    #[must_use]
    pub fn own(&self) -> Arc<RecipientSet> {
        Arc::clone(&self.own)
    }

    /// Reads what was added since the last time.
    ///
    /// # Errors
    /// When the database fails. What was read before that is kept.
    pub async fn read_on(&self) -> Result<Arc<RecipientSet>, StoreError> {
        let mut position = self.position.lock().await;
        // Those of new orders are configured, and so among the merchant's own.
        if !position.has_shared {
            let shared = self.store.shared_addresses().await?;
            self.own.extend(shared.iter().copied());
            self.addresses.extend(shared);
            position.has_shared = true;
        }
        loop {
            let watched = self.store.watched_after(position.last_seq, AT_ONCE).await?;
            let Some(last) = watched.last() else {
                return Ok(Arc::clone(&self.addresses));
            };
            self.addresses
                .extend(watched.iter().map(|watched| watched.address));
            position.last_seq = last.seq;
        }
    }
}

#[async_trait]
impl WatchList for AddressBook {
    async fn current(&self) -> Result<Option<Arc<RecipientSet>>, Cause> {
        Ok(Some(self.read_on().await?))
    }

    fn senders(&self) -> Arc<RecipientSet> {
        self.own()
    }
}
