//! What comes into the books beside the covered blocks: payments that an operator imports, and what
//! tokens say of frozen addresses.

use paywatch_core::{Address, ChainEvent, ChainEventKind, DecisionKind, Loose};
use paywatch_store::{DecisionFilter, FrozenState, Imported, NewDecision, Page, StoreError};

use crate::books::{Books, address, at, chain, order};
use crate::line::{Line, block, pay};

on_both_engines!(
    a_payment_is_imported_once,
    a_freeze_is_noted_once_and_where_the_cursor_is,
    a_noted_freeze_outlives_a_reorg,
);

async fn a_payment_is_imported_once(books: Books) {
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 10..=12, &[]).await.unwrap();
    let mut update = line.update(&books.store, 0, 12..=12, &[]).await.unwrap();
    update.retract_above = None;
    update.first_covered = None;
    let mut old = pay(1, block(1, 3, 0), &order(99), ("5", 0));
    old.to = address(0x7E, 1);
    update.loose = vec![(old.clone(), Loose::Unmatched)];
    let decision = NewDecision {
        id: format!("dec_{:032x}", 1),
        kind: DecisionKind::Import,
        reason: "paid before we began".parse().unwrap(),
        by: "shop".to_owned(),
        detail: String::new(),
        at: at(500),
    };
    update.imports = vec![Imported {
        payment: old.payment_id(),
        order: None,
        decision,
    }];
    books.store.commit_update(&update).await.unwrap();
    let again = books.store.commit_update(&update).await;
    assert!(matches!(again, Err(StoreError::Stale { .. })), "{again:?}");

    let booked = books.store.payment(&old.payment_id()).await.unwrap();
    assert_eq!(booked.unwrap().recorded.transfer, old);
    assert_eq!(books.store.chains().await.unwrap()[0].started_at, 10);
    let page = Page {
        before_seq: None,
        limit: 10,
    };
    let decisions = books
        .store
        .decisions(&DecisionFilter::default(), page)
        .await;
    let decisions = decisions.unwrap();
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].payment, Some(old.payment_id()));
    assert_eq!(decisions[0].kind, DecisionKind::Import);
    assert_eq!(books.store.tampered_decision().await.unwrap(), None);
}

fn event() -> ChainEvent {
    ChainEvent {
        chain_id: chain(1),
        kind: ChainEventKind::TokenAlert,
        detail: "frozen".to_owned(),
    }
}

/// What the token says at block `number` of the first branch.
#[expect(clippy::fn_params_excessive_bools, reason = "as the contract answers")]
fn says(number: u64, is_frozen: bool) -> FrozenState {
    FrozenState {
        chain_id: chain(1),
        tip: block(1, number, 0).to_ref(),
        token: Address::repeat_byte(7),
        address: Address::repeat_byte(8),
        is_frozen,
    }
}

async fn note(books: &Books, state: FrozenState) -> Result<bool, StoreError> {
    books.store.note_frozen(&state, &event(), at(1)).await
}

async fn a_freeze_is_noted_once_and_where_the_cursor_is(books: Books) {
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=3, &[]).await.unwrap();
    let elsewhere = note(&books, says(2, true)).await;
    assert!(matches!(elsewhere, Err(StoreError::Stale { .. })));
    assert!(!note(&books, says(3, false)).await.unwrap());
    assert!(note(&books, says(3, true)).await.unwrap());
    assert!(!note(&books, says(3, true)).await.unwrap());
    let frozen = books.store.frozen(Some(chain(1))).await.unwrap();
    assert_eq!(frozen.len(), 1);
    assert_eq!(frozen[0].address, Address::repeat_byte(8));
    assert!(note(&books, says(3, false)).await.unwrap());
    assert!(books.store.frozen(None).await.unwrap().is_empty());
    assert!(note(&books, says(3, true)).await.unwrap());
    assert_eq!(books.store.frozen(None).await.unwrap().len(), 1);
    let told = books.store.events_after(0, 10).await.unwrap();
    assert_eq!(told.len(), 3);
}

async fn a_noted_freeze_outlives_a_reorg(books: Books) {
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=3, &[]).await.unwrap();
    assert!(note(&books, says(3, true)).await.unwrap());
    line.cover(&books.store, 1, 3..=4, &[]).await.unwrap();
    assert_eq!(books.store.frozen(None).await.unwrap().len(), 1);
}
