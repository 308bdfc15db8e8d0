//! What a chain brings is committed whole or not at all.

use paywatch_core::{Amount, OrderStatus, PaymentId, PaymentState, Snapshot};
use paywatch_store::{ChainRecord, OrderRecord, StoreError};

use crate::books::{Books, amount, at, chain, order};
use crate::line::{Line, block};

on_both_engines!(
    two_instalments_complete_an_order,
    one_block_pays_many_orders,
    a_cursor_that_moved_on_is_stale,
    an_order_that_moved_on_takes_everything_back,
    a_replay_changes_nothing,
    the_window_ends_with_the_cursor,
    what_contradicts_the_books_is_refused,
    what_does_not_fit_is_refused,
);

async fn two_instalments_complete_an_order(books: Books) {
    let order = books.expects(order(1)).await;
    let (mut ethereum, mut bnb) = (Line::new(1), Line::new(56));
    let part = "40.000001000000000001";
    ethereum
        .cover(&books.store, 0, 1..=1, &[(1, &order, "59.999999")])
        .await
        .unwrap();
    assert_eq!(
        books.order(&order).await.snapshot.status,
        OrderStatus::PartiallyPaid
    );
    bnb.cover(
        &books.store,
        0,
        5..=6,
        &[(5, &order, part), (6, &order, "1")],
    )
    .await
    .unwrap();
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.status, OrderStatus::Paid);
    assert_eq!(record.snapshot.confirmed, amount(part));
    ethereum.cover(&books.store, 0, 2..=3, &[]).await.unwrap();

    let record = books.order(&order).await;
    let total = amount("101.000000000000000001");
    assert_eq!(record.snapshot.status, OrderStatus::Completed);
    assert_eq!(
        (record.snapshot.received, record.snapshot.counted),
        (total, total)
    );
    assert_eq!(record.snapshot.excess, amount("1.000000000000000001"));
    assert!(record.snapshot.flags.overpaid);
    assert_eq!(record.version, 4);
    assert_eq!(record.updated_at, at(1_000_003));
    let standing: Vec<_> = record
        .payments
        .iter()
        .map(|p| {
            (
                p.recorded.transfer.id.chain_id.get(),
                p.state,
                p.recorded.confirmed_at_tip,
            )
        })
        .collect();
    let expected = vec![
        (1, PaymentState::Confirmed, Some(3)),
        (56, PaymentState::Confirmed, Some(6)),
        (56, PaymentState::Seen, None),
    ];
    assert_eq!(standing, expected);
    assert_eq!(record.payments[1].recorded.transfer.amount, amount(part));
    assert_eq!(record.payments[1].detected_at, at(1_000_006));
    events_tell_of_two_instalments(&books, &record).await;
}

async fn events_tell_of_two_instalments(books: &Books, record: &OrderRecord) {
    let told = books.told().await;
    let expected = [
        "payment.detected",
        "order.partially_paid",
        "payment.detected",
        "payment.confirmed",
        "payment.detected",
        "order.paid",
        "order.overpaid",
        "payment.confirmed",
        "order.completed",
    ];
    assert_eq!(told, expected);
    let events = books.events().await;
    let first = record.payments[0].recorded.transfer.id;
    let told = books.order_events().await;
    assert_eq!(told[1].event.payment, Some(PaymentId::of(&first)));
    let last = told.last().unwrap();
    assert_eq!(
        (last.status, last.flags),
        (OrderStatus::Completed, record.snapshot.flags)
    );
    let after = &record.snapshot;
    assert_eq!(
        (last.received, last.confirmed),
        (after.received, after.confirmed)
    );
    assert_eq!((last.counted, last.excess), (after.counted, after.excess));
    assert_eq!(events.last().unwrap().at, at(1_000_003));
    assert_eq!(books.store.events_after(4, 3).await.unwrap(), events[4..7]);
    assert_eq!(books.store.events_after(10, 3).await.unwrap(), vec![]);
}

async fn one_block_pays_many_orders(books: Books) {
    let mut orders = Vec::new();
    for number in 1..=70 {
        orders.push(books.expects(order(number)).await);
    }
    let payments: Vec<_> = orders.iter().map(|order| (1, order, "100")).collect();
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=1, &payments).await.unwrap();
    line.cover(&books.store, 0, 2..=2, &[]).await.unwrap();
    for order in &orders {
        let record = books.order(order).await;
        assert_eq!(record.snapshot.status, OrderStatus::Completed);
        assert_eq!(record.payments.len(), 1);
    }
    let told = books.told().await;
    assert_eq!(
        told.iter()
            .filter(|name| **name == "order.completed")
            .count(),
        70
    );
}

async fn a_cursor_that_moved_on_is_stale(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    let first = line
        .update(&books.store, 0, 1..=1, &[(1, &order, "10")])
        .await
        .unwrap();
    line.cover(&books.store, 0, 1..=1, &[(1, &order, "10")])
        .await
        .unwrap();
    let before = books.order(&order).await;
    let error = books.store.commit_update(&first).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");

    // The same height with another hash is another cursor.
    let mut other = line
        .update(&books.store, 0, 2..=2, &[(2, &order, "90")])
        .await
        .unwrap();
    other.expected = Some(block(1, 1, 9).to_ref());
    let error = books.store.commit_update(&other).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");
    assert_eq!(books.order(&order).await, before);
    assert_eq!(books.events().await.len(), 3);
}

async fn an_order_that_moved_on_takes_everything_back(books: Books) {
    let (one, two) = (books.expects(order(1)).await, books.expects(order(2)).await);
    let (mut ethereum, mut bnb) = (Line::new(1), Line::new(56));
    ethereum.cover(&books.store, 0, 1..=2, &[]).await.unwrap();
    let payments = [(3, &one, "10"), (3, &two, "100")];
    let decided = ethereum
        .update(&books.store, 0, 3..=3, &payments)
        .await
        .unwrap();
    bnb.cover(&books.store, 0, 1..=1, &[(1, &two, "50")])
        .await
        .unwrap();

    let before = (
        books.order(&one).await,
        books.order(&two).await,
        books.events().await,
    );
    let window = books.store.recent_blocks(chain(1)).await.unwrap();
    let error = books.store.commit_update(&decided).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");
    let after = (
        books.order(&one).await,
        books.order(&two).await,
        books.events().await,
    );
    assert_eq!(after, before);
    assert_eq!(books.store.recent_blocks(chain(1)).await.unwrap(), window);
    assert_eq!(books.store.chains().await.unwrap()[0].heads.tip.number, 2);

    ethereum
        .cover(&books.store, 0, 3..=3, &payments)
        .await
        .unwrap();
    assert_eq!(books.order(&two).await.snapshot.counted, amount("150"));
}

async fn a_replay_changes_nothing(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=3, &[(1, &order, "100")])
        .await
        .unwrap();
    let before = (books.order(&order).await, books.events().await);
    line.cover(&books.store, 0, 4..=4, &[(1, &order, "100")])
        .await
        .unwrap();
    assert_eq!((books.order(&order).await, books.events().await), before);
}

async fn the_window_ends_with_the_cursor(books: Books) {
    assert_eq!(books.store.recent_blocks(chain(1)).await.unwrap(), vec![]);
    assert_eq!(books.store.chains().await.unwrap(), vec![]);
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 5..=30, &[]).await.unwrap();
    Line::new(56)
        .cover(&books.store, 0, 2..=2, &[])
        .await
        .unwrap();
    let expected: Vec<_> = (22..=30).map(|number| block(1, number, 0)).collect();
    assert_eq!(books.store.recent_blocks(chain(1)).await.unwrap(), expected);

    // A commit that brings no headers still leaves the tip in the window.
    let mut quiet = line.update(&books.store, 0, 31..=31, &[]).await.unwrap();
    quiet.blocks.clear();
    quiet.heads.finalized = Some(27);
    books.store.commit_update(&quiet).await.unwrap();
    let window = books.store.recent_blocks(chain(1)).await.unwrap();
    assert_eq!(window.last(), Some(&block(1, 31, 0)));
    let chains = books.store.chains().await.unwrap();
    let expected = ChainRecord {
        heads: quiet.heads,
        node_head: 34,
        started_at: 5,
        updated_at: at(1_000_031),
    };
    assert_eq!(chains.len(), 2);
    assert_eq!(chains[0], expected);
}

async fn what_contradicts_the_books_is_refused(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=1, &[(1, &order, "100")])
        .await
        .unwrap();
    let before = (books.order(&order).await, books.events().await);

    // Money leaves the chain and nobody is told.
    let mut silent = line.update(&books.store, 1, 1..=2, &[]).await.unwrap();
    silent.changes.clear();
    // A snapshot without the payment that is there.
    let mut forgetful = line.update(&books.store, 0, 2..=2, &[]).await.unwrap();
    forgetful.changes[0].snapshot.payments.clear();
    // A snapshot with a payment that is not there.
    let mut inventive = line
        .update(&books.store, 0, 2..=2, &[(2, &order, "1")])
        .await
        .unwrap();
    inventive.transfers.clear();
    // One transfer for two orders.
    let mut generous = line
        .update(&books.store, 0, 2..=2, &[(2, &order, "1")])
        .await
        .unwrap();
    let (transfer, _) = generous.transfers[0].clone();
    generous
        .transfers
        .push((transfer, crate::books::order_id(2)));
    // The same order twice.
    let mut doubled = line.update(&books.store, 0, 2..=2, &[]).await.unwrap();
    doubled.changes.push(doubled.changes[0].clone());
    for wrong in [silent, forgetful, inventive, generous, doubled] {
        let error = books.store.commit_update(&wrong).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
        assert_eq!((books.order(&order).await, books.events().await), before);
    }
    line.cover(&books.store, 0, 2..=2, &[]).await.unwrap();
    assert_eq!(
        books.order(&order).await.snapshot.status,
        OrderStatus::Completed
    );
}

async fn what_does_not_fit_is_refused(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    let mut update = line
        .update(&books.store, 0, 1..=1, &[(1, &order, "1")])
        .await
        .unwrap();
    update.transfers[0].0.id.log_index = u64::MAX;
    let error = books.store.commit_update(&update).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
    let error = books.store.events_after(u64::MAX, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");

    assert_eq!(books.order(&order).await.snapshot, Snapshot::new());
    line.cover(&books.store, 0, 1..=1, &[(1, &order, "1")])
        .await
        .unwrap();
    assert_ne!(books.order(&order).await.snapshot.counted, Amount::ZERO);
}
