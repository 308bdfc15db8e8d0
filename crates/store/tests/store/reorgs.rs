//! Money that leaves its chain stays in the books as history, and may come back.

use paywatch_core::{Amount, OrderStatus, PaymentState, Window};

use crate::books::{Books, amount, at, chain, order};
use crate::line::{Line, block};

on_both_engines!(
    a_payment_leaves_and_is_mined_again_elsewhere,
    there_and_back_again,
    other_chains_and_older_blocks_keep_theirs,
    a_short_reorg_above_leaves_the_payment_confirmed,
);

async fn a_payment_leaves_and_is_mined_again_elsewhere(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=3, &[(3, &order, "100")])
        .await
        .unwrap();
    line.cover(&books.store, 1, 3..=4, &[]).await.unwrap();

    let record = books.order(&order).await;
    assert_eq!(record.snapshot.status, OrderStatus::AwaitingPayment);
    assert_eq!(record.snapshot.received, Amount::ZERO);
    assert!(record.snapshot.flags.reverted && record.snapshot.payments.is_empty());
    assert_eq!(record.payments[0].reverted_at, Some(at(1_000_004)));
    assert_eq!(record.payments[0].recorded.confirmed_at_tip, None);

    line.cover(&books.store, 1, 5..=6, &[(5, &order, "100")])
        .await
        .unwrap();
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.status, OrderStatus::Completed);
    assert_eq!(
        (record.payments.len(), record.snapshot.payments.len()),
        (2, 1)
    );
    assert_eq!(record.payments[1].state, PaymentState::Confirmed);
    let expected = [
        "payment.detected",
        "order.paid",
        "payment.reverted",
        "order.reverted",
        "payment.detected",
        "payment.confirmed",
        "order.paid",
        "order.completed",
    ];
    assert_eq!(books.told().await, expected);
}

async fn there_and_back_again(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=3, &[(2, &order, "100")])
        .await
        .unwrap();
    let first = books.order(&order).await;
    assert_eq!(first.snapshot.status, OrderStatus::Completed);
    line.cover(&books.store, 1, 2..=4, &[]).await.unwrap();
    assert_eq!(
        books.order(&order).await.snapshot.status,
        OrderStatus::AwaitingPayment
    );
    line.cover(&books.store, 0, 2..=5, &[(2, &order, "100")])
        .await
        .unwrap();

    let back = books.order(&order).await;
    assert_eq!(back.snapshot.status, OrderStatus::Completed);
    assert_eq!(back.payments.len(), 1);
    assert_eq!(
        back.payments[0].recorded.transfer,
        first.payments[0].recorded.transfer
    );
    assert_eq!(back.payments[0].recorded.confirmed_at_tip, Some(5));
    assert_eq!(back.payments[0].reverted_at, None);
    assert_eq!(back.payments[0].detected_at, first.payments[0].detected_at);
    let window = books.store.recent_blocks(chain(1)).await.unwrap();
    assert_eq!(window, [1, 2, 3, 4, 5].map(|number| block(1, number, 0)));
}

async fn other_chains_and_older_blocks_keep_theirs(books: Books) {
    let order = books.expects(order(1)).await;
    let (mut ethereum, mut bnb) = (Line::new(1), Line::new(56));
    bnb.cover(&books.store, 0, 1..=9, &[(9, &order, "30")])
        .await
        .unwrap();
    ethereum
        .cover(
            &books.store,
            0,
            1..=5,
            &[(2, &order, "20"), (5, &order, "50")],
        )
        .await
        .unwrap();
    assert_eq!(books.order(&order).await.snapshot.counted, amount("100"));
    ethereum.cover(&books.store, 1, 3..=6, &[]).await.unwrap();
    let record = books.order(&order).await;
    assert_eq!(record.snapshot.counted, amount("50"));
    let gone: Vec<_> = record
        .payments
        .iter()
        .filter(|p| p.reverted_at.is_some())
        .collect();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].recorded.transfer.amount, amount("50"));
    let window = books.store.recent_blocks(chain(1)).await.unwrap();
    let branches = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 1)];
    assert_eq!(
        window,
        branches.map(|(number, branch)| block(1, number, branch))
    );
    assert_eq!(books.store.recent_blocks(chain(56)).await.unwrap().len(), 9);
}

async fn a_short_reorg_above_leaves_the_payment_confirmed(books: Books) {
    let order = books.expects(order(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=2, &[(1, &order, "100")])
        .await
        .unwrap();
    let before = books.order(&order).await;
    assert_eq!(before.snapshot.status, OrderStatus::Completed);
    line.cover(&books.store, 1, 2..=2, &[]).await.unwrap();
    assert_eq!(books.order(&order).await, before);
    let stored = books.store.recent_blocks(chain(1)).await.unwrap();
    assert_eq!(
        Window::from_blocks(&stored, 8).unwrap().tip(),
        &block(1, 2, 1)
    );
}
