//! What a sweep begins with: deposit addresses that money came to.

use paywatch_core::{Amount, Loose, Transfer, TransferId};
use paywatch_store::PaidDeposit;

use crate::books::{Books, address, amount, at, chain, hash, order, usdt};
use crate::line::{Line, block, pay};

on_both_engines!(
    what_came_and_what_left_is_added_up,
    what_left_its_chain_does_not_count,
    pages_leave_nothing_out,
);

async fn all(books: &Books, chain_id: u64) -> Vec<PaidDeposit> {
    let page = books.store.paid_deposits(chain(chain_id), None, 100).await;
    let page = page.unwrap();
    assert_eq!(page.next, None);
    page.deposits
}

fn deposit(number: u64, chain_id: u64, came: &str, left: &str) -> PaidDeposit {
    let order = order(number);
    PaidDeposit {
        order_id: order.id,
        address: order.options[0].address,
        // The first option's: an address follows from one factory and one treasury.
        factory: address(0xFA, 1),
        treasury: address(0x7E, 1),
        token: usdt(chain_id).address,
        came: amount(came),
        left: amount(left),
    }
}

/// Order `number`, whose options have one factory, as those with one address have.
fn ordered(number: u64) -> paywatch_core::Order {
    let mut order = order(number);
    let method = order.options[0].method;
    order.options[1].method = method;
    order
}

/// A flush of `paid` from the address of `order`, in block `number` of chain 1.
fn flushed(number: u64, order: &paywatch_core::Order, paid: &str) -> (Transfer, Loose) {
    let block = block(1, number, 0);
    let transfer = Transfer {
        id: TransferId {
            chain_id: chain(1),
            block_hash: block.hash,
            log_index: 70,
        },
        tx_hash: hash(0xEF, number),
        block_timestamp: at(number),
        from: order.options[0].address,
        to: address(0x7E, 1),
        ..pay(1, block, order, (paid, 70))
    };
    (transfer, Loose::Moved)
}

async fn what_came_and_what_left_is_added_up(books: Books) {
    let (first, second) = (ordered(1), ordered(2));
    for order in [&first, &second, &ordered(3)] {
        books.expects(order.clone()).await;
    }
    let mut line = Line::new(1);
    let payments = [(2, &first, "40"), (3, &first, "60.5"), (3, &second, "7")];
    line.cover(&books.store, 0, 1..=3, &payments).await.unwrap();
    let mut update = line.update(&books.store, 0, 4..=4, &[]).await.unwrap();
    update.loose = vec![flushed(4, &first, "100.25")];
    books.store.commit_update(&update).await.unwrap();
    let mut other = Line::new(56);
    other
        .cover(&books.store, 0, 1..=3, &[(2, &second, "9")])
        .await
        .unwrap();

    let expected = [deposit(1, 1, "100.5", "100.25"), deposit(2, 1, "7", "0")];
    assert_eq!(all(&books, 1).await, expected);
    assert_eq!(all(&books, 56).await, [deposit(2, 56, "9", "0")]);
    assert_eq!(all(&books, 10).await, []);
}

async fn what_left_its_chain_does_not_count(books: Books) {
    let first = books.expects(ordered(1)).await;
    let mut line = Line::new(1);
    let payments = [(2, &first, "40"), (3, &first, "60")];
    line.cover(&books.store, 0, 1..=3, &payments).await.unwrap();
    line.cover(&books.store, 1, 3..=4, &[]).await.unwrap();
    assert_eq!(all(&books, 1).await, [deposit(1, 1, "40", "0")]);
    line.cover(&books.store, 2, 2..=5, &[]).await.unwrap();
    assert_eq!(all(&books, 1).await, []);
}

async fn pages_leave_nothing_out(books: Books) {
    let orders: Vec<_> = (1..=5).map(ordered).collect();
    for order in &orders {
        books.expects(order.clone()).await;
    }
    let mut line = Line::new(1);
    let payments: Vec<_> = orders.iter().map(|order| (2, order, "1")).collect();
    line.cover(&books.store, 0, 1..=3, &payments).await.unwrap();
    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = books.store.paid_deposits(chain(1), after, 2).await.unwrap();
        assert!(page.deposits.len() <= 2);
        found.extend(page.deposits.iter().map(|deposit| deposit.order_id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<_> = orders.iter().map(|order| order.id).collect();
    assert_eq!((found, pages), (expected, 3));
    assert_eq!(all(&books, 1).await[4].left, Amount::ZERO);
}
