//! An event as the API shows it. Pure: records in, JSON types out.

use paywatch_core::{EventKind, OrderId, Transfer};
use paywatch_store::{EventRecord, OrderRecord, Told};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::checkout::Checkout;
use crate::events::then::{Known, Then};
use crate::orders::view::differences::{Change, Changes, differences, note};
use crate::orders::view::{OrderView, order_then};
use crate::payments::view::PaymentView;
use crate::state::Shop;
use crate::wire::{address, time};

/// What `data` and `changes` hold; raised when a reader of the version before would be misled.
const VERSION: u32 = 1;

/// Something that happened. It is the same whenever it is read: what changes by itself, such as
/// `confirmations`, is not in it. Names of chains, `checkout_url` and `send_from` are as configured
/// now.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Event, example = json!({
    "id": "evt_7f83b1657ff1fc53b92dc18148a1d65d", "type": "order.partially_paid", "version": 1,
    "sequence": 31, "order_sequence": 3, "timestamp": "2026-11-23T14:50:12.120Z",
    "data": {"order": {"id": "ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b", "status": "partially_paid", "received": "40", "remaining": "60"}},
    "changes": {
        "order.status": {"from": "awaiting_payment", "to": "partially_paid"},
        "order.received": {"from": "0", "to": "40"}, "order.remaining": {"from": "100", "to": "60"},
    },
}))]
pub(crate) struct EventView {
    /// Its id: the same however often it is told. Keep it to recognise what you have seen.
    #[schema(example = "evt_7f83b1657ff1fc53b92dc18148a1d65d")]
    id: String,
    /// What happened.
    #[serde(rename = "type")]
    #[schema(example = "order.partially_paid")]
    kind: &'static str,
    /// The version of `data` and `changes`. Fields may be added without a new one.
    #[schema(example = 1)]
    version: u32,
    /// Its place in the log of all events: 1, 2, 3 and so on, without gaps.
    #[schema(example = 31)]
    sequence: u64,
    /// Its place among the order's events, without gaps; `null` if it is not about an order.
    #[schema(example = 3)]
    order_sequence: Option<u64>,
    /// When it was written.
    #[schema(example = "2026-11-23T14:50:12.120Z")]
    timestamp: String,
    data: EventData,
    /// What changed, by its place within `data`: in an order since the events before the same
    /// change. What happens at once is told in several events with the same `changes`.
    changes: Changes,
}

/// What an event is about, as it was after the change that it tells of.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(crate) struct EventData {
    /// The order, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    order: Option<OrderView>,
    /// The payment, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    payment: Option<PaymentView>,
    /// The flush of a deposit address, of `sweep.…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sweep: Option<EventSweep>,
    /// The chain, of `chain.…`, `token.…` and `audit.…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    chain: Option<EventChain>,
    /// The one who is told of events, of `endpoint.…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    endpoint: Option<EventEndpoint>,
}

/// The endpoint that an event is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EventEndpoint {
    /// Its id.
    #[schema(example = "ep_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b")]
    id: String,
    /// The circumstances, in words for people.
    #[schema(example = "shop takes nothing since 2026-11-23T14:50:12.120Z: it answered 503")]
    detail: String,
}

/// A deposit address that was flushed to its treasury.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EventSweep {
    /// The chain's id (EIP-155).
    #[schema(example = 137)]
    chain_id: u64,
    /// The chain's name in the configuration.
    #[schema(example = "polygon")]
    chain: String,
    /// The deposit address.
    address: String,
    /// Where the money is now.
    treasury: String,
    /// The token's contract.
    token: String,
    /// How much it was.
    #[schema(example = "100")]
    amount: String,
    /// The transaction.
    tx_hash: String,
    /// The transfer, as in `GET /v1/payments/{id}`.
    #[schema(example = "pay_5f1d7a84db00d2fce00b31a7fc73224f")]
    payment: String,
}

/// The chain that an event is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct EventChain {
    /// The chain's id (EIP-155).
    #[schema(example = 137)]
    chain_id: u64,
    /// The chain's name in the configuration.
    #[schema(example = "polygon")]
    chain: String,
    /// The circumstances, in words for people.
    #[schema(example = "nothing new for 5 minutes")]
    detail: String,
}

/// How things are called that events tell of.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) shop: &'a Shop,
    pub(super) checkout: Option<&'a Checkout>,
}

impl Names<'_> {
    fn order(self, record: &OrderRecord, left_out: u64) -> OrderView {
        let url = || Some(self.checkout?.url(record.checkout?));
        order_then(record, left_out, self.shop, url())
    }
}

/// `event` as it is shown, with what is `known`.
pub(super) fn event(event: &EventRecord, known: &Known<'_>, names: Names<'_>) -> EventView {
    let mut data = EventData::default();
    let mut changes = Changes::new();
    let told = event.of_order();
    if let Some(told) = told
        && let Some(Then { record, left_out }) = known.order(told, event.at)
    {
        let order = names.order(&record, left_out);
        changes = differences(before(event, known, names).as_ref(), &order);
        data.order = Some(order);
    }
    match known.payment(event) {
        Some((recorded, _)) if is_sweep(event) => {
            data.sweep = Some(sweep(&recorded.transfer, names.shop));
        },
        Some((recorded, standing)) => {
            let was = known.status_before(event);
            let status = standing.status.into();
            note(&mut changes, "payment.status", json!(was), status);
            changes.extend(given(event));
            data.payment = Some(PaymentView::new(recorded, standing, None));
        },
        None => {},
    }
    if let Told::Chain(told) = &event.told {
        data.chain = Some(EventChain {
            chain_id: told.chain_id.get(),
            chain: names.shop.name_of(told.chain_id),
            detail: told.detail.clone(),
        });
    }
    if let Told::Endpoint(told) = &event.told {
        data.endpoint = Some(EventEndpoint {
            id: told.endpoint.to_string(),
            detail: told.detail.clone(),
        });
    }
    EventView {
        id: event.id.clone(),
        kind: event.kind(),
        version: VERSION,
        sequence: event.seq,
        order_sequence: told.map(|told| told.order_seq),
        timestamp: time(event.at),
        data,
        changes,
    }
}

/// The sums and terms of the order before the change that `event` tells of.
fn before(event: &EventRecord, known: &Known<'_>, names: Names<'_>) -> Option<OrderView> {
    let before = known.before(event.of_order()?)?;
    let Then { mut record, .. } = known.order(before.of_order()?, before.at)?;
    // Nobody asks for these.
    record.order.options.clear();
    record.payments.clear();
    record.refunds.clear();
    Some(names.order(&record, 0))
}

fn is_sweep(event: &EventRecord) -> bool {
    let sweeps = [EventKind::SweepCompleted, EventKind::SweepReverted];
    sweeps.map(EventKind::name).contains(&event.kind())
}

fn sweep(transfer: &Transfer, shop: &Shop) -> EventSweep {
    let chain_id = transfer.id.chain_id;
    let written = |of| address(chain_id, of);
    EventSweep {
        chain_id: chain_id.get(),
        chain: shop.name_of(chain_id),
        address: written(transfer.from),
        treasury: written(transfer.to),
        token: written(transfer.token),
        amount: transfer.amount.to_string(),
        tx_hash: transfer.tx_hash.to_string(),
        payment: transfer.payment_id().to_string(),
    }
}

/// Which order an operator gave a payment to, or took it from.
fn given(event: &EventRecord) -> Option<(&'static str, Change)> {
    let told = event.of_order()?;
    let id = |order: OrderId| Value::from(order.to_string());
    let (from, to) = if told.event.kind == EventKind::PaymentAssigned {
        (Value::Null, id(told.order_id))
    } else if told.event.kind == EventKind::PaymentUnassigned {
        (id(told.order_id), Value::Null)
    } else {
        return None;
    };
    Some(("payment.order", Change { from, to }))
}
