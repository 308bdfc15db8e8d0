//! Somebody who is told of events: he checks each signature, and does as he is told with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// So many whole bodies are kept, the first ones.
const BODIES: usize = 1_000;

/// What a receiver does with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It takes it.
    Takes,
    /// It answers with this status.
    Answers(u16),
    /// It says nothing, for as long as anybody waits.
    Hangs,
}

/// Something that arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The event's id.
    pub id: String,
    /// What happened.
    pub kind: String,
    /// The event's place in the log.
    pub sequence: u64,
    /// The order, and the event's place among the order's.
    pub order: Option<(String, u64)>,
    /// When it was told of, by the daemon's clock.
    pub told_at: String,
    /// When it arrived.
    pub at: SystemTime,
    /// How many signatures came with it.
    pub signatures: usize,
    /// All of it, of the first thousand.
    pub body: Bytes,
}

/// A server that is told of events.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receiver({})", self.address)
    }
}

struct Shared {
    webhook: Webhook,
    state: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    mood: Mood,
    taken: Vec<Arrival>,
    forged: usize,
}

#[derive(Deserialize)]
struct Body {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    sequence: u64,
    order_sequence: Option<u64>,
    timestamp: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    order: Option<OrderData>,
}

#[derive(Deserialize)]
struct OrderData {
    id: String,
}

impl Receiver {
    /// One that believes what `secret` (`whsec_…`) signs.
    ///
    /// # Panics
    /// When there is no port, or `secret` is none.
    pub async fn open(secret: &str) -> Self {
        let webhook = Webhook::new(secret).expect("a secret");
        let shared = Arc::new(Shared {
            webhook,
            state: Mutex::new(Log {
                mood: Mood::Takes,
                taken: Vec::new(),
                forged: 0,
            }),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let routes = Router::new()
            .route("/hook", post(receive))
            .with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            // It ends with the receiver.
            let _served = axum::serve(listener, routes).await;
        });
        Self {
            address,
            shared,
            task,
        }
    }

    /// Where it is, as a host and a port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it is told.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What it does from now on.
    pub fn is(&self, mood: Mood) {
        self.shared.log().mood = mood;
    }

    /// What it took, in the order in which it came.
    #[must_use]
    pub fn taken(&self) -> Vec<Arrival> {
        self.shared.log().taken.clone()
    }

    /// How much it took.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.log().taken.len()
    }

    /// How much came with a signature that is not right.
    #[must_use]
    pub fn forged(&self) -> usize {
        self.shared.log().forged
    }

    /// What it took, each event once and when it came first. Checks that what came again was the same,
    /// and that each order's events came in their order.
    ///
    /// # Panics
    /// When they did not.
    #[must_use]
    pub fn told(&self) -> Vec<Arrival> {
        let mut seen: BTreeMap<u64, String> = BTreeMap::new();
        let mut of_order: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        let mut told = Vec::new();
        for arrival in self.taken() {
            if let Some(id) = seen.get(&arrival.sequence) {
                assert_eq!(*id, arrival.id, "an event has two ids");
                continue;
            }
            seen.insert(arrival.sequence, arrival.id.clone());
            if let Some((order, place)) = &arrival.order {
                let places = of_order.entry(order.clone()).or_default();
                let last = places.last().copied().unwrap_or_default();
                assert!(last < *place, "{order}: {place} came after {last}");
                places.insert(*place);
            }
            told.push(arrival);
        }
        told
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mood = shared.log().mood;
    match mood {
        Mood::Takes => {},
        Mood::Answers(status) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
        },
        Mood::Hangs => std::future::pending().await,
    }
    let is_good = shared.webhook.verify(&body, &headers).is_ok();
    let read = serde_json::from_slice::<Body>(&body);
    let (true, Ok(read)) = (is_good, read) else {
        shared.log().forged += 1;
        return StatusCode::BAD_REQUEST;
    };
    let signatures = headers
        .get("webhook-signature")
        .and_then(|value| value.to_str().ok())
        .map_or(0, |value| value.split(' ').count());
    let order = read.data.order.map(|order| order.id);
    let mut arrival = Arrival {
        id: read.id,
        kind: read.kind,
        sequence: read.sequence,
        order: order.zip(read.order_sequence),
        told_at: read.timestamp,
        at: SystemTime::now(),
        signatures,
        body,
    };
    let mut log = shared.log();
    if log.taken.len() >= BODIES {
        arrival.body = Bytes::new();
    }
    log.taken.push(arrival);
    StatusCode::NO_CONTENT
}
