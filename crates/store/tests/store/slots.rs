//! Exact amounts: chosen, taken, kept for a while, and free again.

use paywatch_core::{
    Address, Amount, Claim, FinalityRule, Order, PaymentMethod, Slot, SlotTerms, Transfer,
};
use paywatch_store::{CreateOutcome, NewOrder, SlotWish};

use crate::books::{Books, address, amount, at, order, requested, usdt};
use crate::line::{Line, block, pay};

on_both_engines!(
    orders_over_the_same_amount_get_different_ones,
    a_transfer_is_claimed_by_its_amount,
    an_amount_is_free_once_its_quarantine_is_over,
    many_who_ask_at_once_get_different_amounts,
);

/// A minute after its end, an amount is free.
pub(crate) const QUARANTINE_MS: i64 = 60_000;

fn wallet() -> Address {
    address(0x3A, 1)
}

/// Order `number`, to be paid on chain 1 by an exact amount near `asked`.
pub(crate) fn wish(number: u64, asked: &str) -> NewOrder {
    let mut order = order(number);
    order.amount = amount(asked);
    order.options.clear();
    let terms = SlotTerms::new(amount("0.01"), amount("0.03"), QUARANTINE_MS).unwrap();
    NewOrder {
        slots: vec![SlotWish {
            token: usdt(1),
            wallets: vec![wallet()],
            finality: FinalityRule::confirmations(2).unwrap(),
            tolerance: Amount::ZERO,
            terms,
        }],
        ..requested(&order, "d1")
    }
}

/// Makes it; `None` if no amount is free.
async fn makes(books: &Books, new: &NewOrder) -> Option<Order> {
    match books.store.create_order(new).await.unwrap() {
        CreateOutcome::Created(record) => Some(record.order),
        CreateOutcome::NoFreeAmount { token } => {
            assert_eq!(token, usdt(1));
            None
        },
        other => panic!("{other:?}"),
    }
}

pub(crate) fn slot_of(order: &Order) -> Slot {
    match order.options.as_slice() {
        [option] => match option.method {
            PaymentMethod::ExactAmount { slot } => slot,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// A transfer of `paid` to the wallet in block `number` of chain 1.
pub(crate) fn paid(number: u64, paid: &str) -> Transfer {
    let mut transfer = pay(1, block(1, number, 0), &order(99), (paid, 0));
    transfer.to = wallet();
    transfer
}

pub(crate) async fn claim(books: &Books, transfer: &Transfer) -> Claim {
    books.store.claims(&[transfer]).await.unwrap()[&transfer.id].claim
}

async fn orders_over_the_same_amount_get_different_ones(books: Books) {
    for (number, expected) in [(1, "100"), (2, "100.01"), (3, "100.02"), (4, "100.03")] {
        let made = makes(&books, &wish(number, "100")).await.unwrap();
        assert_eq!(slot_of(&made).high(), amount(expected));
        let read = books.store.order(made.id).await.unwrap().unwrap();
        assert_eq!(read.order, made);
    }
    assert_eq!(makes(&books, &wish(5, "100")).await, None);
    assert!(books.store.order(order(5).id).await.unwrap().is_none());
    assert!(makes(&books, &wish(5, "99.99")).await.is_some());
    assert_eq!(books.store.shared_addresses().await.unwrap(), [wallet()]);
}

async fn a_transfer_is_claimed_by_its_amount(books: Books) {
    let one = makes(&books, &wish(1, "100")).await.unwrap();
    let two = makes(&books, &wish(2, "100")).await.unwrap();
    for (sent, expected) in [
        ("100", Claim::Amount(one.id)),
        ("100.01", Claim::Amount(two.id)),
        ("100.005", Claim::Nobody),
        ("99.99", Claim::Nobody),
        ("100.02", Claim::Nobody),
    ] {
        assert_eq!(claim(&books, &paid(2, sent)).await, expected, "{sent}");
    }
    let mut elsewhere = paid(2, "100");
    elsewhere.to = address(0x3B, 1);
    assert_eq!(claim(&books, &elsewhere).await, Claim::Nobody);
    let mut other_token = paid(2, "100");
    other_token.token = address(0xDB, 1);
    assert_eq!(claim(&books, &other_token).await, Claim::Nobody);
}

async fn an_amount_is_free_once_its_quarantine_is_over(books: Books) {
    let mut new = wish(1, "100");
    new.order.expires_at = at(25);
    let first = makes(&books, &new).await.unwrap();
    // Block 3 is of second 30: the order has expired, and its quarantine begins.
    let mut line = Line::new(1);
    line.cover(&books.store, 0, 1..=3, &[]).await.unwrap();
    let expired = books.store.order(first.id).await.unwrap().unwrap();
    assert_eq!(expired.snapshot.status.name(), "expired");
    line.cover(&books.store, 0, 4..=8, &[]).await.unwrap();
    let second = makes(&books, &wish(2, "100")).await.unwrap();
    assert_eq!(slot_of(&second).high(), amount("100.01"), "not free yet");
    assert_eq!(
        claim(&books, &paid(8, "100")).await,
        Claim::Amount(first.id),
        "late money is the late order's"
    );

    line.cover(&books.store, 0, 9..=10, &[]).await.unwrap();
    let mut new = wish(3, "100");
    new.order.created_at = at(400);
    let third = makes(&books, &new).await.unwrap();
    assert_eq!(slot_of(&third).high(), amount("100"), "free again");
    assert_eq!(
        claim(&books, &paid(60, "100")).await,
        Claim::Amount(third.id)
    );
    assert_eq!(
        claim(&books, &paid(11, "100")).await,
        Claim::Nobody,
        "what was paid long before the order was made is not the order's"
    );
}

async fn many_who_ask_at_once_get_different_amounts(books: Books) {
    let asking = (1..=8).map(|number| {
        let store = books.store.clone();
        tokio::spawn(async move { store.create_order(&wish(number, "100")).await })
    });
    let asking: Vec<_> = asking.collect();
    let (mut chosen, mut refused) = (Vec::new(), 0);
    for asked in asking {
        match asked.await.unwrap().unwrap() {
            CreateOutcome::Created(record) => chosen.push(slot_of(&record.order).high()),
            CreateOutcome::NoFreeAmount { .. } => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    chosen.sort();
    let expected = ["100", "100.01", "100.02", "100.03"].map(amount);
    assert_eq!(chosen, expected);
    assert_eq!(refused, 4);
}
