//! Writers that race lose nothing.

use paywatch_core::{Order, OrderStatus};
use paywatch_store::{Store, StoreError};

use crate::books::{Books, amount, expects, order};
use crate::line::Line;

on_both_engines!(two_chains_and_two_shops_at_once);

/// Orders that both chains pay.
const SHARED: u64 = 4;
const BLOCKS: u64 = 25;

/// Pays 1 to every shared order in every block, and decides again whenever somebody was faster.
async fn pays(store: Store, chain_id: u64, shared: Vec<Order>) {
    let mut line = Line::new(chain_id);
    for number in 1..=BLOCKS {
        let payments: Vec<_> = shared.iter().map(|order| (number, order, "1")).collect();
        while let Err(error) = line.cover(&store, 0, number..=number, &payments).await {
            assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");
        }
    }
}

async fn sells(store: Store, first: u64) {
    for number in first..first + 30 {
        expects(&store, order(number)).await;
    }
}

async fn two_chains_and_two_shops_at_once(books: Books) {
    let other = books.second().await;
    let mut shared = Vec::new();
    for number in 1..=SHARED {
        shared.push(books.expects(order(number)).await);
    }
    let writers = [
        tokio::spawn(pays(books.store.clone(), 1, shared.clone())),
        tokio::spawn(pays(other.clone(), 56, shared.clone())),
        tokio::spawn(sells(books.store.clone(), 1_000)),
        tokio::spawn(sells(other.clone(), 2_000)),
    ];
    // Whatever is read meanwhile is without gaps, too.
    let mut read = 0;
    while writers.iter().any(|writer| !writer.is_finished()) {
        for event in books.store.events_after(read, 10).await.unwrap() {
            assert_eq!(event.seq, read + 1);
            read = event.seq;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let events = books.order_events().await;
    for order in &shared {
        let record = books.order(order).await;
        assert_eq!(record.snapshot.received, amount("50"));
        assert_eq!(record.payments.len(), 50);
        assert_eq!(record.snapshot.status, OrderStatus::PartiallyPaid);
        let detected = events.iter().filter(|event| {
            event.order_id == order.id && event.event.kind.name() == "payment.detected"
        });
        assert_eq!(detected.count(), 50);
    }
    let created = events
        .iter()
        .filter(|event| event.event.kind.name() == "order.created");
    assert_eq!(created.count(), 64);
    assert_eq!(books.store.watched_after(0, 1_000).await.unwrap().len(), 64);
}
