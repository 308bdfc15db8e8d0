//! What operators decide about refunds, and lists of them.

use paywatch_core::{Amount, DecisionKind, Outgoing, RefundId, RefundState, RefundStatus};
use paywatch_store::{DecisionFilter, NewRefund, OrderBooks, Page, RefundFilter, StoreError};

use super::{change, decision, paid, prepare, refund, sends, sent, state, told};
use crate::books::{Books, amount, at, chain};
use crate::line::Line;

on_both_engines!(
    two_who_refund_at_once_refund_once,
    a_refund_is_given_up_once_and_not_after_it_was_sent,
    an_operator_links_a_payment_and_no_payment_twice,
    lists_hold_what_is_asked_for,
);

async fn two_who_refund_at_once_refund_once(books: Books) {
    let mut line = Line::new(1);
    let order = paid(&books, 1, &mut line).await;
    let before = OrderBooks::from(books.order(&order).await);
    let mut outcomes = Vec::new();
    for number in [1, 2] {
        let mut books_then = before.clone();
        let recorded = refund(number, &order, "100", 1);
        books_then.refunds.push(recorded.clone());
        let change = change(&books, &books_then, DecisionKind::Refund).await;
        let new = NewRefund {
            refund: recorded.refund,
            request_digest: "d1".to_owned(),
        };
        let decision = decision(DecisionKind::Refund, number);
        outcomes.push(books.store.prepare_refund(&new, &change, &decision).await);
    }
    assert!(outcomes[0].is_ok(), "{outcomes:?}");
    assert!(matches!(outcomes[1], Err(StoreError::Stale { .. })));
    assert_eq!(books.order(&order).await.refunds.len(), 1);
    let reference = "R-1".parse().unwrap();
    let found = books.store.refund_of(order.id, &reference).await.unwrap();
    assert_eq!(found.unwrap().recorded.refund.amount, amount("100"));
}

async fn a_refund_is_given_up_once_and_not_after_it_was_sent(books: Books) {
    let mut line = Line::new(1);
    let order = paid(&books, 1, &mut line).await;
    let [first, second] = [refund(1, &order, "40", 1), refund(2, &order, "60", 1)];
    for refund in [&first, &second] {
        prepare(&books, refund).await;
    }
    let cancel = async |index: usize, number: u8| {
        let mut before = OrderBooks::from(books.order(&order).await);
        let id = before.refunds[index].refund.id;
        before.refunds[index].refund.cancelled_at = Some(at(500));
        let change = change(&books, &before, DecisionKind::CancelRefund).await;
        let decision = decision(DecisionKind::CancelRefund, number);
        books.store.cancel_refund(&id, &change, &decision).await
    };
    cancel(0, 1).await.unwrap();
    assert_eq!(state(&books, &first).await, RefundState::Cancelled);
    let again = cancel(0, 2).await;
    assert!(matches!(again, Err(StoreError::Stale { .. })), "{again:?}");

    let both = [sent(1, 1, "40", (3, 0)), sent(2, 1, "60", (3, 0))];
    sends(&books, &mut line, (0, 3..=3), &both).await;
    assert_eq!(state(&books, &first).await, RefundState::Cancelled);
    assert!(matches!(state(&books, &second).await, RefundState::Sent(_)));
    let too_late = cancel(1, 3).await;
    assert!(matches!(too_late, Err(StoreError::Stale { .. })));
    let (all, page) = (
        DecisionFilter::default(),
        Page {
            before_seq: None,
            limit: 9,
        },
    );
    let decisions = books.store.decisions(&all, page);
    let kinds: Vec<_> = decisions.await.unwrap().iter().map(|it| it.kind).collect();
    use DecisionKind::{CancelRefund, Refund};
    assert_eq!(
        kinds,
        [CancelRefund, Refund, Refund],
        "nothing half-written"
    );
}

async fn an_operator_links_a_payment_and_no_payment_twice(books: Books) {
    let mut line = Line::new(1);
    let order = paid(&books, 1, &mut line).await;
    let [first, second] = [refund(1, &order, "40", 1), refund(2, &order, "60", 1)];
    for refund in [&first, &second] {
        prepare(&books, refund).await;
    }
    let other = sent(1, 9, "39.5", (3, 0));
    sends(&books, &mut line, (0, 3..=3), std::slice::from_ref(&other)).await;
    assert_eq!(books.order(&order).await.snapshot.refunded, Amount::ZERO);
    let link = async |index: usize, number: u8| {
        let mut before = OrderBooks::from(books.order(&order).await);
        let recorded = before.refunds[index].clone();
        let sent = other.clone().into();
        before.refunds[index].outgoing = Outgoing::There(Box::new(sent));
        let change = change(&books, &before, DecisionKind::LinkRefund).await;
        let decision = decision(DecisionKind::LinkRefund, number);
        let (id, payment) = (recorded.refund.id, other.payment_id());
        books
            .store
            .link_refund(&id, &payment, &change, &decision)
            .await
    };
    let written = link(0, 1).await.unwrap();
    assert_eq!(written.payment, Some(other.payment_id()));
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.refunded, amount("39.5"));
    assert_eq!(state(&books, &first).await, RefundState::Sent(other.id));
    let twice = link(1, 2).await;
    assert!(matches!(twice, Err(StoreError::Stale { .. })), "{twice:?}");
    assert_eq!(state(&books, &second).await, RefundState::Prepared);

    // Mined anew, it is still the refund, though it is not as prepared.
    sends(&books, &mut line, (1, 3..=5), &[sent(1, 9, "39.5", (4, 1))]).await;
    let after = sent(1, 9, "39.5", (4, 1)).id;
    assert_eq!(state(&books, &first).await, RefundState::Confirmed(after));
    assert_eq!(told(&books).await, [("order.refunded", amount("39.5"))]);
}

async fn lists_hold_what_is_asked_for(books: Books) {
    let mut line = Line::new(1);
    let orders = [
        paid(&books, 1, &mut line).await,
        paid(&books, 2, &mut line).await,
    ];
    for (number, order) in [(1, &orders[0]), (2, &orders[1]), (3, &orders[0])] {
        prepare(&books, &refund(number, order, "10", number.into())).await;
    }
    sends(&books, &mut line, (0, 5..=5), &[sent(1, 3, "10", (5, 0))]).await;
    let list = async |filter: RefundFilter, before: Option<RefundId>, limit| {
        let found = books.store.refunds(&filter, before, limit).await.unwrap();
        let references = found
            .iter()
            .map(|it| it.recorded.refund.reference.to_string());
        references.collect::<Vec<_>>()
    };
    let all = RefundFilter::default();
    assert_eq!(list(all.clone(), None, 2).await, ["R-3", "R-2"]);
    let before = refund(2, &orders[1], "10", 2).refund.id;
    assert_eq!(list(all.clone(), Some(before), 2).await, ["R-1"]);
    let of_order = RefundFilter {
        order: Some(orders[0].id),
        ..all.clone()
    };
    assert_eq!(list(of_order, None, 9).await, ["R-3", "R-1"]);
    let prepared = RefundFilter {
        statuses: vec![RefundStatus::Prepared, RefundStatus::Cancelled],
        ..all.clone()
    };
    assert_eq!(list(prepared, None, 9).await, ["R-2", "R-1"]);
    let elsewhere = RefundFilter {
        chain_id: Some(chain(56)),
        ..all
    };
    assert_eq!(list(elsewhere, None, 9).await, [""; 0]);
}
