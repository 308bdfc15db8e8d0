//! Random lives of orders that share a wallet: whose money is it, at every moment?

use std::collections::BTreeMap;

use paywatch_core::{Amount, Claim, OrderId, OrderStatus};
use paywatch_store::CreateOutcome;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::books::{Books, amount, at};
use crate::line::Line;
use crate::slots::{QUARANTINE_MS, claim, paid, slot_of, wish};

on_both_engines!(an_amount_is_never_two_orders_and_never_a_strangers_too_early);

/// Seconds from one block to the next.
const BLOCK_S: u64 = 10;

/// Who has an amount, and until when nobody else may have it.
#[derive(Clone, Copy, Debug)]
struct Holder {
    order: OrderId,
    closes_s: u64,
    /// The time of the block under which it ended.
    ended_s: Option<u64>,
}

impl Holder {
    fn may_be_followed_at(&self, covered_s: u64) -> bool {
        let quarantine_s = u64::try_from(QUARANTINE_MS / 1_000).unwrap();
        self.ended_s
            .is_some_and(|ended| covered_s >= ended.saturating_add(quarantine_s))
    }
}

async fn an_amount_is_never_two_orders_and_never_a_strangers_too_early(books: Books) {
    let mut rng = StdRng::seed_from_u64(0x51_07);
    let mut line = Line::new(1);
    let mut holders: BTreeMap<Amount, Holder> = BTreeMap::new();
    let (mut made, mut refused, mut followed) = (0_u64, 0_u64, 0_u64);
    for number in 1..=150_u64 {
        line.cover(&books.store, 0, number..=number, &[])
            .await
            .unwrap();
        let now_s = number.saturating_mul(BLOCK_S);
        for holder in holders.values_mut() {
            if holder.ended_s.is_none() && now_s > holder.closes_s {
                holder.ended_s = Some(now_s);
            }
        }
        for _ in 0..rng.random_range(0..3) {
            let asked = ["100", "100.01", "99.99"][rng.random_range(0..3)];
            let mut new = wish(made.saturating_add(1), asked);
            new.order.created_at = at(now_s);
            let closes_s = now_s.saturating_add(rng.random_range(15..90));
            new.order.expires_at = at(closes_s);
            match books.store.create_order(&new).await.unwrap() {
                CreateOutcome::Created(record) => {
                    made = made.saturating_add(1);
                    let amount = slot_of(&record.order).high();
                    let holder = Holder {
                        order: record.order.id,
                        closes_s,
                        ended_s: None,
                    };
                    if let Some(before) = holders.insert(amount, holder) {
                        assert!(before.may_be_followed_at(now_s), "{before:?} at {now_s}");
                        followed = followed.saturating_add(1);
                    }
                },
                CreateOutcome::NoFreeAmount { .. } => refused = refused.saturating_add(1),
                other => panic!("{other:?}"),
            }
        }
        for (amount, holder) in &holders {
            let transfer = paid(number, &amount.to_string());
            assert_eq!(claim(&books, &transfer).await, Claim::Amount(holder.order));
            let order = books.store.order(holder.order).await.unwrap().unwrap();
            let is_over = order.snapshot.status == OrderStatus::Expired;
            assert_eq!(is_over, holder.ended_s.is_some());
        }
        let nobodys = paid(number, "100.005");
        assert_eq!(claim(&books, &nobodys).await, Claim::Nobody);
    }
    assert!(
        made > 30 && refused > 10 && followed > 10,
        "{made} {refused} {followed}"
    );
    assert!(holders.keys().all(|held| *held <= amount("100.04")));
}
