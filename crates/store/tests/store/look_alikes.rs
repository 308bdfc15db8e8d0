//! Transfers of contracts that are no token of ours: bounded, found again, and no money.

use paywatch_core::{Address, Likeness, Order, U256};
use paywatch_store::{
    LookAlike, LookAlikeBounds, LookAlikeCommit, LookAlikeFilter, LookAlikePlace, SelfDescription,
    StoreError, StrangeTransfers,
};

use crate::books::{Books, address, at, chain, hash, order};

on_both_engines!(
    what_was_found_is_counted_once,
    a_flood_is_bounded_and_look_alikes_stay_longest,
    what_a_contract_says_holds_for_all_its_transfers,
    an_order_shows_what_came_to_its_own_addresses,
    pages_hold_each_once,
    addresses_of_the_newest_orders_come_first,
);

const BOUNDS: LookAlikeBounds = LookAlikeBounds {
    of_address: 3,
    in_all: 5,
};

fn found(contract: u64, to: Address, block: u64) -> StrangeTransfers {
    let place = LookAlikePlace {
        block,
        time: at(block),
        tx_hash: hash(0x7A, block),
    };
    StrangeTransfers {
        contract: address(0xC0, contract),
        to,
        count: 1,
        value: U256::MAX,
        first: place,
        last: place,
    }
}

fn commit(after: u64, to: u64, found: &[StrangeTransfers]) -> LookAlikeCommit {
    LookAlikeCommit {
        chain_id: chain(1),
        after,
        to,
        found: found.to_vec(),
        bounds: BOUNDS,
    }
}

async fn all(books: &Books) -> Vec<LookAlike> {
    let filter = LookAlikeFilter::default();
    books.store.look_alikes(&filter, None, 100).await.unwrap()
}

fn contracts(found: &[LookAlike]) -> Vec<Address> {
    found.iter().map(|one| one.transfers.contract).collect()
}

fn calls_itself(kind: Likeness) -> SelfDescription {
    SelfDescription {
        kind,
        symbol: Some("USDT".to_owned()),
        name: None,
        decimals: Some(255),
    }
}

async fn what_was_found_is_counted_once(books: Books) {
    let to = address(0xBB, 1);
    assert_eq!(books.store.look_alike_cursor(chain(1)).await.unwrap(), None);
    books.store.begin_look_alikes(chain(1), 10).await.unwrap();
    books.store.begin_look_alikes(chain(1), 99).await.unwrap();
    let first = commit(10, 20, &[found(1, to, 15)]);
    books.store.note_look_alikes(&first).await.unwrap();
    let again = books.store.note_look_alikes(&first).await;
    assert!(matches!(again, Err(StoreError::Stale { .. })), "{again:?}");
    let mut more = found(1, to, 25);
    more.count = 2;
    more.value = U256::from(7);
    let second = commit(20, 30, &[more]);
    books
        .second()
        .await
        .note_look_alikes(&second)
        .await
        .unwrap();
    let cursor = books.store.look_alike_cursor(chain(1)).await.unwrap();
    assert_eq!(cursor, Some(30));
    let [one] = &all(&books).await[..] else {
        panic!("there is one");
    };
    assert_eq!(one.transfers.count, 3);
    assert_eq!(one.transfers.value, U256::from(7));
    assert_eq!(one.transfers.first, found(1, to, 15).first);
    assert_eq!(one.transfers.last, more.last);
    assert_eq!(one.says.kind, Likeness::UnknownToken);
    assert!(!one.is_described);
    assert_eq!(books.events().await.len(), 0);
}

async fn a_flood_is_bounded_and_look_alikes_stay_longest(books: Books) {
    let (to, other) = (address(0xBB, 1), address(0xBB, 2));
    books.store.begin_look_alikes(chain(1), 0).await.unwrap();
    let old = [found(1, to, 1), found(2, to, 2)];
    books
        .store
        .note_look_alikes(&commit(0, 2, &old))
        .await
        .unwrap();
    for (contract, kind) in [(1, Likeness::LookAlike), (2, Likeness::UnknownToken)] {
        let says = calls_itself(kind);
        let contract = address(0xC0, contract);
        let described = books
            .store
            .describe_look_alike(chain(1), contract, &says, at(3));
        described.await.unwrap();
    }
    // The second is known to be nothing, so it goes though it is not the oldest.
    let more = [found(3, to, 3), found(4, to, 4)];
    books
        .store
        .note_look_alikes(&commit(2, 4, &more))
        .await
        .unwrap();
    let kept = [4, 3, 1].map(|contract| address(0xC0, contract));
    assert_eq!(contracts(&all(&books).await), kept);
    // Of what nobody knows yet the oldest goes.
    let flood: Vec<_> = (5..10).map(|n| found(n, other, n)).collect();
    books
        .store
        .note_look_alikes(&commit(4, 10, &flood))
        .await
        .unwrap();
    let kept = [9, 8, 7, 4, 3].map(|contract| address(0xC0, contract));
    assert_eq!(contracts(&all(&books).await), kept);
}

async fn what_a_contract_says_holds_for_all_its_transfers(books: Books) {
    let contract = address(0xC0, 1);
    books.store.begin_look_alikes(chain(1), 0).await.unwrap();
    let first = commit(
        0,
        1,
        &[found(1, address(0xBB, 1), 1), found(1, address(0xBB, 2), 1)],
    );
    books.store.note_look_alikes(&first).await.unwrap();
    let waiting = books
        .store
        .look_alikes_to_describe(chain(1), 9)
        .await
        .unwrap();
    assert_eq!(waiting, [contract]);
    let elsewhere = books
        .store
        .look_alikes_to_describe(chain(56), 9)
        .await
        .unwrap();
    assert!(elsewhere.is_empty());
    let says = calls_itself(Likeness::LookAlike);
    let described = books
        .store
        .describe_look_alike(chain(1), contract, &says, at(3));
    described.await.unwrap();
    let later = commit(1, 2, &[found(1, address(0xBB, 3), 2)]);
    books.store.note_look_alikes(&later).await.unwrap();
    let waiting = books
        .store
        .look_alikes_to_describe(chain(1), 9)
        .await
        .unwrap();
    assert!(waiting.is_empty());
    let all = all(&books).await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|one| one.says == says && one.is_described));
}

async fn an_order_shows_what_came_to_its_own_addresses(books: Books) {
    let (mine, other) = (books.expects(order(1)).await, books.expects(order(2)).await);
    let to = mine.options[0].address;
    books.store.begin_look_alikes(chain(1), 0).await.unwrap();
    let mut fake = found(1, to, 1);
    fake.count = 2;
    let first = commit(
        0,
        1,
        &[fake, found(2, to, 1), found(1, address(0xBB, 2), 1)],
    );
    books.store.note_look_alikes(&first).await.unwrap();
    let says = calls_itself(Likeness::LookAlike);
    let described = books
        .store
        .describe_look_alike(chain(1), address(0xC0, 1), &says, at(3));
    described.await.unwrap();
    let found = async |id| books.store.order_and_look_alikes(id).await.unwrap();
    let (_, sums) = found(mine.id).await.unwrap();
    assert_eq!((sums.transfers, sums.look_alikes), (3, 2));
    let (_, none) = found(other.id).await.unwrap();
    assert_eq!((none.transfers, none.look_alikes), (0, 0));
    let filter = LookAlikeFilter::default();
    let of_order = |order: &Order| LookAlikeFilter {
        order: Some(order.id),
        ..filter
    };
    let on_chain = |id| LookAlikeFilter {
        chain_id: Some(chain(id)),
        ..filter
    };
    let to_it = LookAlikeFilter {
        to: Some(to),
        ..filter
    };
    for (filter, expected) in [
        (of_order(&mine), 2),
        (of_order(&other), 0),
        (to_it, 2),
        (on_chain(1), 3),
        (on_chain(56), 0),
    ] {
        let found = books.store.look_alikes(&filter, None, 100).await.unwrap();
        assert_eq!(found.len(), expected, "{filter:?}");
    }
    // It is no money: the order is as it was.
    let record = books.order(&mine).await;
    assert!(record.payments.is_empty() && record.version == 1);
}

async fn pages_hold_each_once(books: Books) {
    books.store.begin_look_alikes(chain(1), 0).await.unwrap();
    let many: Vec<_> = (1..=5).map(|n| found(n, address(0xBB, n), n / 2)).collect();
    books
        .store
        .note_look_alikes(&commit(0, 9, &many))
        .await
        .unwrap();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let filter = LookAlikeFilter::default();
        let page = books.store.look_alikes(&filter, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        let place = &last.transfers;
        after = Some((place.last.time, last.chain_id, place.contract, place.to));
        seen.extend(contracts(&page));
    }
    assert_eq!(
        seen,
        [5, 4, 3, 2, 1].map(|contract| address(0xC0, contract))
    );
}

async fn addresses_of_the_newest_orders_come_first(books: Books) {
    let mut wanted = Vec::new();
    for number in 1..=3 {
        let order = books.expects(order(number)).await;
        wanted.insert(0, order.options[0].address);
    }
    let last = order(3).expires_at;
    let all = books.store.addresses_of_late(last, 9).await.unwrap();
    assert_eq!(all, wanted);
    let two = books.store.addresses_of_late(last, 2).await.unwrap();
    assert_eq!(two, wanted[..2]);
    let after = paywatch_core::Timestamp::from_unix_ms(last.unix_ms() + 1).unwrap();
    let none = books.store.addresses_of_late(after, 9).await.unwrap();
    assert!(none.is_empty());
}
