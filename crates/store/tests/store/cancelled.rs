//! Callers who go away in the middle: nothing of theirs is left behind.

use std::time::Duration;

use paywatch_store::{OrderFilter, Page};
use tokio::time::timeout;

use crate::books::{Books, order};

on_both_engines!(what_is_dropped_midway_leaves_no_transaction_open);

/// A connection that went back to the pool with an open transaction would show the next reader what
/// was there when it began, and refuse the next writer.
async fn what_is_dropped_midway_leaves_no_transaction_open(books: Books) {
    let page = Page {
        before_seq: None,
        limit: 10,
    };
    let filter = OrderFilter::default();
    for round in 0..400 {
        // Each time a little later, so that every point is met.
        let patience = Duration::from_micros(round * 5);
        let _dropped = timeout(patience, books.store.orders(&filter, page)).await;
    }
    for number in 1..=40 {
        books.expects(order(number)).await;
        let readers = (0..20).map(|_| {
            let (store, filter) = (books.store.clone(), filter.clone());
            tokio::spawn(async move {
                let last = store.last_event().await.unwrap();
                let page = Page {
                    before_seq: None,
                    limit: 100,
                };
                (
                    last,
                    store.orders(&filter, page).await.unwrap().orders.len(),
                )
            })
        });
        let readers: Vec<_> = readers.collect();
        for reader in readers {
            let (last, orders) = reader.await.unwrap();
            assert_eq!(last, number);
            assert_eq!(u64::try_from(orders).unwrap(), number);
        }
    }
}
