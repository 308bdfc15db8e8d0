//! A typed client of the paywatch API.
//!
//! Its wire types are its own: they say what a merchant's service relies on, so a change of the
//! server's that would break such a service breaks this client's tests first.

mod client;
mod error;
mod wire;

pub use crate::client::{Client, EventStream};
pub use crate::error::{ClientError, FieldProblem, Problem};
pub use crate::wire::{
    Block, Chain, ChainReadiness, Change, ContractCall, CoveredBlock, CreateOrder, Decision,
    DecisionPage, Event, EventChain, EventData, EventPage, Finality, FinalityTier, ListDecisions,
    ListEvents, ListOrders, ListPayments, ListRefunds, Order, Page, Payment, PaymentOption,
    PaymentPage, PrepareRefund, Readiness, Refund, RefundPage, RefundPayment, Token, Transaction,
    UnsignedTransaction,
};
