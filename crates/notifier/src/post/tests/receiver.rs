//! A receiver on this machine that behaves as it is told, byte by byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How a receiver treats each request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Says {
    /// This, and it waits for the next.
    Answer(&'static str),
    /// This, and it hangs up.
    Close(&'static str),
    /// That it is well, after a while.
    AnswerAfter(Duration),
    /// Nothing, and it keeps the line.
    Nothing,
    /// This at once, whatever comes.
    Greets(&'static str),
    /// It hangs up in the middle of the request.
    Reset,
    /// A body that never ends.
    Endless,
    /// A head that never ends.
    EndlessHead,
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedReceiver<String>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn open(says: Says) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let (tell, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, says, tell.clone()));
            }
        });
        Self {
            port,
            connections,
            requests,
            task,
        }
    }

    /// One that speaks TLS, with a certificate for `name` that it gave itself.
    pub(crate) async fn open_tls(name: &str) -> Self {
        let signed = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let (_, requests) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                counter.fetch_add(1, Ordering::SeqCst);
                assert!(
                    acceptor.accept(stream).await.is_err(),
                    "nobody should trust it"
                );
            }
        });
        Self {
            port,
            connections,
            requests,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// The next request, as it came.
    pub(crate) async fn request(&mut self) -> String {
        self.requests.recv().await.unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Nobody listens there any more.
    pub(crate) async fn close(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

async fn serve(mut stream: TcpStream, says: Says, tell: mpsc::UnboundedSender<String>) {
    if matches!(says, Says::Reset) {
        // What was sent and not read makes the system reset the connection.
        let _first = stream.read_u8().await;
        return;
    }
    if let Says::Greets(text) = says {
        stream.write_all(text.as_bytes()).await.unwrap();
    }
    while let Some(request) = read_request(&mut stream).await {
        // A test need not look at them.
        let _unread = tell.send(request);
        let end = answer(&mut stream, says).await;
        if end.is_err() || matches!(says, Says::Close(_)) {
            return;
        }
    }
}

/// Whole requests of these tests end with their body `{"a":1}`.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"}") {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&read).into_owned())
}

async fn answer(stream: &mut TcpStream, says: Says) -> std::io::Result<()> {
    const WELL: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    match says {
        Says::Answer(text) | Says::Close(text) => stream.write_all(text.as_bytes()).await,
        Says::AnswerAfter(pause) => {
            tokio::time::sleep(pause).await;
            stream.write_all(WELL).await
        },
        Says::Nothing | Says::Greets(_) | Says::Reset => Ok(()),
        Says::Endless => {
            let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await?;
            let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        },
        Says::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream
                    .write_all(format!("X: {}\r\n", "x".repeat(0x1000)).as_bytes())
                    .await?;
            }
        },
    }
}
