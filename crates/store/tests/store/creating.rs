//! Orders are made once and read back as they were.

use futures::future::join_all;
use paywatch_core::{
    Amount, Asking, EventKind, FinalityRule, FinalityTag, LatePolicy, OrderId, Proof, Snapshot,
};
use paywatch_store::{CreateOutcome, OrderRecord, StoreError};

use crate::books::{Books, amount, at, option, order, order_id, requested};

on_both_engines!(
    every_field_reads_back,
    the_same_request_gives_the_same_order,
    another_request_finds_the_reference_taken,
    twins_make_one_order,
    who_asks_at_once_is_answered_as_if_alone,
    addresses_are_watched_from_the_event_on,
    a_row_that_means_nothing_is_named,
    the_books_outlive_the_program,
);

async fn every_field_reads_back(books: Books) {
    let mut rich = order(1);
    rich.amount = amount("340282366920938463463.374607431768211455");
    rich.asking = Asking::AtLeast;
    rich.accepted = Some(amount("12.5"));
    rich.tolerance = amount("0.000000000000000001");
    rich.late_policy = LatePolicy::Hold;
    rich.options[0].finality = FinalityRule::confirmations(u32::MAX)
        .unwrap()
        .and_tag(FinalityTag::Finalized)
        .and_proof(Proof::ReceiptsRoot);
    rich.options
        .push(option(7, u64::try_from(i64::MAX).unwrap()));
    rich.options[2].token.symbol = "₮'; DROP TABLE orders; --".to_owned();
    rich.cancelled_at = Some(at(77));
    rich.expires_at = at(253_402_300_709);
    rich.grace_ms = 90_000;
    rich.metadata = [
        ("", ""),
        ("cart", "3 × 茶 \"quoted\" 'q' $1 ?"),
        ("line", "a\nb\tc"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    books.expects(rich.clone()).await;
    let expected = OrderRecord {
        order: rich.clone(),
        snapshot: Snapshot::new(),
        version: 1,
        seq: 1,
        checkout: books.order(&rich).await.checkout,
        updated_at: rich.created_at,
        payments: vec![],
        refunds: vec![],
    };
    assert_eq!(books.order(&rich).await, expected);
    assert_eq!(books.store.order(order_id(2)).await.unwrap(), None);

    let record = books.events().await.remove(0);
    let event = record.of_order().unwrap();
    assert_eq!(
        (event.event.kind, event.event.payment),
        (EventKind::OrderCreated, None)
    );
    assert_eq!((event.order_id, event.received), (rich.id, Amount::ZERO));
    assert_eq!(record.at, rich.created_at);
    let hex = record.id.strip_prefix("evt_").unwrap();
    assert!(
        hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()),
        "{}",
        record.id
    );
}

async fn the_same_request_gives_the_same_order(books: Books) {
    let first = books.expects(order(1)).await;
    let mut again = order(2);
    again.reference = first.reference.clone();
    let outcome = books
        .store
        .create_order(&requested(&again, "d1"))
        .await
        .unwrap();
    assert_eq!(outcome, CreateOutcome::Existing(books.order(&first).await));
    assert_eq!(books.events().await.len(), 1);
    assert_eq!(books.store.order(again.id).await.unwrap(), None);
}

async fn another_request_finds_the_reference_taken(books: Books) {
    let first = books.expects(order(1)).await;
    let outcome = books
        .store
        .create_order(&requested(&first, "d2"))
        .await
        .unwrap();
    assert_eq!(outcome, CreateOutcome::ReferenceTaken { by: first.id });
    assert_eq!(books.events().await.len(), 1);
}

async fn twins_make_one_order(books: Books) {
    let other = books.second().await;
    let creations = (1..=24).map(|number| {
        let store = if number % 2 == 0 {
            books.store.clone()
        } else {
            other.clone()
        };
        let mut twin = order(number);
        twin.reference = "INV-TWIN".parse().unwrap();
        async move { store.create_order(&requested(&twin, "d1")).await.unwrap() }
    });
    let outcomes = join_all(creations.map(tokio::spawn)).await;
    let mut created = 0;
    let mut ids: Vec<OrderId> = Vec::new();
    for outcome in outcomes {
        match outcome.unwrap() {
            CreateOutcome::Created(record) => {
                created += 1;
                ids.push(record.order.id);
            },
            CreateOutcome::Existing(record) => ids.push(record.order.id),
            CreateOutcome::ReferenceTaken { by } => panic!("taken by {by}"),
            CreateOutcome::NoFreeAmount { token } => panic!("{token:?} was not asked for"),
        }
    }
    ids.dedup();
    assert_eq!((created, ids.len()), (1, 1));
    assert_eq!(books.events().await.len(), 1);
    assert_eq!(books.store.watched_after(0, 1_000).await.unwrap().len(), 1);
    let next = books.expects(order(99)).await;
    assert_eq!(books.order(&next).await.seq, 2);
}

async fn who_asks_at_once_is_answered_as_if_alone(books: Books) {
    let there = books.expects(order(1)).await;
    let creations = (2..=120).map(|number| {
        let store = books.store.clone();
        let mut wanted = order(number);
        let digest = match number % 6 {
            0 => {
                wanted.reference = there.reference.clone();
                "d1"
            },
            1 => {
                wanted.reference = there.reference.clone();
                "d2"
            },
            2 => {
                wanted.reference = "INV-OFTEN".parse().unwrap();
                "d1"
            },
            _ => "d1",
        };
        async move {
            (
                number,
                store
                    .create_order(&requested(&wanted, digest))
                    .await
                    .unwrap(),
            )
        }
    });
    let mut often = Vec::new();
    let mut made = 1;
    for outcome in join_all(creations.map(tokio::spawn)).await {
        match outcome.unwrap() {
            (number, CreateOutcome::Existing(record)) if number % 6 == 0 => {
                assert_eq!(record.order.id, there.id);
            },
            (number, CreateOutcome::ReferenceTaken { by }) => {
                assert_eq!((number % 6, by), (1, there.id));
            },
            (number, CreateOutcome::Created(record) | CreateOutcome::Existing(record))
                if number % 6 == 2 =>
            {
                often.push(record.order.id);
            },
            (number, CreateOutcome::Created(record)) => {
                assert_eq!(record.order.id, order_id(number));
                assert_eq!(
                    books.store.order(record.order.id).await.unwrap(),
                    Some(record)
                );
                made += 1;
            },
            (number, other) => panic!("{number}: {other:?}"),
        }
    }
    often.dedup();
    assert_eq!((often.len(), made), (1, 61));
    let told: Vec<u64> = books.events().await.iter().map(|event| event.seq).collect();
    assert_eq!(told, (1..=62).collect::<Vec<u64>>());
}

async fn addresses_are_watched_from_the_event_on(books: Books) {
    let first = books.expects(order(1)).await;
    let mut second = order(2);
    second.options.push(option(3, 137));
    books.expects(second.clone()).await;
    let all = books.store.watched_after(0, 1_000).await.unwrap();
    let seen: Vec<_> = all.iter().map(|w| (w.seq, w.address, w.order_id)).collect();
    let expected = vec![
        (1, first.options[0].address, first.id),
        (2, second.options[0].address, second.id),
        (2, second.options[2].address, second.id),
    ];
    assert_eq!(seen, expected);
    assert_eq!(books.store.watched_after(1, 1_000).await.unwrap(), all[1..]);
    assert_eq!(books.store.watched_after(2, 1_000).await.unwrap(), vec![]);
}

async fn a_row_that_means_nothing_is_named(books: Books) {
    let order = books.expects(order(1)).await;
    books.tamper("UPDATE orders SET amount = '12,5'").await;
    let error = books.store.order(order.id).await.unwrap_err();
    let StoreError::Corrupt {
        table, column, key, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (*table, *column, key.as_str()),
        ("orders", "amount", &*order.id.to_string())
    );

    books
        .tamper("UPDATE orders SET amount = '12', version = -1")
        .await;
    let error = books.store.order(order.id).await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                column: "version",
                ..
            }
        ),
        "{error:?}"
    );
    books.tamper("UPDATE orders SET version = 1").await;
    books
        .tamper("UPDATE order_options SET method = 'barter'")
        .await;
    let error = books.store.order(order.id).await.unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                column: "method",
                ..
            }
        ),
        "{error:?}"
    );
}

async fn the_books_outlive_the_program(books: Books) {
    let order = books.expects(order(1)).await;
    let before = books.order(&order).await;
    books.store.close().await;
    let error = books.store.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    let again = books.second().await;
    again.ping().await.unwrap();
    assert_eq!(again.order(order.id).await.unwrap(), Some(before));
}
