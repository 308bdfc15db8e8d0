//! A block whose header was announced is proved by its receipts alone: one call less for each block
//! that pays somebody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use paywatch_core::{BlockRef, ChainId};
use paywatch_indexer::{ChainSource as _, RpcSettings, RpcSource};
use paywatch_simulator::server::{LedgerNode, Served, SimServer};
use paywatch_simulator::{SimChain, SimTransaction, SimTransfer};

const TOKEN: Address = Address::repeat_byte(0x70);

fn payment() -> Vec<SimTransaction> {
    let transfer = SimTransfer {
        token: TOKEN,
        from: Address::repeat_byte(0xaa),
        to: Address::repeat_byte(0xbb),
        value: U256::from(5_000_000_u64),
    };
    vec![SimTransaction::moving(&[transfer], 7)]
}

#[tokio::test]
async fn an_announced_block_is_proved_with_one_call_and_another_with_two() {
    let id = ChainId::new(31_337).unwrap();
    let chain = Arc::new(SimChain::new(id, 1_800_000_000, 1, [(TOKEN, 6)]));
    let unannounced = chain.mine(payment());
    let served = Served::new(
        Arc::new(LedgerNode::new(Arc::<SimChain>::clone(&chain))),
        Arc::default(),
    );
    let calls = served.calls();
    let server = SimServer::start(
        SocketAddr::from(([127, 0, 0, 1], 0)),
        [("node".to_owned(), served)],
    )
    .await
    .unwrap();
    let source = RpcSource::connect(RpcSettings {
        http: Some(server.http("node").parse().unwrap()),
        ws: Some(server.ws("node").parse().unwrap()),
        timeout: Duration::from_secs(10),
    })
    .await
    .unwrap();
    while !source.announces() {
        source.woken().await;
    }
    let announced = chain.mine(payment());
    while source.announced(announced.hash).is_none() {
        source.woken().await;
    }
    for (block, expected) in [(announced, 1), (unannounced, 2)] {
        let before = calls.total();
        let block = BlockRef {
            number: block.header.number,
            hash: block.hash,
        };
        let proven = source.evidence(block).await.unwrap().verify(block).unwrap();
        assert_eq!(proven.logs().len(), 1);
        assert_eq!(calls.total() - before, expected, "block {}", block.number);
    }
}
