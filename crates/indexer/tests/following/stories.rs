//! One story each.

use std::time::Duration;

use paywatch_core::{Address, B256, Block, Decimals, Timestamp, Token, U256};
use paywatch_indexer::{FollowError, FollowSettings, Start, VerifyError, verify};
use tokio::time::{Instant, timeout};

use crate::books::{Books, follower, follower_with, next, settings};
use crate::chain::{Chain, Fault, TOKEN, chain_id, token};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn starts_at_the_head_and_covers_it() {
    let chain = Chain::new();
    chain.mines_empty(20);
    chain.mines(&[5, 0]);
    let mut follower = follower(&chain, Start::Head);
    let update = next(&mut follower).await.unwrap();
    assert_eq!(update.previous, None);
    assert_eq!(update.tip, chain.head());
    assert_eq!(update.node_head, 21);
    assert_eq!(update.blocks.len(), 1);
    assert_eq!(update.blocks[0].transfers, chain.transfers_from(21));
    assert_eq!(update.blocks[0].transfers.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_start_in_the_future_waits_for_its_block() {
    let chain = Chain::new();
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::At(3));
    assert!(timeout(HOUR, follower.next()).await.is_err());
    chain.mines(&[1]);
    chain.mines(&[2]);
    assert!(timeout(HOUR, follower.next()).await.is_err());
    chain.mines(&[3]);
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(3));
}

#[tokio::test(start_paused = true)]
async fn history_is_read_by_ranges_and_the_head_block_by_block() {
    let chain = Chain::new();
    for number in 1..=5_000_u64 {
        chain.mines(if number % 7 == 0 { &[1, 2] } else { &[] });
    }
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::At(1));
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(1));
    assert_eq!(chain.widths().iter().sum::<u64>(), 5_000);
    let widths = chain.widths();
    assert!(
        widths.len() < 90,
        "ranges that grow, then a run of 8 blocks: {widths:?}"
    );
    assert!(widths.contains(&1_000), "{widths:?}");
    assert!(
        chain.asked("headers") < 2 * widths.len(),
        "headers are asked for in batches"
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_width_is_remembered() {
    let chain = Chain::new();
    for _ in 0..3_000 {
        chain.mines(&[1]);
    }
    chain.serves_at_most(100);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::At(1));
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(1));
    let widths = chain.widths();
    let refused = widths.iter().filter(|width| **width > 100).count();
    assert!(refused < 25, "three at once: {widths:?}");
    assert!(widths.len() < 70, "{widths:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reorg_takes_a_payment_away_and_brings_another() {
    let chain = Chain::new();
    chain.mines_empty(10);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::Head);
    books.catch_up(&mut follower, &chain).await;
    chain.mines(&[100]);
    chain.mines_empty(2);
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(10));
    chain.loses(3);
    let common = chain.head();
    chain.mines_empty(1);
    chain.mines(&[100, 7]);
    chain.mines_empty(2);
    let update = next(&mut follower).await.unwrap();
    assert_eq!(update.retract_above, Some(common.to_ref()));
    books.commit(&update);
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(10));
    assert_eq!(books.transfers().len(), 2);
    assert_eq!(books.retracted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_reorg_to_a_shorter_branch_is_seen_at_once() {
    let chain = Chain::new();
    chain.mines_empty(10);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::Head);
    books.catch_up(&mut follower, &chain).await;
    for _ in 0..5 {
        chain.mines(&[3]);
    }
    books.catch_up(&mut follower, &chain).await;
    chain.loses(5);
    chain.mines(&[4]);
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(10));
    assert_eq!(books.tip().unwrap().number, 11);
}

#[tokio::test(start_paused = true)]
async fn the_first_block_may_leave_the_chain() {
    let chain = Chain::new();
    chain.mines_empty(20);
    chain.mines(&[9]);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::Head);
    books.catch_up(&mut follower, &chain).await;
    chain.loses(2);
    chain.mines(&[1]);
    chain.mines(&[2]);
    chain.mines(&[3]);
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(20));
}

#[tokio::test(start_paused = true)]
async fn a_reorg_far_behind_the_head_is_found_before_a_range_is_taken() {
    let chain = Chain::new();
    chain.mines_empty(30);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::At(1));
    books.catch_up(&mut follower, &chain).await;
    chain.loses(3);
    for _ in 0..100 {
        chain.mines(&[6]);
    }
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(1));
    assert_eq!(books.retracted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_falls_behind_is_no_reorg() {
    let chain = Chain::new();
    chain.mines_empty(10);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::Head);
    books.catch_up(&mut follower, &chain).await;
    chain.mines_empty(5);
    books.catch_up(&mut follower, &chain).await;
    chain.loses(4);
    assert!(
        timeout(HOUR, follower.next()).await.is_err(),
        "a lower head is no news"
    );
    assert_eq!(*follower.health().borrow(), None);
    chain.mines(&[8]);
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(books.transfers(), chain.transfers_from(10));
}

#[tokio::test(start_paused = true)]
async fn forks_below_memory_or_finality_stop_the_chain() {
    let chain = Chain::new();
    chain.mines_empty(10);
    let start = Start::Resume {
        recent: vec![chain.head()],
        finalized: None,
    };
    let mut forgetful = follower(&chain, start);
    chain.loses(1);
    chain.mines_empty(2);
    let stopped = next(&mut forgetful).await.unwrap_err();
    assert!(
        matches!(stopped, FollowError::ForkBelowWindow { .. }),
        "{stopped}"
    );

    let mut mindful = follower(&chain, Start::At(5));
    chain.finalizes(9);
    let update = next(&mut mindful).await.unwrap();
    assert_eq!(update.tags.finalized, Some(9));
    chain.loses(4);
    chain.mines_empty(6);
    let stopped = next(&mut mindful).await.unwrap_err();
    assert!(
        matches!(
            stopped,
            FollowError::ForkBelowFinalized { finalized: 9, .. }
        ),
        "{stopped}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_and_lost_blocks_are_not() {
    let chain = Chain::new();
    chain.mines_empty(10);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::Head);
    books.catch_up(&mut follower, &chain).await;
    let health = follower.health();
    chain.fails([Fault::Down; 10_000]);
    chain.mines(&[1]);
    assert!(timeout(HOUR, follower.next()).await.is_err());
    let told = health.borrow().clone().unwrap();
    assert!(told.contains("connection refused"), "{told}");
    assert!(chain.asked("tagged") < 400, "it does not hammer");
    chain.mines(&[2]);
    chain.recovers();
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(*health.borrow(), None);
    assert_eq!(books.transfers(), chain.transfers_from(10));
}

#[tokio::test(start_paused = true)]
async fn false_answers_are_refused_and_asked_again() {
    let faults = [
        Fault::WrongHash,
        Fault::Repeated,
        Fault::WrongHeaders,
        Fault::Behind(3),
        Fault::TooWide,
    ];
    for fault in faults {
        let chain = Chain::new();
        chain.mines_empty(10);
        let mut books = Books::default();
        let mut follower = follower(&chain, Start::Head);
        books.catch_up(&mut follower, &chain).await;
        for _ in 0..50 {
            chain.mines(&[1, 2]);
        }
        chain.fails([Fault::None, Fault::None, fault, fault, fault]);
        books.catch_up(&mut follower, &chain).await;
        assert_eq!(books.transfers(), chain.transfers_from(10), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn finality_alone_is_news() {
    let chain = Chain::new();
    chain.mines_empty(10);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::Head);
    books.catch_up(&mut follower, &chain).await;
    chain.finalizes(10);
    let update = next(&mut follower).await.unwrap();
    assert_eq!(update.tags.finalized, Some(10));
    assert!(update.blocks.is_empty());
    books.commit(&update);
    chain.finalizes(400);
    assert!(
        timeout(HOUR, follower.next()).await.is_err(),
        "nothing above the tip is final"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hint_comes_before_the_poll() {
    let chain = Chain::new();
    let slow = FollowSettings {
        poll_interval: HOUR,
        ..settings()
    };
    let mut follower = follower_with(&chain, slow, Start::Head);
    next(&mut follower).await.unwrap();
    let began = Instant::now();
    chain.mines(&[1]);
    chain.announces();
    let update = next(&mut follower).await.unwrap();
    assert_eq!(update.tip.number, 1);
    assert!(began.elapsed() < Duration::from_secs(1));
    chain.mines(&[2]);
    let update = next(&mut follower).await.unwrap();
    assert_eq!(update.tip.number, 2, "without a hint, the poll finds it");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_always_gives_up_early_still_gets_on() {
    let chain = Chain::new();
    chain.mines_empty(3);
    let mut books = Books::default();
    let mut follower = follower(&chain, Start::Head);
    books.catch_up(&mut follower, &chain).await;
    chain.mines(&[1]);
    for _ in 0..1_000 {
        if let Ok(update) = timeout(Duration::from_secs(1), follower.next()).await {
            books.commit(&update.unwrap());
            break;
        }
    }
    assert_eq!(books.transfers(), chain.transfers_from(3));
}

#[tokio::test(start_paused = true)]
async fn an_impossible_amount_stops_the_chain() {
    let chain = Chain::new();
    let mut follower = follower(&chain, Start::Head);
    next(&mut follower).await.unwrap();
    chain.mines(&[1]);
    chain.inflates(U256::MAX);
    let stopped = next(&mut follower).await.unwrap_err();
    assert!(
        matches!(stopped, FollowError::ImpossibleAmount { .. }),
        "{stopped}"
    );
    assert!(stopped.to_string().contains("USDT"), "{stopped}");
}

#[tokio::test(start_paused = true)]
async fn without_tokens_no_logs_are_asked_for() {
    let chain = Chain::new();
    chain.mines_empty(50);
    let bare = FollowSettings {
        tokens: Vec::new(),
        ..settings()
    };
    let mut follower = follower_with(&chain, bare, Start::At(0));
    let mut books = Books::default();
    books.catch_up(&mut follower, &chain).await;
    assert_eq!(chain.asked("logs"), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_to_resume_is_an_error() {
    let mut follower = follower(
        &Chain::new(),
        Start::Resume {
            recent: Vec::new(),
            finalized: None,
        },
    );
    let stopped = next(&mut follower).await.unwrap_err();
    assert!(
        matches!(stopped, FollowError::NothingToResume { .. }),
        "{stopped}"
    );
}

#[tokio::test(start_paused = true)]
async fn stored_blocks_of_another_chain_stop_it() {
    let chain = Chain::new();
    chain.mines_empty(20);
    let foreign = Block {
        number: 7,
        hash: B256::repeat_byte(1),
        parent_hash: B256::repeat_byte(2),
        timestamp: Timestamp::EPOCH,
    };
    let mut follower = follower(
        &chain,
        Start::Resume {
            recent: vec![foreign],
            finalized: None,
        },
    );
    let stopped = next(&mut follower).await.unwrap_err();
    assert!(
        matches!(stopped, FollowError::ForkBelowWindow { .. }),
        "{stopped}"
    );
}

#[tokio::test]
async fn what_does_not_fit_the_configuration_is_named() {
    let chain = Chain::new();
    assert!(verify(&chain, chain_id(), &[token()]).await.is_ok());
    let ethereum = paywatch_core::ChainId::new(1).unwrap();
    let other = verify(&chain, ethereum, &[]).await.unwrap_err();
    assert!(matches!(other, VerifyError::OtherChain { .. }), "{other}");
    let wrong = Token {
        decimals: Decimals::new(18).unwrap(),
        ..token()
    };
    let other = verify(&chain, chain_id(), &[wrong]).await.unwrap_err();
    let text = other.to_string();
    assert!(matches!(
        other,
        VerifyError::OtherDecimals {
            configured: 18,
            found: 6,
            ..
        }
    ));
    assert!(
        text.contains(&TOKEN.to_string()) && text.contains("set its decimals to 6"),
        "{text}"
    );
    let foreign = Token {
        chain_id: ethereum,
        ..token()
    };
    let other = verify(&chain, chain_id(), &[foreign]).await.unwrap_err();
    assert!(
        matches!(other, VerifyError::TokenOfOtherChain { .. }),
        "{other}"
    );
    let nothing = Token {
        address: Address::ZERO,
        ..token()
    };
    let other = verify(&chain, chain_id(), &[nothing]).await.unwrap_err();
    assert!(matches!(other, VerifyError::Source(_)), "{other}");
}

#[test]
fn following_can_be_spawned() {
    fn is_send(_: &impl Send) {}
    let mut follower = follower(&Chain::new(), Start::Head);
    is_send(&follower.next());
}
