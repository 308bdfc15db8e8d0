//! Calls of contracts: balances at a block over JSON-RPC, and by the word of several endpoints.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its numbers are small"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, Bytes, U256};
use async_trait::async_trait;
use paywatch_core::{BlockRef, ChainEventKind, ChainId, Proof};
use paywatch_indexer::{
    CallAt, CallFailure, ChainSource, Contradiction, Endpoint, Pool, PoolSettings, RpcSettings,
    RpcSource, SourceError, balances, in_one_line,
};
use paywatch_simulator::server::{LedgerNode, Rpc, RpcError, Served, SimServer};
use paywatch_simulator::{Faults, Lie, SimBlock, SimChain, SimNode, SimTransaction, SimTransfer};
use serde_json::Value;
use tokio::sync::broadcast;

const TOKEN: Address = Address::repeat_byte(0x70);
const PAYER: Address = Address::repeat_byte(0xaa);
const SHOP: Address = Address::repeat_byte(0xbb);
const TREASURY: Address = Address::repeat_byte(0xcc);

fn moving(from: Address, to: Address, value: u64, nonce: u64) -> Vec<SimTransaction> {
    let transfer = SimTransfer {
        token: TOKEN,
        from,
        to,
        value: U256::from(value),
    };
    vec![SimTransaction::moving(&[transfer], nonce)]
}

/// A chain on which the shop is paid 5 in block 1, sends 3 on in block 2, and is paid 2 in block 4.
fn chain() -> Arc<SimChain> {
    let id = ChainId::new(31_337).unwrap();
    let chain = Arc::new(SimChain::new(id, 1_800_000_000, 1, [(TOKEN, 6)]));
    chain.mine(moving(PAYER, SHOP, 5, 1));
    chain.mine(moving(SHOP, TREASURY, 3, 2));
    chain.mine(Vec::new());
    chain.mine(moving(PAYER, SHOP, 2, 3));
    chain
}

fn reference(block: &SimBlock) -> BlockRef {
    BlockRef {
        number: block.header.number,
        hash: block.hash,
    }
}

async fn served(node: impl Rpc) -> (SimServer, RpcSource, Arc<paywatch_simulator::server::Calls>) {
    let served = Served::new(Arc::new(node), Arc::default());
    let calls = served.calls();
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = SimServer::start(address, [("node".to_owned(), served)])
        .await
        .unwrap();
    let source = RpcSource::connect(RpcSettings {
        http: Some(server.http("node").parse().unwrap()),
        ws: None,
        timeout: Duration::from_secs(10),
    });
    let source = source.await.unwrap();
    (server, source, calls)
}

fn units(values: &[u64]) -> Vec<U256> {
    values.iter().copied().map(U256::from).collect()
}

#[tokio::test]
async fn balances_are_those_of_the_block_that_is_named() {
    let chain = chain();
    let node = LedgerNode::new(Arc::<SimChain>::clone(&chain));
    let (_server, source, calls) = served(node).await;
    let owners = [SHOP, TREASURY, PAYER];
    let gone = chain.fork(1).remove(0);
    chain.mine(moving(PAYER, SHOP, 7, 4));
    let third = reference(&chain.from(3)[0]);
    for (at, expected) in [
        (CallAt::Number(0), [0, 0, 0]),
        (CallAt::Number(1), [5, 0, 0]),
        (CallAt::Block(third), [2, 3, 0]),
        (CallAt::Latest, [9, 3, 0]),
        // A block that left the chain is another one than that which is there now.
        (CallAt::Block(reference(&gone)), [4, 3, 0]),
    ] {
        let told = balances(&source, TOKEN, &owners, at).await.unwrap();
        assert_eq!(told, units(&expected), "{at}");
    }
    let many: Vec<Address> = (0..=255).map(Address::repeat_byte).collect();
    let before = calls.total();
    let told = balances(&source, TOKEN, &many, CallAt::Number(4))
        .await
        .unwrap();
    assert_eq!(told.iter().filter(|units| !units.is_zero()).count(), 2);
    assert_eq!(calls.total() - before, 256, "each once");
}

#[tokio::test]
async fn a_call_that_cannot_be_answered_says_why() {
    let (_server, source, _) = served(LedgerNode::new(chain())).await;
    let future = balances(&source, TOKEN, &[SHOP], CallAt::Number(99)).await;
    let error = future.unwrap_err();
    assert!(
        matches!(
            &error,
            SourceError::NoAnswer {
                cause: CallFailure::NoState { .. }
            }
        ),
        "{error:?}"
    );
    let text = in_one_line(&error);
    assert!(
        text.contains("block 99") && text.contains("archive node"),
        "{text}"
    );

    let refused = source.call(TOKEN, Bytes::from_static(&[1; 4]), CallAt::Latest);
    let error = refused.await.unwrap_err();
    assert!(
        matches!(&error, SourceError::NoAnswer { cause: CallFailure::Reverted { to, .. } } if *to == TOKEN),
        "{error:?}"
    );
    let nothing = balances(&source, PAYER, &[SHOP], CallAt::Latest).await;
    let error = nothing.unwrap_err();
    assert!(
        matches!(
            &error,
            SourceError::NoAnswer {
                cause: CallFailure::Odd { .. }
            }
        ),
        "{error:?}"
    );
}

/// A node that knows blocks by number only, as those before EIP-1898.
struct Old(LedgerNode);

#[async_trait]
impl Rpc for Old {
    async fn call(&self, method: &str, params: &[Value]) -> Result<Vec<Bytes>, RpcError> {
        if params.get(1).is_some_and(Value::is_object) {
            let text = "invalid argument 1: json: cannot unmarshal object into Go value";
            return Err(RpcError::params(text));
        }
        self.0.call(method, params).await
    }

    fn new_heads(&self) -> Option<broadcast::Receiver<Bytes>> {
        self.0.new_heads()
    }
}

#[tokio::test]
async fn a_node_that_takes_no_hashes_is_asked_by_number_and_must_have_that_block() {
    let chain = chain();
    let node = Old(LedgerNode::new(Arc::<SimChain>::clone(&chain)));
    let (_server, source, _) = served(node).await;
    let head = reference(&chain.from(4)[0]);
    let at = CallAt::Block(head);
    let told = balances(&source, TOKEN, &[SHOP, TREASURY], at).await;
    assert_eq!(told.unwrap(), units(&[4, 3]));

    chain.fork(1);
    chain.mine(Vec::new());
    let error = balances(&source, TOKEN, &[SHOP], at).await.unwrap_err();
    assert!(
        matches!(
            &error,
            SourceError::Inconsistent { cause: Contradiction::Changed { before, .. } }
                if *before == head.hash
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_node_that_has_pruned_is_passed_over_for_one_that_has_not() {
    let chain = chain();
    let pruned = SimNode::new(Arc::clone(&chain), Faults::new(1, Vec::new()));
    pruned.prunes_below(3);
    let archive = SimNode::new(Arc::clone(&chain), Faults::new(2, Vec::new()));
    let alone = balances(&pruned, TOKEN, &[SHOP], CallAt::Number(2)).await;
    let error = alone.unwrap_err();
    assert!(
        matches!(
            error,
            SourceError::NoAnswer {
                cause: CallFailure::NoState { .. }
            }
        ),
        "{error:?}"
    );
    let pool = pool(vec![pruned, archive], 1);
    let told = balances(&pool, TOKEN, &[SHOP], CallAt::Number(2)).await;
    assert_eq!(told.unwrap(), units(&[2]));
}

fn pool(nodes: Vec<SimNode>, agreement: usize) -> Pool {
    let endpoints = nodes
        .into_iter()
        .zip(0_u32..)
        .map(|(node, index)| Endpoint {
            name: format!("node-{index}"),
            source: Arc::new(node),
            priority: index,
            requests_per_second: None,
            at_once: 8,
        });
    let settings = PoolSettings {
        chain_id: ChainId::new(31_337).unwrap(),
        agreement,
        max_range: 100,
        head_patience: Duration::from_secs(60),
        blooms: true,
        proof: Proof::None,
        genesis: None,
    };
    Pool::new(endpoints.collect(), settings).unwrap()
}

/// Nodes of which the first shows blocks of its own that pay the shop, from block 3 on.
fn with_a_liar(honest: u64) -> Vec<SimNode> {
    let chain = chain();
    let node = |seed| SimNode::new(Arc::clone(&chain), Faults::new(seed, Vec::new()));
    let liar = node(0);
    liar.tells(Lie::paying(SHOP, TOKEN, U256::from(1_000), 2, 0));
    std::iter::once(liar)
        .chain((1..=honest).map(node))
        .collect()
}

#[tokio::test]
async fn endpoints_must_agree_about_a_balance() {
    let at = CallAt::Number(4);
    let trusting = pool(with_a_liar(0), 1);
    let told = balances(&trusting, TOKEN, &[SHOP], at).await;
    assert!(told.unwrap()[0] > U256::from(1_000), "one is believed");

    let doubting = pool(with_a_liar(1), 2);
    let mut alarms = doubting.alarms();
    let error = balances(&doubting, TOKEN, &[SHOP], at).await.unwrap_err();
    assert!(
        matches!(
            error,
            SourceError::Inconsistent {
                cause: Contradiction::Answers { .. }
            }
        ),
        "{error:?}"
    );
    assert_eq!(
        alarms.try_recv().unwrap().kind,
        ChainEventKind::Disagreement
    );

    let deciding = pool(with_a_liar(2), 2);
    let mut alarms = deciding.alarms();
    let told = balances(&deciding, TOKEN, &[SHOP, TREASURY], at).await;
    assert_eq!(told.unwrap(), units(&[4, 3]), "two of three");
    let alarm = alarms.try_recv().unwrap();
    assert!(alarm.detail.contains("against node-0"), "{}", alarm.detail);
}
