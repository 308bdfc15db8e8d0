//! What an order, a transfer and a payment are, and what follows from them.
//!
//! Everything here is a value or a pure function of values: no I/O, no clock, no async. Time and
//! the network come in as arguments, so any history of a chain can be replayed in a test.

mod address;
mod alert;
mod amount;
mod assess;
mod audit;
mod block;
mod chain_event;
mod decision;
mod endpoint;
mod event;
mod finality;
mod heads;
mod id;
mod likeness;
mod notice;
mod option;
mod order;
mod place;
mod refund;
mod scope;
mod slot;
mod status;
mod sweep;
mod time;
mod token;
mod tolerance;
mod transfer;
mod window;

pub use alloy_primitives::{Address, B256, U256};

pub use crate::address::{AddressForm, TronAddressError, read_tron_address};
pub use crate::alert::{TokenAlert, Weight, freeze_found};
pub use crate::amount::{Amount, AmountError};
pub use crate::assess::{
    AssessError, Assessment, IgnoredBecause, Movements, Payment, Standing, assess,
};
pub use crate::audit::{
    KeptSums, Opening, SumError, Turnover, Verdict, WrongSum, explain, final_block, settle,
    wrong_sums,
};
pub use crate::block::{Block, BlockNumber, BlockRef, ChainId, ChainIdError};
pub use crate::chain_event::{ChainEvent, ChainEventKind};
pub use crate::decision::{
    Cause, DecisionKind, OrderDecision, Reason, ReasonError, ReassessError, Reassessed, Refusal,
    decide_order, reassess,
};
pub use crate::endpoint::{
    DeliveryState, EndpointEvent, EndpointEventKind, EndpointKind, EndpointName, EndpointNameError,
    EventFormat, EventTypes, FormError, LONGEST_OVERLAP_S, MOST_SECRETS, MOST_TOLD_AGAIN,
    MOST_WEBHOOKS, SignatureKind, USUAL_OVERLAP_S,
};
pub use crate::event::{Event, EventKind, ImpossibleStep, PaymentState, Snapshot, events_between};
pub use crate::finality::{
    Confirmed, FinalityError, FinalityPolicy, FinalityRule, FinalityTag, Proof, TierError,
};
pub use crate::heads::{ChainHeads, Heads, Tags};
pub use crate::id::{CheckoutToken, EndpointId, IdError, OrderId, PaymentId, RefundId};
pub use crate::likeness::{Likeness, NoLikeness};
pub use crate::notice::{Freeze, TokenNotice, TokenNoticeKind};
pub use crate::option::{MethodKind, PaymentMethod, PaymentOption};
pub use crate::order::{Asking, LatePolicy, Order, Reference, ReferenceError};
pub use crate::place::{Claim, Loose, Payer, PaymentEvent, Place, place};
pub use crate::refund::{
    NoPayer, Outgoing, RecordedRefund, Refund, RefundRefusal, RefundStanding, RefundState,
    RefundStatus, Refundable, match_refunds, plain_payer, refunds_after,
};
pub use crate::scope::{KeyMode, Scope, Scopes};
pub use crate::slot::{Slot, SlotError, SlotTerms, StepError};
pub use crate::status::{Flags, OrderStatus, Step, UnknownName};
pub use crate::sweep::SweepStatus;
pub use crate::time::{TimeError, Timestamp};
pub use crate::token::{Decimals, DecimalsError, Token};
pub use crate::tolerance::{Percent, PercentError, Tolerance};
pub use crate::transfer::{ContractPayment, RecordedTransfer, Transfer, TransferId};
pub use crate::window::{Advance, ForkBelowWindow, Window};
