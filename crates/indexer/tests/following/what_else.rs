//! What a block says beside transfers to the shop.

use std::sync::Arc;

use async_trait::async_trait;
use paywatch_core::{
    Address, B256, Block, ContractPayment, OrderId, TokenNoticeKind, Transfer, U256,
};
use paywatch_indexer::{
    Cause, LogAnswer, LogPlace, NoticeLog, Paid, PaidLog, RecipientSet, Start, TransferLog,
    WatchList,
};

use crate::books::{Books, follower, follower_for, settings};
use crate::chain::{Chain, Fault, PAYER, RECEIVER, SHOP, TOKEN};

const OWN: Address = Address::repeat_byte(0xee);
const STRANGER: Address = Address::repeat_byte(0xcc);

/// The shop, and an address of the merchant's own.
#[derive(Debug)]
struct Merchant {
    watched: Arc<RecipientSet>,
    own: Arc<RecipientSet>,
}

impl Merchant {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            watched: Arc::new([SHOP, OWN].into_iter().collect()),
            own: Arc::new([OWN].into_iter().collect()),
        })
    }
}

#[async_trait]
impl WatchList for Merchant {
    async fn current(&self) -> Result<Option<Arc<RecipientSet>>, Cause> {
        Ok(Some(Arc::clone(&self.watched)))
    }

    fn senders(&self) -> Arc<RecipientSet> {
        Arc::clone(&self.own)
    }
}

fn place(block: &Block, log_index: u64) -> LogPlace {
    let mut tx_hash = block.hash;
    tx_hash.0[1] = 0x77;
    LogPlace {
        block_number: block.number,
        block_hash: block.hash,
        tx_hash,
        log_index,
    }
}

fn moved(block: &Block, log_index: u64, from: Address, to: Address) -> TransferLog {
    TransferLog {
        block_number: block.number,
        block_hash: block.hash,
        tx_hash: place(block, log_index).tx_hash,
        log_index,
        token: TOKEN,
        from,
        to,
        value: U256::from(70 + log_index),
    }
}

fn order_ref() -> B256 {
    OrderId::from_bytes([7; 16]).to_contract_ref()
}

/// The receiver's word for `value` of `token` to the shop.
fn said(block: &Block, log_index: u64, token: Address, value: u64) -> PaidLog {
    PaidLog {
        place: place(block, log_index),
        receiver: RECEIVER,
        said: Paid {
            payer: PAYER,
            treasury: SHOP,
            order_ref: order_ref(),
            token,
            amount: U256::from(value),
        },
    }
}

fn paused(block: &Block, log_index: u64) -> NoticeLog {
    NoticeLog {
        place: place(block, log_index),
        token: TOKEN,
        kind: TokenNoticeKind::Paused,
    }
}

/// A payment of 5 and one of 7, of which the second came through the receiver, and words for what
/// nobody paid.
fn pays_through_the_receiver(chain: &Chain) {
    chain.mines(&[5, 7]);
    chain.also_says(|block| LogAnswer {
        paid: vec![
            said(block, 2, TOKEN, 7),
            said(block, 4, TOKEN, 7),
            said(block, 5, TOKEN, 7),
            said(block, 6, STRANGER, 5),
        ],
        ..LogAnswer::default()
    });
}

fn through(transfers: &[Transfer]) -> Vec<Option<B256>> {
    let through = transfers.iter().map(|transfer| transfer.paid_through);
    through
        .map(|paid| paid.map(|paid| paid.order_ref))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_says_is_told_of_its_transfer_wherever_it_is_read() {
    // By one block, by a run of them, and in history.
    for more in [0, 4, 40] {
        let chain = Chain::new();
        chain.mines_empty(3);
        pays_through_the_receiver(&chain);
        chain.mines_empty(more);
        let mut books = Books::default();
        let mut follower = follower(&chain, Start::At(4));
        books.catch_up(&mut follower, &chain).await;
        let transfers = books.transfers();
        assert_eq!(through(&transfers), [None, Some(order_ref())], "{more}");
        let paid = ContractPayment {
            receiver: RECEIVER,
            payer: PAYER,
            order_ref: order_ref(),
        };
        assert_eq!(transfers[1].paid_through, Some(paid));
    }
}

#[tokio::test(start_paused = true)]
async fn what_leaves_is_read_and_what_others_do_is_not() {
    for (filter_up_to, more) in [(0, 0), (0, 4), (0, 40), (10, 40)] {
        let chain = Chain::new();
        chain.mines_empty(3);
        chain.mines(&[5]);
        chain.also_says(|block| LogAnswer {
            transfers: vec![
                moved(block, 10, OWN, STRANGER),
                moved(block, 11, STRANGER, PAYER),
                moved(block, 12, OWN, SHOP),
                moved(block, 13, SHOP, STRANGER),
            ],
            ..LogAnswer::default()
        });
        chain.mines_empty(more);
        let mut books = Books::default();
        let settings = paywatch_indexer::FollowSettings {
            filter_up_to,
            ..settings()
        };
        let mut follower = follower_for(&chain, Merchant::new(), settings, Start::At(4));
        books.catch_up(&mut follower, &chain).await;
        let read: Vec<_> = books.transfers().iter().map(|it| it.id.log_index).collect();
        assert_eq!(read, [0, 10, 12], "{filter_up_to} {more}");
    }
}

#[tokio::test(start_paused = true)]
async fn levers_are_told_also_of_blocks_that_pay_nobody() {
    for more in [0, 4, 40] {
        let chain = Chain::new();
        chain.mines_empty(4);
        chain.also_says(|block| LogAnswer {
            notices: vec![paused(block, 1)],
            ..LogAnswer::default()
        });
        chain.mines_empty(more);
        let mut books = Books::default();
        let mut follower = follower(&chain, Start::At(2));
        books.catch_up(&mut follower, &chain).await;
        let notices = books.notices();
        let kinds: Vec<_> = notices.iter().map(|notice| &notice.kind).collect();
        assert_eq!(kinds, [&TokenNoticeKind::Paused], "{more}");
        assert_eq!(notices[0].block.number, 4);
        assert_eq!(notices[0].log_index, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn near_the_head_all_of_it_takes_one_question_a_block() {
    let chain = Chain::new();
    chain.mines_empty(3);
    let mut books = Books::default();
    let mut follower = follower_for(&chain, Merchant::new(), settings(), Start::Head);
    books.catch_up(&mut follower, &chain).await;
    let before = chain.asked("logs");
    for _ in 0..5 {
        pays_through_the_receiver(&chain);
        chain.also_says(|block| LogAnswer {
            transfers: vec![moved(block, 20, OWN, STRANGER)],
            notices: vec![paused(block, 21)],
            ..LogAnswer::default()
        });
        books.catch_up(&mut follower, &chain).await;
    }
    assert_eq!(chain.asked("logs") - before, 5);
    assert_eq!(books.transfers().len(), 15);
    assert_eq!(books.notices().len(), 5);
}

/// The run of blocks near the head is asked for by height. A backend on the branch that was left
/// shows its own block at that height, in which only others are paid.
#[tokio::test(start_paused = true)]
async fn logs_of_a_branch_that_was_left_are_not_taken_for_ours() {
    for skipped in 0..6 {
        let chain = Chain::new();
        chain.mines_empty(9);
        let mut books = Books::default();
        let mut follower = follower_for(&chain, Merchant::new(), settings(), Start::At(9));
        books.catch_up(&mut follower, &chain).await;
        let others = |block: &Block| LogAnswer {
            transfers: vec![moved(block, 0, PAYER, STRANGER)],
            ..LogAnswer::default()
        };
        for _ in 0..4 {
            chain.mines_empty(1);
            chain.also_says(others);
        }
        chain.loses(4);
        for _ in 0..4 {
            chain.mines_empty(1);
            chain.also_says(|block| {
                let mut answer = others(block);
                answer.transfers.push(moved(block, 1, PAYER, SHOP));
                answer
            });
        }
        chain.fails(std::iter::repeat_n(Fault::None, skipped).chain([Fault::Stale]));
        books.catch_up(&mut follower, &chain).await;
        assert_eq!(books.transfers().len(), 4, "{skipped}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_log_is_not_two_things() {
    let chain = Chain::new();
    chain.mines(&[5]);
    chain.also_says(|block| LogAnswer {
        notices: vec![paused(block, 0)],
        ..LogAnswer::default()
    });
    let mut follower = follower(&chain, Start::At(1));
    let hour = std::time::Duration::from_secs(3600);
    let update = tokio::time::timeout(hour, follower.next()).await;
    assert!(update.is_err(), "{update:?}");
    let trouble = follower.health().borrow().clone().unwrap_or_default();
    assert!(trouble.contains("twice"), "{trouble}");
}
