//! Deliveries that are made again, and those that are forgotten.

use paywatch_core::{DecisionKind, DeliveryState};
use paywatch_store::{
    AfterAttempt, Again, DecisionFilter, DisabledBy, NewDecision, Page, StoreError,
};

use crate::books::{Books, at, order};
use crate::deciding::cancelled;
use crate::delivering::{attempted, decision, due, due_seqs, endpoint, queued, record};

on_both_engines!(
    what_was_given_up_is_delivered_again,
    a_range_is_delivered_again_with_what_was_never_queued,
    what_is_delivered_again_keeps_the_order_of_its_subject,
    a_disabled_endpoint_is_told_nothing_again,
    old_deliveries_are_forgotten,
);

/// What somebody decides at that time.
fn again(number: u64) -> NewDecision {
    decision(number, DecisionKind::Redeliver)
}

async fn what_was_given_up_is_delivered_again(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    for number in 1..=3 {
        books.expects(order(number)).await;
    }
    let known = queued(&books, id, at(10)).await;
    let all: Vec<_> = due(&books, id, at(10))
        .await
        .iter()
        .zip([
            AfterAttempt::GivenUp,
            AfterAttempt::Delivered,
            AfterAttempt::GivenUp,
        ])
        .map(|(delivery, then)| attempted(delivery, then))
        .collect();
    record(&books, id, &all).await;
    assert_eq!(due_seqs(&books, id, at(99)).await, []);
    let told = books
        .store
        .redeliver(&known, Again::Failed, &again(50))
        .await;
    assert_eq!(told.unwrap(), 2);
    let due = due(&books, id, at(50)).await;
    let told: Vec<_> = due
        .iter()
        .map(|delivery| (delivery.seq, delivery.attempts, delivery.tried))
        .collect();
    assert_eq!(told, [(1, 0, 1), (3, 0, 1)]);
}

async fn a_range_is_delivered_again_with_what_was_never_queued(books: Books) {
    for number in 1..=2 {
        books.expects(order(number)).await;
    }
    let id = endpoint(&books, 1, "order.*").await.id;
    for number in 3..=4 {
        books.expects(order(number)).await;
    }
    let known = queued(&books, id, at(10)).await;
    assert_eq!(due_seqs(&books, id, at(10)).await, [3, 4]);
    let all = due(&books, id, at(10)).await;
    record(&books, id, &[attempted(&all[0], AfterAttempt::Delivered)]).await;
    let told = books
        .store
        .redeliver(&known, Again::Range(2, 3), &again(50))
        .await;
    assert_eq!(told.unwrap(), 2);
    let mut seqs = due_seqs(&books, id, at(50)).await;
    seqs.sort_unstable();
    assert_eq!(seqs, [2, 3, 4]);
    // What the endpoint has not come to yet is left to its turn.
    books.expects(order(5)).await;
    let ahead = books
        .store
        .redeliver(&known, Again::Range(5, 900), &again(51))
        .await;
    assert_eq!(ahead.unwrap(), 0);
}

async fn what_is_delivered_again_keeps_the_order_of_its_subject(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    books.expects(order(1)).await;
    queued(&books, id, at(10)).await;
    let first = due(&books, id, at(10)).await;
    record(&books, id, &[attempted(&first[0], AfterAttempt::Delivered)]).await;
    let cancel = decision(3, DecisionKind::Cancel);
    let (after, change) = cancelled(&books, &order(1)).await;
    let decided = books.store.decide_order(&after, &change, &cancel).await;
    decided.unwrap();
    let known = queued(&books, id, at(20)).await;
    let waiting = due_seqs(&books, id, at(20)).await;
    assert!(!waiting.is_empty());
    let told = books
        .store
        .redeliver(&known, Again::Range(1, 1), &again(50))
        .await;
    assert_eq!(told.unwrap(), 1);
    let seqs = due_seqs(&books, id, at(50)).await;
    assert_eq!(seqs[0], 1, "the older is told first: {seqs:?}");
    assert!(seqs.is_sorted());
}

async fn a_disabled_endpoint_is_told_nothing_again(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    books.expects(order(1)).await;
    let known = queued(&books, id, at(10)).await;
    let disable = decision(1, DecisionKind::DisableEndpoint);
    let disabled =
        books
            .store
            .disable_endpoint(id, ("moved", at(11)), DisabledBy::Operator(&disable));
    assert!(disabled.await.unwrap());
    let told = books
        .store
        .redeliver(&known, Again::Range(1, 1), &again(50))
        .await;
    assert!(matches!(told, Err(StoreError::Stale { .. })), "{told:?}");
    assert_eq!(due_seqs(&books, id, at(99)).await, []);
    let enable = decision(60, DecisionKind::EnableEndpoint);
    assert!(books.store.enable_endpoint(id, &enable).await.unwrap());
    let known = books.store.endpoint(id).await.unwrap().unwrap();
    let told = books
        .store
        .redeliver(&known, Again::Range(1, 1), &again(70))
        .await;
    assert_eq!(told.unwrap(), 1, "what was dropped, too");
    let pending = books.store.all_pending_deliveries().await.unwrap();
    assert_eq!(pending, [(id, 1)].into());
    let log = books
        .store
        .decisions(
            &DecisionFilter::default(),
            Page {
                before_seq: None,
                limit: 9,
            },
        )
        .await
        .unwrap();
    let kinds: Vec<_> = log.iter().map(|decision| decision.kind).collect();
    let [again, enable, disable] = [
        DecisionKind::Redeliver,
        DecisionKind::EnableEndpoint,
        DecisionKind::DisableEndpoint,
    ];
    assert_eq!(kinds, [again, enable, disable], "a refusal is not in it");
}

async fn old_deliveries_are_forgotten(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    for number in 1..=3 {
        books.expects(order(number)).await;
    }
    queued(&books, id, at(10)).await;
    let all: Vec<_> = due(&books, id, at(10))
        .await
        .iter()
        .zip([
            AfterAttempt::Delivered,
            AfterAttempt::GivenUp,
            AfterAttempt::Delivered,
        ])
        .map(|(delivery, then)| attempted(delivery, then))
        .collect();
    record(&books, id, &all).await;
    assert!(!books.store.forget_deliveries(id, at(21)).await.unwrap());
    assert!(books.store.forget_deliveries(id, at(22)).await.unwrap());
    assert!(!books.store.forget_deliveries(id, at(22)).await.unwrap());
    let left = books.store.deliveries(id, &[], None, 9).await.unwrap();
    let left: Vec<_> = left.iter().map(|kept| (kept.seq, kept.state)).collect();
    assert_eq!(left, [(2, DeliveryState::Failed)]);
    assert!(books.store.delivery(id, 1).await.unwrap().is_none());
}
