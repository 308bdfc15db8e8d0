//! What an audit reads: addresses, sums, openings, and whether the books contradict themselves.

use paywatch_core::{Loose, Opening, Order, Transfer, Turnover, Verdict};
use paywatch_store::{AuditAccount, AuditEntry, AuditRun, AuditScope, Holder, Ledger, Period};

use crate::books::{Books, address, amount, at, chain, order, usdt};
use crate::line::{Line, block, pay};

on_both_engines!(
    transfers_are_added_up_to_the_block_and_from_the_opening,
    addresses_are_found_in_pages_with_whose_they_are,
    the_first_opening_is_kept,
    the_daily_audit_goes_on_where_it_was,
    books_that_fit_have_no_faults,
    books_that_were_changed_behind_the_stores_back_are_found,
    a_period_is_read_in_pages_and_in_order,
);

fn ledger() -> Ledger {
    Ledger {
        chain_id: chain(1),
        token: usdt(1).address,
    }
}

/// The merchant's own address.
fn treasury() -> paywatch_core::Address {
    address(0x7E, 1)
}

/// `paid` is moved from the deposit address of `order` to the treasury in block `number`.
fn flush(number: u64, order: &Order, paid: &str) -> Transfer {
    let mut transfer = pay(1, block(1, number, 0), order, (paid, 50));
    transfer.from = order.options[0].address;
    transfer.to = treasury();
    transfer
}

/// Order 1 is paid 40 in block 2 and 60.000001 in block 4 of chain 1; 30 of it are flushed in
/// block 5, and 7 come to the treasury from nobody known in block 6. Order 2 waits.
async fn shop(books: &Books) -> (Order, Order) {
    let (first, second) = (books.expects(order(1)).await, books.expects(order(2)).await);
    let mut line = Line::new(1);
    line.cover(
        &books.store,
        0,
        1..=4,
        &[(2, &first, "40"), (4, &first, "60.000001")],
    )
    .await
    .unwrap();
    let mut update = line.update(&books.store, 0, 5..=8, &[]).await.unwrap();
    let mut stray = pay(1, block(1, 6, 0), &first, ("7", 51));
    stray.to = treasury();
    update.loose = vec![(flush(5, &first, "30"), Loose::Moved), (stray, Loose::Dust)];
    books.store.commit_update(&update).await.unwrap();
    (first, second)
}

async fn sums(
    books: &Books,
    up_to: u64,
    of: (paywatch_core::Address, Opening),
) -> (String, String) {
    let turnovers = books.store.turnovers(ledger(), up_to, &[of]).await.unwrap();
    let Turnover { incoming, outgoing } = turnovers[&of.0].unwrap();
    (incoming.to_string(), outgoing.to_string())
}

async fn transfers_are_added_up_to_the_block_and_from_the_opening(books: Books) {
    let (first, second) = shop(&books).await;
    let deposit = first.options[0].address;
    for (up_to, of, expected) in [
        (8, (deposit, Opening::Empty), ("100.000001", "30")),
        (4, (deposit, Opening::Empty), ("100.000001", "0")),
        (3, (deposit, Opening::Empty), ("40", "0")),
        (1, (deposit, Opening::Empty), ("0", "0")),
        (8, (treasury(), Opening::Empty), ("37", "0")),
        (8, (second.options[0].address, Opening::Empty), ("0", "0")),
    ] {
        let (incoming, outgoing) = sums(&books, up_to, of).await;
        assert_eq!(
            (incoming.as_str(), outgoing.as_str()),
            expected,
            "{up_to} {of:?}"
        );
    }
    let opened = Opening::At {
        block: 5,
        balance: amount("1000"),
    };
    assert_eq!(sums(&books, 8, (treasury(), opened)).await.0, "7");
    // What left its chain is not there.
    books
        .tamper("UPDATE transfers SET canonical = 0 WHERE block_number = 4")
        .await;
    assert_eq!(sums(&books, 8, (deposit, Opening::Empty)).await.0, "40");
    let other = Ledger {
        token: usdt(56).address,
        ..ledger()
    };
    let none = books
        .store
        .turnovers(other, 8, &[(deposit, Opening::Empty)])
        .await;
    assert_eq!(none.unwrap()[&deposit], Ok(Turnover::default()));
}

async fn addresses_are_found_in_pages_with_whose_they_are(books: Books) {
    let (first, _) = shop(&books).await;
    let page = async |scope, after, limit| {
        let found = books
            .store
            .addresses_to_audit(ledger(), scope, after, limit);
        found.await.unwrap()
    };
    let expected = AuditAccount {
        address: first.options[0].address,
        holder: Holder::Deposit {
            treasury: treasury(),
        },
        opening: None,
    };
    assert_eq!(page(AuditScope::Active, None, 10).await, [expected]);
    let all = page(AuditScope::All, None, 10).await;
    assert_eq!(all.len(), 2);
    assert!(all[0].address < all[1].address);
    assert_eq!(page(AuditScope::All, None, 1).await, all[..1]);
    assert_eq!(
        page(AuditScope::All, Some(all[0].address), 1).await,
        all[1..]
    );
    assert_eq!(page(AuditScope::All, Some(all[1].address), 1).await, []);
    // A payment that the books lost leaves an address that money only went from.
    books
        .tamper("UPDATE transfers SET canonical = 0 WHERE order_id IS NOT NULL")
        .await;
    assert_eq!(page(AuditScope::Active, None, 10).await, [expected]);

    let own = books
        .store
        .accounts_to_audit(ledger(), &[treasury()])
        .await
        .unwrap();
    assert_eq!(own[0].holder, Holder::Wallet);
}

fn found(block: u64, balance: &str, verdict: Verdict) -> AuditEntry {
    AuditEntry {
        address: treasury(),
        opening: Opening::At {
            block,
            balance: amount(balance),
        },
        block,
        balance: amount(balance),
        verdict,
    }
}

async fn the_first_opening_is_kept(books: Books) {
    let keep = async |entry| {
        let kept = books.store.keep_audits(ledger(), &[entry], at(7)).await;
        kept.unwrap();
    };
    let opening = async || {
        let accounts = books.store.accounts_to_audit(ledger(), &[treasury()]).await;
        accounts.unwrap()[0].opening
    };
    assert_eq!(opening().await, None);
    let first = found(5, "1000", Verdict::Balanced);
    keep(first).await;
    assert_eq!(opening().await, Some(first.opening));
    assert_eq!(books.store.differing(ledger()).await.unwrap(), []);

    let second = found(9, "1000.5", Verdict::Less(amount("0.000001")));
    keep(second).await;
    assert_eq!(opening().await, Some(first.opening));
    let differing = books.store.differing(ledger()).await.unwrap();
    let kept = AuditEntry {
        opening: first.opening,
        ..second
    };
    assert_eq!(differing, [kept]);

    let deposit = AuditEntry {
        address: address(0xA0, 1),
        opening: Opening::Empty,
        ..found(9, "3", Verdict::More(amount("3")))
    };
    keep(deposit).await;
    let differing = books.store.differing(ledger()).await.unwrap();
    assert_eq!(differing, [kept, deposit]);
}

async fn the_daily_audit_goes_on_where_it_was(books: Books) {
    assert_eq!(books.store.audit_run(ledger()).await.unwrap(), None);
    for (after, second) in [(Some(treasury()), 100), (None, 200)] {
        let run = AuditRun {
            after,
            at: at(second),
        };
        books.store.keep_audit_run(ledger(), run).await.unwrap();
        assert_eq!(books.store.audit_run(ledger()).await.unwrap(), Some(run));
    }
}

async fn books_that_fit_have_no_faults(books: Books) {
    assert_eq!(books.store.event_gap().await.unwrap(), None);
    shop(&books).await;
    assert_eq!(books.store.event_gap().await.unwrap(), None);
    assert_eq!(books.store.misplaced().await.unwrap(), []);
    let sums = books.store.order_sums_after(0, 10).await.unwrap();
    assert_eq!(sums.len(), 2);
    for order in &sums {
        let wrong = paywatch_core::wrong_sums(&order.kept, &order.payments).unwrap();
        assert_eq!(wrong, []);
        assert_eq!(order.logged, Some((1, order.events, order.events)));
    }
    assert_eq!(sums[0].payments.len(), 2);
    let next = books.store.order_sums_after(sums[0].seq, 1).await.unwrap();
    assert_eq!(next, sums[1..]);
}

async fn books_that_were_changed_behind_the_stores_back_are_found(books: Books) {
    shop(&books).await;
    books
        .tamper("UPDATE transfers SET amount = '41' WHERE block_number = 2")
        .await;
    let sums = books.store.order_sums_after(0, 1).await.unwrap();
    let wrong = paywatch_core::wrong_sums(&sums[0].kept, &sums[0].payments).unwrap();
    let what: Vec<_> = wrong.iter().map(|wrong| wrong.what).collect();
    assert_eq!(what, ["received", "counted", "confirmed", "excess"]);

    books
        .tamper("UPDATE transfers SET state = 'elsewhere' WHERE block_number = 4")
        .await;
    let misplaced = books.store.misplaced().await.unwrap();
    assert_eq!(
        (misplaced[0].state.as_str(), misplaced[0].count),
        ("elsewhere", 1)
    );

    books.tamper("DELETE FROM events WHERE seq = 3").await;
    let gap = books.store.event_gap().await.unwrap().unwrap();
    assert_eq!(gap.last, gap.count + 1);
    books
        .tamper("UPDATE counters SET value = value + 1 WHERE name = 'events'")
        .await;
    let gap = books.store.event_gap().await.unwrap().unwrap();
    assert_eq!(gap.numbered, gap.last + 1);
}

async fn a_period_is_read_in_pages_and_in_order(books: Books) {
    let (first, second) = shop(&books).await;
    // Blocks are ten seconds apart, orders were made in the second of their number.
    let period = |from, before| Period {
        from: at(from),
        before: at(before),
    };
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = books
            .store
            .payments_of(period(20, 60), after, 1)
            .await
            .unwrap();
        let Some((last, _)) = page.last() else { break };
        let transfer = &last.recorded.transfer;
        after = Some((transfer.block_timestamp, transfer.payment_id()));
        all.extend(page);
    }
    let told: Vec<_> = all
        .iter()
        .map(|(booked, reference)| {
            let reference = reference.as_ref().map(ToString::to_string);
            (booked.recorded.transfer.amount.to_string(), reference)
        })
        .collect();
    let of_first = Some(first.reference.to_string());
    assert_eq!(
        told,
        [
            ("40".to_owned(), of_first.clone()),
            ("60.000001".to_owned(), of_first),
            ("30".to_owned(), None),
        ],
        "block 2 is in it, block 6 is not"
    );
    let orders = async |from, before, after| {
        let page = books.store.orders_of(period(from, before), after, 1).await;
        page.unwrap()
    };
    let one = orders(1, 3, None).await;
    assert_eq!(one[0].order, first);
    let two = orders(1, 3, Some((one[0].order.created_at, one[0].seq))).await;
    assert_eq!(two[0].order, second);
    let none = orders(1, 3, Some((two[0].order.created_at, two[0].seq))).await;
    assert_eq!(none, []);
    assert_eq!(orders(1, 2, None).await.len(), 1);
    assert_eq!(orders(3, 9, None).await, []);
}
