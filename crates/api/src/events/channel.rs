//! The body of an answer that goes on: messages of Server-Sent Events, until there is a reason to
//! end.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{Extensions, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use http_body::Frame;
use tokio::sync::{mpsc, watch};

use crate::limits::streams::Place;

/// How many messages wait for a client that reads slowly.
const WAITING: usize = 64;
/// A proxy is not to collect messages before it passes them on.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");
/// Says after how many milliseconds a client whose stream has ended is to come back.
const RETRY: &str = "retry: 2000\n";

/// Tells when the server stops. Requests that come in by a socket have it.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

/// Ends all streams when it is told to.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Stop {
    /// A server that goes on.
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn stopping(&self) -> Stopping {
        Stopping(self.0.subscribe())
    }

    /// Lets all streams end.
    pub(crate) fn now(&self) {
        self.0.send_replace(true);
    }
}

/// Waits until the server of a request with these `extensions` stops.
pub(crate) fn stopped(extensions: &Extensions) -> impl Future<Output = ()> + Send + 'static {
    let stopping = extensions.get::<Stopping>().cloned();
    async move {
        match stopping {
            Some(Stopping(mut stopping)) => {
                // A server that is gone has stopped.
                let _gone = stopping.wait_for(|is_stopping| *is_stopping).await;
            },
            None => std::future::pending().await,
        }
    }
}

/// The messages of a stream, as they come.
struct Frames(mpsc::Receiver<Bytes>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.poll_recv(context);
        next.map(|frame| frame.map(|frame| Ok(Frame::data(frame))))
    }
}

/// What a client remembers that has come to `place` in the log, whether it was told of it or not.
pub(crate) fn mark(place: u64) -> String {
    format!("id: {place}\n")
}

/// An answer that begins with `first` and goes on until `over`, or until what `tell` makes has ended.
/// It takes up `place` for as long.
pub(crate) fn stream<T>(
    (place, first): (Place, &str),
    over: impl Future<Output = ()> + Send + 'static,
    tell: impl FnOnce(mpsc::Sender<Bytes>) -> T,
) -> Response
where
    T: Future<Output = ()> + Send + 'static,
{
    let (to, frames) = mpsc::channel(WAITING);
    // There is room.
    let _sent = to.try_send(format!("{RETRY}{first}\n").into());
    let is_left = to.clone();
    let told = tell(to);
    tokio::spawn(async move {
        tokio::select! {
            () = told => {},
            () = over => {},
            () = is_left.closed() => {},
        }
        drop(place);
    });
    let header = |name, value| (name, HeaderValue::from_static(value));
    let headers = [
        header(CONTENT_TYPE, "text/event-stream"),
        header(CACHE_CONTROL, "no-store"),
        header(UNBUFFERED, "no"),
    ];
    (headers, Body::new(Frames(frames))).into_response()
}
