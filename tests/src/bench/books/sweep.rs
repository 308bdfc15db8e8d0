//! A hundred thousand orders expire at once, while their chains go on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy::network::Ethereum;
use alloy::providers::{Provider as _, RootProvider};
use anyhow::{Context as _, Result, ensure};
use paywatch_core::{Address, ChainId, FinalityRule, OrderStatus, Proof, Timestamp};
use paywatch_indexer::{Endpoint, FollowSettings, Pool, PoolSettings, RpcSettings, RpcSource};
use paywatch_reconciler::{AddressBook, AgentSettings, ChainAgent};
use paywatch_simulator::bulk::payee;
use paywatch_store::{History, NewOrder, OrderFilter, Page, Store};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::bench::backfill::{settings, token};
use crate::bench::books::histories::Plan;
use crate::bench::books::measure::{ms, next_order, percentile};
use crate::bench::process::Server;
use crate::bench::served::{LivePlan, TOKEN, now_ns, say};

/// How many orders expire.
const DUE: u64 = 100_000;
/// The chains on which they could be paid, and the milliseconds from block to block.
const CHAINS: [(&str, u64, u64); 2] = [("one", 901, 250), ("two", 902, 400)];
/// For how long the chains are watched before.
const BEFORE: Duration = Duration::from_secs(15);
/// How long all of it may take.
const AT_MOST: Duration = Duration::from_secs(600);

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    Timestamp::from_unix_s(u64::try_from(ms / 1_000).unwrap_or_default())
        .unwrap_or(Timestamp::EPOCH)
}

fn filter(status: OrderStatus) -> Result<OrderFilter> {
    Ok(OrderFilter {
        statuses: vec![status],
        chain_id: Some(ChainId::new(CHAINS[0].1)?),
        ..OrderFilter::default()
    })
}

/// Makes the orders that are to expire at `deadline`.
async fn make(store: &Store, plan: &Plan, deadline: Timestamp) -> Result<()> {
    let first = plan.orders + 1_000_000;
    let mut histories = Vec::new();
    for number in first..first + DUE {
        let NewOrder { mut order, .. } = next_order(plan)?;
        order.reference = format!("DUE-{number}").parse()?;
        order.created_at = plan.created_at(first)?;
        order.expires_at = deadline;
        let pattern = order.options[0].clone();
        let on = |id: u64| -> Result<_> {
            let mut option = pattern.clone();
            option.token = token();
            option.token.chain_id = ChainId::new(id)?;
            option.address = payee(number);
            option.finality = FinalityRule::confirmations(12)?;
            Ok(option)
        };
        let options = CHAINS.iter().map(|(_, id, _)| on(*id));
        order.options = options.collect::<Result<_>>()?;
        histories.push(History {
            new: NewOrder {
                order,
                request_digest: format!("{number:064x}"),
                slots: Vec::new(),
                callback: None,
            },
            transfers: Vec::new(),
            changes: Vec::new(),
        });
        if histories.len() == 4_000 || number + 1 == first + DUE {
            store.fill(&histories).await?;
            histories.clear();
        }
    }
    Ok(())
}

/// The loop of a chain, as the daemon runs it.
async fn agent(store: &Store, book: &Arc<AddressBook>, url: &str, id: u64) -> Result<ChainAgent> {
    let chain_id = ChainId::new(id)?;
    let source = RpcSource::connect(RpcSettings {
        http: Some(url.parse()?),
        ws: Some(url.replacen("http", "ws", 1).parse()?),
        timeout: Duration::from_secs(15),
    })
    .await?;
    let endpoint = Endpoint {
        name: "node".to_owned(),
        source: Arc::new(source),
        priority: 0,
        requests_per_second: None,
        at_once: 32,
    };
    let pool = PoolSettings {
        chain_id,
        agreement: 1,
        max_range: 2_000,
        head_patience: Duration::from_secs(10),
        blooms: true,
        proof: Proof::None,
        genesis: None,
    };
    let mut usdt = token();
    usdt.chain_id = chain_id;
    let settings = AgentSettings {
        checked_tokens: vec![usdt.clone()],
        follow: FollowSettings {
            chain_id,
            tokens: vec![usdt],
            ..settings()
        },
        first_block: None,
        proofs: false,
        dust: "0".parse()?,
        stall_after: None,
        finality_stall_after: None,
    };
    let pool = Pool::new(vec![endpoint], pool)?;
    let book = Arc::clone(book);
    let clock = Arc::new(now);
    Ok(ChainAgent::new(
        store.clone(),
        book,
        Arc::new(pool),
        settings,
        clock,
    ))
}

/// When each block was first seen to be committed, in nanoseconds of the wall clock.
type Seen = BTreeMap<(u64, u64), u128>;

/// What was seen before all had expired, and after the first had.
struct Watched {
    before: Seen,
    meanwhile: Seen,
    creations: Vec<Duration>,
    took: Duration,
}

/// Looks at the books until all orders have expired.
async fn watch(store: &Store, plan: &Plan, deadline: Timestamp) -> Result<Watched> {
    let mut seen = Watched {
        before: Seen::new(),
        meanwhile: Seen::new(),
        creations: Vec::new(),
        took: Duration::ZERO,
    };
    let mut tips: BTreeMap<u64, u64> = BTreeMap::new();
    let started = Instant::now();
    let (mut due_since, mut looked, mut created) = (None, started, started);
    loop {
        ensure!(
            started.elapsed() < AT_MOST,
            "it takes longer than {AT_MOST:?}"
        );
        let mut passed = 0;
        for chain in store.chains().await? {
            let (id, tip) = (chain.heads.chain_id.get(), chain.heads.tip.number);
            if !CHAINS.iter().any(|(_, known, _)| *known == id) {
                continue;
            }
            passed += usize::from(chain.heads.covered_time > deadline);
            if tips.insert(id, tip) != Some(tip) {
                let blocks = if due_since.is_some() {
                    &mut seen.meanwhile
                } else {
                    &mut seen.before
                };
                blocks.insert((id, tip), now_ns());
            }
        }
        if due_since.is_none() && passed == CHAINS.len() {
            due_since = Some(Instant::now());
        }
        if let Some(since) = due_since
            && looked.elapsed() > Duration::from_millis(100)
        {
            looked = Instant::now();
            let page = Page {
                before_seq: None,
                limit: 1,
            };
            let open = store
                .orders(&filter(OrderStatus::AwaitingPayment)?, page)
                .await?;
            if open.orders.is_empty() {
                seen.took = since.elapsed();
                return Ok(seen);
            }
        }
        if due_since.is_some() && created.elapsed() > Duration::from_millis(200) {
            created = Instant::now();
            store.create_order(&next_order(plan)?).await?;
            seen.creations.push(created.elapsed());
        }
        sleep(Duration::from_millis(2)).await;
    }
}

/// How long the blocks that were seen took from being mined to being committed.
fn delays(seen: &Seen, mined: &BTreeMap<u64, BTreeMap<u64, u128>>) -> Vec<Duration> {
    let mut delays: Vec<Duration> = seen
        .iter()
        .filter_map(|((chain, block), at)| {
            let mined = mined.get(chain)?.get(block)?;
            let ns = u64::try_from(at.saturating_sub(*mined)).ok()?;
            Some(Duration::from_nanos(ns))
        })
        .collect();
    delays.sort_unstable();
    delays
}

/// Makes the orders, lets them expire, and says how the chains and the API did meanwhile. Making
/// one takes about `making`.
pub(crate) async fn expire(store: &Store, plan: &Plan, making: Duration) -> Result<()> {
    let all = making * u32::try_from(DUE)?;
    let deadline = now().plus_ms(i64::try_from((all * 2 + BEFORE).as_millis())?);
    let deadline = deadline.context("there is such a time")?;
    make(store, plan, deadline).await?;
    let plans: Vec<LivePlan> = CHAINS
        .iter()
        .map(|(name, id, block_ms)| LivePlan {
            name: (*name).to_owned(),
            id: *id,
            block_ms: *block_ms,
            tokens: vec![(TOKEN, 6)],
        })
        .collect();
    let server = Server::start(&["serve-live".to_owned(), serde_json::to_string(&plans)?]).await?;
    let book = Arc::new(AddressBook::with_own(
        store.clone(),
        [Address::repeat_byte(0xee)],
    ));
    book.read_on().await?;
    let shutdown = CancellationToken::new();
    let mut loops = Vec::new();
    for (name, id, _) in CHAINS {
        let url = format!("http://{}/{name}", server.said);
        let agent = agent(store, &book, &url, id).await?;
        loops.push(tokio::spawn(agent.run(shutdown.clone())));
    }
    let seen = watch(store, plan, deadline).await?;
    let mut mined = BTreeMap::new();
    for (name, id, _) in CHAINS {
        let url = format!("http://{}/{name}", server.said);
        let control: RootProvider<Ethereum> = RootProvider::new_http(url.parse()?);
        let times: BTreeMap<String, String> = control.raw_request("sim_minedAt".into(), ()).await?;
        let times = times
            .into_iter()
            .map(|(number, at)| Ok((number.parse()?, at.parse()?)))
            .collect::<Result<BTreeMap<u64, u128>>>()?;
        mined.insert(id, times);
    }
    shutdown.cancel();
    for ended in loops {
        ended.await?;
    }
    say(&format!(
        "  {DUE} orders on two chains expire at once: all have after {} ms",
        seen.took.as_millis()
    ));
    for (name, delays) in [
        ("before", delays(&seen.before, &mined)),
        ("meanwhile", delays(&seen.meanwhile, &mined)),
    ] {
        say(&format!(
            "    block mined to block committed, {name}: p50 {} ms, at most {} ms, {} commits seen",
            ms(percentile(&delays, 50)?),
            ms(percentile(&delays, 100)?),
            delays.len()
        ));
    }
    let mut creations = seen.creations;
    creations.sort_unstable();
    if !creations.is_empty() {
        say(&format!(
            "    create an order meanwhile: p50 {} ms, at most {} ms",
            ms(percentile(&creations, 50)?),
            ms(percentile(&creations, 100)?)
        ));
    }
    Ok(())
}
