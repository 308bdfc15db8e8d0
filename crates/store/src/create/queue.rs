//! Who waits for an order to be made: those who ask at the same time share one transaction.

use std::collections::{BTreeSet, VecDeque};

use crate::record::{CreateOutcome, NewOrder};
use crate::together::{TOGETHER, Wanted};

/// An order that is to be made.
pub(crate) type Waiting = Wanted<NewOrder, CreateOutcome>;

/// Takes those from the front that can share a transaction: their references differ, and none needs
/// an amount that nobody else has. One who does is alone.
pub(crate) fn next(waiting: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut together: Vec<Waiting> = Vec::new();
    let mut references = BTreeSet::new();
    while let Some(first) = waiting.pop_front() {
        let is_alone = !first.key.slots.is_empty();
        let is_other = references.insert(first.key.order.reference.clone());
        let is_full = together.len() >= TOGETHER;
        if !together.is_empty() && (is_alone || !is_other || is_full) {
            waiting.push_front(first);
            break;
        }
        together.push(first);
        if is_alone {
            break;
        }
    }
    together
}
