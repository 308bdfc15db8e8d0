//! Those who wait for something, and the few tasks that serve all of them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Those who wait, each a `T`. Cheap to clone.
///
/// Whoever joins while too few serve gets a [`Server`] for a task of its own. It serves until nobody
/// waits; so nobody is left over, and there are never more tasks than may serve, however many wait.
pub(crate) struct WaitingLine<T>(Arc<Shared<T>>);

struct Shared<T> {
    state: Mutex<State<T>>,
    most: usize,
}

struct State<T> {
    waiting: VecDeque<T>,
    serving: usize,
}

/// One who serves those that wait.
pub(crate) struct Server<T> {
    line: WaitingLine<T>,
    has_ended: bool,
}

impl<T> Clone for WaitingLine<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for WaitingLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("WaitingLine")
            .field("waiting", &state.waiting.len())
            .field("serving", &state.serving)
            .finish_non_exhaustive()
    }
}

impl<T> WaitingLine<T> {
    /// A line that is served by `most` at a time.
    pub(crate) fn new(most: usize) -> Self {
        let state = Mutex::new(State {
            waiting: VecDeque::new(),
            serving: 0,
        });
        Self(Arc::new(Shared { state, most }))
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts `one` at the end. Whoever gets a server has to serve by it.
    #[must_use]
    pub(crate) fn join(&self, one: T) -> Option<Server<T>> {
        let mut state = self.state();
        state.waiting.push_back(one);
        if state.serving >= self.0.most {
            return None;
        }
        state.serving = state.serving.saturating_add(1);
        Some(Server {
            line: self.clone(),
            has_ended: false,
        })
    }
}

impl<T> Server<T> {
    /// Drops all who wait.
    pub(crate) fn send_away(&self) {
        self.line.state().waiting.clear();
    }

    /// What `take` takes from the front. If that is nothing, nobody may wait any more, and this one's
    /// work is done.
    pub(crate) fn next<B>(
        &mut self,
        take: impl FnOnce(&mut VecDeque<T>) -> Option<B>,
    ) -> Option<B> {
        if self.has_ended {
            return None;
        }
        let mut state = self.line.state();
        let taken = take(&mut state.waiting);
        if taken.is_none() {
            state.serving = state.serving.saturating_sub(1);
            drop(state);
            self.has_ended = true;
        }
        taken
    }
}

impl<T> Drop for Server<T> {
    /// One who is stopped leaves nobody waiting whom nobody else serves.
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let mut state = self.line.state();
        state.serving = state.serving.saturating_sub(1);
        if state.serving == 0 {
            state.waiting.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &mut VecDeque<u32>) -> Option<Vec<u32>> {
        let all: Vec<u32> = line.drain(..).collect();
        (!all.is_empty()).then_some(all)
    }

    #[test]
    fn as_many_serve_as_may_and_nobody_is_left_over() {
        let line = WaitingLine::new(2);
        let mut first = line.join(1).unwrap();
        let mut second = line.join(2).unwrap();
        assert!(line.join(3).is_none(), "two serve");
        assert_eq!(first.next(all), Some(vec![1, 2, 3]));
        assert!(line.join(4).is_none(), "the first will look again");
        assert_eq!(second.next(all), Some(vec![4]));
        assert_eq!((first.next(all), second.next(all)), (None, None));
        assert!(line.join(5).is_some(), "nobody serves any more");
    }

    #[test]
    fn who_is_stopped_leaves_nobody_waiting() {
        let line = WaitingLine::new(2);
        let (first, second) = (line.join(1), line.join(2));
        drop(first);
        assert_eq!(
            second.unwrap().next(all),
            Some(vec![1, 2]),
            "the other serves"
        );
        let stopped = line.join(3);
        drop(stopped);
        let mut next = line.join(4).unwrap();
        assert_eq!(
            next.next(all),
            Some(vec![4]),
            "3 was told, by being dropped"
        );
    }
}
