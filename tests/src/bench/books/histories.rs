//! What a million orders of a busy shop have become: most are completed, some expired, few open.

use std::collections::BTreeMap;

use alloy::primitives::keccak256;
use anyhow::{Context as _, Result};
use paywatch_core::{
    Address, Amount, Asking, B256, Block, Cause, ChainHeads, ChainId, Decimals, DecisionKind,
    EventKind, FinalityRule, FinalityTag, Heads, LatePolicy, Loose, Movements, Order, OrderId,
    OrderStatus, PaymentEvent, PaymentMethod, PaymentOption, RecordedTransfer, Snapshot, Timestamp,
    Token, Transfer, TransferId, reassess,
};
use paywatch_simulator::bulk::payee;
use paywatch_store::{History, NewOrder, OrderChange};

/// Ethereum, BNB Smart Chain, Polygon, Arbitrum, and Base, where hardly anybody pays.
const CHAINS: [u64; 5] = [1, 56, 137, 42_161, 8_453];
/// One order in so many is payable on Base.
const ON_BASE: u64 = 50_000;
/// One order in so many was paid just now.
const PAID: u64 = 10_000;
const CONFIRMATIONS: u32 = 12;
/// Seconds from one order to the next.
const STEP_S: u64 = 30;
/// How long an order can be paid.
const OPEN_MS: i64 = 3_600_000;
/// How long those can be paid that are open at the end.
const LONG_MS: i64 = 10_000 * 24 * 3_600_000;
/// Payments of no order on each chain.
const LOOSE: u64 = 600;

/// Which orders there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) orders: u64,
    /// When the last of them was made.
    pub(crate) now: Timestamp,
    start_s: u64,
}

/// What an order comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Completed by so many payments.
    Completed(u64),
    Paid,
    PartlyPaid,
    PartlyPaidAndExpired,
    Open,
    Cancelled,
    Expired,
}

/// All chains of all orders.
pub(crate) fn chains() -> impl Iterator<Item = ChainId> {
    CHAINS
        .into_iter()
        .map(|id| ChainId::new(id).expect("it is one"))
}

fn chain(id: u64) -> ChainId {
    ChainId::new(id).expect("it is one")
}

/// The contract of the token on the chain with this id.
pub(crate) fn token_of(id: u64) -> Address {
    token(chain(id)).address
}

fn token(chain_id: ChainId) -> Token {
    let decimals = if chain_id == chain(56) { 18 } else { 6 };
    Token {
        chain_id,
        address: Address::from_word(keccak256(format!("token {chain_id}"))),
        symbol: "USDT".to_owned(),
        decimals: Decimals::new(decimals).expect("they are possible"),
    }
}

/// A hash that follows from `what` and `number`, and looks like any other.
fn hash(what: &str, number: u64) -> B256 {
    keccak256(format!("{what} {number}"))
}

impl Plan {
    /// `orders` orders, the last of them made now.
    pub(crate) fn ending_now(orders: u64) -> Result<Self> {
        let now_s = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)?
            .as_secs();
        Ok(Self {
            orders,
            now: Timestamp::from_unix_s(now_s)?,
            start_s: now_s - orders * STEP_S,
        })
    }

    fn fate(number: u64) -> Fate {
        if number % PAID == 3 {
            return Fate::Paid;
        }
        // So that neighbours differ.
        match number * 7_919 % 1_000 {
            0..400 => Fate::Completed(2),
            400..780 => Fate::Completed(1),
            780..790 => Fate::PartlyPaid,
            790..800 => Fate::PartlyPaidAndExpired,
            800..820 => Fate::Open,
            820..830 => Fate::Cancelled,
            _ => Fate::Expired,
        }
    }

    fn is_open(fate: Fate) -> bool {
        matches!(fate, Fate::Paid | Fate::PartlyPaid | Fate::Open)
    }

    fn chains_of(number: u64) -> &'static [u64] {
        if number % ON_BASE == 7 {
            return &[8_453];
        }
        match number % 100 {
            0..50 => &[137, 56],
            50..80 => &[1, 56, 137],
            _ => &[42_161],
        }
    }

    pub(crate) fn created_at(&self, number: u64) -> Result<Timestamp> {
        Ok(Timestamp::from_unix_s(self.start_s + number * STEP_S)?)
    }

    pub(crate) fn id(&self, number: u64) -> Result<OrderId> {
        let mut bytes = [0; 16];
        let made = u64::try_from(self.created_at(number)?.unix_ms())?;
        bytes[..6].copy_from_slice(&made.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&hash("order", number)[..10]);
        Ok(OrderId::from_bytes(bytes))
    }

    /// The order of this number, as it was made.
    pub(crate) fn order(&self, number: u64) -> Result<Order> {
        let fate = Self::fate(number);
        let created_at = self.created_at(number)?;
        let open_ms = if Self::is_open(fate) {
            LONG_MS
        } else {
            OPEN_MS
        };
        let options = Self::chains_of(number).iter().map(|id| {
            let rule = FinalityRule::confirmations(CONFIRMATIONS)?;
            Ok(PaymentOption {
                token: token(chain(*id)),
                address: payee(number),
                method: PaymentMethod::DepositAddress {
                    factory: Address::repeat_byte(0xfa),
                    treasury: Address::repeat_byte(0xee),
                },
                finality: if fate == Fate::Paid {
                    rule.and_tag(FinalityTag::Finalized)
                } else {
                    rule
                },
            })
        });
        Ok(Order {
            id: self.id(number)?,
            reference: format!("INV-{number:07}").parse()?,
            amount: "100".parse()?,
            asking: Asking::Exactly,
            accepted: None,
            tolerance: Amount::ZERO,
            late_policy: LatePolicy::Accept,
            options: options.collect::<Result<_>>()?,
            created_at,
            expires_at: created_at
                .plus_ms(open_ms)
                .context("there is such a time")?,
            grace_ms: 0,
            cancelled_at: if fate == Fate::Cancelled {
                created_at.plus_ms(600_000)
            } else {
                None
            },
            metadata: BTreeMap::from([
                ("customer".to_owned(), format!("{}", number % 70_000)),
                (
                    "basket".to_owned(),
                    format!("{:.12}", hash("basket", number)),
                ),
                ("till".to_owned(), format!("{}", number % 3)),
            ]),
        })
    }

    /// The transfer with which the order of this number is paid for the first or second time.
    pub(crate) fn transfer(&self, number: u64, place: u64, amount: &str) -> Result<Transfer> {
        let chains = Self::chains_of(number);
        let id = chains[usize::try_from(number + place)? % chains.len()];
        let block = self.block(chain(id), number * 2 + place)?;
        Ok(Transfer {
            id: TransferId {
                chain_id: chain(id),
                block_hash: block.hash,
                log_index: number % 300,
            },
            block_number: block.number,
            block_timestamp: block.timestamp,
            tx_hash: hash("transaction", block.number),
            token: token(chain(id)).address,
            from: Address::from_word(hash("payer", number % 300_000)),
            to: payee(number),
            amount: amount.parse()?,
            paid_through: None,
        })
    }

    /// A block of a chain: two come for each order, a minute after it was made.
    pub(crate) fn block(&self, chain_id: ChainId, number: u64) -> Result<Block> {
        let kind = format!("block of {chain_id}");
        Ok(Block {
            number: number + 1,
            hash: hash(&kind, number + 1),
            parent_hash: hash(&kind, number),
            timestamp: Timestamp::from_unix_s(
                self.start_s + number / 2 * STEP_S + 60 + number % 2,
            )?,
        })
    }

    /// Where a chain stands at the end.
    pub(crate) fn heads(&self, chain_id: ChainId) -> Result<ChainHeads> {
        let tip = self.block(chain_id, self.orders * 2 + 40)?;
        Ok(ChainHeads::starting_at(chain_id, tip))
    }

    /// All that became of the order of this number.
    pub(crate) fn history(&self, number: u64) -> Result<History> {
        let order = self.order(number)?;
        let amounts: &[&str] = match Self::fate(number) {
            Fate::Completed(2) => &["40", "60"],
            Fate::Completed(_) if number % 50 == 1 => &["103"],
            Fate::Completed(_) | Fate::Paid => &["100"],
            Fate::PartlyPaid | Fate::PartlyPaidAndExpired => &["25"],
            Fate::Open | Fate::Cancelled | Fate::Expired => &[],
        };
        let mut telling = Telling::of(&order);
        for (place, amount) in (0..).zip(amounts) {
            let transfer = self.transfer(number, place, amount)?;
            let (height, time) = (transfer.block_number, transfer.block_timestamp);
            telling.transfers.push((transfer, later(time, 2_000)?));
            telling.becomes(height, time, Cause::Chains)?;
        }
        let end = number * 2 + 1 + u64::from(CONFIRMATIONS) + 2;
        match Self::fate(number) {
            Fate::Completed(_) | Fate::PartlyPaid | Fate::PartlyPaidAndExpired => {
                telling.becomes(end, later(order.created_at, 400_000)?, Cause::Chains)?;
            },
            Fate::Cancelled => {
                let cause = Cause::Decision(DecisionKind::Cancel);
                telling.becomes(end, later(order.created_at, 600_000)?, cause)?;
            },
            Fate::Paid | Fate::Open | Fate::Expired => {},
        }
        if matches!(
            Self::fate(number),
            Fate::Expired | Fate::PartlyPaidAndExpired
        ) {
            telling.becomes(end + 200, later(order.expires_at, 5_000)?, Cause::Chains)?;
        }
        let Telling {
            transfers, changes, ..
        } = telling;
        Ok(History {
            new: NewOrder {
                request_digest: format!("{:x}", hash("request", number)),
                order,
                slots: Vec::new(),
                callback: None,
            },
            transfers,
            changes,
        })
    }

    /// A number for each of many samples, all over the books.
    pub(crate) fn sample(&self, number: u64) -> u64 {
        (number * 7_368_787 + 12_345) % self.orders
    }

    /// The sample of this number among the orders in `status`.
    pub(crate) fn sample_in(&self, status: OrderStatus, number: u64) -> u64 {
        let is_it = |number: u64| {
            let its = match Self::fate(number) {
                Fate::Completed(_) => OrderStatus::Completed,
                Fate::Paid => OrderStatus::Paid,
                Fate::PartlyPaid => OrderStatus::PartiallyPaid,
                Fate::Open => OrderStatus::AwaitingPayment,
                Fate::Cancelled => OrderStatus::Cancelled,
                Fate::PartlyPaidAndExpired | Fate::Expired => OrderStatus::Expired,
            };
            its == status
        };
        let start = self.sample(number);
        (start..self.orders)
            .chain(0..start)
            .find(|number| is_it(*number))
            .unwrap_or(start)
    }
}

fn later(time: Timestamp, ms: i64) -> Result<Timestamp> {
    time.plus_ms(ms).context("there is such a time")
}

/// An order's history while it is told.
struct Telling<'a> {
    order: &'a Order,
    snapshot: Snapshot,
    transfers: Vec<(Transfer, Timestamp)>,
    changes: Vec<(OrderChange, Timestamp)>,
}

impl<'a> Telling<'a> {
    fn of(order: &'a Order) -> Self {
        Self {
            order,
            snapshot: Snapshot::new(),
            transfers: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// What the order becomes once all of its chains are covered up to a block at `time`.
    fn becomes(&mut self, height: u64, time: Timestamp, cause: Cause) -> Result<()> {
        let mut heads = Heads::new();
        for option in &self.order.options {
            let chain_id = option.token.chain_id;
            let tip = Block {
                number: height,
                hash: B256::ZERO,
                parent_hash: B256::ZERO,
                timestamp: time,
            };
            heads.insert(chain_id, ChainHeads::starting_at(chain_id, tip));
        }
        let transfers = self.transfers.iter();
        let transfers: Vec<_> = transfers
            .map(|(transfer, _)| RecordedTransfer::from(transfer.clone()))
            .collect();
        let moved = Movements {
            transfers: &transfers,
            refunds: &[],
        };
        let became = reassess(self.order, &self.snapshot, moved, &heads, cause)?;
        if became.snapshot == self.snapshot {
            return Ok(());
        }
        self.snapshot = became.snapshot.clone();
        let change = OrderChange {
            order_id: self.order.id,
            expected_version: u64::try_from(self.changes.len())? + 1,
            confirmed_at_tip: became.assessment.confirmed_at_tip(),
            snapshot: became.snapshot,
            events: became.events,
        };
        self.changes.push((change, later(time, 2_000)?));
        Ok(())
    }
}

/// Payments that belong to no order, and what is told of them.
type Looseness = (Vec<(Transfer, Loose)>, Vec<PaymentEvent>);

/// The payments on a chain that belong to no order: to the treasury, and dust.
pub(crate) fn looseness(plan: &Plan, chain_id: ChainId) -> Result<Looseness> {
    let (mut loose, mut events) = (Vec::new(), Vec::new());
    for number in 0..LOOSE {
        let block = plan.block(chain_id, plan.sample(number) * 2)?;
        let transfer = Transfer {
            id: TransferId {
                chain_id,
                block_hash: block.hash,
                log_index: 400,
            },
            block_number: block.number,
            block_timestamp: block.timestamp,
            tx_hash: hash("loose", block.number),
            token: token(chain_id).address,
            from: Address::from_word(hash("payer", number)),
            to: Address::repeat_byte(0xee),
            amount: "5".parse()?,
            paid_through: None,
        };
        if number % 3 == 0 {
            events.push(PaymentEvent::of(&transfer, EventKind::PaymentUnmatched));
            loose.push((transfer, Loose::Unmatched));
        } else {
            loose.push((transfer, Loose::Dust));
        }
    }
    Ok((loose, events))
}
