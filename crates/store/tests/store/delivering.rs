//! Events on their way to those who are told of them.

use paywatch_core::{
    ChainEvent, ChainEventKind, DecisionKind, DeliveryState, EndpointId, EndpointKind, EventFormat,
    EventTypes, Timestamp,
};
use paywatch_store::{
    AfterAttempt, Attempted, Callback, CreateOutcome, DisabledBy, DueDelivery, EndpointHealth,
    EndpointOutcome, EndpointRecord, NewDecision, NewEndpoint, StoreError,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::books::{Books, at, chain, order, requested};

on_both_engines!(
    an_endpoint_is_told_of_what_it_wants_from_now_on,
    what_follows_a_failed_delivery_waits_for_it,
    an_endpoint_that_answers_again_is_told_at_once,
    a_disabled_endpoint_is_told_nothing,
    one_program_delivers_to_an_endpoint_at_a_time,
    old_secrets_sign_along_for_a_while,
    orders_name_where_they_are_told_of,
    an_endpoint_of_the_configuration_is_made_once,
    an_endpoint_without_a_secret_is_given_one_once,
    two_who_ask_at_once_get_one_endpoint,
    what_is_told_to_nats_is_in_order_as_a_whole,
    whoever_waits_is_woken_by_a_commit,
);

pub(crate) fn endpoint_id(number: u8) -> EndpointId {
    EndpointId::from_bytes([number; 16])
}

pub(crate) fn new_endpoint(number: u8, types: &str) -> NewEndpoint {
    NewEndpoint {
        id: endpoint_id(number),
        kind: EndpointKind::Webhook,
        name: format!("shop {number}"),
        url: "https://shop.example.com/hook".to_owned(),
        format: EventFormat::Standard,
        types: types.parse().unwrap(),
        secrets: vec![SecretString::from("whsec_one")],
        created_at: at(1),
    }
}

pub(crate) fn decision(number: u64, kind: DecisionKind) -> NewDecision {
    NewDecision {
        id: format!("dec_{number}"),
        kind,
        reason: "as agreed".parse().unwrap(),
        by: "root".to_owned(),
        detail: "ep".to_owned(),
        at: at(number),
    }
}

pub(crate) async fn endpoint(books: &Books, number: u8, types: &str) -> EndpointRecord {
    let new = new_endpoint(number, types);
    let made = books.store.create_endpoint(&new, None).await;
    made.unwrap().done().unwrap()
}

/// Queues everything that is to be queued, and returns the endpoint as it then is.
pub(crate) async fn queued(books: &Books, id: EndpointId, now: Timestamp) -> EndpointRecord {
    loop {
        let endpoint = books.store.endpoint(id).await.unwrap().unwrap();
        let queued = books.store.queue_deliveries(&endpoint, 2, now).await;
        if !queued.unwrap().is_more {
            return books.store.endpoint(id).await.unwrap().unwrap();
        }
    }
}

pub(crate) async fn due(books: &Books, id: EndpointId, now: Timestamp) -> Vec<DueDelivery> {
    books
        .store
        .due_deliveries((id, ""), now, 100)
        .await
        .unwrap()
}

pub(crate) async fn due_seqs(books: &Books, id: EndpointId, now: Timestamp) -> Vec<u64> {
    let due = due(books, id, now).await;
    due.iter().map(|delivery| delivery.seq).collect()
}

pub(crate) fn attempted(delivery: &DueDelivery, then: AfterAttempt) -> Attempted {
    let is_good = then == AfterAttempt::Delivered;
    Attempted {
        delivery: delivery.clone(),
        sent_at: at(20),
        took_ms: 7,
        status: Some(if is_good { 200 } else { 503 }),
        failure: (!is_good).then(|| "it answered 503".to_owned()),
        answer: String::new(),
        then,
    }
}

pub(crate) async fn record(books: &Books, id: EndpointId, attempted: &[Attempted]) {
    let health = EndpointHealth::default();
    let recorded = books
        .store
        .record_attempts(id, attempted, (&health, &[]), at(21));
    recorded.await.unwrap();
}

async fn tell_of_chain(books: &Books, kind: ChainEventKind) {
    let event = ChainEvent {
        chain_id: chain(1),
        kind,
        detail: "as it is".to_owned(),
    };
    books.store.tell_of_chain(&event, at(5)).await.unwrap();
}

async fn an_endpoint_is_told_of_what_it_wants_from_now_on(books: Books) {
    books.expects(order(1)).await;
    let all = endpoint(&books, 1, "*").await;
    let orders = endpoint(&books, 2, "order.created").await;
    assert_eq!((all.queued_to, orders.queued_to), (1, 1));
    books.expects(order(2)).await;
    tell_of_chain(&books, ChainEventKind::Stalled).await;
    books.expects(order(3)).await;
    queued(&books, all.id, at(9)).await;
    queued(&books, orders.id, at(9)).await;
    assert_eq!(due_seqs(&books, all.id, at(9)).await, [2, 3, 4]);
    assert_eq!(due_seqs(&books, orders.id, at(9)).await, [2, 4]);
    assert_eq!(due_seqs(&books, orders.id, at(8)).await, []);
    let stale = books.store.queue_deliveries(&all, 9, at(9)).await;
    assert!(matches!(stale, Err(StoreError::Stale { .. })), "{stale:?}");
    let subjects: Vec<_> = due(&books, all.id, at(9)).await;
    assert_eq!(subjects[1].subject, "chain 1");
    assert_eq!(subjects[0].subject, order(2).id.to_string());
}

async fn what_follows_a_failed_delivery_waits_for_it(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    for _ in 0..3 {
        tell_of_chain(&books, ChainEventKind::Stalled).await;
    }
    books.expects(order(1)).await;
    queued(&books, id, at(10)).await;
    let first = due(&books, id, at(10)).await.remove(0);
    record(
        &books,
        id,
        &[attempted(&first, AfterAttempt::Again(at(40)))],
    )
    .await;
    assert_eq!(due_seqs(&books, id, at(39)).await, [4], "the chain's wait");
    // What comes to be queued meanwhile waits as well.
    tell_of_chain(&books, ChainEventKind::Recovered).await;
    queued(&books, id, at(30)).await;
    assert_eq!(due_seqs(&books, id, at(39)).await, [4]);
    assert_eq!(due_seqs(&books, id, at(40)).await, [4, 1, 2, 3, 5]);
    let next = books.store.next_delivery((id, "")).await.unwrap();
    assert_eq!(next, Some(at(10)));
    let again = due(&books, id, at(40)).await;
    let first = &again[1];
    assert_eq!((first.attempts, first.tried), (1, 1));
    let taken: Vec<_> = again
        .iter()
        .map(|delivery| attempted(delivery, AfterAttempt::Delivered))
        .collect();
    record(&books, id, &taken).await;
    assert_eq!(due_seqs(&books, id, at(99)).await, []);
    assert_eq!(books.store.next_delivery((id, "")).await.unwrap(), None);
    let (delivery, attempts) = books.store.delivery(id, 1).await.unwrap().unwrap();
    assert_eq!(delivery.state, DeliveryState::Delivered);
    let told: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.attempt, attempt.status))
        .collect();
    assert_eq!(told, [(1, Some(503)), (2, Some(200))]);
}

async fn an_endpoint_that_answers_again_is_told_at_once(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    for number in 1..=3 {
        books.expects(order(number)).await;
    }
    queued(&books, id, at(10)).await;
    let all: Vec<_> = due(&books, id, at(10))
        .await
        .iter()
        .map(|delivery| attempted(delivery, AfterAttempt::Again(at(1_000))))
        .collect();
    let health = EndpointHealth {
        failing_since: Some(at(20)),
        failures: 3,
        last_failure: Some("it answered 503".to_owned()),
        alerted_at: None,
    };
    let recorded = books
        .store
        .record_attempts(id, &all, (&health, &[]), at(21));
    recorded.await.unwrap();
    let record = books.store.endpoint(id).await.unwrap().unwrap();
    assert_eq!(record.health, health);
    assert_eq!(due_seqs(&books, id, at(999)).await, []);
    let hastened = books.store.hasten_deliveries((id, ""), at(50)).await;
    hastened.unwrap();
    assert_eq!(due_seqs(&books, id, at(50)).await, [1, 2, 3]);
    assert_eq!(books.store.pending_deliveries(id).await.unwrap(), 3);
}

async fn a_disabled_endpoint_is_told_nothing(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    books.expects(order(1)).await;
    let endpoint = queued(&books, id, at(10)).await;
    let disable = decision(1, DecisionKind::DisableEndpoint);
    let disabled = books.store.disable_endpoint(
        id,
        ("it answered 410", at(11)),
        DisabledBy::Operator(&disable),
    );
    assert!(disabled.await.unwrap());
    assert_eq!(due_seqs(&books, id, at(99)).await, []);
    books.expects(order(2)).await;
    let queued_meanwhile = books.store.queue_deliveries(&endpoint, 9, at(12)).await;
    assert!(matches!(queued_meanwhile, Err(StoreError::Stale { .. })));
    let leased = books.store.lease_endpoints("a", (at(12), at(20))).await;
    assert_eq!(leased.unwrap().len(), 0);
    let enable = decision(2, DecisionKind::EnableEndpoint);
    assert!(books.store.enable_endpoint(id, &enable).await.unwrap());
    assert!(!books.store.enable_endpoint(id, &enable).await.unwrap());
    books.expects(order(3)).await;
    queued(&books, id, at(13)).await;
    assert_eq!(due_seqs(&books, id, at(99)).await, [3], "from then on");
    let dropped = books
        .store
        .deliveries(id, &[DeliveryState::Dropped], None, 9);
    let dropped = dropped.await.unwrap();
    assert_eq!((dropped.len(), dropped[0].seq), (1, 1));
}

async fn one_program_delivers_to_an_endpoint_at_a_time(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    let lease = async |holder, now, until| {
        let leased = books.store.lease_endpoints(holder, (at(now), at(until)));
        leased.await.unwrap().len()
    };
    assert_eq!(lease("one", 10, 20).await, 1);
    assert_eq!(lease("other", 15, 25).await, 0);
    assert_eq!(lease("one", 18, 28).await, 1, "it may go on");
    assert_eq!(lease("other", 29, 39).await, 1, "it was left");
    assert_eq!(lease("one", 30, 40).await, 0);
    books.store.release_endpoints("other").await.unwrap();
    assert_eq!(lease("one", 31, 41).await, 1);
    assert!(books.store.endpoint(id).await.unwrap().is_some());
}

async fn old_secrets_sign_along_for_a_while(books: Books) {
    let before = endpoint(&books, 1, "*").await;
    let id = before.id;
    let next = SecretString::from("whsec_two");
    let rotate = decision(9, DecisionKind::RotateSecret);
    let rotated = books
        .store
        .rotate_endpoint_secret(id, (&next, at(100)), &rotate);
    let endpoint = rotated.await.unwrap().done().unwrap();
    let secrets: Vec<_> = endpoint
        .secrets
        .iter()
        .map(|kept| (kept.secret.expose_secret(), kept.expires_at))
        .collect();
    assert_eq!(secrets, [("whsec_two", None), ("whsec_one", Some(at(100)))]);
    books.expects(order(1)).await;
    let queued = books.store.queue_deliveries(&before, 9, at(11)).await;
    let is_stale = matches!(queued, Err(StoreError::Stale { .. }));
    assert!(is_stale, "it would be signed by the old one alone");
    let queued = books.store.queue_deliveries(&endpoint, 9, at(11)).await;
    assert_eq!(queued.unwrap().count, 1);
    let nobody = books
        .store
        .rotate_endpoint_secret(endpoint_id(9), (&next, at(100)), &rotate);
    assert!(matches!(nobody.await.unwrap(), EndpointOutcome::Missing));
}

async fn orders_name_where_they_are_told_of(books: Books) {
    let new = NewEndpoint {
        kind: EndpointKind::Callbacks,
        url: String::new(),
        ..new_endpoint(1, "*")
    };
    let made = books.store.create_endpoint(&new, None).await;
    let id = made.unwrap().done().unwrap().id;
    for (number, host) in [(1, None), (2, Some("a")), (3, Some("b")), (4, Some("a"))] {
        let mut new = requested(&order(number), "d1");
        new.callback = host.map(|host| Callback {
            url: format!("https://{host}.example.com/{number}"),
            origin: format!("https://{host}.example.com"),
            format: if number == 4 {
                EventFormat::BlockAtm
            } else {
                EventFormat::Standard
            },
        });
        let outcome = books.store.create_order(&new).await.unwrap();
        assert!(matches!(outcome, CreateOutcome::Created(_)));
    }
    queued(&books, id, at(10)).await;
    let origins = books.store.origins(id).await.unwrap();
    let expected = ["https://a.example.com", "https://b.example.com"];
    assert!(origins.iter().eq(&expected), "{origins:?}");
    let of_a = books
        .store
        .due_deliveries((id, expected[0]), at(10), 9)
        .await
        .unwrap();
    assert_eq!(of_a.len(), 1);
    let target = of_a[0].target.as_deref();
    assert_eq!(target, Some("https://a.example.com/2"));
}

async fn an_endpoint_of_the_configuration_is_made_once(books: Books) {
    let new = NewEndpoint {
        kind: EndpointKind::Nats,
        ..new_endpoint(1, "*")
    };
    let made = books.store.ensure_endpoint(&new).await.unwrap();
    books.expects(order(1)).await;
    let later = NewEndpoint {
        kind: EndpointKind::Nats,
        name: new.name.clone(),
        ..new_endpoint(2, "order.paid")
    };
    let known = books.store.ensure_endpoint(&later).await.unwrap();
    assert_eq!((known.id, known.queued_to), (made.id, 0));
    let types: EventTypes = "order.paid".parse().unwrap();
    assert_eq!(known.types, types);
    assert_eq!(books.store.endpoints().await.unwrap().len(), 1);
}

async fn an_endpoint_without_a_secret_is_given_one_once(books: Books) {
    let with = |secrets: &[&str]| NewEndpoint {
        kind: EndpointKind::Callbacks,
        secrets: secrets.iter().map(|secret| (*secret).into()).collect(),
        ..new_endpoint(1, "*")
    };
    let has = |known: EndpointRecord| {
        let secrets = known.secrets.iter();
        let texts = secrets.map(|kept| kept.secret.expose_secret().to_owned());
        texts.collect::<Vec<_>>()
    };
    let store = &books.store;
    assert!(has(store.ensure_endpoint(&with(&[])).await.unwrap()).is_empty());
    for later in ["first", "second"] {
        let known = store.ensure_endpoint(&with(&[later])).await.unwrap();
        assert_eq!(has(known), ["first"], "what receivers know stays");
    }
}

async fn two_who_ask_at_once_get_one_endpoint(books: Books) {
    let ask = |number: u8| {
        let store = books.store.clone();
        let new = NewEndpoint {
            name: "nats".to_owned(),
            kind: EndpointKind::Nats,
            ..new_endpoint(number, "*")
        };
        async move { store.ensure_endpoint(&new).await.unwrap().id }
    };
    let (one, other) = tokio::join!(ask(1), ask(2));
    assert_eq!(one, other);
    assert_eq!(books.store.endpoints().await.unwrap().len(), 1);
}

/// A stream of NATS is one row of events: what waits there, everything behind it waits for.
async fn what_is_told_to_nats_is_in_order_as_a_whole(books: Books) {
    let new = NewEndpoint {
        kind: EndpointKind::Nats,
        ..new_endpoint(1, "*")
    };
    let id = books.store.ensure_endpoint(&new).await.unwrap().id;
    tell_of_chain(&books, ChainEventKind::Stalled).await;
    books.expects(order(1)).await;
    queued(&books, id, at(10)).await;
    let first = due(&books, id, at(10)).await.remove(0);
    let again = attempted(&first, AfterAttempt::Again(at(40)));
    record(&books, id, &[again]).await;
    books.expects(order(2)).await;
    queued(&books, id, at(30)).await;
    assert_eq!(due_seqs(&books, id, at(39)).await, []);
    assert_eq!(due_seqs(&books, id, at(40)).await, [1, 2, 3]);
}

async fn whoever_waits_is_woken_by_a_commit(books: Books) {
    let mut commits = books.store.commits();
    commits.mark_unchanged();
    books.expects(order(1)).await;
    assert!(commits.has_changed().unwrap());
}
