//! Keys to the API.

use std::num::NonZeroU32;

use paywatch_core::{DecisionKind, KeyMode, Scope, Timestamp};
use paywatch_store::{
    ApiKeyRecord, DecisionFilter, KeyRate, KeyTerms, NewApiKey, NewDecision, Page, StoreError,
};

use crate::books::{Books, at};

on_both_engines!(
    a_key_is_used_and_revoked,
    keys_and_hashes_are_unique,
    terms_are_kept_and_a_key_ends_in_time,
    a_key_has_one_successor,
    a_nonce_is_used_once_while_it_matters,
);

fn key(number: u64) -> NewApiKey {
    NewApiKey {
        id: format!("key_{number}"),
        name: format!("till {number}"),
        hash: format!("{number:064x}"),
        created_at: at(number),
        terms: KeyTerms::unlimited(),
    }
}

fn record(number: u64, last_used_at: Option<Timestamp>) -> ApiKeyRecord {
    ApiKeyRecord {
        id: format!("key_{number}"),
        name: format!("till {number}"),
        created_at: at(number),
        last_used_at,
        revoked_at: None,
        terms: KeyTerms::unlimited(),
        successor: None,
    }
}

fn decision(number: u64, kind: DecisionKind) -> NewDecision {
    NewDecision {
        id: format!("dec_{number}"),
        kind,
        reason: "as agreed".parse().unwrap(),
        by: "root".to_owned(),
        detail: format!("key_{number}"),
        at: at(number),
    }
}

async fn make(books: &Books, key: &NewApiKey) -> Result<(), StoreError> {
    let decision = decision(
        key.created_at.unix_ms().unsigned_abs(),
        DecisionKind::CreateKey,
    );
    books.store.create_api_key(key, &decision).await
}

/// The kinds of all decisions, oldest first.
async fn decided(books: &Books) -> Vec<DecisionKind> {
    let page = Page {
        before_seq: None,
        limit: 100,
    };
    let all = DecisionFilter::default();
    let found = books.store.decisions(&all, page).await.unwrap();
    assert_eq!(books.store.tampered_decision().await.unwrap(), None);
    found.iter().rev().map(|decision| decision.kind).collect()
}

async fn a_key_is_used_and_revoked(books: Books) {
    let store = &books.store;
    make(&books, &key(2)).await.unwrap();
    make(&books, &key(1)).await.unwrap();
    assert_eq!(
        store.api_keys().await.unwrap(),
        [record(1, None), record(2, None)]
    );

    assert_eq!(
        store.use_api_key(&key(3).hash, at(100)).await.unwrap(),
        None
    );
    let uses = [(100, 100), (101, 100), (159, 100), (160, 160), (161, 160)];
    for (now, noted) in uses {
        let used = store.use_api_key(&key(1).hash, at(now)).await.unwrap();
        assert_eq!(used, Some(record(1, Some(at(noted)))), "at {now}");
        assert_eq!(
            store.api_keys().await.unwrap()[0],
            record(1, Some(at(noted))),
            "at {now}"
        );
    }

    let revoke = decision(200, DecisionKind::RevokeKey);
    assert!(store.revoke_api_key("key_1", &revoke).await.unwrap());
    assert_eq!(
        store.use_api_key(&key(1).hash, at(201)).await.unwrap(),
        None
    );
    let again = decision(300, DecisionKind::RevokeKey);
    assert!(store.revoke_api_key("key_1", &again).await.unwrap());
    assert!(!store.revoke_api_key("key_9", &again).await.unwrap());
    let revoked = ApiKeyRecord {
        revoked_at: Some(at(200)),
        ..record(1, Some(at(160)))
    };
    assert_eq!(
        store.api_keys().await.unwrap(),
        [revoked.clone(), record(2, None)]
    );
    assert_eq!(store.api_key("key_1").await.unwrap(), Some(revoked));
    assert_eq!(store.api_key("key_9").await.unwrap(), None);
    assert!(
        store
            .use_api_key(&key(2).hash, at(201))
            .await
            .unwrap()
            .is_some()
    );
    let (create, revoke) = (DecisionKind::CreateKey, DecisionKind::RevokeKey);
    assert_eq!(decided(&books).await, [create, create, revoke], "once each");
}

async fn keys_and_hashes_are_unique(books: Books) {
    make(&books, &key(1)).await.unwrap();
    let twin = NewApiKey {
        id: "key_2".to_owned(),
        ..key(1)
    };
    for taken in [key(1), twin] {
        let error = make(&books, &taken).await.unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
        assert!(!format!("{taken:?}").contains(&taken.hash));
    }
    assert_eq!(books.store.api_keys().await.unwrap().len(), 1);
    assert_eq!(decided(&books).await, [DecisionKind::CreateKey]);
}

fn narrow() -> KeyTerms {
    KeyTerms {
        mode: KeyMode::Test,
        scopes: [Scope::OrdersRead, Scope::Webhooks].into_iter().collect(),
        expires_at: Some(at(500)),
        networks: vec![
            "10.0.0.0/8".parse().unwrap(),
            "2001:db8::/32".parse().unwrap(),
        ],
        rate: Some(KeyRate {
            per_minute: NonZeroU32::new(6).unwrap(),
            burst: NonZeroU32::new(u32::MAX).unwrap(),
        }),
        public_key: Some("MCow".to_owned()),
        gateway_public_key: Some("MFkw".to_owned()),
    }
}

async fn terms_are_kept_and_a_key_ends_in_time(books: Books) {
    let terms = narrow();
    assert!(terms.admit("10.1.2.3".parse().unwrap()));
    assert!(!terms.admit("11.1.2.3".parse().unwrap()));
    assert!(KeyTerms::unlimited().admit("11.1.2.3".parse().unwrap()));
    let made = NewApiKey { terms, ..key(1) };
    make(&books, &made).await.unwrap();
    let used = |now| books.store.use_api_key(&made.hash, at(now));
    let found = used(499).await.unwrap().unwrap();
    assert_eq!(found.terms, narrow());
    assert!(found.may(Scope::Webhooks) && !found.may(Scope::Operator));
    assert_eq!(used(500).await.unwrap(), None);
    assert_eq!(used(501).await.unwrap(), None);
}

async fn a_key_has_one_successor(books: Books) {
    let store = &books.store;
    make(&books, &key(1)).await.unwrap();
    let rotate = |old: &'static str, number, ends| {
        let new = key(number);
        async move {
            let decision = decision(number, DecisionKind::RotateKey);
            store.rotate_api_key(old, at(ends), &new, &decision).await
        }
    };
    rotate("key_1", 2, 300).await.unwrap();
    for (hash, now, is_taken) in [(1, 299, true), (1, 300, false), (2, 300, true)] {
        let found = store.use_api_key(&key(hash).hash, at(now)).await.unwrap();
        assert_eq!(found.is_some(), is_taken, "{hash} at {now}");
    }
    let old = store.api_key("key_1").await.unwrap().unwrap();
    assert_eq!(old.successor.as_deref(), Some("key_2"));
    let error = rotate("key_1", 3, 300).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");
    let error = rotate("key_9", 3, 300).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");
    assert_eq!(
        store.api_keys().await.unwrap().len(),
        2,
        "nothing half done"
    );

    let ends_soon = NewApiKey {
        terms: narrow(),
        ..key(4)
    };
    make(&books, &ends_soon).await.unwrap();
    rotate("key_4", 5, 900).await.unwrap();
    let old = store.api_key("key_4").await.unwrap().unwrap();
    assert_eq!(old.terms.expires_at, Some(at(500)), "never put off");
    let revoke = decision(600, DecisionKind::RevokeKey);
    assert!(store.revoke_api_key("key_5", &revoke).await.unwrap());
    let error = rotate("key_5", 6, 900).await.unwrap_err();
    assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");
    assert_eq!(decided(&books).await.len(), 5);
}

async fn a_nonce_is_used_once_while_it_matters(books: Books) {
    let used = |key: &'static str, now| {
        let store = books.store.clone();
        async move {
            let times = (at(now), at(now + 300));
            store.use_nonce(key, "abcdefgh", times).await.unwrap()
        }
    };
    assert!(used("key_1", 100).await);
    assert!(!used("key_1", 101).await);
    assert!(used("key_2", 102).await, "another key's is another");
    assert!(!used("key_1", 400).await, "it still matters");
    assert!(used("key_1", 401).await, "forgotten");
    assert!(!used("key_1", 402).await);
}
