//! What keeps large books fast must not change what is found in them.

use std::collections::BTreeSet;

use paywatch_core::{OrderId, OrderStatus, PaymentMethod, Timestamp};
use paywatch_store::{BookedTransfer, OrderFilter, Page, PaymentFilter, Touch};

use crate::books::{Books, address, at, chain, open, option, order};
use crate::bulk::dump;
use crate::line::Line;

on_both_engines!(
    older_books_are_brought_up_to_date,
    orders_are_found_by_time_whatever_the_clock_did,
    a_shared_address_and_a_chain_are_lists_by_status,
    an_order_is_left_to_the_chain_that_it_waits_for,
    pages_of_payments_go_on_where_the_last_ended,
);

/// What the layout was like before.
const BEFORE: &str = "DELETE FROM _sqlx_migrations WHERE version = 7; \
    DROP TABLE order_places; \
    DELETE FROM counters WHERE name = 'clock_setback'; \
    DROP INDEX orders_due; \
    ALTER TABLE orders DROP COLUMN open_on; \
    CREATE INDEX orders_open ON orders (open_until) WHERE open_until IS NOT NULL; \
    CREATE INDEX order_options_by_address ON order_options (address); \
    DROP INDEX orders_by_time; \
    DROP INDEX transfers_by_chain; \
    DROP INDEX transfers_by_recipient; \
    CREATE INDEX transfers_by_recipient ON transfers (recipient, detected_at, payment_id);";

async fn older_books_are_brought_up_to_date(mut books: Books) {
    let (mut late, mut early) = (order(1), order(2));
    (late.created_at, early.created_at) = (at(50), at(10));
    early.options[1].address = address(0xC0, 1);
    let (late, early) = (books.expects(late).await, books.expects(early).await);
    let mut ethereum = Line::new(1);
    let paid = [(1, &early, "100")];
    ethereum.cover(&books.store, 0, 1..=2, &paid).await.unwrap();
    let tables = [
        ("orders", "id"),
        ("order_places", "seq, place"),
        ("counters", "name"),
    ];
    let before = dump(&books, &tables).await;
    books.store.close().await;
    books.tamper(BEFORE).await;
    books.store = open(&books.url).await;
    assert_eq!(dump(&books, &tables).await, before);

    let made_before = OrderFilter {
        created_before: Some(at(20)),
        chain_id: Some(chain(56)),
        ..OrderFilter::default()
    };
    assert_eq!(pages(&books, &made_before).await, [2]);
    let mut bnb = Line::new(56);
    bnb.cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    ethereum
        .cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    let status = books.order(&late).await.snapshot.status;
    assert_eq!(status, OrderStatus::Expired);
}

/// The numbers of all orders of a list, which is turned by pages of two.
async fn pages(books: &Books, filter: &OrderFilter) -> Vec<u64> {
    let mut found = Vec::new();
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
        match part.next {
            Some(next) => page.before_seq = Some(next),
            None => return found,
        }
    }
}

async fn orders_are_found_by_time_whatever_the_clock_did(books: Books) {
    // Seconds at which the orders 1, 2, 3 and so on were made, by a clock that is set back twice.
    let times = [50, 10, 60, 61, 30, 62, 62, 90, 5, 91];
    for (number, seconds) in (1..).zip(times) {
        let mut made = order(number);
        made.created_at = at(seconds);
        books.expects(made).await;
    }
    let bounds: Vec<Option<Timestamp>> = std::iter::once(None)
        .chain((0..=92).map(|second| Some(at(second))))
        .collect();
    for from in &bounds {
        for before in bounds.iter().step_by(7) {
            let filter = OrderFilter {
                created_from: *from,
                created_before: *before,
                ..OrderFilter::default()
            };
            let mut expected: Vec<u64> = (1..)
                .zip(times)
                .filter(|(_, seconds)| from.is_none_or(|from| at(*seconds) >= from))
                .filter(|(_, seconds)| before.is_none_or(|before| at(*seconds) < before))
                .map(|(number, _)| number)
                .collect();
            expected.reverse();
            assert_eq!(
                pages(&books, &filter).await,
                expected,
                "{from:?} {before:?}"
            );
        }
    }
}

async fn a_shared_address_and_a_chain_are_lists_by_status(books: Books) {
    let shared = address(0xC0, 1);
    let mut made = Vec::new();
    for number in 1..=6 {
        let mut called = order(number);
        called.options[1].address = shared;
        called.options[1].method = PaymentMethod::Contract { receiver: shared };
        if number > 4 {
            called.options.push(option(number, 137));
        }
        made.push(books.expects(called).await);
    }
    let mut line = Line::new(1);
    let paid = [
        (1, &made[1], "100"),
        (1, &made[4], "100"),
        (2, &made[2], "1"),
    ];
    line.cover(&books.store, 0, 1..=2, &paid).await.unwrap();
    let check = async |chain_id: Option<u64>, at_shared: bool, statuses: &[OrderStatus]| {
        let filter = OrderFilter {
            statuses: statuses.to_vec(),
            chain_id: chain_id.map(chain),
            address: at_shared.then_some(shared),
            ..OrderFilter::default()
        };
        pages(&books, &filter).await
    };
    use OrderStatus::{AwaitingPayment, Completed, Expired, PartiallyPaid};
    assert_eq!(check(None, true, &[]).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(check(Some(1), false, &[]).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(check(Some(137), true, &[]).await, [6, 5]);
    assert_eq!(check(Some(137), false, &[Completed]).await, [5]);
    assert_eq!(check(None, true, &[Completed]).await, [5, 2]);
    assert_eq!(
        check(Some(56), true, &[PartiallyPaid, Completed]).await,
        [5, 3, 2]
    );
    assert_eq!(check(Some(137), false, &[AwaitingPayment]).await, [6]);
    assert_eq!(check(Some(137), false, &[Expired]).await, [0_u64; 0]);
    assert_eq!(check(Some(10), false, &[]).await, [0_u64; 0]);
    // What was paid is taken back: the list follows.
    line.cover(&books.store, 1, 1..=1, &[]).await.unwrap();
    assert_eq!(
        check(None, true, &[Completed, PartiallyPaid]).await,
        [0_u64; 0]
    );
    assert_eq!(
        check(Some(1), true, &[AwaitingPayment]).await,
        [6, 5, 4, 3, 2, 1]
    );
}

/// Which orders come to be looked at on a chain that is covered up to `seconds`, and which are left
/// to which other chain.
async fn due(books: &Books, on: u64, seconds: u64) -> (Vec<OrderId>, Vec<(OrderId, u64)>) {
    let touch = Touch {
        chain_id: chain(on),
        orders: BTreeSet::new(),
        retract_above: None,
        covered_time: at(seconds),
        loose: BTreeSet::new(),
        sent: Vec::new(),
        struck: BTreeSet::new(),
        most_due: 100,
    };
    let found = books.store.books_to_assess(&touch).await.unwrap();
    let now = found.books.iter().map(|book| book.order.id).collect();
    let deferred = found.deferred.iter();
    (
        now,
        deferred.map(|(id, chain)| (*id, chain.get())).collect(),
    )
}

async fn an_order_is_left_to_the_chain_that_it_waits_for(books: Books) {
    let mut three = order(1);
    three.options.push(option(1, 137));
    let three = books.expects(three).await;
    let (mut ethereum, mut bnb, mut polygon) = (Line::new(1), Line::new(56), Line::new(137));
    for (line, blocks) in [
        (&mut ethereum, 1..=1),
        (&mut bnb, 3..=3),
        (&mut polygon, 2..=2),
    ] {
        line.cover(&books.store, 0, blocks, &[]).await.unwrap();
    }
    // It is left to the chain that is furthest behind, and no other is asked about it again.
    assert_eq!(
        due(&books, 1, 10_010).await,
        (vec![], vec![(three.id, 137)])
    );
    assert_eq!(due(&books, 137, 10_010).await, (vec![], vec![]));
    ethereum
        .cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    assert_eq!(due(&books, 1, 10_020).await, (vec![], vec![]));
    bnb.cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    assert_eq!(due(&books, 56, 10_020).await, (vec![], vec![]));
    let status = async || books.order(&three).await.snapshot.status;
    assert_eq!(status().await, OrderStatus::AwaitingPayment);
    polygon
        .cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    assert_eq!(status().await, OrderStatus::Expired);

    // A chain that was never covered is what holds an order open, and costs the others nothing.
    let mut elsewhere = order(2);
    elsewhere.options.push(option(2, 8_453));
    let elsewhere = books.expects(elsewhere).await;
    ethereum
        .cover(&books.store, 0, 1_002..=1_002, &[])
        .await
        .unwrap();
    for on in [1, 56] {
        assert_eq!(due(&books, on, 20_000).await, (vec![], vec![]));
    }
    let mut base = Line::new(8_453);
    base.cover(&books.store, 0, 1_001..=1_001, &[])
        .await
        .unwrap();
    let status = books.order(&elsewhere).await.snapshot.status;
    assert_eq!(status, OrderStatus::Expired);
}

#[expect(clippy::too_many_lines, reason = "one story")]
async fn pages_of_payments_go_on_where_the_last_ended(books: Books) {
    let (one, two) = (books.expects(order(1)).await, books.expects(order(2)).await);
    let (mut ethereum, mut bnb) = (Line::new(1), Line::new(56));
    // Many of one moment, and some of the next ones.
    let paid: Vec<_> = (0..5).map(|_| (1, &one, "1")).collect();
    ethereum.cover(&books.store, 0, 1..=1, &paid).await.unwrap();
    bnb.cover(&books.store, 0, 1..=1, &[(1, &two, "3"), (1, &one, "3")])
        .await
        .unwrap();
    ethereum
        .cover(&books.store, 0, 2..=4, &[(2, &two, "2"), (4, &two, "2")])
        .await
        .unwrap();
    let filters = [
        PaymentFilter::default(),
        PaymentFilter {
            states: vec!["seen", "confirmed"],
            ..PaymentFilter::default()
        },
        PaymentFilter {
            states: vec!["confirmed", "unheard_of", "confirmed"],
            ..PaymentFilter::default()
        },
        PaymentFilter {
            chain_id: Some(chain(1)),
            ..PaymentFilter::default()
        },
        PaymentFilter {
            states: vec!["seen"],
            chain_id: Some(chain(56)),
            to: Some(two.options[0].address),
            ..PaymentFilter::default()
        },
        PaymentFilter {
            order: Some(one.id),
            chain_id: Some(chain(1)),
            ..PaymentFilter::default()
        },
    ];
    let all = books.store.payments(&filters[0], None, 100).await.unwrap();
    assert_eq!(all.len(), 9);
    let place = |payment: &BookedTransfer| {
        let id = payment.recorded.transfer.payment_id();
        (payment.detected_at, id)
    };
    let by_place = |one: &BookedTransfer, other: &BookedTransfer| {
        let text = |payment: &BookedTransfer| (place(payment).0, place(payment).1.to_string());
        text(other) <= text(one)
    };
    assert!(all.is_sorted_by(by_place));
    for (filter, expected) in filters.iter().zip([9, 9, 6, 7, 1, 5]) {
        let whole = books.store.payments(filter, None, 100).await.unwrap();
        assert_eq!(whole.len(), expected, "{filter:?}");
        let mut turned = Vec::new();
        while let Ok(page) = books
            .store
            .payments(filter, turned.last().map(place), 2)
            .await
        {
            if page.is_empty() {
                break;
            }
            turned.extend(page);
        }
        assert_eq!(turned, whole, "{filter:?}");
        let kept: Vec<_> = all
            .iter()
            .filter(|payment| whole.contains(payment))
            .collect();
        assert_eq!(kept, whole.iter().collect::<Vec<_>>());
    }
}
