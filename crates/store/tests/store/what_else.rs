//! What receivers said of payments, money that was sent, and addresses that issuers froze.

use std::collections::BTreeSet;

use paywatch_core::{
    Address, BlockRef, Claim, ContractPayment, Loose, Order, PaymentMethod, TokenNotice,
    TokenNoticeKind, Transfer,
};
use paywatch_store::{BookedPlace, Touch};

use crate::books::{Books, address, at, chain, hash, order, usdt};
use crate::line::{Line, block, pay};

on_both_engines!(
    a_payment_through_a_receiver_is_the_named_orders,
    what_was_said_of_a_payment_is_kept,
    what_was_sent_is_kept,
    frozen_addresses_come_and_go_with_their_blocks,
    an_order_that_nothing_waits_for_is_touched_by_a_strike,
);

const RECEIVER: Address = Address::repeat_byte(0x50);
const TREASURY: Address = Address::repeat_byte(0xEE);

/// Order `number`, which may be paid through the receiver on chain 1 only.
fn contract_order(number: u64) -> Order {
    let mut order = order(number);
    order
        .options
        .retain(|option| option.token.chain_id == chain(1));
    for option in &mut order.options {
        option.address = TREASURY;
        option.method = PaymentMethod::Contract { receiver: RECEIVER };
    }
    assert!(!order.options.is_empty());
    order
}

/// The payment of `paid` to the treasury for `order`, as log `log_index` of block 2.
fn through(chain_id: u64, named: &Order, paid: (&str, u64)) -> Transfer {
    let mut transfer = pay(chain_id, block(chain_id, 2, 0), named, paid);
    transfer.to = TREASURY;
    transfer.paid_through = Some(ContractPayment {
        receiver: RECEIVER,
        payer: address(0xF1, 7),
        order_ref: named.id.to_contract_ref(),
    });
    transfer
}

async fn a_payment_through_a_receiver_is_the_named_orders(books: Books) {
    let named = books.expects(contract_order(1)).await;
    let deposit = books.expects(order(2)).await;
    let unknown = contract_order(3);
    let to_deposit = Transfer {
        to: deposit.options[0].address,
        ..through(1, &named, ("5", 3))
    };
    let said_nothing = Transfer {
        paid_through: None,
        ..through(1, &named, ("5", 5))
    };
    let cases = [
        (through(1, &named, ("5", 0)), Claim::Order(named.id)),
        (through(1, &deposit, ("5", 1)), Claim::Nobody),
        (through(1, &unknown, ("5", 2)), Claim::Nobody),
        (to_deposit, Claim::Order(deposit.id)),
        (through(56, &named, ("5", 4)), Claim::Nobody),
        (said_nothing, Claim::Nobody),
    ];
    let transfers: Vec<_> = cases.iter().map(|(transfer, _)| transfer).collect();
    let claims = books.store.claims(&transfers).await.unwrap();
    for (transfer, claim) in &cases {
        assert_eq!(claims[&transfer.id].claim, *claim, "{transfer:?}");
    }
}

async fn what_was_said_of_a_payment_is_kept(books: Books) {
    let named = books.expects(contract_order(1)).await;
    let paid = through(1, &named, ("5", 0));
    let mut line = Line::new(1);
    let mut update = line.update(&books.store, 0, 1..=3, &[]).await.unwrap();
    update.loose = vec![(paid.clone(), Loose::Moved)];
    books.store.commit_update(&update).await.unwrap();
    line.heads = Some(update.heads);
    let id = paid.payment_id();
    let kept = books.store.payment(&id).await.unwrap().unwrap();
    assert_eq!(kept.recorded.transfer, paid);

    let unproved = books.store.unproved_blocks(chain(1)).await.unwrap();
    assert_eq!(
        unproved.len(),
        1,
        "what a receiver is said to have said is shown"
    );

    // Struck and told anew, it says what it really says.
    let other = Transfer {
        paid_through: None,
        ..paid.clone()
    };
    let mut update = line.update(&books.store, 0, 4..=4, &[]).await.unwrap();
    update.disproved = vec![paid.id];
    update.loose = vec![(other.clone(), Loose::Moved)];
    books.store.commit_update(&update).await.unwrap();
    let kept = books.store.payment(&id).await.unwrap().unwrap();
    assert_eq!(kept.recorded.transfer, other);
    assert_eq!(kept.reverted_at, None);
}

async fn what_was_sent_is_kept(books: Books) {
    let sent = Transfer {
        paid_through: None,
        to: address(0x7E, 1),
        from: TREASURY,
        ..through(1, &order(1), ("5", 0))
    };
    let line = Line::new(1);
    let mut update = line.update(&books.store, 0, 1..=3, &[]).await.unwrap();
    update.loose = vec![(sent.clone(), Loose::Sent)];
    books.store.commit_update(&update).await.unwrap();
    let kept = books.store.payment(&sent.payment_id()).await.unwrap();
    let kept = kept.unwrap();
    assert_eq!(kept.place, BookedPlace::Loose(Loose::Sent));
    assert_eq!(kept.recorded.transfer, sent);
    let unproved = books.store.unproved_blocks(chain(1)).await.unwrap();
    let block = BlockRef {
        number: sent.block_number,
        hash: sent.id.block_hash,
    };
    assert_eq!(unproved, [block], "it may be a refund, which is proved");
}

fn notice((number, log_index): (u64, u64), kind: TokenNoticeKind) -> TokenNotice {
    TokenNotice {
        chain_id: chain(1),
        token: usdt(1).address,
        block: BlockRef {
            number,
            hash: block(1, number, 0).hash,
        },
        tx_hash: hash(0xEE, number),
        log_index,
        kind,
    }
}

async fn frozen_addresses_come_and_go_with_their_blocks(books: Books) {
    let frozen = |place| notice(place, TokenNoticeKind::Frozen { address: TREASURY });
    let released = |place| notice(place, TokenNoticeKind::Released { address: TREASURY });
    let since = async || {
        let frozen = books.store.frozen(Some(chain(1))).await.unwrap();
        let blocks = frozen.iter().map(|frozen| frozen.since_block);
        blocks.collect::<Vec<_>>()
    };
    let mut line = Line::new(1);
    let mut covers = async |branch, numbers, freezes| {
        let mut update = line
            .update(&books.store, branch, numbers, &[])
            .await
            .unwrap();
        update.freezes = freezes;
        books.store.commit_update(&update).await.unwrap();
        line.heads = Some(update.heads);
    };
    // In one block and in any order: the last word counts.
    covers(
        0,
        1..=2,
        vec![frozen((2, 9)), released((2, 5)), frozen((2, 1))],
    )
    .await;
    assert_eq!(since().await, [2]);
    covers(0, 3..=3, vec![frozen((3, 0))]).await;
    assert_eq!(since().await, [2], "it was frozen before");
    covers(0, 4..=4, vec![released((4, 0))]).await;
    assert_eq!(since().await, []);
    covers(0, 5..=5, vec![frozen((5, 0))]).await;
    assert_eq!(since().await, [5]);
    covers(1, 5..=5, vec![]).await;
    assert_eq!(since().await, []);
    covers(1, 4..=4, vec![]).await;
    assert_eq!(since().await, [2], "its release never happened");
    let elsewhere = books.store.frozen(Some(chain(56))).await.unwrap();
    assert_eq!(elsewhere, []);
    let [all] = books.store.frozen(None).await.unwrap().try_into().unwrap();
    assert_eq!((all.address, all.token), (TREASURY, usdt(1).address));
    covers(1, 1..=4, vec![]).await;
    assert_eq!(since().await, []);
}

async fn an_order_that_nothing_waits_for_is_touched_by_a_strike(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=9, &[(2, &order, "100")])
        .await
        .unwrap();
    let payment = books.order(&order).await.payments[0].recorded.transfer.id;
    let touch = Touch {
        chain_id: chain(1),
        orders: BTreeSet::new(),
        loose: BTreeSet::new(),
        sent: Vec::new(),
        struck: [payment].into(),
        retract_above: None,
        covered_time: at(0),
        most_due: 10,
    };
    let touched = books.store.books_to_assess(&touch).await.unwrap();
    let ids: Vec<_> = touched.books.iter().map(|book| book.order.id).collect();
    assert_eq!(ids, [order.id]);
}
