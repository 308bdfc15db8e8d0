//! Serves the API over TCP, with limits on what a connection may cost.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::events::channel::{Stop, Stopping};

/// How long to wait when no connection can be accepted, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection may cost.
#[derive(Clone, Copy, Debug)]
pub struct ServeSettings {
    /// Connections at the same time; more wait until one ends.
    pub max_connections: usize,
    /// How long the headers of a request may take, from the end of the answer before.
    pub header_timeout: Duration,
    /// How long a client may read nothing of its answer.
    pub write_timeout: Duration,
    /// Bytes of the headers of a request, its first line included.
    pub max_header_bytes: usize,
    /// Headers of a request.
    pub max_headers: usize,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            max_connections: 2_048,
            header_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(30),
            max_header_bytes: 16 * 1_024,
            max_headers: 64,
        }
    }
}

/// Serves `router` on `listener` until `shutdown`, and then until every request is answered.
/// Streams, whose answers have no end of their own, end then.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    settings: ServeSettings,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(settings.max_connections));
    let graceful = GracefulShutdown::new();
    let stop = Stop::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = accept(&listener, &places);
        let (stream, peer, place) = tokio::select! {
            () = &mut shutdown => break,
            accepted = next => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = %error, "a connection cannot be accepted");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                },
            },
        };
        let from = (peer, stop.stopping());
        let connection = connection(stream, from, router.clone(), settings, graceful.watcher());
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    stop.now();
    graceful.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

/// Answers the requests of one connection.
async fn connection(
    stream: TcpStream,
    (peer, stopping): (SocketAddr, Stopping),
    router: Router,
    settings: ServeSettings,
    watcher: Watcher,
) {
    // Answers are small, and whole.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(error = %error, "a connection sends late");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(settings.write_timeout));
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(stopping.clone());
        router.clone().oneshot(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_headers(settings.max_headers)
        .max_header_size(settings.max_header_bytes)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!(client.address = %peer, error = %error, "a connection broke");
    }
}
