//! What a lane holds in memory: deliveries that are due, those of one subject one after the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use paywatch_store::DueDelivery;

/// Deliveries that are due, in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// What waits, by subject.
    waiting: BTreeMap<String, VecDeque<DueDelivery>>,
    /// The subjects of which something waits and nothing is under way, by turns.
    ready: VecDeque<String>,
    /// The subjects of which something is under way.
    under_way: BTreeSet<String>,
    /// What was taken from the books and is not back in them yet.
    known: BTreeSet<u64>,
    /// The subjects that wait for what failed: what the books say of them is not true yet.
    blocked: BTreeSet<String>,
    len: usize,
}

impl Queue {
    /// How many wait.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many the books still call due though they are here.
    pub(crate) fn known(&self) -> usize {
        self.known.len()
    }

    /// Whether the event `seq` was taken from the books and is not back in them yet.
    pub(crate) fn knows(&self, seq: u64) -> bool {
        self.known.contains(&seq)
    }

    /// Takes what is due, in the order of the books. What is known already is left out; returns how
    /// many were new.
    pub(crate) fn add(&mut self, due: Vec<DueDelivery>) -> usize {
        let mut added: usize = 0;
        for delivery in due {
            if self.blocked.contains(&delivery.subject) || !self.known.insert(delivery.seq) {
                continue;
            }
            added = added.saturating_add(1);
            self.len = self.len.saturating_add(1);
            let subject = delivery.subject.clone();
            let queue = self.waiting.entry(subject.clone()).or_default();
            queue.push_back(delivery);
            if queue.len() == 1 && !self.under_way.contains(&subject) {
                self.ready.push_back(subject);
            }
        }
        added
    }

    /// The next one; nothing else of its subject comes before it is [`Self::taken`] or
    /// [`Self::failed`].
    pub(crate) fn next(&mut self) -> Option<DueDelivery> {
        let subject = self.ready.pop_front()?;
        let queue = self.waiting.get_mut(&subject)?;
        let delivery = queue.pop_front()?;
        if queue.is_empty() {
            self.waiting.remove(&subject);
        }
        self.under_way.insert(subject);
        self.len = self.len.saturating_sub(1);
        Some(delivery)
    }

    /// `delivery` was made: the next of its subject may go.
    pub(crate) fn taken(&mut self, delivery: &DueDelivery) {
        self.under_way.remove(&delivery.subject);
        if self.waiting.contains_key(&delivery.subject) {
            self.ready.push_back(delivery.subject.clone());
        }
    }

    /// `delivery` failed: what follows it is left to the books.
    pub(crate) fn failed(&mut self, delivery: &DueDelivery) {
        self.under_way.remove(&delivery.subject);
        self.blocked.insert(delivery.subject.clone());
        for left in self.waiting.remove(&delivery.subject).unwrap_or_default() {
            self.known.remove(&left.seq);
            self.len = self.len.saturating_sub(1);
        }
    }

    /// What became of `deliveries` is in the books.
    pub(crate) fn recorded<'a>(&mut self, deliveries: impl IntoIterator<Item = &'a DueDelivery>) {
        for delivery in deliveries {
            self.known.remove(&delivery.seq);
            self.blocked.remove(&delivery.subject);
        }
    }

    /// Leaves everything that waits to the books.
    pub(crate) fn forget(&mut self) {
        for (_, queue) in std::mem::take(&mut self.waiting) {
            for left in queue {
                self.known.remove(&left.seq);
            }
        }
        self.ready.clear();
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(seq: u64, subject: &str) -> DueDelivery {
        DueDelivery {
            seq,
            subject: subject.to_owned(),
            target: None,
            attempts: 0,
            tried: 0,
        }
    }

    fn all(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.next())
            .map(|it| it.seq)
            .collect()
    }

    #[test]
    fn one_of_each_subject_at_a_time() {
        let mut queue = Queue::default();
        queue.add(vec![due(1, "a"), due(2, "a"), due(3, "b"), due(4, "a")]);
        assert_eq!(all(&mut queue), [1, 3]);
        queue.taken(&due(1, "a"));
        assert_eq!(all(&mut queue), [2]);
        queue.taken(&due(3, "b"));
        queue.taken(&due(2, "a"));
        assert_eq!(all(&mut queue), [4]);
        queue.taken(&due(4, "a"));
        assert_eq!((queue.len(), queue.known()), (0, 4));
    }

    #[test]
    fn what_the_books_still_call_due_is_not_taken_twice() {
        let mut queue = Queue::default();
        assert_eq!(queue.add(vec![due(1, "a"), due(2, "b")]), 2);
        assert_eq!(all(&mut queue), [1, 2]);
        assert_eq!(queue.add(vec![due(1, "a"), due(2, "b"), due(3, "a")]), 1);
        assert_eq!(all(&mut queue), [0_u64; 0], "1 is under way");
        queue.taken(&due(1, "a"));
        assert_eq!(all(&mut queue), [3]);
        queue.recorded([&due(1, "a")]);
        assert_eq!(queue.known(), 2);
    }

    #[test]
    fn what_follows_a_failure_is_left_to_the_books_until_they_know() {
        let mut queue = Queue::default();
        queue.add(vec![due(1, "a"), due(2, "a"), due(3, "b")]);
        assert_eq!(all(&mut queue), [1, 3]);
        queue.failed(&due(1, "a"));
        assert_eq!(queue.add(vec![due(1, "a"), due(2, "a")]), 0);
        queue.recorded([&due(1, "a")]);
        assert_eq!(queue.add(vec![due(1, "a"), due(2, "a")]), 2);
        assert_eq!(all(&mut queue), [1]);
    }

    #[test]
    fn what_waits_can_be_left_to_the_books() {
        let mut queue = Queue::default();
        queue.add(vec![due(1, "a"), due(2, "a"), due(3, "b")]);
        assert_eq!(queue.next().map(|it| it.seq), Some(1));
        queue.forget();
        assert_eq!((queue.len(), queue.known()), (0, 1));
        assert_eq!(queue.next(), None);
        assert_eq!(queue.add(vec![due(2, "a"), due(3, "b")]), 2);
        assert_eq!(all(&mut queue), [3], "1 is still under way");
        queue.taken(&due(1, "a"));
        assert_eq!(all(&mut queue), [2]);
    }
}
