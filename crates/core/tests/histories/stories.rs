//! Single histories, told step by step.

use paywatch_core::{
    Amount, Asking, Cause, EventKind, FinalityTag, LatePolicy, OrderDecision, OrderStatus, Proof,
    Snapshot, Tags, Timestamp, events_between,
};

use crate::books::{Books, Deed, amount, chain, order};

/// Applies deeds and returns the status and the kinds of events after each.
fn story(books: &mut Books, deeds: &[Deed]) -> Vec<(OrderStatus, Vec<EventKind>)> {
    deeds
        .iter()
        .map(|deed| {
            let before = books.snapshot.clone();
            books.apply(deed).unwrap();
            let kinds = events_between(&before, &books.snapshot, Cause::Chains).unwrap();
            (
                books.snapshot.status,
                kinds.iter().map(|event| event.kind).collect(),
            )
        })
        .collect()
}

fn mine(payments: &[u8]) -> Deed {
    Deed::Mine {
        chain: 0,
        payments: payments.to_vec(),
    }
}

#[test]
fn two_instalments_complete_an_order() {
    let mut books = Books::open(order(2, LatePolicy::Accept, "0", 10_000));
    let told = story(&mut books, &[mine(&[40]), mine(&[60]), mine(&[])]);
    use EventKind::{
        OrderCompleted, OrderPaid, OrderPartiallyPaid, PaymentConfirmed, PaymentDetected,
    };
    assert_eq!(
        told,
        [
            (
                OrderStatus::PartiallyPaid,
                vec![PaymentDetected, OrderPartiallyPaid]
            ),
            (
                OrderStatus::Paid,
                vec![PaymentConfirmed, PaymentDetected, OrderPaid]
            ),
            (
                OrderStatus::Completed,
                vec![PaymentConfirmed, OrderCompleted]
            ),
        ]
    );
}

#[test]
fn a_reorg_takes_a_completed_order_back_and_remining_completes_it_again() {
    let mut books = Books::open(order(2, LatePolicy::Accept, "0", 10_000));
    let reorg = Deed::Reorg {
        chain: 0,
        depth: 2,
        length: 1,
        remined: true,
    };
    let told = story(&mut books, &[mine(&[100]), mine(&[]), reorg, mine(&[])]);
    let statuses: Vec<_> = told.iter().map(|(status, _)| *status).collect();
    assert_eq!(
        statuses,
        [
            OrderStatus::Paid,
            OrderStatus::Completed,
            OrderStatus::Paid,
            OrderStatus::Completed
        ]
    );
    assert_eq!(
        told[2].1,
        [
            EventKind::PaymentReverted,
            EventKind::PaymentDetected,
            EventKind::OrderReverted
        ]
    );
    assert!(told[3].1.contains(&EventKind::OrderCompleted));
    assert!(books.snapshot.flags.reverted);
}

#[test]
fn a_shorter_branch_above_a_confirmed_payment_changes_nothing() {
    let mut books = Books::open(order(4, LatePolicy::Accept, "0", 10_000));
    story(&mut books, &[mine(&[100]), mine(&[]), mine(&[]), mine(&[])]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
    let shorter = Deed::Reorg {
        chain: 0,
        depth: 3,
        length: 1,
        remined: false,
    };
    let told = story(&mut books, &[shorter]);
    assert_eq!(told, [(OrderStatus::Completed, vec![])]);
}

#[test]
fn an_order_expires_only_when_every_chain_is_past_the_deadline() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 15));
    let other = |payments: &[u8]| Deed::Mine {
        chain: 1,
        payments: payments.to_vec(),
    };
    let told = story(&mut books, &[mine(&[]), mine(&[]), other(&[]), other(&[])]);
    let statuses: Vec<_> = told.iter().map(|(status, _)| *status).collect();
    let waiting = OrderStatus::AwaitingPayment;
    assert_eq!(statuses, [waiting, waiting, waiting, OrderStatus::Expired]);

    // Late money that is accepted still completes it, with a flag.
    let told = story(&mut books, &[mine(&[100])]);
    assert_eq!(told[0].0, OrderStatus::Completed);
    assert!(told[0].1.contains(&EventKind::OrderLatePayment));
    assert!(books.snapshot.flags.late);
}

#[test]
fn money_within_the_grace_is_in_time() {
    // Blocks are ten seconds apart: the second is past the deadline and within its grace.
    let mut with_grace = order(1, LatePolicy::Hold, "0", 15);
    with_grace.grace_ms = 10_000;
    let mut books = Books::open(with_grace);
    let other = Deed::Mine {
        chain: 1,
        payments: vec![],
    };
    let told = story(
        &mut books,
        &[mine(&[40]), other.clone(), mine(&[30]), other.clone()],
    );
    assert_eq!(told.last().unwrap().0, OrderStatus::PartiallyPaid);
    assert!(!books.snapshot.flags.late);
    let told = story(&mut books, &[other, mine(&[30])]);
    assert_eq!(told.last().unwrap().0, OrderStatus::Expired);
    assert!(books.snapshot.flags.late, "the third came after the grace");
    assert_eq!(books.snapshot.counted, amount("70"));
}

#[test]
fn held_late_money_is_announced_and_does_not_count() {
    let mut books = Books::open(order(1, LatePolicy::Hold, "0", 5));
    let other = Deed::Mine {
        chain: 1,
        payments: vec![],
    };
    let told = story(&mut books, &[other, mine(&[100])]);
    let late = [
        EventKind::PaymentDetected,
        EventKind::OrderLatePayment,
        EventKind::OrderExpired,
    ];
    assert_eq!(told[1], (OrderStatus::Expired, late.to_vec()));
    assert_eq!(books.snapshot.counted, Amount::ZERO);
    assert_eq!(books.snapshot.received, amount("100"));
}

#[test]
fn too_little_within_the_tolerance_is_enough_and_says_so() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "2.5", 10_000));
    story(&mut books, &[mine(&[98])]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
    assert_eq!(books.snapshot.flags.names(), ["underpaid_within_tolerance"]);
}

#[test]
fn too_much_is_told_with_the_excess() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 10_000));
    let told = story(&mut books, &[mine(&[50, 59])]);
    assert!(told[0].1.contains(&EventKind::OrderOverpaid));
    assert_eq!(books.snapshot.excess, amount("9"));
    assert_eq!(books.snapshot.flags.names(), ["overpaid"]);
}

#[test]
fn a_cancelled_order_counts_nothing_and_never_comes_back() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 10_000));
    books.order.cancelled_at = Some(Timestamp::EPOCH);
    let told = story(&mut books, &[mine(&[100])]);
    assert_eq!(told[0].0, OrderStatus::Cancelled);
    assert_eq!(books.snapshot.counted, Amount::ZERO);
    assert_eq!(books.snapshot.received, amount("100"));
}

#[test]
fn the_finalized_tag_is_needed_where_the_rule_asks_for_it() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 10_000));
    for option in &mut books.order.options {
        option.finality = option.finality.and_tag(FinalityTag::Finalized);
    }
    story(&mut books, &[mine(&[100]), mine(&[]), mine(&[])]);
    assert_eq!(books.snapshot.status, OrderStatus::Paid);

    let heads = books.heads[&chain(1)];
    let finalized = Tags {
        safe: None,
        finalized: Some(1),
    };
    books
        .heads
        .insert(chain(1), heads.moved_to(heads.tip, finalized));
    story(&mut books, &[Deed::Replay]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
}

#[test]
fn what_must_be_proved_is_not_confirmed_before_it_is() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 10_000));
    for option in &mut books.order.options {
        option.finality = option.finality.and_proof(Proof::ReceiptsRoot);
    }
    story(&mut books, &[mine(&[100]), mine(&[]), mine(&[])]);
    assert_eq!(books.snapshot.status, OrderStatus::Paid);

    for recorded in books.transfers.values_mut() {
        recorded.proof = Proof::ReceiptsRoot;
    }
    story(&mut books, &[Deed::Replay]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
}

#[test]
fn an_expired_order_is_reopened_by_an_operator_only() {
    let mut books = Books::open(order(1, LatePolicy::Accept, "0", 15));
    books.apply(&mine(&[40])).unwrap();
    let elsewhere = || Deed::Mine {
        chain: 1,
        payments: vec![],
    };
    story(&mut books, &[mine(&[]), elsewhere(), elsewhere()]);
    assert_eq!(books.snapshot.status, OrderStatus::Expired);

    let before = books.snapshot.clone();
    let until = Timestamp::from_unix_s(1_000).unwrap();
    books
        .apply(&Deed::Decide(OrderDecision::Extend { until }))
        .unwrap();
    assert_eq!(books.snapshot.status, OrderStatus::PartiallyPaid);
    assert!(events_between(&before, &books.snapshot, Cause::Chains).is_err());
    story(&mut books, &[mine(&[60])]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
    assert_eq!(books.snapshot.flags.names(), Vec::<&str>::new());
}

#[test]
fn what_was_accepted_is_enough_until_it_leaves_the_chain() {
    let mut books = Books::open(order(1, LatePolicy::Hold, "0", 15));
    books.apply(&mine(&[30])).unwrap();
    let until = Timestamp::from_unix_s(16).unwrap();
    books
        .apply(&Deed::Decide(OrderDecision::Extend { until }))
        .unwrap();
    story(&mut books, &[mine(&[20])]);
    assert_eq!(books.snapshot.counted, amount("30"), "the rest came late");
    books.apply(&Deed::Decide(OrderDecision::Accept)).unwrap();
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
    assert_eq!(books.snapshot.counted, amount("50"));
    assert_eq!(books.snapshot.flags.names(), ["late", "resolved"]);

    let reorg = Deed::Reorg {
        chain: 0,
        depth: 1,
        length: 1,
        remined: false,
    };
    let (status, events) = story(&mut books, &[reorg]).remove(0);
    assert_eq!(status, OrderStatus::PartiallyPaid, "30 were not accepted");
    assert!(events.contains(&EventKind::OrderReverted));
}

#[test]
fn whoever_asks_for_at_least_some_amount_never_gets_too_much() {
    let mut donation = order(1, LatePolicy::Accept, "0", 10_000);
    donation.asking = Asking::AtLeast;
    let mut books = Books::open(donation);
    story(&mut books, &[mine(&[50]), mine(&[50, 59])]);
    assert_eq!(books.snapshot.status, OrderStatus::Completed);
    assert_eq!(books.snapshot.counted, amount("159"));
    assert_eq!(books.snapshot.excess, Amount::ZERO);
    assert_eq!(books.snapshot.flags.names(), Vec::<&str>::new());
}

#[test]
fn an_impossible_step_is_an_error() {
    let completed = Snapshot {
        status: OrderStatus::Completed,
        ..Snapshot::new()
    };
    let cancelled = Snapshot {
        status: OrderStatus::Cancelled,
        ..Snapshot::new()
    };
    assert!(events_between(&completed, &cancelled, Cause::Chains).is_err());
    assert!(
        events_between(&completed, &Snapshot::new(), Cause::Chains).is_err(),
        "back without lost money"
    );
}
