//! Tells of events: the event log on one side, webhooks, buses and people on the other.

pub(crate) mod callbacks;
mod epusdt;
mod sinks;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use futures::future::BoxFuture;
use paywatch_api::{Clock as _, EventRenderer, ForeignEvent, RenderedEvent, SystemClock};
use paywatch_core::{EventFormat, Timestamp};
use paywatch_notifier::{Clock, Outbox, Poster, Render, Telling, Webhooks};
use paywatch_store::{Store, StoreError};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// No longer is slept at once: somebody may set the clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// How often old deliveries are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// The machine's clock, to wait on.
#[derive(Clone, Copy, Debug)]
struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn reach(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let left = at.unix_ms().saturating_sub(SystemClock.now().unix_ms());
                let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else {
                    return;
                };
                tokio::time::sleep(Duration::from_millis(left).min(LONGEST_SLEEP)).await;
            }
        })
    }
}

/// Events as the API shows them.
#[derive(Debug)]
struct Tellings {
    store: Store,
    renderer: EventRenderer,
}

#[async_trait]
impl Render for Tellings {
    async fn render(
        &self,
        seqs: &[u64],
        format: EventFormat,
    ) -> Result<BTreeMap<u64, Telling>, StoreError> {
        let records = self.store.events_numbered(seqs).await?;
        Ok(match format {
            EventFormat::Standard => {
                let rendered = self.renderer.render(&records).await?.into_iter();
                rendered.map(|event| (event.seq, own(event))).collect()
            },
            EventFormat::BlockAtm => {
                let rendered = self.renderer.render_for_gateway(&records).await?;
                let rendered = rendered.into_iter();
                rendered.map(|event| (event.seq, foreign(event))).collect()
            },
            EventFormat::Epusdt => {
                let rendered = self.renderer.render_for_epusdt(&records).await?.into_iter();
                rendered.map(|event| (event.seq, foreign(event))).collect()
            },
        })
    }
}

fn own(event: RenderedEvent) -> Telling {
    Telling {
        id: event.id,
        kind: event.kind,
        order: event.order.map(|id| id.to_string()),
        body: event.json,
        signed_as: None,
        headers: HeaderMap::new(),
    }
}

fn foreign(event: ForeignEvent) -> Telling {
    let headers = event.headers.into_iter().map(|(name, value)| {
        let name = HeaderName::from_static(name);
        (name, HeaderValue::from_static(value))
    });
    Telling {
        id: event.id,
        kind: event.kind,
        order: event.order.map(|id| id.to_string()),
        body: event.json.into(),
        signed_as: event.signed_as.map(Into::into),
        headers: headers.collect(),
    }
}

/// Begins to deliver what happens.
///
/// # Errors
/// When the client for outgoing requests cannot be made, or the database fails.
pub(super) async fn begin(
    config: &Config,
    store: Store,
    renderer: EventRenderer,
    shutdown: CancellationToken,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let names = sinks::names(&config.chains);
    let carriers = sinks::keep(&store, &config.sinks, names)
        .await
        .context("the endpoints of buses and people cannot be kept")?;
    // The same again after a crash, so that the new process need not wait for the old one's lease.
    let name = super::name(config);
    if let Some(epusdt) = &config.epusdt {
        epusdt::keep(&store, epusdt)
            .await
            .context("the endpoint of epusdt's plugins cannot be kept")?;
    }
    let config = &config.webhooks;
    let poster = Poster::new(config.guard.clone(), &config.post)?;
    if config.callbacks {
        store
            .ensure_endpoint(&callbacks::endpoint()?)
            .await
            .context("the endpoint of orders' own URLs cannot be kept")?;
    }
    let render = Arc::new(Tellings {
        store: store.clone(),
        renderer,
    });
    let carrier = Arc::new(Webhooks::new(poster));
    let outbox = Outbox::new(store.clone(), render, carrier, Arc::new(WallClock), name)
        .with_settings(config.lanes.clone());
    let outbox = carriers.into_iter().fold(outbox, |outbox, (id, carrier)| {
        outbox.with_carrier(id, carrier)
    });
    let keep = config.keep;
    Ok(async move {
        let stop = shutdown.clone();
        tokio::join!(
            outbox.run(async move { stop.cancelled().await }),
            forget(store, keep, shutdown)
        );
    })
}

/// Forgets finished deliveries that are older than `keep`, now and then.
async fn forget(store: Store, keep: Duration, shutdown: CancellationToken) {
    let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
    loop {
        if let Err(error) = forget_once(&store, keep_ms).await {
            tracing::warn!(%error, "old deliveries are not forgotten; it is tried again later");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(FORGET_EVERY) => {},
        }
    }
}

async fn forget_once(store: &Store, keep_ms: i64) -> Result<(), StoreError> {
    let Some(before) = SystemClock.now().plus_ms(keep_ms.saturating_neg()) else {
        return Ok(());
    };
    for endpoint in store.endpoints().await? {
        while store.forget_deliveries(endpoint.id, before).await? {}
    }
    Ok(())
}
