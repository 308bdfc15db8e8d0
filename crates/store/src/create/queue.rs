//! Who waits for an order to be made: those who ask at the same time share one transaction.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Turns, MutexGuard as Turn, oneshot};

use crate::error::StoreError;
use crate::record::{CreateOutcome, NewOrder};

/// So many orders share one transaction at most.
const TOGETHER: usize = 32;

/// Those who wait. Cheap to clone.
///
/// Whoever joins takes a turn, and each turn serves at least one, if anybody waits: nobody is left over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<VecDeque<Waiting>>,
    turn: Turns<()>,
}

/// Where the outcome goes.
pub(crate) type Answer = oneshot::Sender<Result<CreateOutcome, StoreError>>;

/// An order that is to be made.
#[derive(Debug)]
pub(crate) struct Waiting {
    new: NewOrder,
    answer: Answer,
}

impl Waiting {
    pub(crate) fn parts(self) -> (NewOrder, Answer) {
        (self.new, self.answer)
    }
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `new` at the end; what it resolves to is the outcome.
    pub(crate) fn join(
        &self,
        new: NewOrder,
    ) -> oneshot::Receiver<Result<CreateOutcome, StoreError>> {
        let (answer, outcome) = oneshot::channel();
        self.waiting().push_back(Waiting { new, answer });
        outcome
    }

    /// Waits until nobody else makes orders.
    pub(crate) async fn turn(&self) -> Turn<'_, ()> {
        self.0.turn.lock().await
    }

    /// Whoever waits is told at once that it cannot be.
    pub(crate) fn send_away(&self) {
        self.waiting().clear();
    }

    /// Takes those from the front that can share a transaction: their references differ, and none
    /// needs an amount that nobody else has. One who does is alone.
    pub(crate) fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
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
        together
    }
}
