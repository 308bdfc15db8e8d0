//! The simulated nodes that are measured against.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::primitives::{Address, Bytes, U256};
use anyhow::Result;
use async_trait::async_trait;
use paywatch_core::ChainId;
use paywatch_simulator::bulk::{BulkChain, BulkPlan, payee};
use paywatch_simulator::server::{Calls, LedgerNode, Manners, Rpc, RpcError, Served, SimServer};
use paywatch_simulator::{Ledger as _, SimChain, SimTransaction, SimTransfer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The token of the chains that are measured.
pub(crate) const TOKEN: Address = Address::repeat_byte(0x70);
/// Transfers in each block of a live chain.
const TRANSFERS: u64 = 100;

pub(crate) const BULK: BulkPlan = BulkPlan {
    chain_id: 31_337,
    token: TOKEN,
    blocks: 20_000,
    logs_per_block: 100,
    paid_every: 1_000,
    payees: 1_000,
};

/// Serves the long chain twice: as it is, and behind a narrow, slow endpoint.
///
/// # Errors
/// When it cannot be served.
pub async fn serve_bulk() -> Result<()> {
    let chain: Arc<dyn Rpc> = Arc::new(BulkChain::new(BULK));
    let narrow = Arc::new(Manners::default());
    narrow.limit_logs(Some(10_000));
    narrow.delay(Duration::from_millis(30));
    let nodes = [
        (
            "plain".to_owned(),
            Served::new(Arc::clone(&chain), Arc::default()),
        ),
        ("narrow".to_owned(), Served::new(chain, narrow)),
    ];
    let mut server = SimServer::start(SocketAddr::from(([127, 0, 0, 1], 0)), nodes).await?;
    say(&server.address().to_string());
    server.run().await;
    Ok(())
}

/// A chain that is to be served live.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct LivePlan {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) block_ms: u64,
    pub(crate) tokens: Vec<(Address, u8)>,
}

/// A node of a chain that grows by the clock, and says more of itself than real ones do.
struct LiveNode {
    node: LedgerNode,
    chain: Arc<SimChain>,
    mined_at: Mutex<BTreeMap<u64, u128>>,
    is_busy: AtomicBool,
    nonce: AtomicU64,
    token: Address,
    calls: Mutex<Option<Arc<Calls>>>,
}

/// The wall clock, which two processes share.
pub(crate) fn now_ns() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_nanos()).unwrap_or_default()
}

impl LiveNode {
    fn mine(&self) {
        let now_s = u64::try_from(now_ns() / 1_000_000_000).unwrap_or_default();
        let transactions = if self.is_busy.load(Ordering::Relaxed) {
            (0..TRANSFERS)
                .map(|index| self.transaction(index))
                .collect()
        } else {
            Vec::new()
        };
        let block = self.chain.mine_at(now_s, transactions);
        let number = block.header.number;
        self.chain.finalize(number.saturating_sub(20));
        self.mined_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(number, now_ns());
    }

    fn transaction(&self, index: u64) -> SimTransaction {
        let nonce = self.nonce.fetch_add(1, Ordering::Relaxed);
        let to = if index < 5 {
            payee(nonce % BULK.payees)
        } else {
            Address::from_word(U256::from(nonce + (1 << 60)).into())
        };
        let transfer = SimTransfer {
            token: self.token,
            from: Address::repeat_byte(0xaa),
            to,
            value: U256::from(5_000_000_u64),
        };
        SimTransaction::moving(&[transfer], nonce)
    }

    /// The payments that are on the chain, from the block `first` on.
    fn payments(&self, first: u64) -> Value {
        let payees: std::collections::BTreeSet<_> = (0..BULK.payees).map(payee).collect();
        let mut paid = Vec::new();
        for block in self.chain.from(first) {
            for (transaction, index) in block.transactions.iter().zip(0_u64..) {
                let to = transaction
                    .logs
                    .first()
                    .and_then(|log| log.topics().get(2).copied());
                if to.is_some_and(|to| payees.contains(&Address::from_word(to))) {
                    paid.push(json!([block.hash, index]));
                }
            }
        }
        Value::Array(paid)
    }
}

#[async_trait]
impl Rpc for LiveNode {
    async fn call(&self, method: &str, params: &[Value]) -> Result<Vec<Bytes>, RpcError> {
        let number = || params.first().and_then(Value::as_u64).unwrap_or_default();
        let result = match method {
            "sim_minedAt" => {
                let times = self.mined_at.lock().unwrap_or_else(PoisonError::into_inner);
                let times: BTreeMap<_, _> = times
                    .iter()
                    .map(|(n, at)| (n.to_string(), at.to_string()))
                    .collect();
                json!(times)
            },
            "sim_busy" => {
                self.is_busy.store(true, Ordering::Relaxed);
                json!(true)
            },
            "sim_fork" => json!(
                self.chain
                    .fork(usize::try_from(number()).unwrap_or_default())
                    .len()
            ),
            "sim_payments" => self.payments(number()),
            "sim_calls" => {
                let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
                json!([
                    calls.as_ref().map(|calls| calls.total()),
                    self.chain.head().header.number
                ])
            },
            _ => return self.node.call(method, params).await,
        };
        Ok(vec![result.to_string().into_bytes().into()])
    }

    fn new_heads(&self) -> Option<broadcast::Receiver<Bytes>> {
        self.node.new_heads()
    }
}

/// Serves chains that grow by the clock; `plans` is a JSON list of name, id, block time and
/// tokens of each.
///
/// # Errors
/// When they cannot be served.
pub async fn serve_live(plans: &str) -> Result<()> {
    let plans: Vec<LivePlan> = serde_json::from_str(plans)?;
    let mut nodes = Vec::new();
    for plan in plans {
        let now_s = u64::try_from(now_ns() / 1_000_000_000)?;
        let token = plan.tokens.first().map_or(TOKEN, |(token, _)| *token);
        let chain = SimChain::new(ChainId::new(plan.id)?, now_s - 600, 1, plan.tokens);
        let chain = Arc::new(chain);
        for _ in 0..100 {
            chain.mine(Vec::new());
        }
        let live = Arc::new(LiveNode {
            node: LedgerNode::new(Arc::<SimChain>::clone(&chain)),
            chain,
            mined_at: Mutex::default(),
            is_busy: AtomicBool::new(false),
            nonce: AtomicU64::new(plan.id << 32),
            token,
            calls: Mutex::new(None),
        });
        let served = Served::new(Arc::<LiveNode>::clone(&live), Arc::default());
        *live.calls.lock().unwrap_or_else(PoisonError::into_inner) = Some(served.calls());
        nodes.push((plan.name, served));
        tokio::spawn(async move {
            let mut clock = interval(Duration::from_millis(plan.block_ms));
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                clock.tick().await;
                live.mine();
            }
        });
        // So that not all of them mine at the same moment.
        sleep(Duration::from_millis(37)).await;
    }
    let mut server = SimServer::start(SocketAddr::from(([127, 0, 0, 1], 0)), nodes).await?;
    say(&server.address().to_string());
    server.run().await;
    Ok(())
}

/// A line for the process that started this one.
pub(crate) fn say(line: &str) {
    // With standard output gone there is nobody left to tell.
    let _told = writeln!(std::io::stdout(), "{line}");
}
