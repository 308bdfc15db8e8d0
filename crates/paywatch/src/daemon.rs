//! The daemon: one loop per chain beside the HTTP server, until it is told to stop.

pub(crate) mod audit;
pub(crate) mod chain;
mod freezes;
mod look_alikes;
mod metrics;
mod open_files;
mod telling;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::Address;
use anyhow::Context as _;
use paywatch_api::{
    ApiState, ChainOffer, Checkout, Clock as _, ConditionBoard, Shop, SystemClock, router, serve,
};
use paywatch_indexer::Pool;
use paywatch_reconciler::AddressBook;
use paywatch_store::Store;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::config::{ChainConfig, CheckoutConfig, Config};
use crate::registry;
use crate::webhook_desk::Desk;

/// How long requests and loops may take to end once the daemon was told to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Runs until `shutdown`.
///
/// # Errors
/// When the database cannot be opened or the address cannot be listened on. A node that does not
/// answer is no error: its chain says so and keeps trying.
pub(crate) async fn run(mut config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    open_files::fit(&mut config.api);
    tracing::info!("opening the database; the first time after an upgrade this may take a while");
    let store = Store::open(&config.database)
        .await
        .context("the database cannot be used")?;
    let listener = TcpListener::bind(config.api.listen)
        .await
        .with_context(|| {
            let address = config.api.listen;
            format!("api.listen: {address} cannot be listened on; is it taken by another program?")
        })?;
    let address = listener.local_addr().context("the API has no address")?;

    let board = ConditionBoard::new(config.chains.iter().map(|chain| chain.id));
    let metrics = metrics::install()?;
    let mut loops = JoinSet::new();
    follow(&config, &store, &board, &mut loops, &shutdown).await?;

    let mut state = ApiState::new(store.clone(), shop(&config), board, Arc::new(SystemClock))
        .with_metrics(metrics)
        .with_name(&name(&config))
        .with_access(config.api.access.clone())
        .with_limits(config.api.limits)
        .with_webhooks(Arc::new(Desk::new(config.webhooks.guard.clone())));
    if let Some(pages) = &config.checkout {
        let pages = checkout(pages, &config.chains, address);
        tracing::info!(
            checkout.public_url = pages.public_url,
            "orders are paid at {}/pay/…",
            pages.public_url
        );
        state = state.with_checkout(pages);
    }
    if config.webhooks.callbacks {
        let guard = config.webhooks.guard.clone();
        state = state.with_callbacks(telling::callbacks::within(guard));
    }
    if let Some(epusdt) = &config.epusdt {
        tracing::warn!(
            "shop plugins for epusdt are served, {epusdt}: MD5 is weak, and whoever sees a request can \
             send it again; have them reach the daemon by TLS or within your own network only, and use \
             /v1 where you can"
        );
        state = state.with_epusdt(epusdt.clone());
    }
    let renderer = state.event_renderer();
    loops.spawn(telling::begin(&config, store.clone(), renderer, shutdown.clone()).await?);
    tracing::info!(
        api.listen = %address,
        chains = config.chains.len(),
        "paywatch {} listens at http://{address}", env!("CARGO_PKG_VERSION")
    );
    let stopping = shutdown.clone();
    let settings = config.api.serve;
    let mut server = tokio::spawn(async move {
        serve(listener, router(state), settings, stopping.cancelled()).await;
    });

    tokio::select! {
        () = shutdown.cancelled() => {},
        ended = &mut server => {
            shutdown.cancel();
            ended.context("the API panicked")?;
        },
    }
    tracing::info!("stopping");
    drain(loops, server).await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for the loops and the server to end, for a while.
async fn drain(mut loops: JoinSet<()>, mut server: JoinHandle<()>) {
    let drained = tokio::time::timeout(DRAIN, async {
        while loops.join_next().await.is_some() {}
        if !server.is_finished() {
            let _served = (&mut server).await;
        }
    });
    if drained.await.is_err() {
        tracing::warn!(
            "some requests did not end in {} s and were dropped",
            DRAIN.as_secs()
        );
    }
}

/// Begins to follow every chain, to audit them, and to ask their tokens for frozen addresses.
async fn follow(
    config: &Config,
    store: &Store,
    board: &ConditionBoard,
    loops: &mut JoinSet<()>,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let addresses = Arc::new(address_book(config, store.clone()));
    let promises = store.promises().await?;
    chain::warn_of_unfollowed(&config.chains, &promises);
    let mut audited = Vec::new();
    for chain in &config.chains {
        let pool = Arc::new(chain::pool(chain).await?);
        audited.push(audit::audited(config, chain, Arc::<Pool>::clone(&pool)));
        let freezes = freezes::check(chain, Arc::clone(&pool), store.clone());
        let look_alikes =
            look_alikes::watch(config, chain, &promises, (Arc::clone(&pool), store.clone()));
        let agent = chain::agent(
            chain,
            (&promises, config.orders.dust),
            pool,
            store.clone(),
            Arc::clone(&addresses),
        );
        loops.spawn(chain::relay(
            chain.id,
            agent.state(),
            board.clone(),
            shutdown.clone(),
        ));
        loops.spawn(agent.run(shutdown.clone()));
        if let Some(watch) = look_alikes {
            let now = Arc::new(|| SystemClock.now());
            loops.spawn(watch.run(now, shutdown.clone()));
        }
        loops.spawn(freezes.run(Arc::new(|| SystemClock.now()), shutdown.clone()));
    }
    let daily = config.audit_every;
    if let Some(audit) = daily.and_then(|every| audit::daily(config, store, audited, every)) {
        loops.spawn(audit.run(Arc::new(|| SystemClock.now()), shutdown.clone()));
    }
    Ok(())
}

/// All addresses that are watched: those of orders, and the merchant's own.
pub(crate) fn address_book(config: &Config, store: Store) -> AddressBook {
    AddressBook::with_own(store, own_addresses(config))
}

/// The merchant's own addresses that are watched on every chain. Payments through the receiver
/// arrive at the treasury.
pub(crate) fn own_addresses(config: &Config) -> BTreeSet<Address> {
    let is_watched = |chain: &&ChainConfig| config.watches_treasury || chain.receiver.is_some();
    let treasuries = config.chains.iter().filter(is_watched);
    let treasuries = treasuries.map(|chain| chain.treasury);
    let wallets = config.chains.iter().flat_map(|chain| &chain.wallets);
    treasuries.chain(wallets.copied()).collect()
}

/// What tells this daemon from others on the same database: two on one machine do not listen at
/// one address.
fn name(config: &Config) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let host = host.unwrap_or_else(|_no_linux| Uuid::now_v7().to_string());
    format!("{} {}", host.trim(), config.api.listen)
}

/// What the API may offer.
fn shop(config: &Config) -> Shop {
    Shop {
        chains: config.chains.iter().map(offer).collect(),
        default_expiry: config.orders.default_expiry,
        max_expiry: config.orders.max_expiry,
        grace: config.orders.grace,
        late_policy: config.orders.late_policy,
        tolerance: config.orders.tolerance,
        tokens: config.orders.tokens.clone(),
        methods: config.orders.methods.clone(),
        exact: config.exact,
        body_limit: config.api.body_limit,
    }
}

/// The pages on which orders are paid, of a daemon that listens at `address`.
fn checkout(config: &CheckoutConfig, chains: &[ChainConfig], address: SocketAddr) -> Checkout {
    let here = || {
        // Nobody can go to the address that means all addresses.
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        format!("http://{}", SocketAddr::new(ip, address.port()))
    };
    let given = config.public_url.as_ref();
    let titles = chains
        .iter()
        .filter_map(|chain| Some((chain.id, registry::payers_name(chain.id.get())?)));
    Checkout {
        public_url: given.map_or_else(here, |url| url.as_str().trim_end_matches('/').to_owned()),
        merchant_name: config.merchant_name.clone(),
        chain_titles: titles.collect(),
    }
}

fn offer(chain: &ChainConfig) -> ChainOffer {
    ChainOffer {
        id: chain.id,
        name: chain.name.clone(),
        tokens: chain.tokens.clone(),
        treasury: chain.treasury,
        factory: chain.factory,
        receiver: chain.receiver,
        wallets: chain.wallets.clone(),
        finality: chain.finality.clone(),
    }
}
