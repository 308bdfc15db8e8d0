//! Lists of orders, newest first, filtered and turned page by page.

use paywatch_core::{Order, OrderStatus};
use paywatch_store::{OrderFilter, Page};

use crate::books::{Books, at, chain, hash, option, order};
use crate::line::Line;

on_both_engines!(
    pages_are_stable_while_orders_are_made,
    orders_are_found_by_what_they_are,
    orders_are_found_by_where_they_are_paid,
    filters_add_up,
    pages_of_several_statuses_keep_their_order,
);

/// The numbers of the orders of a list: the order in which they were made.
async fn numbers(books: &Books, filter: OrderFilter) -> Vec<u64> {
    let found = books.list(&filter).await;
    assert_eq!(found.next, None);
    let number = |reference: &str| reference.trim_start_matches("INV-").parse().unwrap();
    found
        .orders
        .iter()
        .map(|record| number(record.order.reference.as_str()))
        .collect()
}

async fn pages_are_stable_while_orders_are_made(books: Books) {
    for number in 1..=7 {
        books.expects(order(number)).await;
    }
    let all = OrderFilter::default();
    let mut seen = Vec::new();
    let mut page = Page {
        before_seq: None,
        limit: 3,
    };
    loop {
        let found = books.store.orders(&all, page).await.unwrap();
        seen.extend(found.orders.iter().map(|record| record.order.id));
        books
            .expects(order(100 + u64::try_from(seen.len()).unwrap()))
            .await;
        match found.next {
            Some(next) => page.before_seq = Some(next),
            None => break,
        }
    }
    let expected: Vec<_> = (1..=7).rev().map(crate::books::order_id).collect();
    assert_eq!(seen, expected);
    let whole = books
        .store
        .orders(
            &all,
            Page {
                before_seq: Some(8),
                limit: 7,
            },
        )
        .await
        .unwrap();
    assert_eq!((whole.orders.len(), whole.next), (7, None));
}

/// Three orders: one completed, one paid in part, one on one more chain.
async fn three_orders(books: &Books) -> [Order; 3] {
    let one = books.expects(order(1)).await;
    let two = books.expects(order(2)).await;
    let mut three = order(3);
    three.options.push(option(4, 137));
    let three = books.expects(three).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=1, &[(1, &one, "100"), (1, &two, "1")])
        .await
        .unwrap();
    line.cover(&books.store, 0, 2..=2, &[(2, &two, "1")])
        .await
        .unwrap();
    [one, two, three]
}

fn any() -> OrderFilter {
    OrderFilter::default()
}

async fn check<const N: usize>(books: &Books, cases: [(OrderFilter, &[u64]); N]) {
    for (filter, expected) in cases {
        assert_eq!(numbers(books, filter.clone()).await, expected, "{filter:?}");
    }
}

async fn orders_are_found_by_what_they_are(books: Books) {
    let [_, two, _] = three_orders(&books).await;
    let in_status = |statuses: &[OrderStatus]| OrderFilter {
        statuses: statuses.to_vec(),
        ..any()
    };
    let open = [OrderStatus::PartiallyPaid, OrderStatus::AwaitingPayment];
    let cases: [(OrderFilter, &[u64]); 7] = [
        (any(), &[3, 2, 1]),
        (in_status(&[OrderStatus::Completed]), &[1]),
        (in_status(&open), &[3, 2]),
        (in_status(&[OrderStatus::Expired]), &[]),
        (
            OrderFilter {
                reference: Some(two.reference),
                ..any()
            },
            &[2],
        ),
        (
            OrderFilter {
                created_from: Some(at(2)),
                ..any()
            },
            &[3, 2],
        ),
        (
            OrderFilter {
                created_before: Some(at(3)),
                ..any()
            },
            &[2, 1],
        ),
    ];
    check(&books, cases).await;
}

async fn orders_are_found_by_where_they_are_paid(books: Books) {
    let [one, _, three] = three_orders(&books).await;
    let on_chain = |id| OrderFilter {
        chain_id: Some(chain(id)),
        ..any()
    };
    let paid_to = |address| OrderFilter {
        address: Some(address),
        ..any()
    };
    let paid_in = |number| OrderFilter {
        tx_hash: Some(hash(0xEE, number)),
        ..any()
    };
    let cases: [(OrderFilter, &[u64]); 6] = [
        (on_chain(1), &[3, 2, 1]),
        (on_chain(137), &[3]),
        (paid_to(one.options[0].address), &[1]),
        (paid_to(three.options[2].address), &[3]),
        (paid_in(101), &[2]),
        (paid_in(999), &[]),
    ];
    check(&books, cases).await;
}

async fn filters_add_up(books: Books) {
    let [_, two, _] = three_orders(&books).await;
    let all_at_once = OrderFilter {
        statuses: vec![OrderStatus::PartiallyPaid, OrderStatus::AwaitingPayment],
        reference: Some(two.reference.clone()),
        chain_id: Some(chain(56)),
        address: Some(two.options[0].address),
        tx_hash: Some(hash(0xEE, 200)),
        created_from: Some(at(2)),
        created_before: Some(at(3)),
    };
    assert_eq!(numbers(&books, all_at_once.clone()).await, [2]);
    let on_another = OrderFilter {
        chain_id: Some(chain(137)),
        ..all_at_once.clone()
    };
    assert_eq!(numbers(&books, on_another).await, [0_u64; 0]);
    let too_late = OrderFilter {
        created_from: Some(at(3)),
        ..all_at_once
    };
    assert_eq!(numbers(&books, too_late).await, [0_u64; 0]);
}

async fn pages_of_several_statuses_keep_their_order(books: Books) {
    let mut orders = Vec::new();
    for number in 1..=9 {
        orders.push(books.expects(order(number)).await);
    }
    let even: Vec<_> = orders
        .iter()
        .skip(1)
        .step_by(2)
        .map(|o| (1, o, "100"))
        .collect();
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=2, &even).await.unwrap();
    let filter = OrderFilter {
        statuses: vec![OrderStatus::AwaitingPayment, OrderStatus::Completed],
        ..OrderFilter::default()
    };
    let mut page = Page {
        before_seq: None,
        limit: 4,
    };
    let first = books.store.orders(&filter, page).await.unwrap();
    page.before_seq = first.next;
    let second = books.store.orders(&filter, page).await.unwrap();
    let seqs =
        |page: &[paywatch_store::OrderRecord]| page.iter().map(|o| o.seq).collect::<Vec<_>>();
    assert_eq!(seqs(&first.orders), [9, 8, 7, 6]);
    assert_eq!(seqs(&second.orders), [5, 4, 3, 2]);
    assert_eq!(first.orders[1].snapshot.status, OrderStatus::Completed);
    assert_eq!(first.orders[1].payments.len(), 1);
}
