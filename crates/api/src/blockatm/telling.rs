//! What that gateway's webhooks say of a payment: once when it is seen, once when it is final, and once
//! if it leaves its chain.

use paywatch_core::{EventKind, MethodKind};
use paywatch_store::{EventRecord, OrderRecord};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::blockatm::create::CUSTOMER;
use crate::blockatm::message::fields_of;
use crate::events::then::Known;
use crate::state::Shop;

/// A webhook of that gateway.
pub(crate) struct GatewayTelling {
    /// Its JSON.
    pub(crate) body: String,
    /// What is signed, without the time.
    pub(crate) signed_as: String,
    /// Its header `BlockATM-Event`.
    pub(crate) event: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    amount: &'a RawValue,
    chain_id: u64,
    create_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cust_no: Option<&'a str>,
    fee: u8,
    network: String,
    order_no: &'a str,
    plat_order_no: String,
    status: i8,
    symbol: &'a str,
    tx_id: String,
    #[serde(rename = "type")]
    kind: u8,
}

/// What `event` is to that gateway's webhooks; `None` if they say nothing of such a thing.
pub(crate) fn telling(
    event: &EventRecord,
    known: &Known<'_>,
    shop: &Shop,
) -> Option<GatewayTelling> {
    let told = event.of_order()?;
    let status = status(told.event.kind)?;
    let OrderRecord { order, .. } = known.now(told.order_id)?;
    let (paid, _) = known.payment(event)?;
    let transfer = &paid.transfer;
    let option = order.option_for(transfer)?;
    let (kind, name) = match option.method.kind() {
        MethodKind::Contract => (1, "Payment"),
        MethodKind::DepositAddress | MethodKind::ExactAmount => (2, "QR-Payment"),
    };
    let chain_id = transfer.id.chain_id;
    let amount = RawValue::from_string(transfer.amount.to_string()).ok()?;
    let body = serde_json::to_string(&Body {
        amount: &amount,
        chain_id: chain_id.get(),
        create_time: event.at.unix_ms(),
        cust_no: order.metadata.get(CUSTOMER).map(String::as_str),
        fee: 0,
        network: shop.name_of(chain_id),
        order_no: order.reference.as_str(),
        plat_order_no: order.id.to_string(),
        status,
        symbol: &option.token.symbol,
        tx_id: transfer.tx_hash.to_string(),
        kind,
    })
    .ok()?;
    let signed_as = fields_of(&body).ok()?;
    Some(GatewayTelling {
        body,
        signed_as,
        event: name,
    })
}

/// What that gateway's webhooks call what happened; `None` for what they say nothing of, which is all
/// but the types of [`EventFormat::BlockAtm`](paywatch_core::EventFormat::BlockAtm).
const fn status(kind: EventKind) -> Option<i8> {
    match kind {
        EventKind::PaymentDetected | EventKind::PaymentAssigned => Some(0),
        EventKind::PaymentConfirmed => Some(1),
        EventKind::PaymentReverted | EventKind::PaymentUnassigned => Some(-1),
        EventKind::OrderCreated
        | EventKind::OrderPartiallyPaid
        | EventKind::OrderPaid
        | EventKind::OrderCompleted
        | EventKind::OrderOverpaid
        | EventKind::OrderExpired
        | EventKind::OrderLatePayment
        | EventKind::OrderReverted
        | EventKind::OrderCancelled
        | EventKind::OrderExtended
        | EventKind::OrderResolved
        | EventKind::OrderRefunded
        | EventKind::OrderRefundReverted
        | EventKind::PaymentUnmatched
        | EventKind::PaymentWrongAsset
        | EventKind::PaymentWrittenOff
        | EventKind::SweepCompleted
        | EventKind::SweepReverted => None,
    }
}

#[cfg(test)]
mod tests {
    use paywatch_core::EventFormat;

    use super::*;

    #[test]
    fn it_has_words_for_what_the_form_is_told_of() {
        let types = EventFormat::BlockAtm.types();
        for kind in EventKind::ALL {
            assert_eq!(status(kind).is_some(), types.has(kind.name()), "{kind:?}");
        }
    }
}
