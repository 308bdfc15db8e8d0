//! Every order has a page of its own, whose name nobody can guess.

use std::collections::BTreeSet;

use futures::future::join_all;
use paywatch_core::CheckoutToken;

use crate::books::{Books, order};

on_both_engines!(
    an_order_is_found_by_its_page_and_by_no_other,
    older_orders_are_given_pages_and_keep_them,
    programs_that_start_at_once_give_each_order_one_page,
);

/// As an older program left them behind.
const FORGET: &str = "UPDATE orders SET checkout_token = NULL";

async fn an_order_is_found_by_its_page_and_by_no_other(books: Books) {
    let mut tokens = BTreeSet::new();
    for number in 1..=20 {
        let made = books.expects(order(number)).await;
        let record = books.order(&made).await;
        let token = record.checkout.unwrap();
        assert!(tokens.insert(token), "{token} twice");
        let found = books.store.order_by_checkout(token).await.unwrap();
        assert_eq!(found, Some(record));
    }
    let unknown = CheckoutToken::from_bytes([7; 16]);
    assert_eq!(books.store.order_by_checkout(unknown).await.unwrap(), None);
}

async fn older_orders_are_given_pages_and_keep_them(books: Books) {
    let count = 300;
    for number in 1..=count {
        books.expects(order(number)).await;
    }
    books.tamper(FORGET).await;
    let old = books.order(&order(1)).await;
    assert_eq!(old.checkout, None);
    let store = books.second().await;
    let mut tokens = BTreeSet::new();
    for number in 1..=count {
        let record = store.order(order(number).id).await.unwrap().unwrap();
        let token = record.checkout.unwrap();
        assert!(tokens.insert(token), "{token} twice");
        assert_eq!(
            (record.version, record.updated_at),
            (1, order(number).created_at)
        );
    }
    let again = books.second().await;
    for number in 1..=count {
        let id = order(number).id;
        let [before, after] = [&store, &again].map(|store| store.order(id));
        assert_eq!(before.await.unwrap(), after.await.unwrap());
    }
}

async fn programs_that_start_at_once_give_each_order_one_page(books: Books) {
    for number in 1..=40 {
        books.expects(order(number)).await;
    }
    books.tamper(FORGET).await;
    let starts = (0..6).map(|_| {
        let url = books.url.clone();
        tokio::spawn(async move {
            let store = crate::books::open(&url).await;
            let record = store.order(order(1).id).await.unwrap().unwrap();
            record.checkout.unwrap()
        })
    });
    let seen = join_all(starts).await.into_iter().map(Result::unwrap);
    assert_eq!(seen.collect::<BTreeSet<_>>().len(), 1);
}
