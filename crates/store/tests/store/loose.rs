//! Payments that belong to no order: found, announced, given to an order, left alone.

use std::collections::BTreeSet;

use paywatch_core::{
    Cause, Claim, DecisionKind, EventKind, FinalityRule, Heads, Loose, Movements, Order,
    OrderStatus, PaymentEvent, PaymentState, RecordedTransfer, Transfer, reassess,
};
use paywatch_store::{
    BookedPlace, BookedTransfer, NewDecision, OrderBooks, OrderChange, PaymentFilter, StoreError,
    Told, Touch,
};

use crate::books::{Books, amount, at, chain, order};
use crate::line::{Line, block, pay};

on_both_engines!(
    an_unmatched_payment_is_kept_and_told,
    an_unmatched_payment_that_leaves_its_chain_is_told,
    a_payment_is_assigned_and_taken_away_again,
    what_an_operator_decided_outlives_a_reorg,
    payments_are_listed_by_what_they_are,
);

/// A payment to nobody's address, in block 2 of chain 1.
fn stray(index: u64, paid: &str) -> Transfer {
    let mut transfer = pay(1, block(1, 2, 0), &order(99), (paid, index));
    transfer.to = crate::books::address(0x7E, 1);
    transfer
}

/// Blocks 1 to 3 of chain 1, which hold `loose`.
async fn brings(books: &Books, loose: &[(Transfer, Loose)]) -> Line {
    let mut line = Line::new(1);
    let mut update = line.update(&books.store, 0, 1..=3, &[]).await.unwrap();
    update.loose = loose.to_vec();
    update.payment_events = loose
        .iter()
        .filter(|(_, loose)| *loose == Loose::Unmatched)
        .map(|(transfer, _)| PaymentEvent::of(transfer, EventKind::PaymentUnmatched))
        .collect();
    books.store.commit_update(&update).await.unwrap();
    line.heads = Some(update.heads);
    line
}

fn decision(number: u8, kind: DecisionKind) -> NewDecision {
    NewDecision {
        id: format!("dec_{number:032x}"),
        kind,
        reason: "the customer told us".parse().unwrap(),
        by: "key shop".to_owned(),
        detail: String::new(),
        at: at(500),
    }
}

async fn all(books: &Books) -> Vec<BookedTransfer> {
    let filter = PaymentFilter::default();
    books.store.payments(&filter, None, 100).await.unwrap()
}

/// What becomes of `order` once it has `transfers`.
async fn with(
    books: &Books,
    order: &Order,
    transfers: &[RecordedTransfer],
    kind: DecisionKind,
) -> OrderChange {
    let before = OrderBooks::from(books.order(order).await);
    let cause = Cause::Decision(kind);
    let moved = Movements {
        transfers,
        refunds: &before.refunds,
    };
    let now = reassess(order, &before.snapshot, moved, &Heads::new(), cause).unwrap();
    OrderChange {
        order_id: order.id,
        expected_version: before.version,
        confirmed_at_tip: now.assessment.confirmed_at_tip(),
        snapshot: now.snapshot,
        events: now.events,
    }
}

async fn an_unmatched_payment_is_kept_and_told(books: Books) {
    let (money, dust) = (stray(0, "5"), stray(1, "0.001"));
    brings(
        &books,
        &[(money.clone(), Loose::Unmatched), (dust, Loose::Dust)],
    )
    .await;
    let kept = all(&books).await;
    assert_eq!(kept.len(), 2);
    let [unmatched] = books
        .store
        .payments(
            &PaymentFilter {
                states: vec!["unmatched"],
                ..PaymentFilter::default()
            },
            None,
            100,
        )
        .await
        .unwrap()
        .try_into()
        .unwrap();
    assert_eq!(unmatched.recorded.transfer, money);
    assert_eq!(unmatched.place, BookedPlace::Loose(Loose::Unmatched));
    let Told::Payment(event) = &books.events().await[0].told else {
        panic!("another event");
    };
    assert_eq!(
        *event,
        PaymentEvent::of(&money, EventKind::PaymentUnmatched)
    );
    let found = books.store.payment(&money.payment_id()).await.unwrap();
    assert_eq!(found, Some(unmatched));
}

async fn an_unmatched_payment_that_leaves_its_chain_is_told(books: Books) {
    let money = stray(0, "5");
    let line = brings(&books, &[(money.clone(), Loose::Unmatched)]).await;
    let touch = Touch {
        chain_id: chain(1),
        orders: BTreeSet::new(),
        loose: [money.id].into(),
        sent: Vec::new(),
        struck: BTreeSet::new(),
        retract_above: Some(1),
        covered_time: at(0),
        most_due: 10,
    };
    let touched = books.store.books_to_assess(&touch).await.unwrap();
    assert_eq!(touched.gone, std::slice::from_ref(&money));
    assert_eq!(touched.known, [money.id].into());

    let mut update = line.update(&books.store, 1, 2..=4, &[]).await.unwrap();
    let silent = books.store.commit_update(&update).await;
    assert!(
        matches!(silent, Err(StoreError::Refused { .. })),
        "{silent:?}"
    );
    update.payment_events = vec![PaymentEvent::of(&money, EventKind::PaymentReverted)];
    books.store.commit_update(&update).await.unwrap();
    assert!(all(&books).await[0].reverted_at.is_some());
}

async fn a_payment_is_assigned_and_taken_away_again(books: Books) {
    let order = books.expects(order(1)).await;
    let money = stray(0, "100");
    brings(&books, &[(money.clone(), Loose::Unmatched)]).await;
    let finality = FinalityRule::confirmations(7).unwrap();
    let recorded = RecordedTransfer {
        assigned: Some(finality),
        ..RecordedTransfer::from(money.clone())
    };
    let change = with(
        &books,
        &order,
        std::slice::from_ref(&recorded),
        DecisionKind::Assign,
    )
    .await;
    let (id, new) = (money.payment_id(), decision(1, DecisionKind::Assign));
    let assign = || books.store.assign_payment(&id, finality, &change, &new);
    let written = assign().await.unwrap();
    assert_eq!((written.order, written.payment), (Some(order.id), Some(id)));
    let twice = assign().await;
    assert!(matches!(twice, Err(StoreError::Stale { .. })), "{twice:?}");

    let record = books.order(&order).await;
    assert_eq!(record.snapshot.status, OrderStatus::Paid);
    assert!(record.snapshot.flags.resolved);
    assert_eq!(record.payments[0].recorded, recorded);
    assert_eq!(record.payments[0].state, PaymentState::Seen);

    let change = with(&books, &order, &[], DecisionKind::Unassign).await;
    let event = PaymentEvent::of(&money, EventKind::PaymentUnmatched);
    let new = decision(2, DecisionKind::Unassign);
    let taken = books.store.unassign_payment(&event, &change, &new).await;
    assert_eq!(taken.unwrap().seq, 2);
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.status, OrderStatus::AwaitingPayment);
    assert_eq!(record.payments, []);
    assert_eq!(
        all(&books).await[0].place,
        BookedPlace::Loose(Loose::Unmatched)
    );
    assert_eq!(
        books.told().await,
        [
            "payment.assigned",
            "order.paid",
            "payment.unassigned",
            "order.reverted"
        ]
    );
}

async fn what_an_operator_decided_outlives_a_reorg(books: Books) {
    let money = stray(0, "5");
    brings(&books, &[(money.clone(), Loose::Unmatched)]).await;
    let claim = async || {
        let claims = books.store.claims(&[&money]).await.unwrap();
        claims[&money.id].claim
    };
    assert_eq!(claim().await, Claim::Nobody);
    let event = PaymentEvent::of(&money, EventKind::PaymentWrittenOff);
    let new = decision(1, DecisionKind::WriteOff);
    books.store.write_off_payment(&event, &new).await.unwrap();
    assert_eq!(claim().await, Claim::WrittenOff);
    let again = books.store.write_off_payment(&event, &new).await;
    assert!(matches!(again, Err(StoreError::Stale { .. })), "{again:?}");

    let order = books.expects(order(1)).await;
    let mut to_order = money.clone();
    to_order.id.log_index = 7;
    to_order.to = order.options[0].address;
    let claims = books.store.claims(&[&to_order]).await.unwrap();
    assert_eq!(claims[&to_order.id].claim, Claim::Order(order.id));
}

async fn payments_are_listed_by_what_they_are(books: Books) {
    let loose: Vec<_> = (0..5)
        .map(|index| (stray(index, "1"), Loose::Unmatched))
        .collect();
    brings(&books, &loose).await;
    let mut seen = BTreeSet::new();
    let mut after = None;
    loop {
        let filter = PaymentFilter {
            chain_id: Some(chain(1)),
            to: Some(loose[0].0.to),
            states: vec!["unmatched", "dust"],
            ..PaymentFilter::default()
        };
        let page = books.store.payments(&filter, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.detected_at, last.recorded.transfer.payment_id()));
        for payment in &page {
            assert_eq!(payment.recorded.transfer.amount, amount("1"));
            assert!(seen.insert(payment.recorded.transfer.id), "listed twice");
        }
    }
    assert_eq!(seen.len(), 5);
    let one = PaymentFilter {
        tx_hash: Some(loose[3].0.tx_hash),
        ..PaymentFilter::default()
    };
    assert_eq!(books.store.payments(&one, None, 10).await.unwrap().len(), 1);
    let none = PaymentFilter {
        chain_id: Some(chain(56)),
        ..PaymentFilter::default()
    };
    assert_eq!(books.store.payments(&none, None, 10).await.unwrap(), []);
}
