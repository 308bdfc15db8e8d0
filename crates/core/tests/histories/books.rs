//! The books of one order, kept as the daemon keeps them, and what chains do to them.

use std::collections::BTreeMap;

use paywatch_core::{
    Address, Amount, Asking, B256, Block, BlockNumber, Cause, ChainHeads, ChainId, Decimals,
    EventKind, FinalityRule, Heads, LatePolicy, Movements, Order, OrderDecision, OrderId,
    OrderStatus, PaymentMethod, PaymentOption, RecordedTransfer, Snapshot, Standing, Step, Tags,
    Timestamp, Token, Transfer, TransferId, U256, assess, decide_order, events_between,
};
use proptest::prelude::*;

const CHAINS: [u64; 2] = [1, 56];
const SECONDS_A_BLOCK: u64 = 10;

pub(crate) fn chain(id: u64) -> ChainId {
    ChainId::new(id).unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
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

pub(crate) fn order(
    confirmations: u32,
    late_policy: LatePolicy,
    tolerance: &str,
    deadline_s: u64,
) -> Order {
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
        asking: Asking::Exactly,
        accepted: None,
        tolerance: amount(tolerance),
        late_policy,
        options: CHAINS.map(option).to_vec(),
        created_at: Timestamp::EPOCH,
        expires_at: Timestamp::from_unix_s(deadline_s).unwrap(),
        grace_ms: 0,
        cancelled_at: None,
        metadata: BTreeMap::new(),
    }
}

fn came(transfers: &[RecordedTransfer]) -> Movements<'_> {
    Movements {
        transfers,
        refunds: &[],
    }
}

/// One thing that a chain does.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
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
    /// An operator decides.
    Decide(OrderDecision),
}

pub(crate) fn deeds() -> impl Strategy<Value = Vec<Deed>> {
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
        prop_oneof![12 => mine, 4 => reorg, 2 => Just(Deed::Replay), 1 => decisions()],
        1..60,
    )
}

fn decisions() -> impl Strategy<Value = Deed> {
    let extend = (0_u64..600).prop_map(|seconds| OrderDecision::Extend {
        until: Timestamp::from_unix_s(seconds).unwrap(),
    });
    prop_oneof![
        1 => Just(OrderDecision::Cancel),
        3 => extend,
        2 => Just(OrderDecision::Accept),
    ]
    .prop_map(Deed::Decide)
}

/// The books of one order, kept as the daemon keeps them.
pub(crate) struct Books {
    pub(crate) order: Order,
    pub(crate) heads: Heads,
    pub(crate) transfers: BTreeMap<TransferId, RecordedTransfer>,
    pub(crate) snapshot: Snapshot,
    blocks_made: u64,
}

impl Books {
    pub(crate) fn open(order: Order) -> Self {
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

    pub(crate) fn apply(&mut self, deed: &Deed) -> Result<(), TestCaseError> {
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
            Deed::Decide(decision) => return self.decide(*decision),
        }
        self.reconcile(Cause::Chains)
    }

    /// Carries `decision` out, if it is possible.
    fn decide(&mut self, decision: OrderDecision) -> Result<(), TestCaseError> {
        let transfers: Vec<_> = self.transfers.values().cloned().collect();
        let taken = (decision, Timestamp::from_unix_s(1).unwrap());
        let decided = decide_order(
            &self.order,
            &self.snapshot,
            came(&transfers),
            &self.heads,
            taken,
        );
        let Ok(Some(order)) = decided else {
            return Ok(());
        };
        self.order = order;
        self.reconcile(Cause::Decision(decision.kind()))?;
        prop_assert!(decision != OrderDecision::Accept || self.is_paid());
        Ok(())
    }

    fn is_paid(&self) -> bool {
        matches!(
            self.snapshot.status,
            OrderStatus::Paid | OrderStatus::Completed
        )
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
        let heads = self.heads[&chain(chain_id)].moved_to(block, Tags::default());
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
                paid_through: None,
            };
            self.transfers.insert(transfer.id, transfer.into());
        }
    }

    fn reconcile(&mut self, cause: Cause) -> Result<(), TestCaseError> {
        let transfers: Vec<_> = self.transfers.values().cloned().collect();
        let assessment = assess(&self.order, came(&transfers), &self.heads).unwrap();

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
            &assess(&self.order, came(&shuffled), &self.heads).unwrap(),
            &assessment
        );

        let after = assessment.snapshot(&self.snapshot, cause);
        let events = events_between(&self.snapshot, &after, cause);
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
            events_between(&after, &after, Cause::Chains)
                .unwrap()
                .is_empty(),
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
