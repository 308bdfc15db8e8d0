//! What has become of an order, as far as its payer may know. Pure.

use paywatch_core::{Heads, PaymentState, Timestamp};
use paywatch_store::{OrderRecord, PaymentRecord};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::orders::view::ask::is_payable;
use crate::wire::time;

/// What has become of an order. Amounts are decimal strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CheckoutStatus)]
pub(crate) struct Standing {
    /// As of the order.
    #[schema(example = "partially_paid")]
    pub(crate) status: &'static str,
    /// As of the order.
    flags: Vec<&'static str>,
    /// What is asked.
    #[schema(example = "100")]
    pub(crate) amount: String,
    /// All that arrived.
    #[schema(example = "40")]
    pub(crate) received: String,
    /// What of it is final.
    #[schema(example = "0")]
    confirmed: String,
    /// What is still to be paid.
    #[schema(example = "60")]
    pub(crate) remaining: String,
    /// What came beyond the asked amount.
    #[schema(example = "0")]
    excess: String,
    /// What was sent back.
    #[schema(example = "0")]
    refunded: String,
    /// How far the payment is that waits longest to become final, if one does.
    pub(crate) confirmations: Option<Depth>,
    /// Whether money is wanted now.
    pub(crate) payable: bool,
    /// The deadline.
    #[schema(example = "2026-11-23T15:42:00.000Z")]
    pub(crate) expires_at: String,
    /// Whole seconds from now to the deadline; 0 once it has passed.
    #[schema(example = 1_800)]
    pub(crate) seconds_left: u64,
    /// Changes whenever something else than `seconds_left` does.
    #[schema(example = "8f14e45fceea167a")]
    pub(crate) revision: String,
}

/// How many blocks stand on a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CheckoutConfirmations)]
pub(crate) struct Depth {
    /// Its own included, and no more than are needed.
    #[schema(example = 1)]
    pub(crate) so_far: u64,
    /// How many make it final, if the chain shows all else that is asked for.
    #[schema(example = 12)]
    pub(crate) needed: u64,
}

impl Depth {
    const fn missing(self) -> u64 {
        self.needed.saturating_sub(self.so_far)
    }
}

/// What has become of an order at `now`, with the chains covered up to `heads`.
pub(crate) fn standing(record: &OrderRecord, heads: &Heads, now: Timestamp) -> Standing {
    let (order, snapshot) = (&record.order, &record.snapshot);
    let counted = record.payments.iter().filter(|paid| {
        let is_there = paid.reverted_at.is_none();
        is_there && paid.state == PaymentState::Seen
    });
    let mut standing = Standing {
        status: snapshot.status.name(),
        flags: snapshot.flags.names(),
        amount: order.amount.to_string(),
        received: snapshot.received.to_string(),
        confirmed: snapshot.confirmed.to_string(),
        remaining: order.remaining(snapshot.counted).to_string(),
        excess: snapshot.excess.to_string(),
        refunded: snapshot.refunded.to_string(),
        confirmations: counted
            .filter_map(|paid| depth(record, paid, heads))
            .max_by_key(|depth| depth.missing()),
        payable: is_payable(record, now),
        expires_at: time(order.expires_at),
        seconds_left: 0,
        revision: String::new(),
    };
    // A struct of strings and numbers always has a JSON form.
    let digest = hex::encode(Sha256::digest(
        serde_json::to_vec(&standing).unwrap_or_default(),
    ));
    digest
        .get(..16)
        .unwrap_or_default()
        .clone_into(&mut standing.revision);
    standing.seconds_left = seconds_until(order.expires_at, now);
    standing
}

/// How far a payment is by the rule that it is under.
fn depth(record: &OrderRecord, paid: &PaymentRecord, heads: &Heads) -> Option<Depth> {
    let recorded = &paid.recorded;
    let transfer = &recorded.transfer;
    let of_its_way = || Some(record.order.option_for(transfer)?.finality);
    let rule = recorded.assigned.or_else(of_its_way)?;
    let needed = u64::from(rule.min_confirmations());
    let so_far = heads
        .get(&transfer.id.chain_id)
        .map_or(0, |heads| heads.confirmations(transfer.block_number));
    Some(Depth {
        so_far: so_far.min(needed),
        needed,
    })
}

fn seconds_until(then: Timestamp, now: Timestamp) -> u64 {
    let ms = then.unix_ms().saturating_sub(now.unix_ms());
    u64::try_from(ms).unwrap_or_default().div_ceil(1_000)
}
