//! Whatever a chain does, the books stay right: random histories of payments, reorgs and time.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

use std::collections::BTreeMap;

use paywatch_core::{
    Address, Amount, B256, Block, BlockNumber, ChainHeads, ChainId, Decimals, EventKind,
    FinalityRule, Heads, LatePolicy, Order, OrderId, OrderStatus, PaymentMethod, PaymentOption,
    RecordedTransfer, Snapshot, Standing, Step, Timestamp, Token, Transfer, TransferId, U256,
    assess, events_between,
};
use proptest::prelude::*;

const CHAINS: [u64; 2] = [1, 56];
const SECONDS_A_BLOCK: u64 = 10;

fn chain(id: u64) -> ChainId {
    ChainId::new(id).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn token(chain_id: u64) -> Token {
    let decimals = Decimals::new(if chain_id == 56 { 18 } else { 6 }).unwrap();
    let address = Address::with_last_byte(u8::try_from(chain_id).unwrap());
    Token {
        chain_id: chain(chain_id),
        address,
        symbol: "USDT".to_owned(),
        decimals,
    }
}

fn pay_to() -> Address {
    Address::repeat_byte(0xaa)
}

fn order(confirmations: u32, late_policy: LatePolicy, tolerance: &str, deadline_s: u64) -> Order {
    let option = |id| PaymentOption {
        token: token(id),
        address: pay_to(),
        method: PaymentMethod::DepositAddress {
            factory: Address::repeat_byte(1),
            treasury: Address::repeat_byte(2),
        },
        finality: FinalityRule::confirmations(confirmations).unwrap(),
    };
    Order {
        id: OrderId::from_bytes([7; 16]),
        reference: "INV-1".parse().unwrap(),
        amount: amount("100"),
        tolerance: amount(tolerance),
        late_policy,
        options: CHAINS.map(option).to_vec(),
        created_at: Timestamp::EPOCH,
        expires_at: Timestamp::from_unix_s(deadline_s).unwrap(),
        cancelled_at: None,
        metadata: BTreeMap::new(),
    }
}

/// One thing that a chain does.
#[derive(Clone, Debug)]
enum Deed {
    /// A block with payments of so many whole units.
    Mine { chain: usize, payments: Vec<u8> },
    /// The last `depth` blocks are replaced by `length` new ones; the first of them holds again
    /// what was in the old ones if `remined`.
    Reorg {
        chain: usize,
        depth: u64,
        length: u64,
        remined: bool,
    },
    /// The same facts are told again.
    Replay,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let chain = 0..CHAINS.len();
    let mine = (chain.clone(), prop::collection::vec(1_u8..60, 0..3))
        .prop_map(|(chain, payments)| Deed::Mine { chain, payments });
    let reorg =
        (chain, 1_u64..6, 1_u64..6, any::<bool>()).prop_map(|(chain, depth, length, remined)| {
            Deed::Reorg {
                chain,
                depth,
                length,
                remined,
            }
        });
    prop::collection::vec(
        prop_oneof![6 => mine, 2 => reorg, 1 => Just(Deed::Replay)],
        1..60,
    )
}

/// The books of one order, kept as the daemon keeps them.
struct Books {
    order: Order,
    heads: Heads,
    transfers: BTreeMap<TransferId, RecordedTransfer>,
    snapshot: Snapshot,
    blocks_made: u64,
}

impl Books {
    fn open(order: Order) -> Self {
        let genesis = |id| {
            let block = Block {
                number: 0,
                hash: B256::ZERO,
                parent_hash: B256::ZERO,
                timestamp: Timestamp::EPOCH,
            };
            (chain(id), ChainHeads::starting_at(chain(id), block))
        };
        let heads = CHAINS.map(genesis).into_iter().collect();
        Self {
            order,
            heads,
            transfers: BTreeMap::new(),
            snapshot: Snapshot::new(),
            blocks_made: 0,
        }
    }

    fn apply(&mut self, deed: &Deed) -> Result<(), TestCaseError> {
        match deed {
            Deed::Mine {
                chain: index,
                payments,
            } => {
                let number = self.tip(CHAINS[*index]) + 1;
                let payments: Vec<_> = payments.iter().map(|p| amount(&p.to_string())).collect();
                self.mine(CHAINS[*index], number, &payments);
            },
            Deed::Reorg {
                chain: index,
                depth,
                length,
                remined,
            } => {
                let chain_id = CHAINS[*index];
                let common = self.tip(chain_id).saturating_sub(*depth);
                let lost: Vec<_> = self
                    .transfers
                    .values()
                    .filter(|r| r.transfer.id.chain_id == chain(chain_id))
                    .filter(|r| r.transfer.block_number > common)
                    .map(|r| (r.transfer.id, r.transfer.amount))
                    .collect();
                for (id, _) in &lost {
                    self.transfers.remove(id);
                }
                let again: Vec<_> = lost.into_iter().map(|(_, amount)| amount).collect();
                for step in 1..=*length {
                    let payments = if step == 1 && *remined {
                        again.as_slice()
                    } else {
                        &[]
                    };
                    self.mine(chain_id, common + step, payments);
                }
            },
            Deed::Replay => {},
        }
        self.reconcile()
    }

    fn tip(&self, chain_id: u64) -> BlockNumber {
        self.heads[&chain(chain_id)].tip.number
    }

    fn mine(&mut self, chain_id: u64, number: BlockNumber, payments: &[Amount]) {
        self.blocks_made += 1;
        let block = Block {
            number,
            hash: B256::from(U256::from(self.blocks_made)),
            parent_hash: B256::ZERO,
            timestamp: Timestamp::from_unix_s(number * SECONDS_A_BLOCK).unwrap(),
        };
        let heads = self.heads[&chain(chain_id)].moved_to(block, None);
        self.heads.insert(chain(chain_id), heads);
        for (log_index, amount) in (0..).zip(payments) {
            let transfer = Transfer {
                id: TransferId {
                    chain_id: chain(chain_id),
                    block_hash: block.hash,
                    log_index,
                },
                block_number: number,
                block_timestamp: block.timestamp,
                tx_hash: block.hash,
                token: token(chain_id).address,
                from: Address::repeat_byte(9),
                to: pay_to(),
                amount: *amount,
            };
            self.transfers.insert(transfer.id, transfer.into());
        }
    }

    fn reconcile(&mut self) -> Result<(), TestCaseError> {
        let transfers: Vec<_> = self.transfers.values().cloned().collect();
        let assessment = assess(&self.order, &transfers, &self.heads).unwrap();

        let both = assessment.counted.checked_add(assessment.ignored);
        prop_assert_eq!(
            both,
            Some(assessment.received),
            "received = counted + ignored"
        );
        prop_assert!(assessment.confirmed <= assessment.counted);

        // Neither the order in which they are told nor telling them twice matters.
        let mut shuffled = transfers.clone();
        shuffled.reverse();
        shuffled.extend(transfers);
        prop_assert_eq!(
            &assess(&self.order, &shuffled, &self.heads).unwrap(),
            &assessment
        );

        let after = assessment.snapshot(&self.snapshot);
        let events = events_between(&self.snapshot, &after);
        prop_assert!(events.is_ok(), "{:?}", events);
        let kinds: Vec<_> = events.unwrap().iter().map(|event| event.kind).collect();
        if self.snapshot.status.step_to(after.status) == Some(Step::Back) {
            prop_assert!(
                kinds.contains(&EventKind::OrderReverted),
                "moved back in silence"
            );
        }
        if after.status == OrderStatus::Completed && self.snapshot.status != OrderStatus::Completed
        {
            prop_assert!(
                kinds.contains(&EventKind::OrderCompleted),
                "completed in silence"
            );
            prop_assert!(assessment.confirmed >= self.order.threshold());
        }
        prop_assert!(
            events_between(&after, &after).unwrap().is_empty(),
            "no change, no event"
        );

        for (id, payment) in &assessment.payments {
            if let Standing::Confirmed(witness) = &payment.standing {
                self.transfers.get_mut(id).unwrap().confirmed_at_tip = Some(witness.at_tip());
            }
        }
        self.snapshot = after;
        Ok(())
    }
}

proptest! {
    #[test]
    fn the_books_stay_right(
        deeds in deeds(),
        confirmations in 1_u32..8,
        hold in any::<bool>(),
        tolerance in prop_oneof![Just("0"), Just("2.5")],
        deadline_s in 0_u64..400,
    ) {
        let late_policy = if hold { LatePolicy::Hold } else { LatePolicy::Accept };
        let mut books = Books::open(order(confirmations, late_policy, tolerance, deadline_s));
        for deed in &deeds {
            books.apply(deed)?;
        }
        // The sum of what is on the chains is what the order says it received.
        let on_chain = books
            .transfers
            .values()
            .try_fold(Amount::ZERO, |sum, r| sum.checked_add(r.transfer.amount));
        prop_assert_eq!(on_chain, Some(books.snapshot.received));
    }
}

/// Applies deeds and returns the status and the kinds of events after each.
fn story(books: &mut Books, deeds: &[Deed]) -> Vec<(OrderStatus, Vec<EventKind>)> {
    deeds
        .iter()
        .map(|deed| {
            let before = books.snapshot.clone();
            books.apply(deed).unwrap();
            let kinds = events_between(&before, &books.snapshot).unwrap();
            (
                books.snapshot.status,
                kinds.iter().map(|event| event.kind).collect(),
            )
        })
        .collect()
}

fn mine(payments: &[u8]) -> Deed {
    Deed::Mine {
        chain: 0,
        payments: payments.to_vec(),
    }
}

#[test]
fn two_instalments_complete_an_order() {
    let mut books = Books::open(order(2, LatePolicy::Accept, "0", 10_000));
    let told = story(&mut books, &[mine(&[40]), mine(&[60]), mine(&[])]);
    use EventKind::{
        OrderCompleted, OrderPaid, OrderPartiallyPaid, PaymentConfirmed, PaymentDetected,
    };
    assert_eq!(
        told,
        [
            (
                OrderStatus::PartiallyPaid,
                vec![PaymentDetected, OrderPartiallyPaid]
            ),
            (
                OrderStatus::Paid,
                vec![PaymentConfirmed, PaymentDetected, OrderPaid]
            ),
            (
                OrderStatus::Completed,
                vec![PaymentConfirmed, OrderCompleted]
            ),
        ]
    );
}

#[test]
fn a_reorg_takes_a_completed_order_back_and_remining_completes_it_again() {
    let mut books = Books::open(order(2, LatePolicy::Accept, "0", 10_000));
    let reorg = Deed::Reorg {
        chain: 0,
        depth: 2,
        length: 1,
        remined: true,
    };
    let told = story(&mut books, &[mine(&[100]), mine(&[]), reorg, mine(&[])]);
    let statuses: Vec<_> = told.iter().map(|(status, _)| *status).collect();
    assert_eq!(
        statuses,
        [
            OrderStatus::Paid,
            OrderStatus::Completed,
            OrderStatus::Paid,
            OrderStatus::Completed
        ]
    );
    assert_eq!(
        told[2].1,
        [
            EventKind::PaymentReverted,
            EventKind::PaymentDetected,
            EventKind::OrderReverted
        ]
    );
    assert!(told[3].1.contains(&EventKind::OrderCompleted));
    assert!(books.snapshot.flags.reverted);
}

#[test]
fn a_shorter_branch_above_a_confirmed_payment_changes_nothing() {
    let mut books = Books::open(order(4, LatePolicy::Accept, "0", 10_000));
    story(&mut books, &[mine(&[100]), mine(&[]), mine(&[]), mine(&[])]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
    let shorter = Deed::Reorg {
        chain: 0,
        depth: 3,
        length: 1,
        remined: false,
    };
    let told = story(&mut books, &[shorter]);
    assert_eq!(told, [(OrderStatus::Completed, vec![])]);
}

#[test]
fn an_order_expires_only_when_every_chain_is_past_the_deadline() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 15));
    let other = |payments: &[u8]| Deed::Mine {
        chain: 1,
        payments: payments.to_vec(),
    };
    let told = story(&mut books, &[mine(&[]), mine(&[]), other(&[]), other(&[])]);
    let statuses: Vec<_> = told.iter().map(|(status, _)| *status).collect();
    let waiting = OrderStatus::AwaitingPayment;
    assert_eq!(statuses, [waiting, waiting, waiting, OrderStatus::Expired]);

    // Late money that is accepted still completes it, with a flag.
    let told = story(&mut books, &[mine(&[100])]);
    assert_eq!(told[0].0, OrderStatus::Completed);
    assert!(told[0].1.contains(&EventKind::OrderLatePayment));
    assert!(books.snapshot.flags.late);
}

#[test]
fn held_late_money_is_announced_and_does_not_count() {
    let mut books = Books::open(order(1, LatePolicy::Hold, "0", 5));
    let other = Deed::Mine {
        chain: 1,
        payments: vec![],
    };
    let told = story(&mut books, &[other, mine(&[100])]);
    let late = [
        EventKind::PaymentDetected,
        EventKind::OrderLatePayment,
        EventKind::OrderExpired,
    ];
    assert_eq!(told[1], (OrderStatus::Expired, late.to_vec()));
    assert_eq!(books.snapshot.counted, Amount::ZERO);
    assert_eq!(books.snapshot.received, amount("100"));
}

#[test]
fn too_little_within_the_tolerance_is_enough_and_says_so() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "2.5", 10_000));
    story(&mut books, &[mine(&[98])]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
    assert_eq!(books.snapshot.flags.names(), ["underpaid_within_tolerance"]);
}

#[test]
fn too_much_is_told_with_the_excess() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 10_000));
    let told = story(&mut books, &[mine(&[50, 59])]);
    assert!(told[0].1.contains(&EventKind::OrderOverpaid));
    assert_eq!(books.snapshot.excess, amount("9"));
    assert_eq!(books.snapshot.flags.names(), ["overpaid"]);
}

#[test]
fn a_cancelled_order_counts_nothing_and_never_comes_back() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 10_000));
    books.order.cancelled_at = Some(Timestamp::EPOCH);
    let told = story(&mut books, &[mine(&[100])]);
    assert_eq!(told[0].0, OrderStatus::Cancelled);
    assert_eq!(books.snapshot.counted, Amount::ZERO);
    assert_eq!(books.snapshot.received, amount("100"));
}

#[test]
fn the_finalized_tag_is_needed_where_the_rule_asks_for_it() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 10_000));
    for option in &mut books.order.options {
        option.finality = option.finality.and_finalized();
    }
    story(&mut books, &[mine(&[100]), mine(&[]), mine(&[])]);
    assert_eq!(books.snapshot.status, OrderStatus::Paid);

    let heads = books.heads[&chain(1)];
    books
        .heads
        .insert(chain(1), heads.moved_to(heads.tip, Some(1)));
    story(&mut books, &[Deed::Replay]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
}

#[test]
fn an_impossible_step_is_an_error() {
    let completed = Snapshot {
        status: OrderStatus::Completed,
        ..Snapshot::new()
    };
    let cancelled = Snapshot {
        status: OrderStatus::Cancelled,
        ..Snapshot::new()
    };
    assert!(events_between(&completed, &cancelled).is_err());
    assert!(
        events_between(&completed, &Snapshot::new()).is_err(),
        "back without lost money"
    );
}
