//! Transport: one answer over HTTP, or a conversation over a WebSocket.

use std::pin::pin;

use alloy_primitives::Bytes;
use axum::body::Body;
use axum::extract::ws::{Message, WebSocket};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use crate::server::Served;
use crate::server::envelope::{Asked, Pieces};
use crate::server::manners::Trouble;

/// The id of every subscription: there is one for each connection.
const SUBSCRIPTION: &str = "0x1";

pub(super) async fn answer_http(served: &Served, body: &[u8]) -> Response {
    sleep(served.manners.latency()).await;
    let trouble = served.manners.next_trouble();
    match trouble {
        Some(Trouble::Status(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return (status, [("retry-after", "1")], "not now\n").into_response();
        },
        Some(Trouble::Silence) => std::future::pending().await,
        Some(Trouble::Closed) => return broken(Vec::new()),
        Some(Trouble::Truncated) | None => {},
    }
    let Some(asked) = Asked::read(body) else {
        return (StatusCode::BAD_REQUEST, "no JSON-RPC\n").into_response();
    };
    let pieces = asked.answer(served).await;
    if trouble == Some(Trouble::Truncated) {
        return half(&pieces).into_response();
    }
    let pieces = pieces
        .into_iter()
        .map(|piece| Ok::<_, std::io::Error>(piece.0));
    (
        [("content-type", "application/json")],
        Body::from_stream(stream::iter(pieces)),
    )
        .into_response()
}

/// The connection breaks after `pieces`.
fn broken(pieces: Pieces) -> Response {
    let pieces = pieces.into_iter().map(|piece| Ok(piece.0));
    let end = Err(std::io::Error::other("cut"));
    Body::from_stream(stream::iter(pieces.chain([end]).collect::<Vec<_>>())).into_response()
}

fn half(pieces: &Pieces) -> String {
    let whole = text(pieces);
    whole.chars().take(whole.len().div_euclid(2)).collect()
}

fn text(pieces: &[Bytes]) -> String {
    String::from_utf8_lossy(&pieces.concat()).into_owned()
}

/// Answers what is asked over `socket` and announces heads, until either side has enough.
pub(super) async fn talk(mut socket: WebSocket, served: Served) {
    let mut heads: Option<Receiver<Bytes>> = None;
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            head = next_head(&mut heads) => {
                let times = served.manners.announcing().times();
                for head in head.iter().cycle().take(times) {
                    if socket.send(announcement(head)).await.is_err() {
                        return;
                    }
                }
                continue;
            },
        };
        let question = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => return,
        };
        let Some(asked) = Asked::read(question.as_bytes()) else {
            return;
        };
        if let Some(id) = asked.only("eth_subscribe") {
            heads = served.node.new_heads();
            let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"{SUBSCRIPTION}"}}"#);
            if socket.send(Message::text(answer)).await.is_err() {
                return;
            }
            continue;
        }
        let mut latency = pin!(sleep(served.manners.latency()));
        latency.as_mut().await;
        let answer = match served.manners.next_trouble() {
            Some(Trouble::Closed | Trouble::Status(_)) => return,
            Some(Trouble::Silence) => continue,
            Some(Trouble::Truncated) => half(&asked.answer(&served).await),
            None => text(&asked.answer(&served).await),
        };
        if socket.send(Message::text(answer)).await.is_err() {
            return;
        }
    }
}

/// The next head; never, without a subscription.
async fn next_head(heads: &mut Option<Receiver<Bytes>>) -> Option<Bytes> {
    let Some(receiver) = heads else {
        return std::future::pending().await;
    };
    match receiver.recv().await {
        Ok(head) => Some(head),
        Err(RecvError::Lagged(_)) => None,
        Err(RecvError::Closed) => {
            *heads = None;
            None
        },
    }
}

fn announcement(head: &Bytes) -> Message {
    let head = String::from_utf8_lossy(head);
    Message::text(format!(
        r#"{{"jsonrpc":"2.0","method":"eth_subscription","params":{{"subscription":"{SUBSCRIPTION}","result":{head}}}}}"#
    ))
}
