//! Which logs are wanted: of which tokens and receivers, to whom, and from whom.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use alloy_primitives::Address;
use alloy_primitives::map::FbBuildHasher;
use async_trait::async_trait;

use crate::Cause;

type Addresses = HashSet<Address, FbBuildHasher<20>>;

/// Addresses to or from which transfers are wanted. It only ever grows, and may grow while it is used.
#[derive(Default)]
pub struct RecipientSet {
    addresses: RwLock<Addresses>,
}

impl RecipientSet {
    /// Adds to the set.
    pub fn extend(&self, addresses: impl IntoIterator<Item = Address>) {
        // A writer cannot leave a set half-written, so a poisoned lock is as good as any.
        let mut set = self
            .addresses
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        set.extend(addresses);
    }

    /// The set, for many questions in a row.
    #[must_use]
    pub fn read(&self) -> Recipients<'_> {
        Recipients(
            self.addresses
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, in no particular order.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Address> {
        self.read().0.iter().copied().collect()
    }
}

impl fmt::Debug for RecipientSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientSet({})", self.len())
    }
}

impl FromIterator<Address> for RecipientSet {
    fn from_iter<I: IntoIterator<Item = Address>>(addresses: I) -> Self {
        Self {
            addresses: RwLock::new(addresses.into_iter().collect()),
        }
    }
}

/// A [`RecipientSet`] that stands still while this lives.
#[derive(Debug)]
pub struct Recipients<'a>(RwLockReadGuard<'a, Addresses>);

impl Recipients<'_> {
    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(&self, address: &Address) -> bool {
        self.0.contains(address)
    }
}

/// Who is paid, as known now.
#[async_trait]
pub trait WatchList: Send + Sync + fmt::Debug {
    /// Everything that is watched at this moment; `None` if transfers to anybody are wanted.
    ///
    /// It is asked *after* a head was seen: an address is on the list before anybody can pay to
    /// it, so that no block up to that head pays an address that the list lacks.
    async fn current(&self) -> Result<Option<Arc<RecipientSet>>, Cause>;

    /// The few addresses from which transfers are wanted, whoever receives them, as of the last
    /// call of [`Self::current`]. It is another set than that.
    fn senders(&self) -> Arc<RecipientSet> {
        Arc::default()
    }
}

/// Wants transfers to anybody.
#[derive(Clone, Copy, Debug)]
pub struct Everybody;

#[async_trait]
impl WatchList for Everybody {
    async fn current(&self) -> Result<Option<Arc<RecipientSet>>, Cause> {
        Ok(None)
    }
}

/// Which logs are wanted.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// The contracts whose `Transfer` logs, and notices, are asked for. With none, nothing is.
    pub tokens: Vec<Address>,
    /// The contracts whose `Paid` logs are asked for.
    pub receivers: Vec<Address>,
    /// Only transfers and payments to these are answered; to anybody, if there is no set.
    pub recipients: Option<Arc<RecipientSet>>,
    /// Transfers from these are answered, too. Another set than `recipients`.
    pub senders: Arc<RecipientSet>,
    /// Whether the node is to leave out transfers of and to others (by their topics). Otherwise it
    /// sends all, and they are left out here.
    pub by_node: bool,
}

impl LogFilter {
    /// All transfers of `tokens`.
    #[must_use]
    pub fn of(tokens: Vec<Address>) -> Self {
        Self {
            tokens,
            ..Self::default()
        }
    }

    /// The same, to anybody.
    #[must_use]
    pub fn to_anybody(&self) -> Self {
        Self {
            recipients: None,
            by_node: false,
            ..self.clone()
        }
    }

    /// Whether there is nobody whose transfers could be wanted.
    #[must_use]
    pub fn wants_nobody(&self) -> bool {
        let nobody_is_paid = self.recipients.as_ref().is_some_and(|set| set.is_empty());
        nobody_is_paid && self.senders.is_empty()
    }

    /// The recipients that the node itself is to filter by.
    #[must_use]
    pub fn node_recipients(&self) -> Option<Vec<Address>> {
        let recipients = self.recipients.as_ref().filter(|_| self.by_node)?;
        Some(recipients.to_vec())
    }

    /// The senders that the node itself is to filter by.
    #[must_use]
    pub fn node_senders(&self) -> Vec<Address> {
        match self.node_recipients() {
            Some(_) => self.senders.to_vec(),
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_grows_while_it_is_shared() {
        let set = Arc::new(RecipientSet::default());
        let filter = LogFilter {
            recipients: Some(Arc::clone(&set)),
            by_node: true,
            ..LogFilter::of(Vec::new())
        };
        assert!(set.is_empty());
        set.extend([Address::repeat_byte(1)]);
        assert_eq!(
            filter.node_recipients(),
            Some(vec![Address::repeat_byte(1)])
        );
        assert!(set.read().contains(&Address::repeat_byte(1)));
        assert!(!set.read().contains(&Address::repeat_byte(2)));
    }
}
