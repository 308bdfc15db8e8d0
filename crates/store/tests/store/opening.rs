//! A database that cannot be used is refused with words that help.

use std::error::Error as _;
use std::fs;

use futures::future::join_all;
use paywatch_store::{DatabaseUrl, Store, StoreError};

use crate::books::{Books, open, order};

on_both_engines!(
    a_newer_layout_is_refused,
    programs_that_start_at_once_migrate_once,
    nothing_secret_is_shown,
);

async fn refused(url: &str) -> StoreError {
    let url: DatabaseUrl = url.parse().unwrap();
    Store::open(&url).await.unwrap_err()
}

async fn a_newer_layout_is_refused(books: Books) {
    let order = books.expects(order(1)).await;
    books
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9001, 'from the future', success, checksum, 0 FROM _sqlx_migrations \
             WHERE version = 1",
        )
        .await;
    let error = refused(&books.url).await;
    assert!(
        matches!(error, StoreError::NewerSchema { found: 9001, .. }),
        "{error:?}"
    );
    books
        .tamper("DELETE FROM _sqlx_migrations WHERE version = 9001")
        .await;
    assert!(
        books
            .second()
            .await
            .order(order.id)
            .await
            .unwrap()
            .is_some()
    );
}

async fn programs_that_start_at_once_migrate_once(books: Books) {
    books.store.close().await;
    let fresh = match books.url.strip_suffix("books.sqlite") {
        Some(folder) => format!("{folder}fresh.sqlite"),
        None => Books::fresh(crate::books::Engine::Postgres).await.url,
    };
    let starts = (0..8).map(|number| {
        let url = fresh.clone();
        tokio::spawn(async move {
            let store = open(&url).await;
            crate::books::expects(&store, order(number + 1)).await;
            store.close().await;
        })
    });
    for start in join_all(starts).await {
        start.unwrap();
    }
    let store = open(&fresh).await;
    assert_eq!(store.events_after(0, 100).await.unwrap().len(), 8);
}

async fn nothing_secret_is_shown(books: Books) {
    let shown = format!("{:?}", books.store);
    assert!(
        !shown.contains("postgres:") && !shown.contains("host="),
        "{shown}"
    );
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = refused(&format!(
        "sqlite:{}",
        missing.join("books.sqlite").display()
    ))
    .await;
    assert!(matches!(error, StoreError::NoFolder { .. }), "{error:?}");
    let words = error.to_string();
    assert!(words.contains(&missing.display().to_string()), "{words}");
    assert!(words.contains("database.url"), "{words}");
    assert!(!missing.exists());
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let letter = folder.path().join("letter.txt");
    fs::write(
        &letter,
        "Dear Sir or Madam, this is no database. ".repeat(100),
    )
    .unwrap();
    // A folder in place of the file, a file that is no database, a file system that takes none.
    let places = [
        folder.path().to_owned(),
        letter,
        "/proc/paywatch.sqlite".into(),
    ];
    for place in places {
        let error = refused(&format!("sqlite:{}", place.display())).await;
        assert!(matches!(error, StoreError::Unwritable { .. }), "{error:?}");
        assert!(
            error.to_string().contains(&place.display().to_string()),
            "{error}"
        );
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_said_to_be_away() {
    let error = refused("postgres://teller:hunter2@127.0.0.1:1/shop").await;
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("hunter2"));
}

#[tokio::test]
async fn odd_file_names_are_taken_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("büro 50%25 #1.sqlite");
    let store = open(&format!("sqlite:{}", place.display())).await;
    store.ping().await.unwrap();
    store.close().await;
    assert!(place.is_file());
}
