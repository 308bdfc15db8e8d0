//! Who waits for an order to be made: those who ask at the same time share one transaction.

use std::collections::{BTreeSet, VecDeque};

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::record::{CreateOutcome, NewOrder};

/// So many orders share one transaction at most.
const TOGETHER: usize = 32;

/// Where the outcome goes.
pub(crate) type Answer = oneshot::Sender<Result<CreateOutcome, StoreError>>;

/// An order that is to be made.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) new: NewOrder,
    pub(crate) answer: Answer,
}

/// Takes those from the front that can share a transaction: their references differ, and none needs
/// an amount that nobody else has. One who does is alone.
pub(crate) fn next(waiting: &mut VecDeque<Waiting>) -> Option<Vec<Waiting>> {
    waiting.retain(|one| !one.answer.is_closed());
    let mut together: Vec<Waiting> = Vec::new();
    let mut references = BTreeSet::new();
    while let Some(first) = waiting.pop_front() {
        let is_alone = !first.new.slots.is_empty();
        let is_other = references.insert(first.new.order.reference.clone());
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
    (!together.is_empty()).then_some(together)
}
