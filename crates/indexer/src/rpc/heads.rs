//! The new heads that a node announced. A hint: whoever follows asks anyway, only less often.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use alloy_primitives::{B256, Bytes};
use paywatch_core::BlockNumber;
use tokio::sync::Notify;

use crate::Header;

/// How many announced headers are kept.
const KEPT: usize = 256;

/// What was announced lately.
#[derive(Debug, Default)]
pub(super) struct Heads {
    state: Mutex<State>,
    news: Notify,
    /// Tells the connection that it is not believed any more.
    mistrust: Notify,
    silences: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    by_hash: HashMap<B256, Announced>,
    order: VecDeque<B256>,
    /// The last announced head, until somebody took it.
    untaken: Option<Header>,
    /// The highest head announced over this connection; `None` while there is none.
    highest: Option<BlockNumber>,
    is_subscribed: bool,
}

#[derive(Debug)]
struct Announced {
    header: Header,
    /// Its RLP, if that is what its hash is of.
    rlp: Option<Bytes>,
}

impl Heads {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The subscription holds. Whatever came while nobody listened is news, too.
    pub(super) fn subscribed(&self) {
        let mut state = self.state();
        state.is_subscribed = true;
        state.highest = None;
        drop(state);
        self.news.notify_one();
    }

    /// The subscription does not hold any more.
    pub(super) fn lost(&self) {
        let mut state = self.state();
        state.is_subscribed = false;
        state.highest = None;
        state.untaken = None;
        drop(state);
        self.news.notify_one();
    }

    /// A new head came; with its RLP, where that is what its hash is of.
    pub(super) fn announce(&self, header: Header, rlp: Option<Bytes>) {
        let mut state = self.state();
        let hash = header.block.hash;
        state.highest = state.highest.max(Some(header.block.number));
        let announced = Announced {
            header: header.clone(),
            rlp,
        };
        if state.by_hash.insert(hash, announced).is_none() {
            state.order.push_back(hash);
        }
        if state.order.len() > KEPT
            && let Some(oldest) = state.order.pop_front()
        {
            state.by_hash.remove(&oldest);
        }
        state.untaken = Some(header);
        drop(state);
        self.news.notify_one();
    }

    /// The last announced head, if nobody took it yet.
    pub(super) fn take(&self) -> Option<Header> {
        self.state().untaken.take()
    }

    /// An announced header.
    pub(super) fn with_hash(&self, hash: B256) -> Option<Header> {
        let state = self.state();
        state.by_hash.get(&hash).map(|it| it.header.clone())
    }

    /// The RLP of an announced header, which hashes to `hash`.
    pub(super) fn rlp_of(&self, hash: B256) -> Option<Bytes> {
        self.state().by_hash.get(&hash)?.rlp.clone()
    }

    /// Whether heads are being announced.
    pub(super) fn is_live(&self) -> bool {
        self.state().is_subscribed
    }

    /// The node itself says that its head is at `number`. A subscription that has not announced
    /// anything near it is silent, and is given up.
    pub(super) fn compare(&self, number: BlockNumber) {
        let state = self.state();
        let is_silent = state.is_subscribed
            && state
                .highest
                .is_some_and(|highest| highest.saturating_add(1) < number);
        let is_mute = state.is_subscribed && state.highest.is_none() && !state.by_hash.is_empty();
        drop(state);
        if is_silent || is_mute {
            self.silences.fetch_add(1, Ordering::Relaxed);
            self.mistrust.notify_one();
        }
    }

    /// How often a subscription was found out to be silent.
    pub(super) fn silences(&self) -> u64 {
        self.silences.load(Ordering::Relaxed)
    }

    /// Resolves when there was news since it last did.
    pub(super) async fn woken(&self) {
        self.news.notified().await;
    }

    /// Resolves when the subscription is not believed any more.
    pub(super) async fn mistrusted(&self) {
        self.mistrust.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bloom;
    use paywatch_core::{Block, Timestamp};
    use tokio_test_free::is_ready;

    use super::*;

    /// Polls a future once.
    mod tokio_test_free {
        use std::future::Future;
        use std::task::{Context, Poll, Waker};

        pub(super) fn is_ready(future: impl Future) -> bool {
            let mut context = Context::from_waker(Waker::noop());
            matches!(Box::pin(future).as_mut().poll(&mut context), Poll::Ready(_))
        }
    }

    fn header(number: u64) -> Header {
        Header {
            block: Block {
                number,
                hash: B256::with_last_byte(u8::try_from(number).unwrap()),
                parent_hash: B256::ZERO,
                timestamp: Timestamp::EPOCH,
            },
            bloom: Bloom::ZERO,
        }
    }

    #[test]
    fn a_head_is_taken_once_and_found_by_hash_for_long() {
        let heads = Heads::default();
        heads.subscribed();
        heads.announce(header(7), None);
        assert!(is_ready(heads.woken()));
        assert_eq!(heads.take(), Some(header(7)));
        assert_eq!(heads.take(), None);
        assert_eq!(heads.with_hash(header(7).block.hash), Some(header(7)));
    }

    #[test]
    fn a_silent_subscription_is_found_out() {
        let heads = Heads::default();
        heads.subscribed();
        heads.announce(header(7), None);
        heads.compare(8);
        assert!(
            !is_ready(heads.mistrusted()),
            "the next block may be on its way"
        );
        heads.compare(9);
        assert!(is_ready(heads.mistrusted()));
        heads.lost();
        assert!(!heads.is_live());
    }
}
