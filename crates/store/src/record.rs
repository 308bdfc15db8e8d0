//! What goes into the store and what comes out of it: plain values.

mod api_key;
mod audit;
mod decision;
mod deposit;
mod endpoint;
mod event;
mod look_alike;
mod payment;
mod refund;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{
    Address, Amount, B256, Block, BlockNumber, BlockRef, ChainEvent, ChainHeads, ChainId,
    CheckoutToken, Event, FinalityRule, Flags, Heads, Loose, Movements, Order, OrderId,
    OrderStatus, PaymentEvent, PaymentState, RecordedRefund, RecordedTransfer, Reference,
    SlotTerms, Snapshot, Timestamp, Token, TokenNotice, Transfer, TransferId,
};

pub use crate::record::api_key::{ApiKeyRecord, KeyRate, KeyTerms, NewApiKey};
pub use crate::record::audit::{
    AuditAccount, AuditEntry, AuditRun, AuditScope, EventGap, Holder, Ledger, Misplaced, OrderSums,
};
pub use crate::record::decision::{DecisionFilter, DecisionRecord, Imported, NewDecision};
pub use crate::record::deposit::{PaidDeposit, PaidDeposits};
pub use crate::record::endpoint::{
    AfterAttempt, Again, AttemptRecord, Attempted, Callback, DeliveryRecord, DisabledBy,
    DueDelivery, EndpointChange, EndpointHealth, EndpointOutcome, EndpointRecord, EndpointSecret,
    NewEndpoint, Origins, Queued,
};
pub use crate::record::event::{
    EventContext, EventFilter, EventPage, EventRecord, OrderEvent, OrderThen, PaymentThen,
    RefundThen, Told,
};
pub use crate::record::look_alike::{
    LookAlike, LookAlikeBounds, LookAlikeCommit, LookAlikeFilter, LookAlikePlace, LookAlikeSums,
    SelfDescription, StrangeTransfers,
};
pub use crate::record::payment::{BookedPlace, BookedTransfer, Claimed, PaymentFilter};
pub use crate::record::refund::{NewRefund, RefundFilter, RefundRecord};
pub use crate::record::sweep::{Sweep, SweepFilter};

/// An order to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The order.
    pub order: Order,
    /// Digest of the request that made it, in hex: the same reference with the same digest is the
    /// same order.
    pub request_digest: String,
    /// Ways to pay it by an exact amount, which are added to the order's own: the amounts follow
    /// from what is free.
    pub slots: Vec<SlotWish>,
    /// Where it is told of besides, if it says so itself.
    pub callback: Option<Callback>,
}

/// A way to pay an order by an exact amount that is still to be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotWish {
    /// The token.
    pub token: Token,
    /// The wallets of the merchant's; the one with the smallest free amount is taken.
    pub wallets: Vec<Address>,
    /// When a payment is confirmed.
    pub finality: FinalityRule,
    /// How much less than the chosen amount is still this order's.
    pub tolerance: Amount,
    /// How amounts are told apart.
    pub terms: SlotTerms,
}

/// What came of making an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateOutcome {
    /// It was made.
    Created(OrderRecord),
    /// The same request had made it before.
    Existing(OrderRecord),
    /// Another request had taken the reference.
    ReferenceTaken {
        /// The order that has it.
        by: OrderId,
    },
    /// No amount in this token is free near the one that is asked.
    NoFreeAmount {
        /// The token.
        token: Token,
    },
}

/// An order as the books hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// The order.
    pub order: Order,
    /// What has become of it. Its payments are those that are on their chains now.
    pub snapshot: Snapshot,
    /// Counts its changes.
    pub version: u64,
    /// The sequence number of its first event; newer orders have greater ones.
    pub seq: u64,
    /// The public name of its page. Only what an older program writes beside this one has none,
    /// until the database is opened anew.
    pub checkout: Option<CheckoutToken>,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// All payments, those that left their chain too, by time of detection, chain, block and log.
    pub payments: Vec<PaymentRecord>,
    /// All refunds, oldest first.
    pub refunds: Vec<RecordedRefund>,
}

/// A payment as the books hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRecord {
    /// The transfer.
    pub recorded: RecordedTransfer,
    /// What it is, or last was, to its order.
    pub state: PaymentState,
    /// Whether it is money for the order that came after the deadline.
    pub is_late: bool,
    /// When it was first seen.
    pub detected_at: Timestamp,
    /// When it was found to have left its chain, if it did.
    pub reverted_at: Option<Timestamp>,
}

/// Which orders are wanted: those that meet every condition that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// In one of these statuses; in any, if empty.
    pub statuses: Vec<OrderStatus>,
    /// With this reference.
    pub reference: Option<Reference>,
    /// Payable on this chain.
    pub chain_id: Option<ChainId>,
    /// Payable to this address.
    pub address: Option<Address>,
    /// With a payment, even one that left its chain, in this transaction.
    pub tx_hash: Option<B256>,
    /// Made at this time or later.
    pub created_from: Option<Timestamp>,
    /// Made before this time.
    pub created_before: Option<Timestamp>,
    /// With any of these flags; with whatever flags, if none is set.
    pub flags: Flags,
    /// With all of these notes of the merchant's.
    pub metadata: BTreeMap<String, String>,
    /// Those that were made first come first, instead of last.
    pub oldest_first: bool,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only orders whose `seq` is below this (above it, if the oldest come first):
    /// [`OrderPage::next`] of the page before.
    pub before_seq: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// A time from its beginning up to, and without, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment of it.
    pub from: Timestamp,
    /// The first moment after it.
    pub before: Timestamp,
}

/// A part of a list of orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPage {
    /// The orders. There may be fewer than asked, even none, though there is a next page: if
    /// conditions are met together by few, only so many orders are looked at for each page.
    pub orders: Vec<OrderRecord>,
    /// The `before_seq` of the next page; `None` when this is the last.
    pub next: Option<u64>,
}

/// How far a chain is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainRecord {
    /// What is covered.
    pub heads: ChainHeads,
    /// The node's newest block when this was written.
    pub node_head: BlockNumber,
    /// The first covered block.
    pub started_at: BlockNumber,
    /// When this was written.
    pub updated_at: Timestamp,
}

/// An address of the merchant's that the issuer of a token froze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenAddress {
    /// The chain.
    pub chain_id: ChainId,
    /// The token.
    pub token: Address,
    /// The address.
    pub address: Address,
    /// The block in which it was frozen; if nobody saw that, one after which it was known to be.
    pub since_block: BlockNumber,
    /// The transaction that did it; zeros if nobody saw it.
    pub tx_hash: B256,
    /// When that was seen.
    pub noticed_at: Timestamp,
}

/// Whether a token holds an address of the merchant's to be frozen after a block, as the token itself
/// says when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenState {
    /// The chain.
    pub chain_id: ChainId,
    /// The block: the cursor.
    pub tip: BlockRef,
    /// The token.
    pub token: Address,
    /// The address.
    pub address: Address,
    /// Whether it is frozen.
    pub is_frozen: bool,
}

/// An address to which payments are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The sequence number of the order's first event.
    pub seq: u64,
    /// The address.
    pub address: Address,
    /// The order that is paid there.
    pub order_id: OrderId,
}

/// What an update of a chain touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The chain.
    pub chain_id: ChainId,
    /// The orders to which it brings transfers.
    pub orders: BTreeSet<OrderId>,
    /// The transfers that it brings to no order.
    pub loose: BTreeSet<TransferId>,
    /// The transfers that it brings from one of the merchant's addresses to somebody else's.
    pub sent: Vec<Transfer>,
    /// The transfers that it strikes from the books.
    pub struck: BTreeSet<TransferId>,
    /// Everything above this block is gone.
    pub retract_above: Option<BlockNumber>,
    /// The latest covered timestamp after the update.
    pub covered_time: Timestamp,
    /// How many orders whose deadline has passed are looked at, at most: the rest waits for the
    /// next update.
    pub most_due: u32,
}

/// What an update may change something for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessable {
    /// The heads of all chains, before the update.
    pub heads: Heads,
    /// The orders.
    pub books: Vec<OrderBooks>,
    /// Orders whose deadline the chain has passed and another of theirs has not: the chains that
    /// they are to be left to.
    pub deferred: Vec<(OrderId, ChainId)>,
    /// Whether there are more orders whose deadline has passed.
    pub has_more_due: bool,
    /// Which of the transfers to no order are on their chain by the books already.
    pub known: BTreeSet<TransferId>,
    /// The unmatched payments that are gone.
    pub gone: Vec<Transfer>,
    /// The flushes on the chain that nobody was told of, those that are gone as well.
    pub flushes: Vec<Flush>,
    /// The flushes that were told to be final, and are gone.
    pub flushes_gone: Vec<Transfer>,
}

/// A flush of a deposit address to its treasury.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flush {
    /// The transfer.
    pub recorded: RecordedTransfer,
    /// What must hold before it is final: the rules by which payments to the address are, without
    /// their proofs.
    pub rules: Vec<FinalityRule>,
}

/// Everything that is needed to say what an order has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBooks {
    /// The order.
    pub order: Order,
    /// Its version, to be named in the change.
    pub version: u64,
    /// What had become of it so far.
    pub snapshot: Snapshot,
    /// The transfers that are on their chains by the books, before anything is retracted.
    pub transfers: Vec<RecordedTransfer>,
    /// The order's refunds, before anything is retracted.
    pub refunds: Vec<RecordedRefund>,
}

impl OrderBooks {
    /// What moved for the order by the books.
    #[must_use]
    pub fn moved(&self) -> Movements<'_> {
        Movements {
            transfers: &self.transfers,
            refunds: &self.refunds,
        }
    }
}

/// An update of a chain and all that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainCommit {
    /// The chain.
    pub chain_id: ChainId,
    /// The cursor that must be stored now; `None` if the chain was never followed.
    pub expected: Option<BlockRef>,
    /// How far the chain is covered afterwards.
    pub heads: ChainHeads,
    /// The node's newest block.
    pub node_head: BlockNumber,
    /// Everything above this block is gone.
    pub retract_above: Option<BlockNumber>,
    /// The first block that this covers, if it covers any.
    pub first_covered: Option<BlockNumber>,
    /// Headers to remember, ascending.
    pub blocks: Vec<Block>,
    /// How many blocks below the tip are remembered.
    pub keep_blocks: u32,
    /// New transfers and the orders that they pay.
    pub transfers: Vec<(Transfer, OrderId)>,
    /// New transfers that belong to no order, and what they are.
    pub loose: Vec<(Transfer, Loose)>,
    /// Notices that freeze addresses of the merchant's, or release them.
    pub freezes: Vec<TokenNotice>,
    /// Transfers that the books hold and that their blocks were shown not to.
    pub disproved: Vec<TransferId>,
    /// What was shown of payments that the books hold, or that this brings.
    pub proofs: Vec<PaymentProof>,
    /// What has become of the orders.
    pub changes: Vec<OrderChange>,
    /// Orders that are left to other chains: [`Assessable::deferred`].
    pub deferred: Vec<(OrderId, ChainId)>,
    /// What is to be told of the chain itself.
    pub chain_events: Vec<ChainEvent>,
    /// What is to be told of payments that belong to no order.
    pub payment_events: Vec<PaymentEvent>,
    /// Payments that an operator wanted in the books, each a transfer of this that is new.
    pub imports: Vec<Imported>,
    /// The time of the commit.
    pub at: Timestamp,
}

/// What has become of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderChange {
    /// The order.
    pub order_id: OrderId,
    /// The version on which this was decided.
    pub expected_version: u64,
    /// What has become of it.
    pub snapshot: Snapshot,
    /// The tip that each confirmed payment, and each confirmed transfer of a refund, was confirmed
    /// under.
    pub confirmed_at_tip: BTreeMap<TransferId, BlockNumber>,
    /// What is to be told, in this order.
    pub events: Vec<Event>,
}

/// What shows that a payment's block holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentProof {
    /// The payment.
    pub transfer: TransferId,
    /// The evidence, which can be checked by itself.
    pub bundle: String,
}
