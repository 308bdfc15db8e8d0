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
    Block, Chain, ChainReadiness, Change, ChangeWebhook, ContractCall, CoveredBlock, CreateOrder,
    CreateWebhook, Decision, DecisionPage, Delivery, DeliveryPage, DeliveryRequest,
    DeliveryWithRequests, Event, EventChain, EventData, EventEndpoint, EventPage, EventSweep,
    Finality, FinalityTier, ListDecisions, ListDeliveries, ListEvents, ListLookAlikes, ListOrders,
    ListPayments, ListRefunds, ListSweeps, LookAlike, LookAlikeCounts, LookAlikePage,
    LookAlikeTransfer, Order, Page, Payment, PaymentOption, PaymentPage, PrepareRefund, Readiness,
    Redeliver, Refund, RefundPage, RefundPayment, Sweep, SweepPage, Token, TokenOfChain,
    Transaction, UnsignedTransaction, Webhook, WebhookHealth, WebhookSecret, WebhookWithSecret,
};
