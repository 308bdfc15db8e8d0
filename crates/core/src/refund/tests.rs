//! Refunds by themselves.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "small numbers, and a test that overflows fails"
)]

mod histories;

use std::collections::BTreeMap;

use alloy_primitives::{B256, U256};

use super::*;
use crate::{Block, ChainHeads, ChainId, ContractPayment, Decimals, Tags};

const STEP_S: u64 = 60;

fn chain() -> ChainId {
    ChainId::new(1).unwrap()
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn somebody(number: u8) -> Address {
    Address::repeat_byte(number.wrapping_add(0x40))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_s(seconds).unwrap()
}

/// A refund of `amount` to `to`, prepared after so many seconds.
fn refund(number: u8, to: u8, units: &str, seconds: u64) -> RecordedRefund {
    RecordedRefund::prepared(Refund {
        id: RefundId::from_bytes([number; 16]),
        order: OrderId::from_bytes([7; 16]),
        reference: format!("R-{number}").parse().unwrap(),
        token: Token {
            chain_id: chain(),
            address: Address::repeat_byte(1),
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(6).unwrap(),
        },
        to: somebody(to),
        amount: amount(units),
        reason: "sent back".parse().unwrap(),
        finality: FinalityRule::confirmations(2).unwrap(),
        created_at: at(seconds),
        cancelled_at: None,
    })
}

/// A transfer of `amount` to `to`, whose transaction is `tx`, in block `number` of a branch.
fn transfer(tx: u64, to: u8, units: &str, (number, branch): (u64, u64)) -> Transfer {
    Transfer {
        id: TransferId {
            chain_id: chain(),
            block_hash: hash(number, branch),
            log_index: tx,
        },
        block_number: number,
        block_timestamp: at(number * STEP_S),
        tx_hash: B256::from(U256::from(tx)),
        token: Address::repeat_byte(1),
        from: Address::repeat_byte(2),
        to: somebody(to),
        amount: amount(units),
        paid_through: None,
    }
}

fn hash(number: u64, branch: u64) -> B256 {
    B256::from(U256::from(number * 1_000 + branch))
}

fn heads(number: u64, before: Option<&Heads>) -> Heads {
    let tip = Block {
        number,
        hash: hash(number, 0),
        parent_hash: B256::ZERO,
        timestamp: at(number * STEP_S),
    };
    let moved = before
        .and_then(|heads| heads.get(&chain()))
        .map_or(ChainHeads::starting_at(chain(), tip), |heads| {
            heads.moved_to(tip, Tags::default())
        });
    Heads::from([(chain(), moved)])
}

fn numbers(matched: &BTreeMap<RefundId, &Transfer>) -> Vec<(RefundId, u64)> {
    let pairs = matched.iter();
    pairs.map(|(id, sent)| (*id, sent.id.log_index)).collect()
}

#[test]
fn only_what_was_prepared_is_recognised() {
    let prepared = [refund(1, 5, "40", 600)];
    let sent = transfer(1, 5, "40", (10, 0));
    let other = |change: fn(&mut Transfer)| {
        let mut other = sent.clone();
        change(&mut other);
        match_refunds(&prepared, [&other]).is_empty()
    };
    assert_eq!(match_refunds(&prepared, [&sent, &sent]).len(), 1);
    assert!(other(|it| it.amount = amount("39.999999")));
    assert!(other(|it| it.to = somebody(6)));
    assert!(other(|it| it.token = Address::repeat_byte(9)));
    assert!(other(|it| it.id.chain_id = ChainId::new(56).unwrap()));
    assert!(other(|it| it.block_timestamp = at(600 - 121)), "before it");
    assert!(
        !other(|it| it.block_timestamp = at(600 - 120)),
        "clocks differ"
    );
    let given_up = prepared[0].cancel(at(601)).unwrap().unwrap();
    assert_eq!(given_up.cancel(at(602)), Ok(None));
    assert!(match_refunds(&[given_up], [&sent]).is_empty());
}

#[test]
fn the_oldest_is_sent_first_and_what_is_mined_anew_stays_where_it_was() {
    let [old, new] = [refund(9, 5, "40", 10), refund(1, 5, "40", 11)];
    let (first, second) = (transfer(1, 5, "40", (10, 0)), transfer(2, 5, "40", (10, 0)));
    let both = [new.clone(), old.clone()];
    let one = match_refunds(&both, [&first]);
    assert_eq!(numbers(&one), [(old.refund.id, 1)]);
    let two = match_refunds(&both, [&second, &first]);
    assert_eq!(numbers(&two), [(new.refund.id, 2), (old.refund.id, 1)]);

    let there = |recorded: &RecordedRefund, sent: &Transfer| RecordedRefund {
        outgoing: Outgoing::There(Box::new(sent.clone().into())),
        ..recorded.clone()
    };
    // The newer one was sent first, by an operator's word; then all of it was mined anew.
    let (new, old) = (there(&new, &first), there(&old, &second));
    assert!(match_refunds(&[new.clone(), old.clone()], [&first, &second]).is_empty());
    let lost = [new.without(|_| true), old.without(|_| true)];
    let again = [1, 2].map(|tx| transfer(tx, 5, "40", (11, 1)));
    let matched = match_refunds(&lost, &again);
    assert_eq!(
        numbers(&matched),
        [(lost[0].refund.id, 1), (lost[1].refund.id, 2)]
    );
}

#[test]
fn an_operator_links_what_was_not_sent_as_prepared_and_it_survives_a_reorg() {
    let prepared = refund(1, 5, "40", 600);
    let sent = transfer(1, 6, "39.5", (3, 0));
    let linked = prepared.link(sent.clone().into()).unwrap();
    assert_eq!(
        Refundable::of(amount("100"), std::slice::from_ref(&linked)).refunded,
        amount("39.5"),
        "what was sent counts, not what was prepared"
    );
    assert!(matches!(linked.cancel(at(1)), Err(RefundRefusal::Sent(_))));
    let again = linked.link(sent.clone().into());
    assert!(matches!(again, Err(RefundRefusal::Sent(_))));
    let lost = linked.without(|_| true);
    assert!(lost.is_open());
    let mined_anew = transfer(1, 6, "39.5", (4, 1));
    assert_eq!(match_refunds(&[lost], [&mined_anew]).len(), 1);

    let mut other = sent.clone();
    other.token = Address::repeat_byte(9);
    let refused = prepared.link(other.into());
    assert_eq!(refused, Err(RefundRefusal::OtherToken));
    let given_up = prepared.cancel(at(1)).unwrap().unwrap();
    assert_eq!(given_up.link(sent.into()), Err(RefundRefusal::Cancelled));
}

#[test]
fn no_more_is_refunded_than_arrived() {
    let sent = refund(1, 5, "40", 0).link(transfer(1, 5, "41", (1, 0)).into());
    let cancelled = refund(3, 5, "9", 0).cancel(at(1)).unwrap().unwrap();
    let refunds = [sent.unwrap(), refund(2, 5, "30", 0), cancelled];
    let refundable = Refundable::of(amount("100"), &refunds);
    assert_eq!(refundable.left(), amount("29"));
    assert_eq!(refundable.check(amount("29")), Ok(()));
    assert!(refundable.check(Amount::ZERO).is_err());
    let refused = refundable.check(amount("29.01")).unwrap_err().to_string();
    assert_eq!(
        refused,
        "29.01 cannot be refunded: 100 arrived, of which 41 are refunded and 30 prepared, so 29 are left"
    );
    assert_eq!(Refundable::of(amount("50"), &refunds).left(), Amount::ZERO);
}

#[test]
fn only_who_plainly_paid_is_paid_back_there() {
    let paid = |change: fn(&mut Transfer)| {
        let mut transfer = transfer(1, 5, "40", (3, 0));
        change(&mut transfer);
        RecordedTransfer::from(transfer)
    };
    let by = |transfers: &[RecordedTransfer]| plain_payer(transfers, chain());
    let plain = paid(|_| {});
    assert_eq!(by(&[plain.clone(), plain.clone()]), Ok(plain.transfer.from));
    let elsewhere = paid(|it| it.id.chain_id = ChainId::new(56).unwrap());
    assert_eq!(by(&[elsewhere]), Err(NoPayer::NothingPaid));
    let another = paid(|it| it.from = somebody(9));
    assert_eq!(by(&[plain.clone(), another]), Err(NoPayer::Several));
    let minted = paid(|it| it.from = Address::ZERO);
    assert_eq!(by(&[plain.clone(), minted]), Err(NoPayer::Minted));
    let called = paid(|it| {
        it.paid_through = Some(ContractPayment {
            receiver: somebody(8),
            payer: somebody(9),
            order_ref: B256::ZERO,
        });
    });
    assert_eq!(by(&[called, plain]), Err(NoPayer::Contract));
}

#[test]
fn names_read_back() {
    for status in RefundStatus::ALL {
        assert_eq!(status.name().parse(), Ok(status));
    }
    assert!("lost".parse::<RefundStatus>().is_err());
}
