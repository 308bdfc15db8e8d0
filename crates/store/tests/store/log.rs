//! The event log as services read it: on from a place, by kind and order, each event with what its
//! order was.

use paywatch_core::{ChainEvent, ChainEventKind, OrderStatus, PaymentState};
use paywatch_store::{EventFilter, EventRecord, OrderEvent};

use crate::books::{Books, at, chain, open, order};
use crate::line::Line;

on_both_engines!(
    pages_pass_over_what_is_not_wanted,
    an_event_keeps_what_its_order_was,
    events_of_older_programs_are_read,
    older_books_are_brought_up_to_date,
);

/// What the layout was like before.
const BEFORE: &str = "DELETE FROM _sqlx_migrations WHERE version = 14; \
    DROP INDEX events_by_kind; \
    ALTER TABLE events DROP COLUMN told_before; \
    ALTER TABLE events DROP COLUMN order_then; \
    UPDATE events SET kind = 'order.accepted' WHERE kind = 'order.paid'; \
    UPDATE events SET kind = 'chain.endpoints_disagree' WHERE kind = 'chain.stalled';";

/// Two orders; the first is paid in two parts, of which the second is mined anew with another beside
/// it; and a chain that stalls.
async fn told(books: &Books) -> Vec<EventRecord> {
    let (one, _two) = (books.expects(order(1)).await, books.expects(order(2)).await);
    let mut line = Line::new(1);
    let store = &books.store;
    line.cover(store, 0, 1..=1, &[(1, &one, "40")])
        .await
        .unwrap();
    line.cover(store, 0, 2..=2, &[(2, &one, "60")])
        .await
        .unwrap();
    line.cover(store, 1, 2..=3, &[(2, &one, "7"), (3, &one, "8")])
        .await
        .unwrap();
    let stalled = ChainEvent {
        chain_id: chain(1),
        kind: ChainEventKind::Stalled,
        detail: "nothing new".to_owned(),
    };
    store.tell_of_chain(&stalled, at(9)).await.unwrap();
    books.events().await
}

async fn pages_pass_over_what_is_not_wanted(books: Books) {
    let all = told(&books).await;
    let last = all.last().unwrap().seq;
    let filters = [
        EventFilter::default(),
        EventFilter {
            kinds: vec!["chain.stalled"],
            order: None,
        },
        EventFilter {
            kinds: vec!["order.created", "payment.detected", "order.paid"],
            order: None,
        },
        EventFilter {
            kinds: vec!["payment.detected", "payment.reverted"],
            order: Some(order(1).id),
        },
        EventFilter {
            kinds: Vec::new(),
            order: Some(order(2).id),
        },
    ];
    for (filter, count) in filters.iter().zip([all.len(), 1, 7, 5, 1]) {
        let wanted: Vec<_> = all
            .iter()
            .filter(|event| {
                let of = event.of_order().map(|told| told.order_id);
                (filter.kinds.is_empty() || filter.kinds.contains(&event.kind()))
                    && (filter.order.is_none() || filter.order == of)
            })
            .cloned()
            .collect();
        assert_eq!(wanted.len(), count, "{filter:?}");
        let mut read = Vec::new();
        let mut place = 0;
        loop {
            let page = books.store.events(filter, place, 2).await.unwrap();
            assert!(page.read_up_to >= place);
            place = page.read_up_to;
            if page.events.is_empty() {
                break;
            }
            read.extend(page.events);
        }
        assert_eq!((read, place), (wanted, last), "{filter:?}");
    }
    let beyond = books.store.events(&filters[0], 99, 2).await.unwrap();
    assert_eq!((beyond.events.len(), beyond.read_up_to), (0, 99));
    let event = &all[3];
    let found = books.store.event(&event.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(event));
    assert_eq!(books.store.event("evt_0").await.unwrap(), None);
}

/// The events of order 1.
fn of_one(all: &[EventRecord]) -> Vec<&OrderEvent> {
    let of_orders = all.iter().filter_map(EventRecord::of_order);
    of_orders
        .filter(|told| told.order_id == order(1).id)
        .collect()
}

async fn an_event_keeps_what_its_order_was(books: Books) {
    let all = told(&books).await;
    let seen = PaymentState::Seen;
    let confirmed = PaymentState::Confirmed;
    let kept: Vec<_> = of_one(&all)
        .into_iter()
        .map(|told| {
            let then = told.then.as_ref().unwrap();
            assert_eq!((then.left_out, then.closes_at), (0, at(10_000)));
            let states: Vec<_> = then.payments.iter().map(|payment| payment.state).collect();
            (told.told_before.unwrap(), states)
        })
        .collect();
    let part = vec![Some(seen)];
    let whole = vec![Some(confirmed), Some(seen)];
    let fork = vec![Some(confirmed), None, Some(confirmed), Some(seen)];
    let mut expected = vec![(0, vec![]), (1, part.clone()), (1, part)];
    expected.extend(vec![
        (3, whole);
        kept.iter().filter(|kept| kept.0 == 3).count()
    ]);
    let rest = kept.len() - expected.len();
    let told = u64::try_from(expected.len()).unwrap();
    expected.extend(vec![(told, fork); rest]);
    assert_eq!(kept, expected);
    let record = books.order(&order(1)).await;
    let ids = record.payments.iter();
    let ids: Vec<_> = ids.map(|it| it.recorded.transfer.payment_id()).collect();
    let last = of_one(&all).pop().unwrap().then.as_ref().unwrap();
    let then: Vec<_> = last.payments.iter().map(|payment| payment.id).collect();
    assert_eq!(then, ids, "sorted alike");

    let context = books.store.context_of(&all).await.unwrap();
    assert_eq!(context.orders.len(), 2);
    assert_eq!(context.payments.len(), 0, "the order holds all of them");
    let second = of_one(&all)[3];
    let before = &context.before[&(order(1).id, second.had_before())];
    assert_eq!(before.of_order().unwrap().order_seq, 3);
    assert_eq!(
        before.of_order().unwrap().status,
        OrderStatus::PartiallyPaid
    );
    // Each event finds the one before its change, also by itself.
    for event in &all {
        let alone = books
            .store
            .context_of(std::slice::from_ref(event))
            .await
            .unwrap();
        for (place, found) in &alone.before {
            assert_eq!(context.before.get(place), Some(found));
        }
        let is_first = event.of_order().is_none_or(|told| told.had_before() == 0);
        assert_eq!(alone.before.is_empty(), is_first, "{event:?}");
    }
}

async fn events_of_older_programs_are_read(books: Books) {
    let all = told(&books).await;
    books
        .tamper("UPDATE events SET told_before = NULL, order_then = NULL")
        .await;
    let old = books.events().await;
    for (new, old) in of_one(&all).into_iter().zip(of_one(&old)) {
        let new = OrderEvent {
            told_before: None,
            then: None,
            ..new.clone()
        };
        assert_eq!(&new, old);
        assert_eq!(old.had_before(), old.order_seq - 1);
    }
    let context = books.store.context_of(&old).await.unwrap();
    assert!(context.before.len() + 2 >= of_one(&old).len());
    books
        .tamper("UPDATE events SET order_then = 'something else' WHERE seq = 3")
        .await;
    let error = books.store.events_after(0, 10).await.unwrap_err();
    assert!(error.to_string().contains("order_then"), "{error}");
}

async fn older_books_are_brought_up_to_date(mut books: Books) {
    let before = told(&books).await;
    books.store.close().await;
    books.tamper(BEFORE).await;
    books.store = open(&books.url).await;
    let kinds = |all: &[EventRecord]| -> Vec<_> { all.iter().map(EventRecord::kind).collect() };
    let after = books.events().await;
    let renamed: Vec<_> = kinds(&before)
        .into_iter()
        .map(|kind| match kind {
            "order.paid" => "order.resolved",
            "chain.stalled" => "chain.disagreement",
            other => other,
        })
        .collect();
    assert_eq!(kinds(&after), renamed);
}
