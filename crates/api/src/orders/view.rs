//! An order as the API shows it. Pure: records in, JSON types out.

pub(crate) mod ask;
pub(crate) mod call;
pub(crate) mod differences;

use std::collections::BTreeMap;

use paywatch_core::{Asking, Order, OrderStatus, PaymentOption, Timestamp};
use paywatch_store::OrderRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::look_alikes::view::LookAlikeCounts;
use crate::orders::view::ask::ask;
use crate::orders::view::call::CallView;
use crate::payments::view::PaymentView;
use crate::present::Present;
use crate::refunds::{self, view::RefundView};
use crate::state::Shop;
use crate::wire::{TokenView, time};

/// An order, what came in for it, and what remains. Amounts are decimal strings.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderView {
    /// Its id.
    #[schema(example = "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    pub(crate) id: String,
    /// Your own name for it.
    #[schema(example = "INV-1001")]
    reference: String,
    /// Where it stands. Ship when it is `completed`, not before.
    #[schema(example = "partially_paid")]
    status: &'static str,
    /// What else is to be said: `overpaid`, `underpaid_within_tolerance`, `late`,
    /// `reverted`, `resolved`, `refunded`, `partially_refunded`.
    flags: Vec<&'static str>,
    /// What is asked.
    #[schema(example = "100")]
    amount: String,
    /// Whether that is only the least that is wanted.
    any_amount: bool,
    /// How much less is still enough.
    #[schema(example = "0")]
    tolerance: String,
    /// What an operator has called enough, if one has.
    accepted: Option<String>,
    /// All that arrived.
    #[schema(example = "40")]
    received: String,
    /// What of it is final.
    #[schema(example = "40")]
    confirmed: String,
    /// What is still to be paid.
    #[schema(example = "60")]
    remaining: String,
    /// What came beyond the asked amount.
    #[schema(example = "0")]
    excess: String,
    /// What arrived and does not count; each payment says why.
    #[schema(example = "0")]
    ignored: String,
    /// What was sent back of what arrived.
    #[schema(example = "0")]
    refunded: String,
    /// The ways to pay it.
    options: Vec<OptionView>,
    /// What was paid, oldest first. In events, the last 100 payments, and the event's own.
    payments: Vec<PaymentView>,
    /// In events only: how many payments are left out, if some are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payments_left_out: Option<u64>,
    /// What goes back, oldest first.
    refunds: Vec<RefundView>,
    /// The page on which a payer sees all of it and pays; `null` if the daemon shows none. Whoever has
    /// this URL sees amounts and addresses, and neither your reference nor your notes.
    #[schema(example = "https://pay.example.com/pay/chk_5f1d7a84db00d2fce00b31a7fc73224f")]
    checkout_url: Option<String>,
    /// The chains that a passed deadline still waits for: they are not read that far yet. Not in
    /// events.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    waiting_for_chains: Option<Vec<String>>,
    /// What came to its deposit addresses from contracts that are no configured token, if anything
    /// did: no money, whatever they call themselves. `GET /v1/look-alikes?order=` says more. Only
    /// where one order is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) look_alikes: Option<LookAlikeCounts>,
    /// What happens with money after the deadline: `accept` or `hold`.
    #[schema(example = "accept")]
    late_policy: &'static str,
    /// Its deadline, which goes by the chains' time.
    #[schema(example = "2026-11-23T15:42:00.000Z")]
    expires_at: String,
    /// Until when money is still in time.
    #[schema(example = "2026-11-23T15:52:00.000Z")]
    grace_until: String,
    /// When it was made.
    #[schema(example = "2026-11-23T14:42:00.000Z")]
    created_at: String,
    /// When it last changed.
    #[schema(example = "2026-11-23T14:50:12.120Z")]
    updated_at: String,
    /// Your own notes.
    metadata: BTreeMap<String, String>,
}

/// One way to pay an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PaymentOption)]
pub(crate) struct OptionView {
    /// The chain's id (EIP-155).
    #[schema(example = 137)]
    chain_id: u64,
    /// The chain's name in the configuration.
    #[schema(example = "polygon")]
    chain: String,
    token: TokenView,
    /// How the money reaches you: `deposit_address`, `contract` or `exact_amount`.
    #[schema(example = "deposit_address")]
    method: &'static str,
    /// Where to send it; with `contract`, where it arrives: a mere transfer to it does not pay.
    #[schema(example = "0xd26B72e3BDF1dE978b128Cb4248c6CD5d025385D")]
    address: String,
    /// What to send to pay all of it at once. With `exact_amount`, send exactly this: it may be a
    /// little more than the order's amount, and any other amount is not recognised.
    #[schema(example = "100")]
    amount: String,
    /// The same as the token counts it.
    #[schema(example = "100000000")]
    amount_base_units: String,
    /// The same as a URI for wallets (EIP-681); on Tron, which has none, the address alone. With
    /// `contract`, the call that pays, which needs an allowance first.
    uri: String,
    /// With `contract`, the calls that pay.
    call: Option<CallView>,
}

/// `record` as the API shows it at `now`, as things stand at `present`; it is paid at
/// `checkout_url`.
pub(crate) fn order(
    record: &OrderRecord,
    present: &Present,
    shop: &Shop,
    checkout_url: Option<String>,
    now: Timestamp,
) -> OrderView {
    let OrderRecord {
        order, snapshot, ..
    } = record;
    let waiting = if is_overdue(order, snapshot.status, now) {
        order.chains_before_deadline(&present.heads)
    } else {
        Vec::new()
    };
    let waiting = waiting.into_iter().map(|id| shop.name_of(id)).collect();
    OrderView {
        waiting_for_chains: Some(waiting),
        ..view(record, Some(present), shop, checkout_url)
    }
}

/// `record` as an event shows it, without what changes by itself; it is paid at `checkout_url`.
/// So many payments of the order are not in it.
pub(crate) fn order_then(
    record: &OrderRecord,
    left_out: u64,
    shop: &Shop,
    checkout_url: Option<String>,
) -> OrderView {
    OrderView {
        payments_left_out: Some(left_out).filter(|count| *count > 0),
        ..view(record, None, shop, checkout_url)
    }
}

fn view(
    record: &OrderRecord,
    present: Option<&Present>,
    shop: &Shop,
    checkout_url: Option<String>,
) -> OrderView {
    let OrderRecord {
        order, snapshot, ..
    } = record;
    let heads = present.map(|present| &present.heads);
    OrderView {
        id: order.id.to_string(),
        reference: order.reference.to_string(),
        status: snapshot.status.name(),
        flags: snapshot.flags.names(),
        amount: order.amount.to_string(),
        any_amount: order.asking == Asking::AtLeast,
        tolerance: order.tolerance.to_string(),
        accepted: order.accepted.map(|amount| amount.to_string()),
        received: snapshot.received.to_string(),
        confirmed: snapshot.confirmed.to_string(),
        remaining: order.remaining(snapshot.counted).to_string(),
        excess: snapshot.excess.to_string(),
        refunded: snapshot.refunded.to_string(),
        ignored: snapshot.received.less(snapshot.counted).to_string(),
        options: order
            .options
            .iter()
            .filter_map(|way| option(order, way, shop))
            .collect(),
        payments: record
            .payments
            .iter()
            .map(|paid| PaymentView::of(order.id, paid, present))
            .collect(),
        refunds: record
            .refunds
            .iter()
            .filter_map(|it| Some((it, snapshot.refunds.get(&it.refund.id)?)))
            .map(|(it, state)| refunds::view::refund(it, *state, heads, shop))
            .collect(),
        checkout_url,
        payments_left_out: None,
        waiting_for_chains: None,
        look_alikes: None,
        late_policy: order.late_policy.name(),
        expires_at: time(order.expires_at),
        grace_until: time(order.closes_at()),
        created_at: time(order.created_at),
        updated_at: time(record.updated_at),
        metadata: order.metadata.clone(),
    }
}

/// Whether its deadline has passed by the wall clock while it still waits.
fn is_overdue(order: &Order, status: OrderStatus, now: Timestamp) -> bool {
    let is_open = match status {
        OrderStatus::AwaitingPayment | OrderStatus::PartiallyPaid => true,
        OrderStatus::Paid
        | OrderStatus::Completed
        | OrderStatus::Expired
        | OrderStatus::Cancelled => false,
    };
    is_open && now > order.closes_at()
}

/// `None` if the order's amount is not payable exactly this way, which is checked before an order
/// is made: rather no offer than a wrong one.
fn option(order: &Order, way: &PaymentOption, shop: &Shop) -> Option<OptionView> {
    let token = &way.token;
    let ask = ask(order, way, way.asks(order.amount))?;
    Some(OptionView {
        chain_id: token.chain_id.get(),
        chain: shop.name_of(token.chain_id),
        token: token.into(),
        method: way.method.kind().name(),
        amount: ask.amount.to_string(),
        amount_base_units: ask.units.to_string(),
        uri: ask.uri,
        call: ask.call,
        address: ask.address,
    })
}

#[cfg(test)]
mod tests;
