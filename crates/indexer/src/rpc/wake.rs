//! A subscription to new heads, as a hint that it is worth asking. Polling is the truth.

use std::sync::Arc;
use std::time::Duration;

use alloy::pubsub::RawSubscription;
use alloy::rpc::client::RpcClient;
use alloy::transports::ws::WsConnect;
use alloy::transports::{TransportError, TransportErrorKind};
use alloy_primitives::B256;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use crate::rpc::endpoint::Endpoint;

const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A subscription that held so long was a good one: its loss begins a new spell.
const GOOD_AFTER: Duration = Duration::from_secs(60);

/// A subscription that is kept alive in the background until this is dropped.
#[derive(Debug)]
pub(super) struct Wake {
    news: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Wake {
    pub(super) fn listen(url: Url, limit: Duration) -> Self {
        let news = Arc::new(Notify::new());
        let task = tokio::spawn(keep_listening(url, limit, Arc::clone(&news)));
        Self { news, task }
    }

    /// Resolves when there was news since it last did.
    pub(super) async fn woken(&self) {
        self.news.notified().await;
    }
}

impl Drop for Wake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep_listening(url: Url, limit: Duration, news: Arc<Notify>) {
    let endpoint = Endpoint::new(&url);
    let pauses = ExponentialBuilder::default()
        .with_min_delay(SHORTEST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_jitter()
        .without_max_times();
    let mut backoff = pauses.build();
    let mut is_told = false;
    loop {
        let began = Instant::now();
        let cause = match subscribe(&url, limit).await {
            Ok((_client, heads)) => {
                if is_told {
                    tracing::info!(%endpoint, "new blocks are announced again");
                }
                is_told = false;
                pass_on(heads, &news).await;
                "the subscription ended".to_owned()
            },
            Err(error) => endpoint.scrub(&error.to_string()),
        };
        if began.elapsed() >= GOOD_AFTER {
            backoff = pauses.build();
        }
        if is_told {
            tracing::debug!(%endpoint, cause, "still no announcements of new blocks");
        } else {
            tracing::warn!(%endpoint, cause, "new blocks are not announced; polling for them, and connecting again");
            is_told = true;
        }
        sleep(backoff.next().unwrap_or(LONGEST_PAUSE)).await;
    }
}

/// The client must live as long as its subscription.
async fn subscribe(
    url: &Url,
    limit: Duration,
) -> Result<(RpcClient, RawSubscription), TransportError> {
    let attempt = async {
        let connect = WsConnect::new(url.as_str()).with_max_retries(1);
        let client = RpcClient::connect_pubsub(connect).await?;
        let mut call = client.request::<_, B256>("eth_subscribe", ("newHeads",));
        call.set_is_subscription();
        let id = call.await?;
        let frontend = client
            .pubsub_frontend()
            .ok_or_else(TransportErrorKind::pubsub_unavailable)?;
        let heads = frontend.get_subscription(id).await?;
        Ok((client, heads))
    };
    match timeout(limit, attempt).await {
        Ok(outcome) => outcome,
        Err(elapsed) => Err(TransportErrorKind::custom(elapsed)),
    }
}

async fn pass_on(mut heads: RawSubscription, news: &Notify) {
    // Whatever came while nobody listened is news, too.
    news.notify_one();
    loop {
        match heads.recv().await {
            Ok(_) | Err(RecvError::Lagged(_)) => news.notify_one(),
            Err(RecvError::Closed) => return,
        }
    }
}
