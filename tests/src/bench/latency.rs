//! How long it takes from a payment on Anvil until a service is told of it by a signed webhook.

use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use paywatch_client::Order;
use paywatch_store::Store;

use crate::bench::process::percentiles;
use crate::bench::served::say;
use crate::bench::telling::{endpoint, somebody};
use crate::chain::{Chain, PAYER};
use crate::daemon::chain_section;
use crate::database::Engine;
use crate::shop::{CONFIRMATIONS, Shop, pay_to};
use crate::wait;

/// How many payments are made, one after the other.
const PAYMENTS: usize = 300;

/// How the daemon learns that there is a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heads {
    /// The node tells it.
    Subscribed,
    /// It asks.
    AskedFor,
}

/// Payments on Anvil, each in a block of its own: how late the receiver hears of them.
///
/// # Errors
/// When anything fails.
pub async fn latency() -> Result<()> {
    say(
        "latency: from sending a payment to Anvil, which mines it at once, until its webhook is there",
    );
    say(&format!(
        "    headers by subscription:  {}",
        percentiles(delays(Heads::Subscribed).await?)?
    ));
    say(&format!(
        "    asking every 100 ms:      {}",
        percentiles(delays(Heads::AskedFor).await?)?
    ));
    Ok(())
}

async fn delays(heads: Heads) -> Result<Vec<Duration>> {
    let told = somebody().await?;
    let chain = Chain::start("anvil", 31_337, 6).await;
    let webhooks = format!(
        "[webhooks]\nallow_http = true\nallow = [\"{}\"]\n",
        told.receiver.address()
    );
    let section = chain_section(&chain, CONFIRMATIONS);
    let kept = section
        .lines()
        .filter(|line| heads == Heads::Subscribed || !line.starts_with("ws = "));
    let section: String = kept.flat_map(|line| [line, "\n"]).collect();
    let mut shop = Shop::open_with(Engine::Sqlite, vec![chain], &[webhooks, section]).await;
    let store = Store::open(&shop.daemon.database.parse()?).await?;
    endpoint(&store, &told.receiver.url(), &told.secret).await?;
    store.close().await;
    let hears_of = |order: &Order, kind: &'static str| {
        let (id, receiver) = (order.id.clone(), &told.receiver);
        wait::until(kind, move || {
            let arrivals = receiver.taken();
            let of_it = arrivals.iter().rev().find(|arrival| {
                let is_of_it = arrival.order.as_ref().is_some_and(|(of, _)| *of == id);
                is_of_it && arrival.kind == kind
            });
            std::future::ready(
                of_it
                    .map(|arrival| arrival.at)
                    .ok_or_else(|| format!("{} events", arrivals.len())),
            )
        })
    };
    let mut delays = Vec::new();
    for number in 0..PAYMENTS {
        let order = shop.order(&format!("LATE-{number}"), "25").await;
        hears_of(&order, "order.created").await;
        let sent = SystemTime::now();
        shop.chain().pays(PAYER, pay_to(&order), "25").await;
        let arrived = hears_of(&order, "payment.detected").await;
        delays.push(arrived.duration_since(sent)?);
    }
    ensure!(told.receiver.forged() == 0, "a signature was not right");
    shop.becomes_final().await;
    shop.close().await;
    Ok(delays)
}
