//! What is filled in for benchmarks is what the ordinary way leaves behind.

use std::ops::RangeInclusive;

use paywatch_core::{Order, PaymentMethod};
use paywatch_store::{History, StoreError};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Column as _, Connection as _, Row as _};

use crate::books::{Books, address, at, order, requested};
use crate::line::Line;

on_both_engines!(
    a_history_is_the_same_rows_either_way,
    a_history_that_contradicts_itself_is_refused,
);

/// Every table that a history touches, and by what its rows are told apart.
const TABLES: [(&str, &str); 9] = [
    ("orders", "id"),
    ("order_options", "order_id, position"),
    ("order_places", "seq, place"),
    ("order_metadata", "order_id, name"),
    ("watched_addresses", "address"),
    ("shared_addresses", "address"),
    ("transfers", "payment_id"),
    ("events", "seq"),
    ("counters", "name"),
];

fn shown(row: &AnyRow) -> String {
    let columns = row.columns().iter().map(|column| {
        let name = column.name();
        let value = row.try_get::<Option<String>, _>(name).or_else(|_| {
            let number = row.try_get::<Option<i64>, _>(name);
            number.map(|number| number.map(|number| number.to_string()))
        });
        // Nothing else is random.
        let value = value.map(|value| match name {
            "checkout_token" => value.map(|_token| "drawn".to_owned()),
            _ => value,
        });
        format!("{name}={:?}", value.unwrap())
    });
    let mut columns: Vec<_> = columns.collect();
    // Where a column stands among the others depends on when it was added.
    columns.sort();
    columns.join(" ")
}

/// Every row of `tables`.
pub(crate) async fn dump(books: &Books, tables: &[(&str, &str)]) -> Vec<String> {
    let mut connection = AnyConnection::connect(&books.url).await.unwrap();
    let mut lines = Vec::new();
    for (table, key) in tables {
        let select = AssertSqlSafe(format!("SELECT * FROM {table} ORDER BY {key}"));
        let rows = sqlx::query(select).fetch_all(&mut connection).await;
        lines.extend(
            rows.unwrap()
                .iter()
                .map(|row| format!("{table}: {}", shown(row))),
        );
    }
    connection.close().await.unwrap();
    lines
}

/// Makes orders and covers blocks one after the other, and remembers it as histories.
struct Teller<'a> {
    books: &'a Books,
    line: Line,
    histories: Vec<History>,
}

impl Teller<'_> {
    #[expect(
        clippy::type_complexity,
        reason = "it is a story: blocks and who pays in them"
    )]
    async fn tell(&mut self, order: Order, steps: &[(RangeInclusive<u64>, &[(u64, &str)])]) {
        let order = self.books.expects(order).await;
        let mut history = History {
            new: requested(&order, "d1"),
            transfers: Vec::new(),
            changes: Vec::new(),
        };
        for (blocks, paid) in steps {
            let paid: Vec<_> = paid
                .iter()
                .map(|(block, paid)| (*block, &order, *paid))
                .collect();
            let store = &self.books.store;
            let update = self
                .line
                .update(store, 0, blocks.clone(), &paid)
                .await
                .unwrap();
            self.line
                .cover(store, 0, blocks.clone(), &paid)
                .await
                .unwrap();
            assert!(
                update
                    .changes
                    .iter()
                    .all(|change| change.order_id == order.id)
            );
            let transfers = update.transfers.into_iter();
            history
                .transfers
                .extend(transfers.map(|(transfer, _)| (transfer, update.at)));
            let changes = update.changes.into_iter();
            history
                .changes
                .extend(changes.map(|change| (change, update.at)));
        }
        self.histories.push(history);
    }
}

/// Orders of every kind: completed, overpaid, paid, paid in part, late, expired, open.
async fn told(books: &Books) -> Vec<History> {
    let mut teller = Teller {
        books,
        line: Line::new(1),
        histories: Vec::new(),
    };
    let mut labelled = order(1);
    labelled.metadata = [("customer", "42"), ("shelf", "b")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    teller
        .tell(labelled, &[(1..=2, &[(1, "40"), (2, "60")]), (3..=4, &[])])
        .await;
    teller
        .tell(order(2), &[(5..=5, &[(5, "150")]), (6..=7, &[])])
        .await;
    let mut called = order(3);
    called.options[1].address = address(0xC0, 1);
    called.options[1].method = PaymentMethod::Contract {
        receiver: address(0xC0, 1),
    };
    teller.tell(called, &[(8..=9, &[(8, "1")])]).await;
    let mut short = order(4);
    short.options.truncate(1);
    short.expires_at = at(105);
    teller.tell(short.clone(), &[(10..=11, &[])]).await;
    let mut late = order(5);
    late.options.truncate(1);
    late.expires_at = at(115);
    teller
        .tell(late, &[(12..=12, &[]), (13..=15, &[(13, "100")])])
        .await;
    teller.tell(order(6), &[]).await;
    teller.tell(order(7), &[(16..=16, &[(16, "100")])]).await;
    teller.histories
}

async fn a_history_is_the_same_rows_either_way(books: Books) {
    let histories = told(&books).await;
    let ordinary = dump(&books, &TABLES).await;
    for status in [
        "completed",
        "paid",
        "partially_paid",
        "expired",
        "awaiting_payment",
    ] {
        let orders = ordinary.iter().filter(|line| line.starts_with("orders:"));
        let in_status = orders.filter(|line| line.contains(&format!("status=Some(\"{status}\")")));
        assert!(in_status.count() > 0, "no order is {status}");
    }
    let other = books.beside().await;
    let (first, rest) = histories.split_at(3);
    other.store.fill(first).await.unwrap();
    other.store.fill(rest).await.unwrap();
    let filled = dump(&other, &TABLES).await;
    for (ordinary, filled) in ordinary.iter().zip(&filled) {
        assert_eq!(ordinary, filled);
    }
    assert_eq!(ordinary.len(), filled.len());
    for history in &histories {
        let order = &history.new.order;
        let [mut ordinary, mut filled] = [books.order(order).await, other.order(order).await];
        assert_ne!(ordinary.checkout.take(), filled.checkout.take());
        assert_eq!(ordinary, filled);
    }
    other.events().await;
}

async fn a_history_that_contradicts_itself_is_refused(books: Books) {
    let histories = told(&books).await;
    let other = books.beside().await;
    let mut unnamed = histories.clone();
    unnamed[1].transfers.clear();
    let mut unsorted = histories.clone();
    unsorted.reverse();
    for wrong in [unnamed, unsorted] {
        let refused = other.store.fill(&wrong).await;
        assert!(
            matches!(refused, Err(StoreError::Refused { .. })),
            "{refused:?}"
        );
    }
    other.store.fill(&histories).await.unwrap();
    let again = other.store.fill(&histories).await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(dump(&books, &TABLES).await, dump(&other, &TABLES).await);
}
