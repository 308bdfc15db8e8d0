//! For whom it is looked.

use metrics::gauge;
use paywatch_core::{Address, ChainHeads, Timestamp};
use paywatch_store::StoreError;

use crate::look_alikes::LookAlikeWatch;

/// How many addresses are looked for at most.
const MOST_ADDRESSES: usize = 1_000;
/// For how long the addresses of an order are looked for after its end.
const RECENT_MS: i64 = 7 * 24 * 3_600 * 1_000;

impl LookAlikeWatch {
    /// For whom it is looked: the merchant's own, and those of orders, the newest first. What is
    /// read may be old, so an order's end is compared with the chain's time where that is earlier.
    pub(super) async fn addresses(
        &mut self,
        heads: &ChainHeads,
        now: Timestamp,
    ) -> Result<Vec<Address>, StoreError> {
        let mut addresses: Vec<Address> = self.settings.own.iter().copied().collect();
        let shared = self.store.shared_addresses().await?;
        addresses.extend(
            shared
                .iter()
                .filter(|one| !self.settings.own.contains(*one)),
        );
        let left = MOST_ADDRESSES.saturating_sub(addresses.len());
        let since = now
            .min(heads.covered_time)
            .unix_ms()
            .saturating_sub(RECENT_MS);
        let since = Timestamp::from_unix_ms(since).unwrap_or(Timestamp::EPOCH);
        let one_more = u32::try_from(left.saturating_add(1)).unwrap_or(u32::MAX);
        let mut orders = self.store.addresses_of_late(since, one_more).await?;
        self.tell_of_many(orders.len(), left);
        orders.truncate(left);
        addresses.extend(orders);
        Ok(addresses)
    }

    /// Says, once, that so many addresses are more than there is room for.
    fn tell_of_many(&mut self, found: usize, room: usize) {
        let is_too_many = found > room;
        let chain = self.settings.chain_id.to_string();
        if is_too_many && !self.is_told_of_many {
            tracing::warn!(
                chain.id = chain,
                "there are more addresses of open orders than look-alike tokens are looked for: \
                 the newest {MOST_ADDRESSES} are"
            );
        }
        self.is_told_of_many = is_too_many;
        let value = if is_too_many { 1.0 } else { 0.0 };
        gauge!("paywatch_look_alike_addresses_left_out", "chain" => chain).set(value);
    }
}
