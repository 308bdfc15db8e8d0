//! Any history of what is prepared, sent, linked, given up and mined anew.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{STEP_S, at, hash, heads, refund, transfer};
use crate::{
    Amount, Cause, Event, EventKind, Heads, Outgoing, RecordedRefund, RefundId, RefundStanding,
    Refundable, Snapshot, Transfer, TransferId, events_between, match_refunds, refunds_after,
};

/// One thing that happens.
#[derive(Clone, Debug)]
enum Deed {
    Prepare {
        to: u8,
        units: u8,
    },
    Cancel {
        which: prop::sample::Index,
    },
    Mine {
        sent: Vec<(u8, u8)>,
    },
    Link {
        which: prop::sample::Index,
        sent: prop::sample::Index,
    },
    Reorg {
        depth: u64,
        length: u64,
        remined: bool,
    },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let (to, units) = (0_u8..2, 1_u8..3);
    let prepare = (to.clone(), units.clone()).prop_map(|(to, units)| Deed::Prepare { to, units });
    let cancel = any::<prop::sample::Index>().prop_map(|which| Deed::Cancel { which });
    let mine = prop::collection::vec((to, units), 0..4).prop_map(|sent| Deed::Mine { sent });
    let link = any::<(prop::sample::Index, prop::sample::Index)>();
    let link = link.prop_map(|(which, sent)| Deed::Link { which, sent });
    let reorg =
        (1_u64..5, 1_u64..5, any::<bool>()).prop_map(|(depth, length, remined)| Deed::Reorg {
            depth,
            length,
            remined,
        });
    let deed = prop_oneof![4 => prepare, 1 => cancel, 6 => mine, 1 => link, 3 => reorg];
    prop::collection::vec(deed, 1..40)
}

/// The books of what goes back, kept as the daemon keeps them.
struct Books {
    refunds: Vec<RecordedRefund>,
    sent: BTreeMap<TransferId, Transfer>,
    snapshot: Snapshot,
    tip: u64,
    branch: u64,
    txs: u64,
    heads: Heads,
    told: i64,
}

impl Books {
    fn apply(&mut self, deed: &Deed) -> Result<(), TestCaseError> {
        match deed {
            Deed::Prepare { to, units } => {
                let number = u8::try_from(self.refunds.len()).unwrap();
                let made = refund(number, *to, &units.to_string(), self.tip * STEP_S);
                self.refunds.push(made);
            },
            Deed::Cancel { which } if !self.refunds.is_empty() => {
                let index = which.index(self.refunds.len());
                if let Ok(Some(cancelled)) = self.refunds[index].cancel(at(1)) {
                    self.refunds[index] = cancelled;
                }
            },
            Deed::Link { which, sent } if !self.refunds.is_empty() && !self.sent.is_empty() => {
                let sent = self.sent.values().nth(sent.index(self.sent.len())).unwrap();
                let linked =
                    |it: &RecordedRefund| it.sent().is_some_and(|it| it.transfer.id == sent.id);
                let index = which.index(self.refunds.len());
                if !self.refunds.iter().any(linked) {
                    let linked = self.refunds[index].link(sent.clone().into());
                    self.refunds[index] = linked.unwrap_or_else(|_| self.refunds[index].clone());
                }
            },
            Deed::Cancel { .. } | Deed::Link { .. } => {},
            Deed::Mine { sent } => {
                let mined: Vec<_> = sent
                    .iter()
                    .map(|(to, units)| {
                        self.txs += 1;
                        transfer(self.txs, *to, &units.to_string(), (0, 0))
                    })
                    .collect();
                self.mine(&mined);
            },
            Deed::Reorg {
                depth,
                length,
                remined,
            } => {
                let common = self.tip.saturating_sub(*depth);
                let is_gone = |transfer: &Transfer| transfer.block_number > common;
                let lost: Vec<Transfer> = self
                    .sent
                    .values()
                    .filter(|it| is_gone(it))
                    .cloned()
                    .collect();
                self.sent.retain(|_, it| !is_gone(it));
                self.refunds = refunds_after(std::mem::take(&mut self.refunds), is_gone, []);
                (self.tip, self.branch) = (common, self.branch + 1);
                self.mine(if *remined { &lost } else { &[] });
                for _ in 1..*length {
                    self.mine(&[]);
                }
            },
        }
        self.reconcile()
    }

    /// A block with these transfers, in these transactions.
    fn mine(&mut self, transfers: &[Transfer]) {
        self.tip += 1;
        let mined: Vec<Transfer> = transfers
            .iter()
            .map(|it| Transfer {
                id: TransferId {
                    block_hash: hash(self.tip, self.branch),
                    ..it.id
                },
                block_number: self.tip,
                block_timestamp: at(self.tip * STEP_S),
                ..it.clone()
            })
            .collect();
        let matched = match_refunds(&self.refunds, &mined);
        let matched: BTreeMap<RefundId, Transfer> = matched
            .into_iter()
            .map(|(id, it)| (id, it.clone()))
            .collect();
        self.check(&mined, &matched);
        self.refunds = refunds_after(std::mem::take(&mut self.refunds), |_| false, &mined);
        let is_matched = |it: &RecordedRefund| match matched.get(&it.refund.id) {
            Some(sent) => it.sent().is_some_and(|it| it.transfer == *sent),
            None => true,
        };
        assert!(self.refunds.iter().all(is_matched));
        self.sent.extend(mined.into_iter().map(|it| (it.id, it)));
        self.heads = heads(self.tip, Some(&self.heads));
    }

    /// What must hold of every match, whatever there is to be matched.
    fn check(&self, mined: &[Transfer], matched: &BTreeMap<RefundId, Transfer>) {
        let used: BTreeSet<_> = matched.values().map(|it| it.id).collect();
        assert_eq!(used.len(), matched.len(), "a transfer is for one refund");
        let fits = |recorded: &RecordedRefund, it: &Transfer| {
            let refund = &recorded.refund;
            let is_after = refund.created_at.unix_ms() <= it.block_timestamp.unix_ms() + 120_000;
            refund.to == it.to && refund.amount == it.amount && is_after
        };
        for recorded in self.refunds.iter().filter(|it| it.is_open()) {
            let got = matched.get(&recorded.refund.id);
            let mut left = mined.iter().filter(|it| !used.contains(&it.id));
            assert!(
                got.is_some() || !left.any(|it| fits(recorded, it)),
                "nothing that fits is left over"
            );
        }
        let mut reversed: Vec<_> = self.refunds.clone();
        reversed.reverse();
        let again = match_refunds(&reversed, mined.iter().rev().chain(mined));
        let again: BTreeMap<_, _> = again.into_iter().map(|(id, it)| (id, it.clone())).collect();
        assert_eq!(&again, matched, "neither order nor repetition matters");
    }

    /// Tells what changed, and keeps it.
    fn reconcile(&mut self) -> Result<(), TestCaseError> {
        let refundable = Refundable::of(Amount::MAX, &self.refunds);
        let standings: BTreeMap<_, _> = self
            .refunds
            .iter()
            .map(|it| (it.refund.id, it.standing(&self.heads)))
            .collect();
        let after = Snapshot {
            refunded: refundable.refunded,
            refunds: standings.iter().map(|(id, it)| (*id, it.state())).collect(),
            ..Snapshot::new()
        };
        for standing in standings.values() {
            if let RefundStanding::Confirmed(witness) = standing {
                let mine = self
                    .refunds
                    .iter_mut()
                    .filter_map(|it| match &mut it.outgoing {
                        Outgoing::There(sent) => Some(sent),
                        Outgoing::None | Outgoing::Gone(_) => None,
                    });
                for sent in mine.filter(|it| it.transfer.id == witness.transfer().id) {
                    sent.confirmed_at_tip = Some(witness.at_tip());
                }
            }
        }
        let events = events_between(&self.snapshot, &after, Cause::Chains).unwrap();
        for Event { kind, .. } in &events {
            let (is_sent, is_lost) = (
                *kind == EventKind::OrderRefunded,
                *kind == EventKind::OrderRefundReverted,
            );
            prop_assert!(is_sent || is_lost, "{kind} has nothing to do with refunds");
            self.told += if is_sent { 1 } else { -1 };
        }
        let carried: BTreeSet<_> = after
            .refunds
            .values()
            .filter_map(|it| it.transfer())
            .collect();
        let sent = after
            .refunds
            .values()
            .filter(|it| it.transfer().is_some())
            .count();
        prop_assert_eq!(carried.len(), sent, "each transfer carries one refund out");
        prop_assert!(
            carried.iter().all(|id| self.sent.contains_key(id)),
            "it is on the chain"
        );
        prop_assert_eq!(
            i64::try_from(sent).unwrap(),
            self.told,
            "told once, and taken back once"
        );
        prop_assert!(
            events_between(&after, &after, Cause::Chains)
                .unwrap()
                .is_empty()
        );
        self.snapshot = after;
        Ok(())
    }
}

proptest! {
    #[test]
    fn refunds_follow_their_chain(deeds in deeds()) {
        let mut books = Books {
            refunds: Vec::new(),
            sent: BTreeMap::new(),
            snapshot: Snapshot::new(),
            tip: 1,
            branch: 0,
            txs: 0,
            heads: heads(1, None),
            told: 0,
        };
        for deed in &deeds {
            books.apply(deed)?;
        }
    }
}
