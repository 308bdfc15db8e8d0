//! One log, a thousand services that listen to it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use paywatch_store::Store;
use tokio::sync::Barrier;

use crate::bench::house::{House, TRICKLE, following, on_each};
use crate::bench::process::{Server, percentiles};
use crate::bench::served::say;

/// How many listen.
const LISTENERS: usize = 1_000;
/// How many of them listen with one key.
const OF_ONE_KEY: usize = 100;
/// How long until everybody may have heard everything.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many events a second reach a thousand listeners, and how late.
///
/// # Errors
/// When anything fails, or a listener misses an event or hears one twice.
pub async fn listeners(engines: &[&str]) -> Result<()> {
    say(&format!(
        "listeners: {TRICKLE} orders are made while {LISTENERS} listen to the stream of events"
    ));
    on_each(engines, fan_out).await
}

async fn fan_out(folder: tempfile::TempDir, database: String) -> Result<()> {
    let (chain, node) = following().await?;
    let mut house = House::build((database, folder), &node, &[])?;
    house.starts()?;
    let key = house.key().await?;
    house.takes_an_order(&key).await?;
    let store = house.store().await?;
    let first = store.last_event().await?;
    let url = format!("http://{}/v1/events/stream?after={first}", house.listen);
    let ready = Arc::new(Barrier::new(LISTENERS + 1));
    let client = reqwest::Client::new();
    let mut keys = Vec::new();
    for _ in 0..LISTENERS / OF_ONE_KEY {
        keys.push(house.key().await?);
    }
    let hearing = keys.iter().cycle().take(LISTENERS).map(|key| {
        let asked = client.get(&url).bearer_auth(key);
        let hears = hear(asked, Arc::clone(&ready));
        async { tokio::spawn(hears).await? }
    });
    let mut hearing = tokio::spawn(try_join_all(hearing));
    tokio::select! {
        _ready = ready.wait() => {},
        ended = &mut hearing => {
            ended??;
        },
        () = tokio::time::sleep(PATIENCE) => bail!("some could not listen"),
    }
    let from = Instant::now();
    house.takes_orders(&key).await?;
    let heard = hearing.await??;
    let memory = house.memory_mib()?;
    house.is_killed().await?;
    drop::<Server>(chain);
    let delays = delays(&store, first, &heard).await?;
    let count = u64::try_from(delays.len())?;
    let ms = u64::try_from(from.elapsed().as_millis())?.max(1);
    say(&format!(
        "    {count} events heard, each of {LISTENERS} listeners all {TRICKLE} once and in order, {} a second; \
         {}; the daemon had {memory} MiB",
        count * 1_000 / ms,
        percentiles(delays)?
    ));
    Ok(())
}

/// Listens until it has heard as many events as orders are made; when it heard which.
async fn hear(
    asked: reqwest::RequestBuilder,
    ready: Arc<Barrier>,
) -> Result<Vec<(u64, SystemTime)>> {
    let mut stream = asked.send().await?.error_for_status()?;
    ready.wait().await;
    let (mut heard, mut last) = (Vec::new(), 0);
    let mut rest: Vec<u8> = Vec::new();
    let end = Instant::now() + PATIENCE;
    while u64::try_from(heard.len())? < TRICKLE {
        ensure!(Instant::now() < end, "only {} came", heard.len());
        let chunk = stream.chunk().await?.context("the stream ended")?;
        let now = SystemTime::now();
        rest.extend_from_slice(&chunk);
        while let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=length).collect();
            // An id without an event only says how far the log was read.
            if let Some(id) = line.strip_prefix(b"id: ") {
                last = std::str::from_utf8(id.trim_ascii())?.parse()?;
            } else if line.starts_with(b"event: ") {
                heard.push((last, now));
            }
        }
    }
    Ok(heard)
}

/// How late each listener heard each event; checks that they heard all, once and in order.
async fn delays(
    store: &Store,
    first: u64,
    heard: &[Vec<(u64, SystemTime)>],
) -> Result<Vec<Duration>> {
    let told = store.events_after(first, u32::try_from(TRICKLE)?).await?;
    let mut delays = Vec::new();
    for heard in heard {
        let wrong = heard
            .iter()
            .zip(&told)
            .find(|((seq, _), event)| *seq != event.seq);
        if let Some(((seq, _), event)) = wrong {
            bail!(
                "a listener heard event {seq} where {} comes next",
                event.seq
            );
        }
        ensure!(
            heard.len() == told.len(),
            "a listener heard {} of {} events",
            heard.len(),
            told.len()
        );
        for (event, (_, at)) in told.iter().zip(heard) {
            let at = at.duration_since(SystemTime::UNIX_EPOCH)?.as_millis();
            let late = i64::try_from(at)? - event.at.unix_ms();
            delays.push(Duration::from_millis(u64::try_from(late.max(0))?));
        }
    }
    Ok(delays)
}
