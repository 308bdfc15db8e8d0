//! Answers as nodes give them, and as they should not.

use std::sync::Arc;

use alloy_primitives::U256;
use serde_json::{Value, json};

use super::*;
use crate::{NOTICE_TOPICS, PAID_TOPIC, RecipientSet};

const TOKEN: Address = Address::repeat_byte(0x70);
const RANGE: LogQuery = LogQuery::Range { from: 5, to: 9 };

fn word(byte: u8) -> B256 {
    Address::repeat_byte(byte).into_word()
}

fn log(number: u64, to: u8) -> Value {
    json!({
        "address": TOKEN,
        "topics": [TRANSFER_TOPIC, word(0xaa), word(to)],
        "data": B256::from(U256::from(1_000_000)),
        "blockNumber": format!("{number:#x}"),
        "blockHash": B256::repeat_byte(1),
        "blockTimestamp": "0x1",
        "transactionHash": B256::repeat_byte(2),
        "transactionIndex": "0x0",
        "logIndex": "0x3",
        "removed": false,
    })
}

fn read(logs: &[Value], filter: &LogFilter) -> Result<LogAnswer, LogsError> {
    read_logs(&Value::from(logs.to_vec()).to_string(), &RANGE, filter)
}

fn contradiction(log: Value) -> Contradiction {
    match read(&[log], &LogFilter::of(vec![TOKEN])) {
        Err(LogsError::Contradiction(contradiction)) => contradiction,
        other => panic!("{other:?}"),
    }
}

#[test]
fn transfers_are_read_and_counted() {
    let answer = read(&[log(5, 1), log(9, 2)], &LogFilter::of(vec![TOKEN])).unwrap();
    assert_eq!(answer.seen, 2);
    let first = answer.transfers.first().unwrap();
    assert_eq!((first.block_number, first.log_index), (5, 3));
    assert_eq!(first.to, Address::repeat_byte(1));
    assert_eq!(first.value, U256::from(1_000_000));
}

#[test]
fn only_what_goes_to_the_watched_is_kept() {
    let watched: RecipientSet = [Address::repeat_byte(2)].into_iter().collect();
    let filter = LogFilter {
        recipients: Some(Arc::new(watched)),
        ..LogFilter::of(vec![TOKEN])
    };
    let answer = read(&[log(5, 1), log(9, 2)], &filter).unwrap();
    assert_eq!((answer.seen, answer.transfers.len()), (2, 1));
    // An address that is none must not pass as somebody else's money.
    let mut dirty = log(5, 1);
    dirty["topics"][2] = json!(B256::repeat_byte(2));
    assert!(read(&[dirty], &filter).is_err());
}

#[test]
fn what_leaves_what_receivers_say_and_what_issuers_do_is_read() {
    let (own, receiver) = (Address::repeat_byte(0xee), Address::repeat_byte(0x50));
    let filter = LogFilter {
        recipients: Some(Arc::new([own].into_iter().collect())),
        senders: Arc::new([own].into_iter().collect()),
        receivers: vec![receiver],
        ..LogFilter::of(vec![TOKEN])
    };
    let mut sent = log(5, 2);
    sent["topics"][1] = json!(word(0xee));
    let mut paid = log(6, 2);
    let order_ref = B256::repeat_byte(9);
    paid["address"] = json!(receiver);
    paid["topics"] = json!([PAID_TOPIC, word(1), word(0xee), order_ref]);
    let data = [TOKEN.into_word().0, U256::from(5).to_be_bytes()].concat();
    paid["data"] = json!(hex::encode_prefixed(data));
    let mut to_another = paid.clone();
    to_another["topics"][2] = json!(word(2));
    let mut notice = log(7, 2);
    notice["topics"] = json!([NOTICE_TOPICS[0], word(0xee)]);
    notice["data"] = json!("0x");
    let mut approval = log(7, 2);
    approval["topics"][0] = json!(B256::repeat_byte(7));
    let stranger = log(5, 2);
    let all = [
        sent,
        paid.clone(),
        to_another,
        notice.clone(),
        approval,
        stranger,
    ];
    let answer = read(&all, &filter).unwrap();
    assert_eq!(answer.seen, 2, "transfers");
    let [transfer] = answer.transfers.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(transfer.from, own);
    let [told] = answer.paid.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!((told.receiver, told.said.order_ref), (receiver, order_ref));
    assert_eq!(told.place.block_number, 6);
    let [told] = answer.notices.as_slice() else {
        panic!("{answer:?}")
    };
    let frozen = paywatch_core::TokenNoticeKind::Frozen { address: own };
    assert_eq!((told.token, &told.kind), (TOKEN, &frozen));
    for mut removed in [paid, notice] {
        removed["removed"] = json!(true);
        assert!(read(&[removed], &filter).is_err());
    }
}

#[test]
fn what_was_not_asked_for_is_a_contradiction() {
    assert!(matches!(
        contradiction(log(10, 1)),
        Contradiction::ForeignLog { number: 10, .. }
    ));
    let mut foreign = log(5, 1);
    foreign["address"] = json!(Address::repeat_byte(0x71));
    assert!(matches!(
        contradiction(foreign),
        Contradiction::ForeignToken { .. }
    ));
}

#[test]
fn what_is_pending_removed_or_no_hex_is_refused() {
    let mut pending = log(5, 1);
    pending["blockHash"] = Value::Null;
    assert_eq!(
        contradiction(pending),
        Contradiction::Undecodable(DecodeError::Pending { token: TOKEN })
    );
    let mut removed = log(5, 1);
    removed["removed"] = json!(true);
    assert_eq!(
        contradiction(removed),
        Contradiction::Undecodable(DecodeError::Removed { token: TOKEN })
    );
    for (field, text) in [("data", "0x1"), ("blockNumber", "7"), ("logIndex", "0xzz")] {
        let mut odd = log(5, 1);
        odd[field] = json!(text);
        let field_named = contradiction(odd);
        assert!(
            matches!(field_named, Contradiction::Unreadable { field: named, .. } if named == field),
            "{field_named:?}"
        );
    }
    let mut five = log(5, 1);
    five["topics"] = json!([word(1), word(2), word(3), word(4), word(5)]);
    assert!(matches!(
        read(&[five], &LogFilter::of(vec![TOKEN])),
        Err(LogsError::Unreadable(_))
    ));
}

/// A fixture of Tron beside the checkout, or nothing where there is none.
#[expect(clippy::print_stdout, reason = "it says what it skipped")]
fn tron(name: &str) -> Option<Value> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/fixtures/tron")
        .join(name);
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: there is no {name} in shared/fixtures beside the checkout");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn a_transfer_on_tron_is_read_as_on_any_chain() {
    let Some(fixture) = tron("usdt_transfer_log_vector.json") else {
        return;
    };
    let mut log = log(7, 0xbb);
    for field in ["address", "topics", "data"] {
        log[field] = fixture["log"][field].clone();
    }
    let expected = &fixture["expected"];
    let address = |field: &str| {
        let text = expected[field].as_str().unwrap();
        paywatch_core::read_tron_address(text).unwrap()
    };
    let filter = LogFilter::of(vec![address("contract")]);
    let answer = read(&[log], &filter).unwrap();
    let [transfer] = answer.transfers.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (transfer.from, transfer.to),
        (address("from"), address("to"))
    );
    assert_eq!(
        transfer.value.to_string(),
        expected["value"].as_str().unwrap()
    );
}

#[test]
fn a_block_of_tron_is_read_though_it_lacks_what_others_have() {
    let Some(fixture) = tron("nile_eth_getBlockByNumber_0x3fe1c00.json") else {
        return;
    };
    let header: crate::rpc::wire::WireHeader =
        serde_json::from_value(fixture["result"].clone()).unwrap();
    let header = header.to_header().unwrap();
    assert_eq!(header.block.number, 0x3fe_1c00);
}
