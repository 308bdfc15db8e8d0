//! A merchant's service that receives webhooks, and checks them with the library that the makers of
//! Standard Webhooks publish.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use paywatch_tests::wait;

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The event's id, of the header.
    pub(super) id: String,
    /// What happened.
    pub(super) kind: String,
    /// The event.
    pub(super) body: Value,
    /// Which of the secrets that the receiver knows it is signed with, by their order.
    pub(super) signed_by: Vec<usize>,
    /// What it was answered with.
    pub(super) status: u16,
}

/// What the receiver knows, and what came.
struct Desk {
    secrets: Vec<Webhook>,
    status: StatusCode,
    told: Vec<Told>,
}

/// A service on this machine. It answers 204 until it is told otherwise.
pub(super) struct Receiver {
    port: u16,
    desk: Arc<Mutex<Desk>>,
    serving: JoinHandle<()>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("port", &self.port)
            .field("told", &self.told())
            .finish_non_exhaustive()
    }
}

impl Receiver {
    /// Starts it at a free port.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a free port can be listened on");
        let port = listener.local_addr().expect("it has an address").port();
        let desk = Arc::new(Mutex::new(Desk {
            secrets: Vec::new(),
            status: StatusCode::NO_CONTENT,
            told: Vec::new(),
        }));
        let router = Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&desk));
        let serving = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self {
            port,
            desk,
            serving,
        }
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks", self.port)
    }

    /// What the configuration has to say, so that it may be told.
    pub(super) fn section(&self, more: &str) -> String {
        let port = self.port;
        format!("[webhooks]\nallow_http = true\nallow = [\"127.0.0.1:{port}\"]\n{more}\n")
    }

    /// From now on it knows this secret as well.
    pub(super) fn knows(&self, secret: &str) {
        let secret = Webhook::new(secret).expect("the library takes it");
        self.desk().secrets.push(secret);
    }

    /// From now on it answers with this status.
    pub(super) fn answers(&self, status: u16) {
        self.desk().status = StatusCode::from_u16(status).expect("a status");
    }

    /// All that came, also what it refused.
    pub(super) fn told(&self) -> Vec<Told> {
        self.desk().told.clone()
    }

    /// Waits until what came is as `wanted`; returns it.
    pub(super) async fn hears(&self, what: &str, wanted: impl Fn(&[Told]) -> bool) -> Vec<Told> {
        wait::until(&format!("the receiver to hear {what}"), || async {
            let told = self.told();
            if wanted(&told) {
                Ok(told)
            } else {
                Err(format!("{told:?}"))
            }
        })
        .await
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        lock(&self.desk)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(
    State(desk): State<Arc<Mutex<Desk>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let mut desk = lock(&desk);
    let secrets = desk.secrets.iter().enumerate();
    let signed_by: Vec<usize> = secrets
        .filter(|(_, secret)| secret.verify(&body, &headers).is_ok())
        .map(|(number, _)| number)
        .collect();
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok());
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let status = desk.status;
    let told = Told {
        id: id.unwrap_or_default().to_owned(),
        kind: body["type"].as_str().unwrap_or_default().to_owned(),
        body,
        signed_by,
        status: status.as_u16(),
    };
    desk.told.push(told);
    let text = if status.is_success() {
        ""
    } else {
        "the till is jammed"
    };
    (status, text)
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
