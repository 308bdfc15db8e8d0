//! Keys to the API.

use paywatch_core::Timestamp;
use paywatch_store::{ApiKeyRecord, NewApiKey, StoreError};

use crate::books::{Books, at};

on_both_engines!(a_key_is_used_and_revoked, keys_and_hashes_are_unique);

fn key(number: u64) -> NewApiKey {
    NewApiKey {
        id: format!("key_{number}"),
        name: format!("till {number}"),
        hash: format!("{number:064x}"),
        created_at: at(number),
    }
}

fn record(number: u64, last_used_at: Option<Timestamp>) -> ApiKeyRecord {
    ApiKeyRecord {
        id: format!("key_{number}"),
        name: format!("till {number}"),
        created_at: at(number),
        last_used_at,
        revoked_at: None,
    }
}

async fn a_key_is_used_and_revoked(books: Books) {
    let store = &books.store;
    store.create_api_key(&key(2)).await.unwrap();
    store.create_api_key(&key(1)).await.unwrap();
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

    assert!(store.revoke_api_key("key_1", at(200)).await.unwrap());
    assert_eq!(
        store.use_api_key(&key(1).hash, at(201)).await.unwrap(),
        None
    );
    assert!(store.revoke_api_key("key_1", at(300)).await.unwrap());
    assert!(!store.revoke_api_key("key_9", at(300)).await.unwrap());
    let revoked = ApiKeyRecord {
        revoked_at: Some(at(200)),
        ..record(1, Some(at(160)))
    };
    assert_eq!(store.api_keys().await.unwrap(), [revoked, record(2, None)]);
    assert!(
        store
            .use_api_key(&key(2).hash, at(201))
            .await
            .unwrap()
            .is_some()
    );
}

async fn keys_and_hashes_are_unique(books: Books) {
    books.store.create_api_key(&key(1)).await.unwrap();
    let twin = NewApiKey {
        id: "key_2".to_owned(),
        ..key(1)
    };
    for taken in [key(1), twin] {
        let error = books.store.create_api_key(&taken).await.unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error:?}");
        assert!(!format!("{taken:?}").contains(&taken.hash));
    }
    assert_eq!(books.store.api_keys().await.unwrap().len(), 1);
}
