//! What a sweep begins with, deposit addresses that money came to, and what is kept of it.

use paywatch_core::{
    Amount, EventKind, Loose, PaymentEvent, SweepStatus, Timestamp, Transfer, TransferId,
};
use paywatch_store::{PaidDeposit, Sweep, SweepFilter};

use crate::books::{Books, address, amount, at, chain, hash, order, usdt};
use crate::line::{Line, block, pay};

on_both_engines!(
    what_came_and_what_left_is_added_up,
    what_left_its_chain_does_not_count,
    pages_leave_nothing_out,
    sweeps_say_how_far_they_are,
    sweeps_are_found_by_what_they_are,
    sweeps_that_are_not_asked_for_are_not_found,
    pages_of_sweeps_leave_nothing_out,
);

async fn all(books: &Books, chain_id: u64) -> Vec<PaidDeposit> {
    let page = books.store.paid_deposits(chain(chain_id), None, 100).await;
    let page = page.unwrap();
    assert_eq!(page.next, None);
    page.deposits
}

fn deposit(number: u64, chain_id: u64, came: &str, left: &str) -> PaidDeposit {
    let order = order(number);
    PaidDeposit {
        order_id: order.id,
        address: order.options[0].address,
        // The first option's: an address follows from one factory and one treasury.
        factory: address(0xFA, 1),
        treasury: address(0x7E, 1),
        token: usdt(chain_id).address,
        came: amount(came),
        left: amount(left),
    }
}

/// Order `number`, whose options have one factory, as those with one address have.
fn ordered(number: u64) -> paywatch_core::Order {
    let mut order = order(number);
    let method = order.options[0].method;
    order.options[1].method = method;
    order
}

/// A flush of `paid` from the address of `order`, in block `number` of chain 1.
fn flushed(number: u64, order: &paywatch_core::Order, paid: &str) -> (Transfer, Loose) {
    let block = block(1, number, 0);
    let transfer = Transfer {
        id: TransferId {
            chain_id: chain(1),
            block_hash: block.hash,
            log_index: 70,
        },
        tx_hash: hash(0xEF, number),
        block_timestamp: at(number),
        from: order.options[0].address,
        to: address(0x7E, 1),
        ..pay(1, block, order, (paid, 70))
    };
    (transfer, Loose::Moved)
}

async fn what_came_and_what_left_is_added_up(books: Books) {
    let (first, second) = (ordered(1), ordered(2));
    for order in [&first, &second, &ordered(3)] {
        books.expects(order.clone()).await;
    }
    let mut line = Line::new(1);
    let payments = [(2, &first, "40"), (3, &first, "60.5"), (3, &second, "7")];
    line.cover(&books.store, 0, 1..=3, &payments).await.unwrap();
    let mut update = line.update(&books.store, 0, 4..=4, &[]).await.unwrap();
    update.loose = vec![flushed(4, &first, "100.25")];
    books.store.commit_update(&update).await.unwrap();
    let mut other = Line::new(56);
    other
        .cover(&books.store, 0, 1..=3, &[(2, &second, "9")])
        .await
        .unwrap();

    let expected = [deposit(1, 1, "100.5", "100.25"), deposit(2, 1, "7", "0")];
    assert_eq!(all(&books, 1).await, expected);
    assert_eq!(all(&books, 56).await, [deposit(2, 56, "9", "0")]);
    assert_eq!(all(&books, 10).await, []);
}

async fn what_left_its_chain_does_not_count(books: Books) {
    let first = books.expects(ordered(1)).await;
    let mut line = Line::new(1);
    let payments = [(2, &first, "40"), (3, &first, "60")];
    line.cover(&books.store, 0, 1..=3, &payments).await.unwrap();
    line.cover(&books.store, 1, 3..=4, &[]).await.unwrap();
    assert_eq!(all(&books, 1).await, [deposit(1, 1, "40", "0")]);
    line.cover(&books.store, 2, 2..=5, &[]).await.unwrap();
    assert_eq!(all(&books, 1).await, []);
}

async fn pages_leave_nothing_out(books: Books) {
    let orders: Vec<_> = (1..=5).map(ordered).collect();
    for order in &orders {
        books.expects(order.clone()).await;
    }
    let mut line = Line::new(1);
    let payments: Vec<_> = orders.iter().map(|order| (2, order, "1")).collect();
    line.cover(&books.store, 0, 1..=3, &payments).await.unwrap();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = books.store.paid_deposits(chain(1), after, 2).await.unwrap();
        assert!(page.deposits.len() <= 2);
        found.extend(page.deposits.iter().map(|deposit| deposit.order_id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<_> = orders.iter().map(|order| order.id).collect();
    assert_eq!((found, pages), (expected, 3));
    assert_eq!(all(&books, 1).await[4].left, Amount::ZERO);
}

async fn found(books: &Books, filter: SweepFilter) -> Vec<Sweep> {
    books.store.sweeps(&filter, None, 100).await.unwrap()
}

async fn status(books: &Books, flush: &Transfer) -> Option<SweepStatus> {
    let sweep = books.store.sweep(&flush.payment_id()).await.unwrap();
    sweep.map(|sweep| sweep.status())
}

async fn sweeps_say_how_far_they_are(books: Books) {
    let first = books.expects(ordered(1)).await;
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=3, &[(2, &first, "40")])
        .await
        .unwrap();
    let flush = flushed(4, &first, "40");
    // Between wallets of the operator's: no sweep.
    let mut other = flushed(4, &first, "5");
    other.0.from = address(0x7E, 2);
    other.0.id.log_index = 71;
    let mut update = line.update(&books.store, 0, 4..=4, &[]).await.unwrap();
    update.loose = vec![flush.clone(), other.clone()];
    books.store.commit_update(&update).await.unwrap();
    line.heads = Some(update.heads);

    let (flush, other) = (flush.0, other.0);
    assert_eq!(status(&books, &flush).await, Some(SweepStatus::Detected));
    assert_eq!(status(&books, &other).await, None);
    let sweeps = found(&books, SweepFilter::default()).await;
    assert_eq!(sweeps.len(), 1);
    assert_eq!(sweeps[0].recorded.transfer, flush);
    assert_eq!(sweeps[0].order, first.id);

    let mut update = line.update(&books.store, 0, 5..=5, &[]).await.unwrap();
    update.payment_events = vec![PaymentEvent::of(&flush, EventKind::SweepCompleted)];
    books.store.commit_update(&update).await.unwrap();
    line.heads = Some(update.heads);
    assert_eq!(status(&books, &flush).await, Some(SweepStatus::Completed));

    line.cover(&books.store, 1, 4..=6, &[]).await.unwrap();
    assert_eq!(status(&books, &flush).await, Some(SweepStatus::Reverted));
    for (wanted, count) in [
        (SweepStatus::Detected, 0),
        (SweepStatus::Completed, 0),
        (SweepStatus::Reverted, 1),
    ] {
        let filter = SweepFilter {
            statuses: vec![wanted],
            ..SweepFilter::default()
        };
        assert_eq!(found(&books, filter).await.len(), count, "{wanted:?}");
        let filter = SweepFilter {
            statuses: vec![wanted],
            order: Some(first.id),
            ..SweepFilter::default()
        };
        assert_eq!(found(&books, filter).await.len(), count, "{wanted:?}");
        let others = SweepStatus::ALL
            .into_iter()
            .filter(|other| *other != wanted);
        let filter = SweepFilter {
            statuses: others.collect(),
            ..SweepFilter::default()
        };
        assert_eq!(found(&books, filter).await.len(), 1 - count, "{wanted:?}");
    }
}

/// Five deposits, swept in a block each: the sweeps, that first which was seen last.
async fn five(books: &Books) -> Vec<Sweep> {
    let orders: Vec<_> = (1..=5).map(ordered).collect();
    for order in &orders {
        books.expects(order.clone()).await;
    }
    let mut line = Line::new(1);
    let payments: Vec<_> = orders.iter().map(|order| (2, order, "1")).collect();
    line.cover(&books.store, 0, 1..=3, &payments).await.unwrap();
    for (number, order) in (4..).zip(&orders) {
        let blocks = number..=number;
        let mut update = line.update(&books.store, 0, blocks, &[]).await.unwrap();
        update.loose = vec![flushed(number, order, "1")];
        books.store.commit_update(&update).await.unwrap();
        line.heads = Some(update.heads);
    }
    let sweeps = found(books, SweepFilter::default()).await;
    assert_eq!(sweeps.len(), 5);
    assert_eq!(sweeps[2].order, orders[2].id);
    sweeps
}

async fn sweeps_are_found_by_what_they_are(books: Books) {
    let third = &five(&books).await[2];
    let transfer = &third.recorded.transfer;
    let any = SweepFilter::default;
    let about_one = [
        SweepFilter {
            address: Some(transfer.from),
            ..any()
        },
        SweepFilter {
            order: Some(third.order),
            ..any()
        },
        SweepFilter {
            tx_hash: Some(transfer.tx_hash),
            ..any()
        },
        SweepFilter {
            tx_hash: Some(transfer.tx_hash),
            address: Some(transfer.from),
            order: Some(third.order),
            chain_id: Some(chain(1)),
            token: Some(transfer.token),
            statuses: vec![SweepStatus::Detected],
            detected_from: Some(third.detected_at),
            detected_before: Timestamp::from_unix_ms(third.detected_at.unix_ms() + 1).ok(),
            oldest_first: true,
        },
    ];
    for filter in about_one {
        let found = found(&books, filter.clone()).await;
        assert_eq!(found, std::slice::from_ref(third), "{filter:?}");
    }
}

async fn sweeps_that_are_not_asked_for_are_not_found(books: Books) {
    let sweeps = five(&books).await;
    let any = SweepFilter::default;
    let about_none = [
        SweepFilter {
            order: Some(order(9).id),
            ..any()
        },
        SweepFilter {
            chain_id: Some(chain(56)),
            ..any()
        },
        SweepFilter {
            token: Some(address(9, 9)),
            ..any()
        },
        SweepFilter {
            order: Some(sweeps[2].order),
            address: Some(sweeps[0].recorded.transfer.from),
            ..any()
        },
        SweepFilter {
            order: Some(sweeps[2].order),
            detected_before: Some(at(0)),
            ..any()
        },
    ];
    for filter in about_none {
        assert_eq!(found(&books, filter.clone()).await, [], "{filter:?}");
    }
}

async fn pages_of_sweeps_leave_nothing_out(books: Books) {
    let newest_first = five(&books).await;
    for oldest_first in [false, true] {
        let filter = SweepFilter {
            oldest_first,
            ..SweepFilter::default()
        };
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = books.store.sweeps(&filter, after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.detected_at, last.recorded.transfer.payment_id()));
            paged.extend(page);
        }
        if oldest_first {
            paged.reverse();
        }
        assert_eq!(paged, newest_first);
    }
}
