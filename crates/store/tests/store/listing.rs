//! Lists of orders, newest first, filtered and turned page by page.

use paywatch_core::{Flags, Order, OrderStatus};
use paywatch_store::{History, OrderFilter, Page, PaymentFilter};

use crate::books::{Books, at, chain, hash, option, order, requested};
use crate::line::Line;

on_both_engines!(
    pages_are_stable_while_orders_are_made,
    orders_are_found_by_what_they_are,
    orders_are_found_by_where_they_are_paid,
    filters_add_up,
    pages_of_several_statuses_keep_their_order,
    orders_are_found_by_flags_and_notes,
    pages_end_where_enough_was_looked_at,
    payments_are_found_by_token_and_time,
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
        ..any()
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

/// The flags with these names.
fn flags(names: &[&str]) -> Flags {
    Flags::from_names(names.iter().copied()).unwrap()
}

fn noted(notes: &[(&str, &str)]) -> OrderFilter {
    let notes = notes.iter();
    OrderFilter {
        metadata: notes
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        ..any()
    }
}

async fn orders_are_found_by_flags_and_notes(books: Books) {
    let mut made = Vec::new();
    for number in 1..=4 {
        let mut new = order(number);
        let table = if number % 2 == 0 { "even" } else { "odd" };
        new.metadata.insert("table".to_owned(), table.to_owned());
        new.metadata.insert("shop".to_owned(), "a=b".to_owned());
        made.push(books.expects(new).await);
    }
    let mut line = Line::new(1);
    let paid = [
        (1, &made[0], "150"),
        (1, &made[1], "150"),
        (1, &made[2], "1"),
    ];
    line.cover(&books.store, 0, 1..=2, &paid).await.unwrap();
    let flagged = |names: &[&str]| OrderFilter {
        flags: flags(names),
        ..any()
    };
    let both = OrderFilter {
        flags: flags(&["overpaid", "late"]),
        statuses: vec![OrderStatus::Completed],
        chain_id: Some(chain(1)),
        ..noted(&[("table", "even"), ("shop", "a=b")])
    };
    let cases: [(OrderFilter, &[u64]); 9] = [
        (flagged(&["overpaid"]), &[2, 1]),
        (flagged(&["overpaid", "late"]), &[2, 1]),
        (flagged(&["late"]), &[]),
        (noted(&[("table", "odd")]), &[3, 1]),
        (noted(&[("table", "odd"), ("shop", "a=b")]), &[3, 1]),
        (noted(&[("table", "odd"), ("shop", "b")]), &[]),
        (noted(&[("shop", "table")]), &[]),
        (both.clone(), &[2]),
        (
            OrderFilter {
                oldest_first: true,
                ..noted(&[("shop", "a=b")])
            },
            &[1, 2, 3, 4],
        ),
    ];
    check(&books, cases).await;
    let by_reference = OrderFilter {
        reference: Some(made[0].reference.clone()),
        ..both.clone()
    };
    assert_eq!(numbers(&books, by_reference).await, [0_u64; 0]);
    // What was paid leaves the chain: the flag is another one, and the list follows.
    line.cover(&books.store, 1, 1..=1, &[]).await.unwrap();
    let cases: [(OrderFilter, &[u64]); 3] = [
        (flagged(&["overpaid"]), &[]),
        (both, &[]),
        (flagged(&["reverted", "overpaid"]), &[3, 2, 1]),
    ];
    check(&books, cases).await;
}

/// All pages of a list: the numbers of their orders, and how many pages were short of more.
async fn turned(books: &Books, filter: &OrderFilter) -> (Vec<u64>, usize) {
    let (mut found, mut short) = (Vec::new(), 0);
    let mut page = Page {
        before_seq: None,
        limit: 2,
    };
    loop {
        let part = books.store.orders(filter, page).await.unwrap();
        found.extend(part.orders.iter().map(|record| {
            let reference = record.order.reference.as_str();
            reference.trim_start_matches("INV-").parse::<u64>().unwrap()
        }));
        let Some(next) = part.next else {
            return (found, short);
        };
        assert_ne!(page.before_seq, Some(next), "it goes on");
        short += usize::from(part.orders.len() < 2);
        page.before_seq = Some(next);
    }
}

/// Many have each of two places and few have both. Those few are at both ends.
async fn pages_end_where_enough_was_looked_at(books: Books) {
    const MANY: u64 = 5_000;
    let both = [1, 2, MANY - 1];
    let shared = crate::books::address(0xC0, 1);
    let histories = (1..=MANY).map(|number| {
        let mut new = order(number);
        new.options.truncate(1);
        if both.contains(&number) || number % 2 == 0 {
            new.options.push(option(number, 137));
        }
        if both.contains(&number) || number % 2 == 1 {
            new.options[0].address = shared;
            new.options[0].method = paywatch_core::PaymentMethod::Contract { receiver: shared };
        }
        History {
            new: requested(&new, "d"),
            transfers: Vec::new(),
            changes: Vec::new(),
        }
    });
    let histories: Vec<History> = histories.collect();
    for part in histories.chunks(500) {
        books.store.fill(part).await.unwrap();
    }
    let mut filter = OrderFilter {
        chain_id: Some(chain(137)),
        address: Some(shared),
        ..any()
    };
    let (mut found, short) = turned(&books, &filter).await;
    found.sort_unstable();
    assert_eq!(found, both);
    assert!(short > 0, "no page ended before it was full");
    filter.oldest_first = true;
    assert_eq!(turned(&books, &filter).await.0, both);
}

async fn payments_are_found_by_token_and_time(books: Books) {
    let one = books.expects(order(1)).await;
    let mut line = Line::new(1);
    let paid = [(1, &one, "1"), (1, &one, "2")];
    line.cover(&books.store, 0, 1..=1, &paid).await.unwrap();
    line.cover(&books.store, 0, 2..=2, &[(2, &one, "3")])
        .await
        .unwrap();
    let list = async |filter: PaymentFilter| {
        let found = books.store.payments(&filter, None, 10).await.unwrap();
        let amounts = found
            .iter()
            .map(|it| it.recorded.transfer.amount.to_string());
        amounts.collect::<Vec<_>>()
    };
    let all = books
        .store
        .payments(&PaymentFilter::default(), None, 10)
        .await
        .unwrap();
    assert_eq!(all.len(), 3);
    let token = all[0].recorded.transfer.token;
    let (first, last) = (all[2].detected_at, all[0].detected_at);
    let of_token = PaymentFilter {
        token: Some(token),
        ..PaymentFilter::default()
    };
    let newest_first: Vec<String> = all
        .iter()
        .map(|it| it.recorded.transfer.amount.to_string())
        .collect();
    let mut oldest_first = newest_first.clone();
    oldest_first.reverse();
    assert_eq!(list(of_token.clone()).await, newest_first);
    for order in [None, Some(one.id)] {
        let filter = PaymentFilter {
            order,
            oldest_first: true,
            ..of_token.clone()
        };
        assert_eq!(list(filter.clone()).await, oldest_first);
        let after = (all[2].detected_at, all[2].recorded.transfer.payment_id());
        let rest = books.store.payments(&filter, Some(after), 10).await;
        assert_eq!(rest.unwrap().len(), 2);
        let none = PaymentFilter {
            token: Some(crate::books::address(0xC0, 9)),
            ..filter.clone()
        };
        assert_eq!(list(none).await, [""; 0]);
        let soon = PaymentFilter {
            detected_before: Some(last),
            detected_from: Some(first),
            ..filter
        };
        let expected = all.iter().filter(|it| it.detected_at < last).count();
        assert_eq!(list(soon).await.len(), expected);
    }
}
