//! Whether the node filters or sends everything, the same is read over a real socket; and how much is
//! asked for it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use paywatch_core::{Block, ChainId, Timestamp, TokenNoticeKind};
use paywatch_indexer::{
    ChainSource as _, Header, LogAnswer, LogFilter, LogQuery, RpcSettings, RpcSource,
};
use paywatch_simulator::server::{LedgerNode, Served, SimServer};
use paywatch_simulator::{
    Layout, SimBlock, SimChain, SimPaid, SimTransaction, SimTransfer, notice_log,
};

const TOKEN: Address = Address::repeat_byte(0x70);
const OTHER_TOKEN: Address = Address::repeat_byte(0x71);
const RECEIVER: Address = Address::repeat_byte(0x50);
const SHOP: Address = Address::repeat_byte(0xbb);
const OWN: Address = Address::repeat_byte(0xee);
const STRANGER: Address = Address::repeat_byte(0xcc);

fn moves(from: Address, to: Address) -> SimTransfer {
    SimTransfer {
        token: TOKEN,
        from,
        to,
        value: U256::from(5_000_000_u64),
    }
}

/// Everything that is wanted, and as much that is not.
fn everything() -> Vec<SimTransaction> {
    let through = |receiver, to| SimPaid {
        receiver,
        transfer: moves(STRANGER, to),
        order_ref: B256::repeat_byte(9),
    };
    let elsewhere = SimTransfer {
        token: OTHER_TOKEN,
        ..moves(STRANGER, SHOP)
    };
    let frozen = TokenNoticeKind::Frozen { address: OWN };
    let moved = [
        moves(STRANGER, SHOP),
        moves(OWN, STRANGER),
        moves(OWN, SHOP),
        moves(STRANGER, STRANGER),
        elsewhere,
    ];
    let paid = [
        through(RECEIVER, OWN),
        through(RECEIVER, STRANGER),
        through(STRANGER, OWN),
    ];
    let notices = vec![
        notice_log(TOKEN, &frozen, Layout::InData),
        notice_log(TOKEN, &TokenNoticeKind::Paused, Layout::Indexed),
        notice_log(OTHER_TOKEN, &TokenNoticeKind::Paused, Layout::Indexed),
        notice_log(RECEIVER, &TokenNoticeKind::Paused, Layout::Indexed),
    ];
    vec![
        SimTransaction::moving(&moved, 1),
        SimTransaction::paying(&paid, 2),
        SimTransaction::logging(notices, 3),
    ]
}

fn header(block: &SimBlock) -> Header {
    Header {
        block: Block {
            number: block.header.number,
            hash: block.hash,
            parent_hash: block.header.parent_hash,
            timestamp: Timestamp::from_unix_s(block.header.timestamp).unwrap(),
        },
        bloom: block.header.logs_bloom,
    }
}

fn counts(answer: &LogAnswer) -> (usize, usize, usize) {
    let (paid, notices) = (answer.paid.len(), answer.notices.len());
    (answer.transfers.len(), paid, notices)
}

#[tokio::test]
async fn the_same_is_read_whoever_filters() {
    let id = ChainId::new(31_337).unwrap();
    let chain = Arc::new(SimChain::new(id, 1_800_000_000, 1, [(TOKEN, 6)]));
    let block = chain.mine(everything());
    chain.mine(everything());
    let node = LedgerNode::new(Arc::<SimChain>::clone(&chain));
    let served = Served::new(Arc::new(node), Arc::default());
    let calls = served.calls();
    let nodes = [("node".to_owned(), served)];
    let server = SimServer::start(SocketAddr::from(([127, 0, 0, 1], 0)), nodes)
        .await
        .unwrap();
    let source = RpcSource::connect(RpcSettings {
        http: Some(server.http("node").parse().unwrap()),
        ws: None,
        timeout: Duration::from_secs(10),
    })
    .await
    .unwrap();
    let filter = LogFilter {
        recipients: Some(Arc::new([SHOP, OWN].into_iter().collect())),
        senders: Arc::new([OWN].into_iter().collect()),
        receivers: vec![RECEIVER],
        ..LogFilter::of(vec![TOKEN])
    };
    let by_node = LogFilter {
        by_node: true,
        ..filter.clone()
    };
    let nobody = Arc::default();
    let only_sent = LogFilter {
        recipients: Some(Arc::clone(&nobody)),
        ..by_node.clone()
    };
    let one = LogQuery::block(&header(&block));
    let both = LogQuery::Range { from: 1, to: 2 };
    // A range comes with the header of its last block.
    for (query, blocks, headers) in [(one, 1, 0), (both, 2, 1)] {
        let ask = async |filter: &LogFilter| {
            let before = calls.total();
            let mut answer = source.transfer_logs(&query, filter).await.unwrap();
            answer.sort();
            (answer, calls.total() - before - headers)
        };
        let (all, questions) = ask(&filter).await;
        assert_eq!(questions, 1);
        // To the shop, from our own to others and to the shop, and through both receivers to our own.
        assert_eq!(counts(&all), (5 * blocks, blocks, 2 * blocks));
        let (filtered, questions) = ask(&by_node).await;
        assert_eq!(questions, 3);
        assert!(filtered.says_what(&all), "{filtered:?} instead of {all:?}");
        let (sent, questions) = ask(&only_sent).await;
        assert_eq!(questions, 2, "an empty list would mean everybody");
        assert_eq!(counts(&sent), (2 * blocks, 0, 2 * blocks));
    }
}
