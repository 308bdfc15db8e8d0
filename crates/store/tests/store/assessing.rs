//! The reconciler gets the books of exactly the orders for which something may change.

use std::collections::BTreeSet;

use paywatch_core::{BlockNumber, OrderId, OrderStatus};
use paywatch_store::Touch;

use crate::books::{Books, at, chain, option, order};
use crate::line::Line;

on_both_engines!(
    named_orders_come_with_all_their_books,
    unconfirmed_and_retracted_money_is_looked_at,
    an_order_is_looked_at_once_no_chain_can_bring_it_money_in_time,
);

async fn touched(
    books: &Books,
    on: u64,
    retract_above: Option<BlockNumber>,
    covered: u64,
) -> Vec<OrderId> {
    let touch = Touch {
        chain_id: chain(on),
        orders: BTreeSet::new(),
        retract_above,
        covered_time: at(covered),
        loose: BTreeSet::new(),
        sent: Vec::new(),
        struck: BTreeSet::new(),
        most_due: 100,
    };
    let found = books.store.books_to_assess(&touch).await.unwrap().books;
    found.iter().map(|book| book.order.id).collect()
}

async fn named_orders_come_with_all_their_books(books: Books) {
    let (one, two) = (books.expects(order(1)).await, books.expects(order(2)).await);
    let (mut ethereum, mut bnb) = (Line::new(1), Line::new(56));
    ethereum
        .cover(&books.store, 0, 1..=4, &[(2, &one, "1"), (4, &one, "2")])
        .await
        .unwrap();
    bnb.cover(&books.store, 0, 1..=1, &[(1, &one, "3")])
        .await
        .unwrap();
    ethereum.cover(&books.store, 1, 3..=5, &[]).await.unwrap();
    let touch = Touch {
        chain_id: chain(56),
        orders: [one.id, two.id, crate::books::order_id(99)].into(),
        retract_above: None,
        covered_time: at(0),
        loose: BTreeSet::new(),
        sent: Vec::new(),
        struck: BTreeSet::new(),
        most_due: 100,
    };
    let touched = books.store.books_to_assess(&touch).await.unwrap();
    let (heads, found) = (touched.heads, touched.books);
    assert_eq!(heads.keys().map(|id| id.get()).collect::<Vec<_>>(), [1, 56]);
    assert_eq!(heads[&chain(1)], ethereum.heads.unwrap());
    assert_eq!(found.len(), 2);
    let record = books.order(&one).await;
    assert_eq!(
        (&found[0].order, found[0].version),
        (&record.order, record.version)
    );
    assert_eq!(found[0].snapshot, record.snapshot);
    let on_chain: Vec<_> = record
        .payments
        .iter()
        .filter(|payment| payment.reverted_at.is_none())
        .map(|payment| payment.recorded.clone())
        .collect();
    assert_eq!(found[0].transfers, on_chain);
    assert_eq!(on_chain.len(), 2);
    assert_eq!((&found[1].order, found[1].transfers.len()), (&two, 0));
}

async fn unconfirmed_and_retracted_money_is_looked_at(books: Books) {
    let (one, two) = (books.expects(order(1)).await, books.expects(order(2)).await);
    books.expects(order(3)).await;
    let mut line = Line::new(1);
    line.cover(
        &books.store,
        0,
        1..=4,
        &[(1, &one, "100"), (4, &two, "100")],
    )
    .await
    .unwrap();
    assert_eq!(touched(&books, 1, None, 40).await, [two.id]);
    assert_eq!(touched(&books, 56, None, 40).await, []);
    assert_eq!(touched(&books, 1, Some(1), 40).await, [two.id]);
    assert_eq!(touched(&books, 1, Some(0), 40).await, [one.id, two.id]);
    line.cover(&books.store, 0, 5..=5, &[]).await.unwrap();
    assert_eq!(touched(&books, 1, None, 50).await, []);
    assert_eq!(touched(&books, 1, Some(3), 50).await, [two.id]);
}

async fn an_order_is_looked_at_once_no_chain_can_bring_it_money_in_time(books: Books) {
    let mut short = order(1);
    short.options.pop();
    let short = books.expects(short).await;
    let both = books.expects(order(2)).await;
    let mut elsewhere = order(3);
    elsewhere.options = vec![option(3, 137)];
    books.expects(elsewhere).await;
    let (mut ethereum, mut bnb) = (Line::new(1), Line::new(56));
    ethereum
        .cover(&books.store, 0, 1..=1, &[(1, &both, "1")])
        .await
        .unwrap();
    ethereum.cover(&books.store, 0, 2..=2, &[]).await.unwrap();
    bnb.cover(&books.store, 0, 1..=1, &[]).await.unwrap();

    // A block at the deadline is still in time.
    assert_eq!(touched(&books, 1, None, 10_000).await, []);
    assert_eq!(touched(&books, 1, None, 10_001).await, [short.id]);
    assert_eq!(touched(&books, 56, None, 10_001).await, []);

    bnb.cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    assert_eq!(touched(&books, 1, None, 10_001).await, [short.id, both.id]);
    ethereum
        .cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    for order in [&short, &both] {
        assert_eq!(
            books.order(order).await.snapshot.status,
            OrderStatus::Expired
        );
    }
    assert_eq!(touched(&books, 1, None, 10_020).await, []);
}
