//! What operators decide is carried out and written down at once, and can be found to be changed.

use std::collections::BTreeSet;

use paywatch_core::{Cause, DecisionKind, Order, OrderStatus, Timestamp, reassess};
use paywatch_store::{
    DecisionFilter, NewDecision, OrderBooks, OrderChange, Page, StoreError, Touch,
};

use crate::books::{Books, at, chain, order};
use crate::line::Line;

on_both_engines!(
    a_decision_is_carried_out_and_written_down,
    a_decision_on_an_order_that_moved_on_is_stale,
    a_decision_that_was_changed_later_shows,
    only_so_many_orders_expire_at_once,
);

fn decision(number: u8, kind: DecisionKind) -> NewDecision {
    NewDecision {
        id: format!("dec_{number:032x}"),
        kind,
        reason: "the customer asked".parse().unwrap(),
        by: "key shop".to_owned(),
        detail: format!("number {number}"),
        at: at(500),
    }
}

/// What cancelling makes of an order.
pub(crate) async fn cancelled(books: &Books, order: &Order) -> (Order, OrderChange) {
    let record = books.order(order).await;
    let after = Order {
        cancelled_at: Some(at(500)),
        ..order.clone()
    };
    let heads = paywatch_core::Heads::new();
    let cause = Cause::Decision(DecisionKind::Cancel);
    let before = OrderBooks::from(record);
    let now = reassess(&after, &before.snapshot, before.moved(), &heads, cause).unwrap();
    let change = OrderChange {
        order_id: order.id,
        expected_version: before.version,
        confirmed_at_tip: now.assessment.confirmed_at_tip(),
        snapshot: now.snapshot,
        events: now.events,
    };
    (after, change)
}

async fn decisions(books: &Books, filter: DecisionFilter, before: Option<u64>) -> Vec<u64> {
    let page = Page {
        before_seq: before,
        limit: 2,
    };
    let found = books.store.decisions(&filter, page).await.unwrap();
    found.iter().map(|decision| decision.seq).collect()
}

async fn a_decision_is_carried_out_and_written_down(books: Books) {
    let order = books.expects(order(1)).await;
    let (after, change) = cancelled(&books, &order).await;
    let new = decision(1, DecisionKind::Cancel);
    let written = books
        .store
        .decide_order(&after, &change, &new)
        .await
        .unwrap();
    assert_eq!((written.seq, written.order), (1, Some(order.id)));
    assert_eq!(written.reason, new.reason);

    let record = books.order(&order).await;
    assert_eq!(record.order, after);
    assert_eq!(record.snapshot.status, OrderStatus::Cancelled);
    assert_eq!(record.version, 2);
    assert_eq!(books.told().await, ["order.cancelled"]);
    let of_order = DecisionFilter {
        order: Some(order.id),
        payment: None,
    };
    assert_eq!(decisions(&books, of_order, None).await, [1]);
    assert_eq!(decisions(&books, of_order, Some(1)).await, [0_u64; 0]);
    assert_eq!(books.store.tampered_decision().await.unwrap(), None);
}

async fn a_decision_on_an_order_that_moved_on_is_stale(books: Books) {
    let order = books.expects(order(1)).await;
    let (after, change) = cancelled(&books, &order).await;
    Line::new(1)
        .cover(&books.store, 0, 1..=2, &[(2, &order, "1")])
        .await
        .unwrap();
    let new = decision(1, DecisionKind::Cancel);
    let refused = books.store.decide_order(&after, &change, &new).await;
    assert!(
        matches!(refused, Err(StoreError::Stale { .. })),
        "{refused:?}"
    );
    let record = books.order(&order).await;
    assert_eq!(record.order.cancelled_at, None, "nothing is half-written");
    let all = DecisionFilter::default();
    assert_eq!(decisions(&books, all, None).await, [0_u64; 0]);
}

async fn a_decision_that_was_changed_later_shows(books: Books) {
    for number in 1..=3_u8 {
        let order = books.expects(order(number.into())).await;
        let (after, change) = cancelled(&books, &order).await;
        let new = decision(number, DecisionKind::Cancel);
        books
            .store
            .decide_order(&after, &change, &new)
            .await
            .unwrap();
    }
    let all = DecisionFilter::default();
    assert_eq!(decisions(&books, all, None).await, [3, 2], "newest first");
    assert_eq!(decisions(&books, all, Some(2)).await, [1]);
    assert_eq!(books.store.tampered_decision().await.unwrap(), None);
    books
        .tamper("UPDATE decisions SET reason = 'none at all' WHERE seq = 2")
        .await;
    let tampered = books.store.tampered_decision().await.unwrap().unwrap();
    assert_eq!(tampered.seq, 2);
}

async fn only_so_many_orders_expire_at_once(books: Books) {
    for number in 1..=5 {
        let mut short = order(number);
        short.expires_at = at(10 + number);
        short.options.truncate(1);
        books.expects(short).await;
    }
    let touch = |most_due| Touch {
        chain_id: chain(1),
        orders: BTreeSet::new(),
        retract_above: None,
        covered_time: at(14),
        loose: BTreeSet::new(),
        sent: Vec::new(),
        struck: BTreeSet::new(),
        most_due,
    };
    let found = books.store.books_to_assess(&touch(2)).await.unwrap();
    let ends: Vec<Timestamp> = found.books.iter().map(|it| it.order.expires_at).collect();
    assert_eq!(ends, [at(11), at(12)], "those that wait for longest");
    assert!(found.has_more_due);
    let found = books.store.books_to_assess(&touch(9)).await.unwrap();
    assert_eq!(found.books.len(), 3);
    assert!(!found.has_more_due);
}
