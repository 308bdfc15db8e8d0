//! Telling services of events: how many in a second, how late, and what is left of it when the daemon
//! is killed again and again.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use paywatch_core::{EndpointId, EndpointKind, EventFormat, Timestamp};
use paywatch_notifier::{Secret, SecretKind};
use paywatch_store::{DisabledBy, NewEndpoint, Store};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::sleep;
use uuid::Uuid;

use crate::bench::books::histories::Plan;
use crate::bench::house::{House, TRICKLE, following, on_each};
use crate::bench::process::{self, percentiles};
use crate::bench::served::say;
use crate::receiver::{Mood, Receiver};

/// The environment variable that asks for fewer events, to try something out.
const FEWER: &str = "PAYWATCH_BENCH_EVENTS";
/// How many events are told.
const EVENTS: u64 = 100_000;
/// Where no node answers: the chain of a house that only tells stands still.
const NOBODY: &str = "127.0.0.1:1";
/// How long until the daemon may have told everything.
const PATIENCE: Duration = Duration::from_secs(600);
/// Somebody to be told, and what signs for him.
pub(crate) struct Told {
    pub(crate) receiver: Receiver,
    pub(crate) secret: SecretString,
}

fn events() -> Result<u64> {
    match std::env::var(FEWER) {
        Ok(fewer) => fewer.parse().context(FEWER),
        Err(_) => Ok(EVENTS),
    }
}

fn now() -> Result<Timestamp> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(Timestamp::from_unix_ms(i64::try_from(now.as_millis())?)?)
}

pub(crate) async fn somebody() -> Result<Told> {
    let secret = Secret::generate(SecretKind::Shared)?.reveal().to_string();
    Ok(Told {
        receiver: Receiver::open(&secret).await,
        secret: SecretString::from(secret),
    })
}

/// Tells `url` of everything from now on.
pub(crate) async fn endpoint(
    store: &Store,
    url: &str,
    secret: &SecretString,
) -> Result<EndpointId> {
    let id = EndpointId::from_bytes(*Uuid::now_v7().as_bytes());
    let new = NewEndpoint {
        id,
        kind: EndpointKind::Webhook,
        name: format!("{url} {id}"),
        url: url.to_owned(),
        format: EventFormat::Standard,
        types: "*".parse()?,
        secrets: vec![secret.clone()],
        created_at: now()?,
    };
    let made = store.create_endpoint(&new, None).await?;
    made.done().context("the endpoint is not made")?;
    Ok(id)
}

/// Fills `store` with about `count` events; returns how many there are.
async fn fill(store: &Store, count: u64) -> Result<u64> {
    let plan = Plan::ending_now(count)?;
    let mut number = 0;
    loop {
        let histories = (number..number + 500).map(|number| plan.history(number));
        store.fill(&histories.collect::<Result<Vec<_>>>()?).await?;
        number += 500;
        let told = store.last_event().await?;
        if told >= count {
            return Ok(told);
        }
    }
}

/// How many events a second reach somebody who takes them; how late they are beside ten who do not.
///
/// # Errors
/// When anything fails.
pub async fn webhooks(engines: &[&str]) -> Result<()> {
    say("webhooks: deliveries a second to a receiver on this machine that checks each signature");
    on_each(engines, rate).await?;
    say(
        "webhooks: from an event's own time to its arrival, one endpoint alone and beside ten dead ones",
    );
    on_each(engines, delays).await
}

async fn rate(folder: TempDir, database: String) -> Result<()> {
    let somebody = somebody().await?;
    let mut house = House::build((database, folder), NOBODY, &[somebody.receiver.address()])?;
    let store = house.store().await?;
    endpoint(&store, &somebody.receiver.url(), &somebody.secret).await?;
    let count = fill(&store, events()?).await?;
    house.starts()?;
    let first = wait_for(&somebody.receiver, 1).await?;
    let last = wait_for(&somebody.receiver, count).await?;
    house.is_killed().await?;
    let ms = u64::try_from(last.duration_since(first).as_millis())?.max(1);
    ensure!(somebody.receiver.forged() == 0, "a signature was not right");
    let told = somebody.receiver.told().len();
    ensure!(u64::try_from(told)? == count, "{told} of {count} were told");
    say(&format!(
        "    {count} events of {told} told in {ms} ms: {} a second (at least 2000)",
        count * 1_000 / ms
    ));
    Ok(())
}

async fn wait_for(receiver: &Receiver, count: u64) -> Result<Instant> {
    let end = Instant::now() + PATIENCE;
    while u64::try_from(receiver.count())? < count {
        ensure!(Instant::now() < end, "only {} came", receiver.count());
        sleep(Duration::from_millis(2)).await;
    }
    Ok(Instant::now())
}

async fn delays(folder: TempDir, database: String) -> Result<()> {
    let alone = delays_beside(folder, database.clone(), 0).await?;
    let folder = tempfile::tempdir()?;
    let database = match database.strip_prefix("sqlite:") {
        Some(_) => format!("sqlite:{}", folder.path().join("books.sqlite").display()),
        None => database,
    };
    let beside = delays_beside(folder, database, 10).await?;
    say(&format!("    alone:              {alone}"));
    say(&format!("    beside ten dead:    {beside}"));
    Ok(())
}

/// Delays of one endpoint, beside so many that hang, refuse or fail.
async fn delays_beside(folder: TempDir, database: String, dead: usize) -> Result<String> {
    let somebody = somebody().await?;
    let failing = somebody_dead(Mood::Answers(500)).await?;
    let hanging = somebody_dead(Mood::Hangs).await?;
    let closed = process::free_address()?;
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let deads = [
        failing.receiver.address(),
        hanging.receiver.address(),
        closed,
        silent.local_addr()?,
    ];
    let (_chain, node) = following().await?;
    let mut allowed = vec![somebody.receiver.address()];
    allowed.extend(deads);
    let mut house = House::build((database, folder), &node, &allowed)?;
    let store = house.store().await?;
    for known in store.endpoints().await? {
        store
            .disable_endpoint(known.id, ("of another run", now()?), DisabledBy::Failures)
            .await?;
    }
    for address in deads.iter().cycle().take(dead) {
        endpoint(&store, &format!("http://{address}/hook"), &somebody.secret).await?;
    }
    let before = store.last_event().await?;
    endpoint(&store, &somebody.receiver.url(), &somebody.secret).await?;
    store.close().await;
    house.starts()?;
    let key = house.key().await?;
    house.takes_an_order(&key).await?;
    house.takes_orders(&key).await?;
    wait_for(&somebody.receiver, TRICKLE + 1).await?;
    house.is_killed().await?;
    let mut delays = Vec::new();
    for arrival in somebody.receiver.told() {
        if arrival.sequence > before && arrival.kind == "order.created" {
            let told: jiff::Timestamp = arrival.told_at.parse()?;
            let at = jiff::Timestamp::try_from(arrival.at)?;
            let late = at.as_millisecond() - told.as_millisecond();
            delays.push(Duration::from_millis(u64::try_from(late.max(0))?));
        }
    }
    percentiles(delays)
}

async fn somebody_dead(mood: Mood) -> Result<Told> {
    let somebody = somebody().await?;
    somebody.receiver.is(mood);
    Ok(somebody)
}

/// The daemon is killed at random moments while it tells of 100,000 events: nothing is lost, nothing
/// comes unsigned, and what comes twice has the same id.
///
/// # Errors
/// When it is not so.
pub async fn fire(engines: &[&str]) -> Result<()> {
    say("fire: SIGKILL at random moments while events are told");
    on_each(engines, under_fire).await
}

async fn under_fire(folder: TempDir, database: String) -> Result<()> {
    let somebody = somebody().await?;
    let mut house = House::build((database, folder), NOBODY, &[somebody.receiver.address()])?;
    let store = house.store().await?;
    let id = endpoint(&store, &somebody.receiver.url(), &somebody.secret).await?;
    let count = fill(&store, events()?).await?;
    let mut rng = StdRng::seed_from_u64(7);
    let mut kills = 0;
    let end = Instant::now() + PATIENCE;
    house.starts()?;
    // Mostly while it works; sometimes as it starts.
    while !is_all_told(&store, (id, count), rng.random_range(20..1_500)).await? {
        ensure!(Instant::now() < end, "it goes on after {kills} kills");
        house.is_killed().await?;
        kills += 1;
        house.starts()?;
    }
    house.is_killed().await?;
    let arrived = somebody.receiver.count();
    let told = somebody.receiver.told();
    ensure!(somebody.receiver.forged() == 0, "a signature was not right");
    let mut sequences: Vec<u64> = told.iter().map(|arrival| arrival.sequence).collect();
    sequences.sort_unstable();
    ensure!(
        sequences.iter().copied().eq(1..=count),
        "{} of {count} events were told",
        sequences.len()
    );
    say(&format!(
        "    {count} events, {kills} kills: all told, {} of them twice with the same id, none unsigned",
        arrived - told.len()
    ));
    Ok(())
}

/// Whether all `count` events are delivered to `id` by the books, within `ms` milliseconds. What has
/// arrived says less: some of it came twice, and the last of it may not be written down.
async fn is_all_told(store: &Store, (id, count): (EndpointId, u64), ms: u64) -> Result<bool> {
    let end = Instant::now() + Duration::from_millis(ms);
    loop {
        let endpoint = store.endpoint(id).await?.context("it is there")?;
        if endpoint.queued_to >= count && store.pending_deliveries(id).await? == 0 {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        sleep(Duration::from_millis(20)).await;
    }
}
