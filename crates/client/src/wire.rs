//! What goes over the wire. Amounts are decimal strings, times RFC 3339.

mod block;
mod chain;
mod decision;
mod event;
mod look_alike;
mod payment;
mod refund;
mod sweep;
mod webhook;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::wire::block::Block;
pub(crate) use crate::wire::block::Blocks;
pub(crate) use crate::wire::chain::Tokens;
pub use crate::wire::chain::{
    Chain, ChainReadiness, CoveredBlock, Finality, FinalityTier, Readiness, TokenOfChain,
};
pub use crate::wire::decision::{Decision, DecisionPage, ListDecisions};
pub use crate::wire::event::{
    Change, Event, EventChain, EventData, EventEndpoint, EventPage, EventSweep, ListEvents,
};
pub use crate::wire::look_alike::{
    ListLookAlikes, LookAlike, LookAlikeCounts, LookAlikePage, LookAlikeTransfer,
};
pub use crate::wire::payment::{ListPayments, Payment, PaymentPage};
pub use crate::wire::refund::{
    ListRefunds, PrepareRefund, Refund, RefundPage, RefundPayment, UnsignedTransaction,
};
pub use crate::wire::sweep::{ListSweeps, Sweep, SweepPage};
pub use crate::wire::webhook::{
    ChangeWebhook, CreateWebhook, Delivery, DeliveryPage, DeliveryRequest, DeliveryWithRequests,
    ListDeliveries, Redeliver, Webhook, WebhookHealth, WebhookSecret, WebhookWithSecret,
};
pub(crate) use crate::wire::webhook::{Redelivered, Webhooks};

/// What makes an order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CreateOrder {
    /// The merchant's own name for it, unique.
    pub reference: String,
    /// What is asked, like "100.5".
    pub amount: String,
    /// Whether the amount is only the least that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub any_amount: Option<bool>,
    /// How much less is still enough; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<String>,
    /// The same as a percentage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_percent: Option<String>,
    /// The names or ids of the chains that it may be paid on; all if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chains: Option<Vec<String>>,
    /// The symbols of the tokens that it may be paid in; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<String>>,
    /// The methods by which it may be paid; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// How long it may be paid, like "30m"; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    /// For how long after the deadline money is still in time; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grace: Option<String>,
    /// `accept` or `hold`; the daemon's default if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_payments: Option<String>,
    /// Where its events are sent, too; only if the daemon allows orders to say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// The merchant's own notes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// What a list of orders is to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListOrders {
    /// Statuses, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Flags, separated by commas: those with any of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// Notes that it must have, as they were given in `metadata`.
    #[serde(skip)]
    pub metadata: BTreeMap<String, String>,
    /// The merchant's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A chain's name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// One of its pay-to addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// A transaction that paid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_hash: Option<String>,
    /// Made at this time or later, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_from: Option<String>,
    /// Made before this time, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_before: Option<String>,
    /// `created_at` for the oldest first, or `-created_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A page of a list. It may hold fewer orders than asked, even none, though there are more.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Page {
    /// The orders.
    pub data: Vec<Order>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
    /// Whether there is one.
    pub has_more: bool,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Order {
    /// Its id, `ord_…`.
    pub id: String,
    /// The merchant's own name for it.
    pub reference: String,
    /// Where it stands.
    pub status: String,
    /// What else is to be said.
    pub flags: Vec<String>,
    /// What is asked.
    pub amount: String,
    /// Whether that is only the least that is wanted.
    #[serde(default)]
    pub any_amount: bool,
    /// How much less is still enough.
    #[serde(default)]
    pub tolerance: String,
    /// What an operator has called enough.
    #[serde(default)]
    pub accepted: Option<String>,
    /// All that arrived.
    pub received: String,
    /// What of it is confirmed.
    pub confirmed: String,
    /// What is still to be paid.
    pub remaining: String,
    /// What came beyond the asked amount.
    pub excess: String,
    /// What arrived and does not count.
    pub ignored: String,
    /// What was sent back.
    #[serde(default)]
    pub refunded: String,
    /// The ways to pay it.
    pub options: Vec<PaymentOption>,
    /// What was paid.
    pub payments: Vec<Payment>,
    /// How many payments an event leaves out, if some are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payments_left_out: Option<u64>,
    /// What goes back.
    #[serde(default)]
    pub refunds: Vec<Refund>,
    /// The page on which a payer sees all of it and pays, if the daemon shows one.
    #[serde(default)]
    pub checkout_url: Option<String>,
    /// The chains that a passed deadline still waits for. Events do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting_for_chains: Option<Vec<String>>,
    /// Transfers of contracts that are no token of the merchant's, if any came to its addresses.
    /// Only where one order is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_alikes: Option<LookAlikeCounts>,
    /// What happens with money after the deadline: `accept` or `hold`.
    pub late_policy: String,
    /// Its deadline.
    pub expires_at: String,
    /// When it was made.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// The merchant's own notes.
    pub metadata: BTreeMap<String, String>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Token {
    /// What people call it.
    pub symbol: String,
    /// Its contract.
    pub address: String,
    /// Decimals of its base unit.
    pub decimals: u8,
}

/// One way to pay an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct PaymentOption {
    /// The chain's id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The token.
    pub token: Token,
    /// How the money reaches the merchant.
    pub method: String,
    /// Where to send it.
    pub address: String,
    /// How much, as a decimal.
    pub amount: String,
    /// How much, as the token counts.
    pub amount_base_units: String,
    /// All of it as an EIP-681 URI.
    pub uri: String,
    /// With the method `contract`, the calls that pay.
    #[serde(default)]
    pub call: Option<ContractCall>,
}

/// The calls by which a payer's wallet pays through the payment receiver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ContractCall {
    /// The payment receiver.
    pub receiver: String,
    /// What it knows the order by.
    pub order_ref: String,
    /// Lets the receiver take the amount.
    pub approve: Transaction,
    /// Pays.
    pub pay: Transaction,
}

/// A transaction for a wallet to send.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Transaction {
    /// Its recipient.
    pub to: String,
    /// Its data, in hex.
    pub data: String,
    /// What it carries of the chain's own coin.
    pub value: String,
}
