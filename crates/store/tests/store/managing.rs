//! Endpoints as people manage them.

use paywatch_core::{DecisionKind, EndpointId, EndpointKind, MOST_SECRETS, MOST_WEBHOOKS};
use paywatch_store::{
    DecisionFilter, DisabledBy, EndpointChange, EndpointOutcome, NewDecision, NewEndpoint, Page,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::books::{Books, at};
use crate::delivering::{decision, endpoint, endpoint_id, new_endpoint};

on_both_engines!(
    no_two_webhooks_have_one_name,
    twins_make_one_webhook,
    there_are_only_so_many_webhooks,
    only_so_many_secrets_sign_at_a_time,
    who_disables_a_webhook_decides_who_hears_of_it,
);

async fn changed(
    books: &Books,
    id: EndpointId,
    name: &str,
    decision: &NewDecision,
) -> EndpointOutcome {
    let change = EndpointChange {
        name: Some(name.to_owned()),
        ..EndpointChange::default()
    };
    let changed = books.store.change_endpoint(id, &change, decision);
    changed.await.unwrap()
}

async fn no_two_webhooks_have_one_name(books: Books) {
    let first = endpoint(&books, 1, "*").await.id;
    let second = endpoint(&books, 2, "order.paid").await.id;
    let twin = NewEndpoint {
        name: "shop 1".to_owned(),
        ..new_endpoint(3, "*")
    };
    let outcome = books.store.create_endpoint(&twin, None).await.unwrap();
    assert!(matches!(outcome, EndpointOutcome::NameTaken(id) if id == first));
    // Of another kind it may be.
    let other_kind = NewEndpoint {
        kind: EndpointKind::Nats,
        ..twin
    };
    let outcome = books.store.create_endpoint(&other_kind, None).await;
    assert!(outcome.unwrap().done().is_some());
    let change = decision(1, DecisionKind::ChangeEndpoint);
    let taken = changed(&books, second, "shop 1", &change).await;
    assert!(matches!(taken, EndpointOutcome::NameTaken(id) if id == first));
    let to_its_own = changed(&books, second, "shop 2", &change).await;
    let kept = to_its_own.done().unwrap();
    assert_eq!(
        kept.types.to_string(),
        "order.paid",
        "what is not named stays"
    );
    let change = decision(2, DecisionKind::ChangeEndpoint);
    let nobody = changed(&books, endpoint_id(9), "x", &change).await;
    assert!(matches!(nobody, EndpointOutcome::Missing));
}

async fn twins_make_one_webhook(books: Books) {
    let twins = (1..=8).map(|number| {
        let (store, name) = (books.store.clone(), "the shop".to_owned());
        tokio::spawn(async move {
            let new = NewEndpoint {
                name,
                ..new_endpoint(number, "*")
            };
            store.create_endpoint(&new, None).await.unwrap()
        })
    });
    let mut made = 0;
    for twin in twins.collect::<Vec<_>>() {
        made += usize::from(twin.await.unwrap().done().is_some());
    }
    assert_eq!(made, 1);
    assert_eq!(books.store.endpoints().await.unwrap().len(), 1);
}

async fn there_are_only_so_many_webhooks(books: Books) {
    let most = u8::try_from(MOST_WEBHOOKS).unwrap();
    for number in 1..=most {
        endpoint(&books, number, "*").await;
    }
    let more = new_endpoint(most + 1, "*");
    let outcome = books.store.create_endpoint(&more, None).await.unwrap();
    assert!(matches!(outcome, EndpointOutcome::Full), "{outcome:?}");
    let other_kind = NewEndpoint {
        kind: EndpointKind::Email,
        ..more
    };
    let outcome = books.store.create_endpoint(&other_kind, None).await;
    assert!(outcome.unwrap().done().is_some());
}

async fn only_so_many_secrets_sign_at_a_time(books: Books) {
    let id = endpoint(&books, 1, "*").await.id;
    let rotate = async |number: u64, ends_at| {
        let next = SecretString::from(format!("whsec_{number}"));
        let rotate = decision(number, DecisionKind::RotateSecret);
        let ends = (&next, at(ends_at));
        let rotated = books.store.rotate_endpoint_secret(id, ends, &rotate);
        rotated.await.unwrap()
    };
    let most = u64::try_from(MOST_SECRETS).unwrap();
    for number in 10..10 + most - 1 {
        assert!(rotate(number, 1_000).await.done().is_some());
    }
    let full = rotate(50, 1_000).await;
    assert!(matches!(full, EndpointOutcome::Full), "{full:?}");
    let kept = books.store.endpoint(id).await.unwrap().unwrap().secrets;
    assert_eq!(kept.len(), MOST_SECRETS, "a refusal changes nothing");
    assert_eq!(kept[0].expires_at, None);
    // At once, for one that became known: the others are forgotten.
    let endpoint = rotate(60, 60).await.done().unwrap();
    let secrets: Vec<_> = endpoint
        .secrets
        .iter()
        .map(|it| it.secret.expose_secret())
        .collect();
    assert_eq!(secrets, ["whsec_60"]);
}

async fn who_disables_a_webhook_decides_who_hears_of_it(books: Books) {
    let by_number = |number| decision(number, DecisionKind::DisableEndpoint);
    let (by_operator, by_configuration) = (by_number(1), by_number(2));
    for (number, by, is_decision, is_told) in [
        (1, DisabledBy::Operator(&by_operator), true, false),
        (2, DisabledBy::Configuration(&by_configuration), true, true),
        (3, DisabledBy::Failures, false, true),
    ] {
        let id = endpoint(&books, number, "*").await.id;
        let before = counts(&books).await;
        let disabled = books.store.disable_endpoint(id, ("gone", at(9)), by).await;
        assert!(disabled.unwrap());
        let disabled = books.store.disable_endpoint(id, ("gone", at(9)), by).await;
        assert!(!disabled.unwrap(), "once is enough");
        let (decisions, events) = counts(&books).await;
        let expected = (
            before.0 + usize::from(is_decision),
            before.1 + u64::from(is_told),
        );
        assert_eq!((decisions, events), expected, "{by:?}");
    }
}

/// How many decisions are written down, and how many events told.
async fn counts(books: &Books) -> (usize, u64) {
    let page = Page {
        before_seq: None,
        limit: 100,
    };
    let any = DecisionFilter::default();
    let decisions = books.store.decisions(&any, page);
    let decisions = decisions.await.unwrap();
    (decisions.len(), books.store.last_event().await.unwrap())
}
