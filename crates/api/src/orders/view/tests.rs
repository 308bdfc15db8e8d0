//! Records as the API shows them.

use paywatch_core::{
    Amount, B256, Block, ChainHeads, ChainId, IgnoredBecause, PaymentState, RecordedTransfer,
    Transfer, TransferId,
};
use paywatch_store::PaymentRecord;
use serde_json::{Value, json};

use super::*;
use crate::samples::{record, shop};
use crate::wire::address;

/// So long after the order was made.
fn at(seconds_later: u64) -> Timestamp {
    let made_at = 1_700_000_000_u64;
    Timestamp::from_unix_s(made_at.saturating_add(seconds_later)).unwrap()
}

fn chain() -> ChainId {
    ChainId::new(31_337).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn payment_of(text: &str, state: PaymentState) -> PaymentRecord {
    let transfer = Transfer {
        id: TransferId {
            chain_id: chain(),
            block_hash: B256::repeat_byte(0xbb),
            log_index: 3,
        },
        block_number: 12,
        block_timestamp: at(60),
        tx_hash: B256::repeat_byte(0xdd),
        token: paywatch_core::Address::repeat_byte(0x55),
        from: paywatch_core::Address::repeat_byte(0x11),
        to: paywatch_core::Address::repeat_byte(0x22),
        amount: amount(text),
        paid_through: None,
    };
    PaymentRecord {
        recorded: RecordedTransfer::from(transfer),
        state,
        is_late: false,
        detected_at: at(61),
        reverted_at: None,
    }
}

/// The chain covered up to block `number`, which was made `seconds_later`; nothing is frozen.
fn heads(number: u64, seconds_later: u64) -> Present {
    let tip = Block {
        number,
        hash: B256::repeat_byte(1),
        parent_hash: B256::repeat_byte(2),
        timestamp: at(seconds_later),
    };
    Present {
        heads: [(chain(), ChainHeads::starting_at(chain(), tip))].into(),
        ..Present::default()
    }
}

fn shown(record: &OrderRecord, heads: &Present, now: Timestamp) -> Value {
    serde_json::to_value(order(record, heads, &shop(), None, now)).unwrap()
}

#[test]
fn a_partly_paid_order_says_what_remains() {
    let mut record = record();
    record.payments = vec![payment_of("40", PaymentState::Confirmed)];
    record.snapshot.status = OrderStatus::PartiallyPaid;
    record.snapshot.received = amount("42.5");
    record.snapshot.counted = amount("40");
    record.snapshot.confirmed = amount("40");
    let shown = shown(&record, &heads(14, 120), at(130));
    for (name, value) in [
        ("id", json!("ord_07070707070707070707070707070707")),
        ("status", json!("partially_paid")),
        ("flags", json!([])),
        ("amount", json!("100")),
        ("received", json!("42.5")),
        ("confirmed", json!("40")),
        ("remaining", json!("60")),
        ("excess", json!("0")),
        ("ignored", json!("2.5")),
        ("waiting_for_chains", json!([])),
        ("late_policy", json!("accept")),
        ("created_at", json!("2023-11-14T22:13:20.000Z")),
        ("expires_at", json!("2023-11-14T23:13:20.000Z")),
        ("metadata", json!({})),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    let to = address(
        record.order.options[0].token.chain_id,
        record.order.options[0].address,
    );
    let token = "0x5555555555555555555555555555555555555555";
    let option = |chain_id: u64, chain: &str, decimals: u8, units: &str| {
        json!({
            "chain_id": chain_id, "chain": chain,
            "token": {"symbol": "USDT", "address": token, "decimals": decimals},
            "method": "deposit_address", "address": to,
            "amount": "100", "amount_base_units": units, "call": null,
            "uri": format!("ethereum:{token}@{chain_id}/transfer?address={to}&uint256={units}"),
        })
    };
    assert_eq!(
        shown["options"],
        json!([
            option(31_337, "anvil", 6, "100000000"),
            option(56, "bnb", 18, "100000000000000000000"),
        ])
    );
    let paid = &shown["payments"][0];
    assert_eq!(paid["tx_hash"], json!(format!("0x{}", "dd".repeat(32))));
    assert_eq!(
        (&paid["log_index"], &paid["block_number"]),
        (&json!(3), &json!(12))
    );
    assert_eq!(
        (&paid["status"], &paid["confirmations"]),
        (&json!("confirmed"), &json!(3))
    );
    assert_eq!(
        (&paid["amount"], &paid["late"]),
        (&json!("40"), &json!(false))
    );
    assert_eq!(paid["id"].as_str().unwrap().len(), "pay_".len() + 32);
}

#[test]
fn a_payment_says_what_it_is_to_the_order() {
    for (state, reverted_at, status, confirmations) in [
        (PaymentState::Seen, None, "detected", 3),
        (PaymentState::Confirmed, None, "confirmed", 3),
        (PaymentState::Confirmed, Some(at(90)), "reverted", 0),
        (PaymentState::Seen, Some(at(90)), "reverted", 0),
        (
            PaymentState::Ignored(IgnoredBecause::NotAccepted),
            None,
            "not_accepted",
            3,
        ),
        (
            PaymentState::Ignored(IgnoredBecause::HeldLate),
            None,
            "held_late",
            3,
        ),
        (
            PaymentState::Ignored(IgnoredBecause::OrderCancelled),
            None,
            "order_cancelled",
            3,
        ),
    ] {
        let mut record = record();
        record.payments = vec![PaymentRecord {
            reverted_at,
            ..payment_of("1", state)
        }];
        let shown = &shown(&record, &heads(14, 120), at(130))["payments"][0];
        assert_eq!(shown["status"], json!(status));
        assert_eq!(shown["confirmations"], json!(confirmations), "{status}");
    }
}

#[test]
fn only_an_overdue_open_order_waits_for_chains() {
    let (deadline, behind) = (3_600, heads(14, 120));
    let ahead = heads(400, deadline + 1);
    let mut record = record();
    for (status, heads, now, waits_for) in [
        (OrderStatus::AwaitingPayment, &behind, deadline, vec![]),
        (
            OrderStatus::AwaitingPayment,
            &behind,
            deadline + 1,
            vec!["bnb", "anvil"],
        ),
        (
            OrderStatus::PartiallyPaid,
            &ahead,
            deadline + 1,
            vec!["bnb"],
        ),
        (OrderStatus::Paid, &behind, deadline + 1, vec![]),
        (OrderStatus::Completed, &behind, deadline + 1, vec![]),
        (OrderStatus::Expired, &behind, deadline + 1, vec![]),
        (OrderStatus::Cancelled, &behind, deadline + 1, vec![]),
    ] {
        record.snapshot.status = status;
        let shown = shown(&record, heads, at(now));
        assert_eq!(
            shown["waiting_for_chains"],
            json!(waits_for),
            "{status} at {now}"
        );
    }
}

#[test]
fn a_chain_that_is_configured_no_longer_goes_by_its_number() {
    let mut shop = shop();
    shop.chains.retain(|chain| chain.name != "bnb");
    let shown = order(&record(), &heads(14, 120), &shop, None, at(9_999));
    assert_eq!(shown.options[1].chain, "56");
    assert_eq!(shown.waiting_for_chains.unwrap(), ["56", "anvil"]);
}

#[test]
fn a_payment_to_a_frozen_address_says_so() {
    let mut record = record();
    record.payments = vec![payment_of("40", PaymentState::Confirmed)];
    let mut present = heads(14, 120);
    let is_frozen =
        |present: &Present| shown(&record, present, at(130))["payments"][0]["frozen"].clone();
    assert_eq!(is_frozen(&present), json!(false));
    let paid = &record.payments[0].recorded.transfer;
    let (token, to) = (paid.token, paid.to);
    present.frozen.insert((chain(), to, token));
    assert_eq!(is_frozen(&present), json!(false));
    present.frozen.insert((chain(), token, to));
    assert_eq!(is_frozen(&present), json!(true));
}
