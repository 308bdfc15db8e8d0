//! Refunds are prepared once, follow what is sent for them, and never share a transfer.

use paywatch_core::{
    Amount, Cause, DecisionKind, FinalityRule, Heads, Order, Outgoing, RecordedRefund, Refund,
    RefundId, RefundState, Transfer, TransferId, reassess,
};
use paywatch_store::{NewDecision, NewRefund, OrderBooks, OrderChange, RefundRecord};

use crate::books::{Books, address, amount, at, chain, hash, order, usdt};
use crate::line::{Line, block};

mod deciding;

on_both_engines!(
    a_refund_is_sent_confirmed_and_told_once,
    a_refund_leaves_its_chain_and_comes_back_elsewhere,
    what_leaves_is_never_passed_over_in_silence,
    one_transfer_is_for_the_oldest_of_two_orders,
);

/// Refund `number` of `order`, to the recipient of that number.
fn refund(number: u8, order: &Order, units: &str, to: u64) -> RecordedRefund {
    let mut id = [0; 16];
    id[15] = number;
    RecordedRefund::prepared(Refund {
        id: RefundId::from_bytes(id),
        order: order.id,
        reference: format!("R-{number}").parse().unwrap(),
        token: usdt(1),
        to: address(0xC0, to),
        amount: amount(units),
        reason: "it came back broken".parse().unwrap(),
        finality: FinalityRule::confirmations(2).unwrap(),
        created_at: at(u64::from(number)),
        cancelled_at: None,
    })
}

/// A transfer of `units` to a recipient, in block `number` of a branch.
fn sent(tx: u64, to: u64, units: &str, (number, branch): (u64, u8)) -> Transfer {
    let block = block(1, number, branch);
    Transfer {
        id: TransferId {
            chain_id: chain(1),
            block_hash: block.hash,
            log_index: 50 + tx,
        },
        block_number: number,
        block_timestamp: block.timestamp,
        tx_hash: hash(0xDD, tx),
        token: usdt(1).address,
        from: address(0x7E, 1),
        to: address(0xC0, to),
        amount: amount(units),
        paid_through: None,
    }
}

fn decision(kind: DecisionKind, number: u8) -> NewDecision {
    NewDecision {
        id: format!("dec_{number:032x}"),
        kind,
        reason: "the customer asked".parse().unwrap(),
        by: "key shop".to_owned(),
        detail: String::new(),
        at: at(500),
    }
}

/// What becomes of an order by a decision about its refunds.
async fn change(books: &Books, before: &OrderBooks, kind: DecisionKind) -> OrderChange {
    let chains = books.store.chains().await.unwrap();
    let heads = chains.iter().map(|it| (it.heads.chain_id, it.heads));
    let (heads, cause): (Heads, _) = (heads.collect(), Cause::Decision(kind));
    let moved = before.moved();
    let now = reassess(&before.order, &before.snapshot, moved, &heads, cause).unwrap();
    OrderChange {
        order_id: before.order.id,
        expected_version: before.version,
        confirmed_at_tip: now.assessment.confirmed_at_tip(),
        snapshot: now.snapshot,
        events: now.events,
    }
}

async fn prepare(books: &Books, recorded: &RecordedRefund) {
    let order = books.store.order(recorded.refund.order).await.unwrap();
    let mut before = OrderBooks::from(order.unwrap());
    before.refunds.push(recorded.clone());
    let change = change(books, &before, DecisionKind::Refund).await;
    let new = NewRefund {
        refund: recorded.refund.clone(),
        request_digest: "d1".to_owned(),
    };
    let number = recorded.refund.reference.as_str().len();
    let decision = decision(DecisionKind::Refund, u8::try_from(number).unwrap());
    let decision = NewDecision {
        id: format!("{}{}", decision.id, recorded.refund.id),
        ..decision
    };
    let written = books.store.prepare_refund(&new, &change, &decision).await;
    assert_eq!(written.unwrap().order, Some(recorded.refund.order));
}

async fn state(books: &Books, recorded: &RecordedRefund) -> RefundState {
    read(books, recorded).await.state
}

async fn read(books: &Books, recorded: &RecordedRefund) -> RefundRecord {
    let found = books.store.refund(&recorded.refund.id).await.unwrap();
    found.unwrap()
}

/// Covers blocks of a branch in which leaves what is `sent`.
async fn sends(
    books: &Books,
    line: &mut Line,
    (branch, numbers): (u8, std::ops::RangeInclusive<u64>),
    sent: &[Transfer],
) {
    let update = line
        .update_sending(&books.store, branch, numbers, (&[], sent))
        .await
        .unwrap();
    line.commit(&books.store, update).await.unwrap();
}

/// An order that was paid 100 in block 2, and what else is covered.
async fn paid(books: &Books, number: u64, line: &mut Line) -> Order {
    let order = books.expects(order(number)).await;
    let next = line.heads.map_or(1, |heads| heads.tip.number + 1);
    line.cover(&books.store, 0, next..=next + 1, &[(next, &order, "100")])
        .await
        .unwrap();
    order
}

/// What was told of refunds.
async fn told(books: &Books) -> Vec<(&'static str, Amount)> {
    let events = books.order_events().await;
    let of_refunds = events
        .iter()
        .filter(|it| it.event.kind.name().contains("refund"));
    of_refunds
        .map(|it| (it.event.kind.name(), it.refunded))
        .collect()
}

async fn a_refund_is_sent_confirmed_and_told_once(books: Books) {
    let mut line = Line::new(1);
    let order = paid(&books, 1, &mut line).await;
    let refund = refund(1, &order, "40", 1);
    prepare(&books, &refund).await;
    let record = books.order(&order).await;
    assert_eq!(record.refunds, std::slice::from_ref(&refund));
    assert_eq!(record.snapshot.refunded, Amount::ZERO);
    assert_eq!(read(&books, &refund).await.recorded, refund);

    let transfer = sent(1, 1, "40", (3, 0));
    sends(
        &books,
        &mut line,
        (0, 3..=3),
        std::slice::from_ref(&transfer),
    )
    .await;
    assert_eq!(state(&books, &refund).await, RefundState::Sent(transfer.id));
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.refunded, amount("40"));
    assert_eq!(record.snapshot.flags.names(), ["partially_refunded"]);
    assert_eq!(told(&books).await, [("order.refunded", amount("40"))]);

    // The same is told again, and then a block stands on it.
    let update = line
        .update_sending(
            &books.store,
            0,
            4..=4,
            (&[], std::slice::from_ref(&transfer)),
        )
        .await
        .unwrap();
    line.commit(&books.store, update).await.unwrap();
    assert_eq!(
        state(&books, &refund).await,
        RefundState::Confirmed(transfer.id)
    );
    let read = read(&books, &refund).await;
    assert_eq!(read.recorded.sent().unwrap().confirmed_at_tip, Some(4));
    assert_eq!(read.request_digest, "d1");
    assert_eq!(told(&books).await.len(), 1);
    let by = books.store.refund_by(&transfer.payment_id()).await.unwrap();
    assert_eq!(by.unwrap(), read);
}

async fn a_refund_leaves_its_chain_and_comes_back_elsewhere(books: Books) {
    let mut line = Line::new(1);
    let order = paid(&books, 1, &mut line).await;
    let [first, second] = [refund(1, &order, "40", 1), refund(2, &order, "60", 1)];
    for refund in [&first, &second] {
        prepare(&books, refund).await;
    }
    let both = [sent(1, 1, "40", (3, 0)), sent(2, 1, "60", (3, 0))];
    sends(&books, &mut line, (0, 3..=3), &both).await;
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.flags.names(), ["refunded"]);

    // One is mined anew at once, the other later.
    sends(&books, &mut line, (1, 3..=4), &[sent(1, 1, "40", (3, 1))]).await;
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.refunded, amount("40"));
    assert_eq!(record.snapshot.flags.names(), ["partially_refunded"]);
    assert_eq!(state(&books, &second).await, RefundState::Prepared);
    let gone = read(&books, &second).await.recorded.outgoing;
    assert_eq!(gone, Outgoing::Gone(Box::new(both[1].clone())));

    sends(&books, &mut line, (1, 5..=6), &[sent(2, 1, "60", (5, 1))]).await;
    let after = sent(2, 1, "60", (5, 1)).id;
    assert_eq!(state(&books, &second).await, RefundState::Confirmed(after));
    let sums = told(&books).await;
    let expected = [
        ("order.refunded", amount("100")),
        ("order.refunded", amount("100")),
        ("order.refund_reverted", amount("40")),
        ("order.refunded", amount("100")),
    ];
    assert_eq!(sums, expected);
}

async fn what_leaves_is_never_passed_over_in_silence(books: Books) {
    let mut line = Line::new(1);
    let order = paid(&books, 1, &mut line).await;
    let refund = refund(1, &order, "40", 1);
    prepare(&books, &refund).await;
    sends(&books, &mut line, (0, 3..=3), &[sent(1, 1, "40", (3, 0))]).await;
    let mut update = line.update(&books.store, 1, 3..=4, &[]).await.unwrap();
    assert_eq!(update.changes.len(), 1, "the order is found");
    update.changes.clear();
    let refused = books.store.commit_update(&update).await.unwrap_err();
    assert!(refused.to_string().contains("without a word"), "{refused}");
    assert!(matches!(state(&books, &refund).await, RefundState::Sent(_)));
}

async fn one_transfer_is_for_the_oldest_of_two_orders(books: Books) {
    let mut line = Line::new(1);
    let orders = [
        paid(&books, 1, &mut line).await,
        paid(&books, 2, &mut line).await,
    ];
    let [newer, older] = [
        refund(2, &orders[0], "40", 1),
        refund(1, &orders[1], "40", 1),
    ];
    for refund in [&newer, &older] {
        prepare(&books, refund).await;
    }
    sends(&books, &mut line, (0, 5..=5), &[sent(1, 1, "40", (5, 0))]).await;
    assert_eq!(state(&books, &newer).await, RefundState::Prepared);
    assert!(matches!(state(&books, &older).await, RefundState::Sent(_)));

    // It leaves, the older is given up, and the newer takes its place when it is back.
    sends(&books, &mut line, (1, 5..=6), &[]).await;
    let mut before = OrderBooks::from(books.order(&orders[1]).await);
    before.refunds[0].refund.cancelled_at = Some(at(500));
    let change = change(&books, &before, DecisionKind::CancelRefund).await;
    let decision = decision(DecisionKind::CancelRefund, 9);
    let id = older.refund.id;
    books
        .store
        .cancel_refund(&id, &change, &decision)
        .await
        .unwrap();
    sends(&books, &mut line, (0, 5..=7), &[sent(1, 1, "40", (5, 0))]).await;
    assert!(matches!(
        state(&books, &newer).await,
        RefundState::Confirmed(_)
    ));
    assert_eq!(state(&books, &older).await, RefundState::Cancelled);
}
