//! Virtual time that stands still while real work is done, and processes that die.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::Poll;

use async_trait::async_trait;
use paywatch_indexer::{Cause, RecipientSet, WatchList};
use paywatch_reconciler::AddressBook;

/// Awaits `future` while the paused clock stands still: a paused runtime with nothing to do jumps
/// to its next timer, and a database at work in a thread of its own looks like nothing to do.
pub(crate) async fn hold<F: Future>(future: F) -> F::Output {
    let (done, until_done) = mpsc::channel::<()>();
    // Ends when `done` is dropped, with this future or after it.
    let standing = tokio::task::spawn_blocking(move || until_done.recv().is_ok());
    let output = future.await;
    drop(done);
    let _ended = standing.await;
    output
}

/// Awaits `future`, and drops it in the middle when it was polled `polls` times: the process dies.
pub(crate) async fn or_dies<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        let Some(less) = left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        left = less;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// The real address book, with time standing still while it is read.
pub(crate) struct HeldBook(pub(crate) Arc<AddressBook>);

impl fmt::Debug for HeldBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[async_trait]
impl WatchList for HeldBook {
    async fn current(&self) -> Result<Option<Arc<RecipientSet>>, Cause> {
        hold(self.0.current()).await
    }

    fn senders(&self) -> Arc<RecipientSet> {
        self.0.senders()
    }
}
