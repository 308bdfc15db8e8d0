//! What happened.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::{Order, Payment};

/// Something that happened, with what it is about as that was then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Event {
    /// Its id, `evt_…`: the same however often it is told.
    pub id: String,
    /// What happened, such as `order.paid`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version of `data` and `changes`.
    pub version: u32,
    /// Its place in the log of all events: 1, 2, 3 and so on, without gaps.
    pub sequence: u64,
    /// Its place among the order's events, if it is about one.
    pub order_sequence: Option<u64>,
    /// When it was written.
    pub timestamp: String,
    /// What it is about.
    pub data: EventData,
    /// What changed, by its place within `data`.
    pub changes: BTreeMap<String, Change>,
}

/// What an event is about, as it was after the change that it tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct EventData {
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// The payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// The flush of a deposit address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<EventSweep>,
    /// The chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<EventChain>,
    /// Who is told of events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EventEndpoint>,
}

/// The endpoint that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct EventEndpoint {
    /// Its id, `ep_…`.
    pub id: String,
    /// The circumstances, in words for people.
    pub detail: String,
}

/// A deposit address that was flushed to its treasury.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct EventSweep {
    /// The chain's id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The deposit address.
    pub address: String,
    /// Where the money is now.
    pub treasury: String,
    /// The token's contract.
    pub token: String,
    /// How much it was.
    pub amount: String,
    /// The transaction.
    pub tx_hash: String,
    /// The transfer's id, `pay_…`.
    pub payment: String,
}

/// The chain that an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct EventChain {
    /// The chain's id.
    pub chain_id: u64,
    /// The chain's name.
    pub chain: String,
    /// The circumstances, in words for people.
    pub detail: String,
}

/// What something was and what it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Change {
    /// What it was; null if there was nothing, or nothing known.
    pub from: Value,
    /// What it is.
    pub to: Value,
}

/// A page of events, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct EventPage {
    /// The events.
    pub data: Vec<Event>,
    /// Where to go on: up to here the log was read.
    pub next_after: u64,
    /// Whether there may be more already.
    pub has_more: bool,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ListEvents {
    /// Only events after this place in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Names, separated by commas; `order.*` is all that begin so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<String>,
    /// The order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// How many at most; not for streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How many seconds to wait for the first, at most 30; not for streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What is printed of an event with these `data`.
    fn again(data: &Value) -> Value {
        let event = json!({"id": "evt_1", "type": "x.y", "version": 1, "sequence": 7,
            "order_sequence": null, "timestamp": "2026-11-23T14:50:12.120Z", "data": data,
            "changes": {}});
        let read: Event = serde_json::from_value(event.clone()).unwrap();
        let printed = serde_json::to_value(&read).unwrap();
        assert_eq!(printed, event);
        printed["data"].clone()
    }

    #[test]
    fn an_alarm_keeps_its_words() {
        let data = json!({"endpoint": {"id": "ep_1", "detail": "shop takes nothing"}});
        assert_eq!(again(&data), data);
    }

    #[test]
    fn what_an_event_does_not_say_is_not_made_up() {
        let (id, hash) = ("pay_1", "0x11");
        let payment = json!({"id": id, "order": "ord_1", "chain_id": 1, "tx_hash": hash,
            "log_index": 0, "block_number": 9, "block_hash": hash, "token": "0x55", "from": "0x1",
            "to": "0x2", "amount": "40", "status": "detected", "assigned": false, "late": false,
            "detected_at": "2026-11-23T14:50:12.120Z"});
        let sent = json!({"id": id, "tx_hash": hash, "block_number": 9, "from": "0x2", "to": "0x1",
            "amount": "40"});
        let refund = json!({"id": "ref_1", "order": "ord_1", "reference": "R-1", "status": "sent",
            "chain_id": 1, "chain": "ethereum", "to": "0x1", "amount": "40",
            "token": {"symbol": "USDT", "address": "0x55", "decimals": 6},
            "amount_base_units": "40000000", "reason": "too much", "send_from": [],
            "transaction": null, "uri": null, "qr": null, "payment": sent, "warnings": [],
            "created_at": "", "cancelled_at": null});
        let order = json!({"id": "ord_1", "reference": "A", "status": "paid", "flags": [],
            "amount": "40", "any_amount": false, "tolerance": "0", "accepted": null,
            "received": "40", "confirmed": "0", "remaining": "0", "excess": "0", "ignored": "0",
            "refunded": "0", "options": [], "payments": [payment], "payments_left_out": 3,
            "refunds": [refund], "checkout_url": null, "late_policy": "hold", "expires_at": "",
            "created_at": "", "updated_at": "", "metadata": {}});
        let data = json!({"order": order, "payment": payment});
        assert_eq!(again(&data), data);
    }
}
