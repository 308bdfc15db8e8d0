//! Whether the books contradict themselves: no node is asked.

use std::fmt;

use paywatch_core::{ChainEvent, ChainEventKind, ChainId, OrderId, WrongSum, wrong_sums};
use paywatch_store::{EventGap, Misplaced, OrderSums, Store, StoreError};

/// How many orders are looked at together.
const TOGETHER: u32 = 500;
/// How many faults an event tells one by one.
const TOLD: usize = 5;

/// What an audit of the books found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BooksReport {
    /// How many orders were looked at.
    pub orders: u64,
    /// What does not fit together.
    pub faults: Vec<BookFault>,
}

/// What does not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BookFault {
    /// A sum of an order is not that of its payments.
    Sum {
        /// The order.
        order: OrderId,
        /// The sum.
        wrong: WrongSum,
    },
    /// The payments of an order cannot be added up.
    Overflow {
        /// The order.
        order: OrderId,
    },
    /// Events of an order are missing in the log.
    OrderEvents {
        /// The order.
        order: OrderId,
        /// How many it is said to have had.
        said: u64,
        /// The first and last number, and how many there are.
        logged: Option<(u64, u64, u64)>,
    },
    /// Numbers are missing in the event log.
    EventLog(EventGap),
    /// Transfers are at no place.
    Misplaced(Misplaced),
    /// An operator's decision, or one before it, was changed after it was written.
    Decision {
        /// Its id.
        id: String,
        /// Its number.
        seq: u64,
    },
}

impl fmt::Display for BookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum { order, wrong } => write!(f, "order {order}: {wrong}"),
            Self::Overflow { order } => {
                write!(f, "order {order}: its payments cannot be added up")
            },
            Self::OrderEvents {
                order,
                said,
                logged: None,
            } => write!(f, "order {order} had {said} events, and the log has none"),
            Self::OrderEvents {
                order,
                said,
                logged: Some((first, last, count)),
            } => write!(
                f,
                "order {order} had {said} events, and the log has {count}, numbered {first} to \
                 {last}"
            ),
            Self::EventLog(gap) => write!(
                f,
                "the event log has {} events, numbered {} to {}, and {} numbers were given out",
                gap.count, gap.first, gap.last, gap.numbered
            ),
            Self::Misplaced(misplaced) => write!(
                f,
                "{} transfers are \"{}\", which is no place for them",
                misplaced.count, misplaced.state
            ),
            Self::Decision { id, seq } => write!(
                f,
                "decision {id}, number {seq}, or one before it, was changed after it was written"
            ),
        }
    }
}

/// Whether every transfer is at one place, every order's sums are those of its payments, no event
/// is missing, and no decision was changed. `progress` is told how many orders were looked at.
///
/// # Errors
/// When the database fails, or a row means nothing.
pub async fn audit_books(
    store: &Store,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<BooksReport, StoreError> {
    let mut report = BooksReport::default();
    let misplaced = store.misplaced().await?;
    let is_readable = misplaced.is_empty();
    let faults = misplaced.into_iter().map(BookFault::Misplaced);
    report.faults.extend(faults);
    report
        .faults
        .extend(store.event_gap().await?.map(BookFault::EventLog));
    let changed = store.tampered_decision().await?;
    report
        .faults
        .extend(changed.map(|decision| BookFault::Decision {
            id: decision.id,
            seq: decision.seq,
        }));
    // What is at no place cannot be added up.
    if is_readable {
        audit_orders(store, &mut report, progress).await?;
    }
    Ok(report)
}

async fn audit_orders(
    store: &Store,
    report: &mut BooksReport,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(), StoreError> {
    let mut seq = 0;
    loop {
        let page = store.order_sums_after(seq, TOGETHER).await?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        seq = last.seq;
        for order in &page {
            report.orders = report.orders.saturating_add(1);
            check(order, &mut report.faults);
        }
        progress(report.orders);
    }
}

fn check(sums: &OrderSums, faults: &mut Vec<BookFault>) {
    let order = sums.order_id;
    match wrong_sums(&sums.kept, &sums.payments) {
        Ok(wrong) => faults.extend(
            wrong
                .into_iter()
                .map(|wrong| BookFault::Sum { order, wrong }),
        ),
        Err(_sum_error) => faults.push(BookFault::Overflow { order }),
    }
    let said = sums.events;
    let is_whole = sums.logged.is_some_and(|(first, last, count)| {
        last == said && last.saturating_sub(first).saturating_add(1) == count
    });
    if !is_whole {
        let logged = sums.logged;
        faults.push(BookFault::OrderEvents {
            order,
            said,
            logged,
        });
    }
}

/// What is told of `report`, if there is a fault. The event log has no place for what is of no
/// chain, so it is told of `chain_id`.
#[must_use]
pub fn books_event(report: &BooksReport, chain_id: ChainId) -> Option<ChainEvent> {
    if report.faults.is_empty() {
        return None;
    }
    let told: Vec<String> = report
        .faults
        .iter()
        .take(TOLD)
        .map(ToString::to_string)
        .collect();
    Some(ChainEvent {
        chain_id,
        kind: ChainEventKind::AuditMismatch,
        detail: format!(
            "the books contradict themselves, {} times: {}",
            report.faults.len(),
            told.join("; ")
        ),
    })
}
