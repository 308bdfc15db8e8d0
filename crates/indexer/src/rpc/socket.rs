//! JSON-RPC over a WebSocket that is kept connected in the background, and its subscription to new
//! heads. Items of a subscription get lost: they are hints, and polling is the truth.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::keccak256;
use backon::{BackoffBuilder, ExponentialBuilder};
use futures::{SinkExt, StreamExt};
use paywatch_proof::header_rlp;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WsError, Message as Frame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use crate::rpc::endpoint::Endpoint;
use crate::rpc::envelope::{Message, message};
use crate::rpc::failure::FailureKind;
use crate::rpc::heads::Heads;
use crate::rpc::wire::WireHeader;

const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A connection that held so long was a good one: its loss begins a new spell.
const GOOD_AFTER: Duration = Duration::from_secs(60);
/// How often the other side is asked for a sign of life.
const PING: Duration = Duration::from_secs(15);
/// Without any for so long, the connection is taken for dead.
const DEAD_AFTER: Duration = Duration::from_secs(40);
/// How much of one message is read.
const LONGEST_MESSAGE: usize = 64 * 1024 * 1024;
/// How many questions may wait to be sent.
const QUEUE: usize = 64;
/// The number of the question that subscribes; all others are numbered from 1.
const SUBSCRIBE: &str =
    r#"{"jsonrpc":"2.0","id":0,"method":"eth_subscribe","params":["newHeads"]}"#;

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Reply = oneshot::Sender<Result<String, FailureKind>>;

/// A question on its way.
struct Outgoing {
    first_id: u64,
    count: u64,
    text: String,
    reply: Reply,
}

/// A connection that lives until this is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    outgoing: mpsc::Sender<Outgoing>,
    heads: Arc<Heads>,
    endpoint: Endpoint,
    limit: Duration,
    task: JoinHandle<()>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({}, {})", self.first_id, self.count)
    }
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("it could not be connected to in time")]
    TooSlow,
    #[error("the connection failed")]
    Failed(#[source] WsError),
    #[error("the other side closed it")]
    Closed,
    #[error("it gave no sign of life")]
    Dead,
    #[error("it announced nothing although there were new blocks")]
    Silent,
    #[error("it refused to announce new blocks: {0}")]
    Refused(String),
}

impl Socket {
    /// Connects, and connects again, in the background. Needs a runtime.
    pub(super) fn open(url: Url, limit: Duration) -> Self {
        let heads = Arc::new(Heads::default());
        let (outgoing, incoming) = mpsc::channel(QUEUE);
        let endpoint = Endpoint::new(&url);
        let keeper = Keeper {
            url,
            limit,
            endpoint: endpoint.clone(),
            heads: Arc::clone(&heads),
            incoming,
            waiting: HashMap::new(),
        };
        Self {
            outgoing,
            heads,
            endpoint,
            limit,
            task: tokio::spawn(keeper.run()),
        }
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn heads(&self) -> &Heads {
        &self.heads
    }

    /// Sends `text`, which asks `count` questions numbered from `first_id`, and returns the answer.
    pub(super) async fn exchange(
        &self,
        text: String,
        first_id: u64,
        count: u64,
    ) -> Result<String, FailureKind> {
        let (reply, answer) = oneshot::channel();
        let question = Outgoing {
            first_id,
            count,
            text,
            reply,
        };
        let exchange = async {
            let gone = || FailureKind::Transport {
                cause: "the connection is not open".into(),
                timed_out: false,
            };
            if self.outgoing.send(question).await.is_err() {
                return Err(gone());
            }
            answer.await.unwrap_or_else(|_dropped| Err(gone()))
        };
        match timeout(self.limit, exchange).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(FailureKind::Transport {
                cause: elapsed.into(),
                timed_out: true,
            }),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps the connection.
struct Keeper {
    url: Url,
    limit: Duration,
    endpoint: Endpoint,
    heads: Arc<Heads>,
    incoming: mpsc::Receiver<Outgoing>,
    /// Who waits for the answer that holds one of these numbers.
    waiting: HashMap<u64, (u64, Reply)>,
}

impl Keeper {
    async fn run(mut self) {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(SHORTEST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .without_max_times();
        let mut backoff = pauses.build();
        let mut is_told = false;
        loop {
            let began = Instant::now();
            let lost = match self.connect().await {
                Ok(stream) => {
                    if is_told {
                        tracing::info!(endpoint = %self.endpoint, "new blocks are announced again");
                    }
                    is_told = false;
                    self.serve(stream).await
                },
                Err(lost) => lost,
            };
            self.heads.lost();
            self.waiting.clear();
            if began.elapsed() >= GOOD_AFTER {
                backoff = pauses.build();
            }
            let cause = self.endpoint.scrub(&describe(&lost));
            if is_told {
                tracing::debug!(endpoint = %self.endpoint, cause, "still not connected");
            } else {
                tracing::warn!(endpoint = %self.endpoint, cause, "new blocks are not announced; polling for them, and connecting again");
                is_told = true;
            }
            let pause = sleep(backoff.next().unwrap_or(LONGEST_PAUSE));
            self.refuse_until(pause).await;
        }
    }

    /// While there is no connection, whoever asks is told so at once.
    async fn refuse_until(&mut self, pause: impl Future<Output = ()>) {
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return,
                question = self.incoming.recv() => match question {
                    Some(question) => drop(question.reply),
                    None => return,
                },
            }
        }
    }

    async fn connect(&self) -> Result<Stream, Lost> {
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST_MESSAGE))
            .max_frame_size(Some(LONGEST_MESSAGE));
        let connect = connect_async_with_config(self.url.as_str(), Some(config), true);
        let (mut stream, _) = match timeout(self.limit, connect).await {
            Ok(outcome) => outcome.map_err(Lost::Failed)?,
            Err(_) => return Err(Lost::TooSlow),
        };
        stream
            .send(Frame::text(SUBSCRIBE))
            .await
            .map_err(Lost::Failed)?;
        Ok(stream)
    }

    /// Passes questions and answers until the connection is lost.
    async fn serve(&mut self, mut stream: Stream) -> Lost {
        let heads = Arc::clone(&self.heads);
        let first = Instant::now()
            .checked_add(PING)
            .unwrap_or_else(Instant::now);
        let mut ping = interval_at(first, PING);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                question = self.incoming.recv() => {
                    let Some(question) = question else {
                        return Lost::Closed;
                    };
                    let text = Frame::text(question.text);
                    self.waiting.insert(question.first_id, (question.count, question.reply));
                    if let Err(error) = stream.send(text).await {
                        return Lost::Failed(error);
                    }
                },
                frame = stream.next() => {
                    heard = Instant::now();
                    match frame {
                        None => return Lost::Closed,
                        Some(Err(error)) => return Lost::Failed(error),
                        Some(Ok(Frame::Text(text))) => {
                            if let Err(lost) = self.take(text.as_str()) {
                                return lost;
                            }
                        },
                        Some(Ok(Frame::Close(_))) => return Lost::Closed,
                        Some(Ok(Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_))) => {},
                    }
                },
                _ = ping.tick() => {
                    self.waiting.retain(|_, (_, reply)| !reply.is_closed());
                    if heard.elapsed() > DEAD_AFTER {
                        return Lost::Dead;
                    }
                    if let Err(error) = stream.send(Frame::Ping(Vec::new().into())).await {
                        return Lost::Failed(error);
                    }
                },
                () = heads.mistrusted() => return Lost::Silent,
            }
        }
    }

    /// Gives a message to whom it belongs.
    fn take(&mut self, text: &str) -> Result<(), Lost> {
        match message(text) {
            Ok(Message::Answer(0)) => self.subscribed(text),
            Ok(Message::Answer(id)) => {
                let asked = self
                    .waiting
                    .iter()
                    .find(|(first, (count, _))| {
                        (**first..first.saturating_add(*count)).contains(&id)
                    })
                    .map(|(first, _)| *first);
                if let Some((_, reply)) = asked.and_then(|first| self.waiting.remove(&first)) {
                    // Whoever asked may have given up.
                    let _sent = reply.send(Ok(text.to_owned()));
                }
                Ok(())
            },
            Ok(Message::Announcement(raw)) => {
                match serde_json::from_str::<WireHeader>(raw.get()).map(|wire| wire.to_header()) {
                    Ok(Ok(header)) => {
                        let rlp = header_rlp(raw.get()).ok();
                        let rlp = rlp.filter(|rlp| keccak256(rlp) == header.block.hash);
                        self.heads.announce(header, rlp);
                    },
                    Ok(Err(_)) | Err(_) => {
                        tracing::debug!(endpoint = %self.endpoint, "an announced block cannot be read");
                        self.heads.subscribed();
                    },
                }
                Ok(())
            },
            Ok(Message::Other) => Ok(()),
            Err(error) => {
                tracing::debug!(endpoint = %self.endpoint, %error, "a message cannot be read");
                Ok(())
            },
        }
    }

    fn subscribed(&self, text: &str) -> Result<(), Lost> {
        match crate::rpc::envelope::answers(text, 0, 1, &self.endpoint).as_deref() {
            Ok([Ok(_)]) => {
                self.heads.subscribed();
                Ok(())
            },
            Ok([Err(refused), ..]) | Err(refused) => Err(Lost::Refused(refused.to_string())),
            Ok([..]) => Err(Lost::Refused("no answer".to_owned())),
        }
    }
}

fn describe(lost: &Lost) -> String {
    match lost {
        Lost::Failed(cause) => format!("{lost}: {cause}"),
        Lost::TooSlow | Lost::Closed | Lost::Dead | Lost::Silent | Lost::Refused(_) => {
            lost.to_string()
        },
    }
}
