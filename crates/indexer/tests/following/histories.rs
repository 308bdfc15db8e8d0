//! Random histories: reorgs, faults, dropped futures and restarts, and the books are the chain.

use std::time::Duration;

use paywatch_indexer::Start;
use proptest::prelude::*;
use tokio::time::timeout;

use crate::books::{Books, follower};
use crate::chain::{Chain, Fault};

/// No reorg goes deeper than this below the highest head there ever was, so that what the
/// follower takes for settled (8 below) stays.
const DEEPEST: u64 = 6;

#[derive(Clone, Debug)]
enum Happening {
    /// Blocks come, each with so many transfers.
    Mined(Vec<u8>),
    /// Blocks leave, and others may come.
    Reorged { depth: u64, instead: Vec<u8> },
    /// Answers go wrong.
    Failing(Vec<Fault>),
    /// The follower is read so many times.
    Followed(u8),
    /// The follower is dropped in the middle after so many milliseconds, and read again.
    Dropped(u64),
    /// The process dies and starts from its books.
    Restarted,
    /// The node says that there is news.
    Announced,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::None),
        1 => Just(Fault::Down),
        2 => (1_u64..12).prop_map(Fault::Behind),
        2 => Just(Fault::Stale),
        1 => Just(Fault::TooWide),
        1 => Just(Fault::WrongHash),
        1 => Just(Fault::Repeated),
        1 => Just(Fault::WrongHeaders),
    ]
}

fn blocks(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![2 => Just(0_u8), 1 => 1_u8..4], 0..most)
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => blocks(6).prop_map(Happening::Mined),
        1 => blocks(40).prop_map(Happening::Mined),
        3 => (1_u64..=DEEPEST, blocks(9))
            .prop_map(|(depth, instead)| Happening::Reorged { depth, instead }),
        2 => prop::collection::vec(fault(), 1..12).prop_map(Happening::Failing),
        4 => (1_u8..6).prop_map(Happening::Followed),
        3 => (0_u64..120).prop_map(Happening::Dropped),
        1 => Just(Happening::Restarted),
        1 => Just(Happening::Announced),
    ]
}

/// Everything that happens in one history.
struct History {
    chain: Chain,
    books: Books,
    follower: paywatch_indexer::Follower,
    first: u64,
    highest: u64,
    paid: u64,
}

impl History {
    fn new(first: u64) -> Self {
        let chain = Chain::new();
        chain.mines_empty(10);
        let follower = follower(&chain, Start::At(first));
        Self {
            books: Books::default(),
            follower,
            chain,
            first,
            highest: 10,
            paid: 0,
        }
    }

    fn mines(&mut self, counts: &[u8]) {
        for count in counts {
            let payments: Vec<_> = (0..u64::from(*count)).map(|n| self.paid + n).collect();
            self.paid += u64::from(*count);
            self.chain.mines(&payments);
        }
        self.highest = self.highest.max(self.chain.head().number);
        self.chain.finalizes(self.highest.saturating_sub(20));
    }

    /// Reads an update and commits it, if one comes before the time is up.
    async fn reads_within(&mut self, limit: Duration) {
        if let Ok(update) = timeout(limit, self.follower.next()).await {
            self.books.commit(&update.unwrap());
        }
    }

    async fn happens(&mut self, happening: &Happening) {
        match happening {
            Happening::Mined(counts) => self.mines(counts),
            Happening::Reorged { depth, instead } => {
                let head = self.chain.head().number;
                let deepest = (head + DEEPEST).saturating_sub(self.highest);
                // What was stored must reach down to where the branches part.
                let is_remembered = head < self.first || head >= self.first + depth;
                if (1..=deepest).contains(depth) && is_remembered {
                    self.chain.loses(*depth);
                    self.mines(instead);
                }
            },
            Happening::Failing(faults) => self.chain.fails(faults.iter().copied()),
            Happening::Followed(times) => {
                for _ in 0..*times {
                    self.reads_within(Duration::from_secs(30)).await;
                }
            },
            Happening::Dropped(ms) => self.reads_within(Duration::from_millis(*ms)).await,
            Happening::Restarted => {
                self.follower = follower(&self.chain, self.books.start(self.first));
            },
            Happening::Announced => self.chain.announces(),
        }
    }

    /// All trouble ends, and the chain grows beyond what it ever was.
    async fn ends_well(&mut self) {
        self.chain.recovers();
        while self.chain.head().number <= self.highest.max(self.first) {
            self.chain.mines(&[1]);
        }
        self.books.catch_up(&mut self.follower, &self.chain).await;
        // A fork below the first block brings blocks below it; what they hold is true as well.
        let lowest = self.books.lowest().min(self.first);
        assert_eq!(self.books.transfers(), self.chain.transfers_from(lowest));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_books_are_the_chain(
        first in 0_u64..14,
        happenings in prop::collection::vec(happening(), 0..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut history = History::new(first);
            for happening in &happenings {
                history.happens(happening).await;
            }
            history.ends_well().await;
        });
    }
}
