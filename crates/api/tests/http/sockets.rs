//! The API over real sockets: slow, large and many clients cost little.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use paywatch_api::{Access, LimitSettings, ServeSettings, StreamSettings, serve};
use paywatch_core::{ChainEvent, ChainEventKind, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::{Api, chain_id, limits};

/// Longer than anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// An API that is served on a socket.
struct Served {
    api: Api,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

fn hasty() -> ServeSettings {
    ServeSettings {
        header_timeout: Duration::from_millis(300),
        write_timeout: Duration::from_millis(300),
        ..ServeSettings::default()
    }
}

impl Served {
    async fn start(settings: ServeSettings) -> Self {
        let access = Access {
            body_timeout: Duration::from_millis(300),
            ..Access::default()
        };
        let limits = LimitSettings {
            streams: StreamSettings {
                of_each: 1_000,
                of_all: 1_000,
            },
            ..limits(600, 10_000)
        };
        let api = Api::open().await.with(limits, access);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = api.router.clone();
        let server = tokio::spawn(serve(listener, router, settings, async move {
            let _told = stopped.await;
        }));
        Self {
            api,
            address,
            stop,
            server,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What a client is told that sends `bytes`, until the connection is closed, and how long that
    /// took.
    async fn told(&self, bytes: &[u8]) -> (String, Duration) {
        let begun = Instant::now();
        let mut client = self.connect().await;
        client.write_all(bytes).await.unwrap();
        let told = rest(&mut client).await;
        (told, begun.elapsed())
    }

    fn head(&self, first_line: &str) -> String {
        let key = self.api.authorization();
        format!("{first_line} HTTP/1.1\r\nhost: here\r\nauthorization: {key}\r\n")
    }
}

/// All that still comes.
async fn rest(client: &mut TcpStream) -> String {
    let mut told = Vec::new();
    let read = client.read_to_end(&mut told);
    // A server that closes with something unread resets the connection; what came before counts.
    let _reset = tokio::time::timeout(PATIENCE, read)
        .await
        .expect("it is cut off");
    String::from_utf8_lossy(&told).into_owned()
}

#[tokio::test]
async fn a_client_whose_headers_do_not_come_is_cut_off() {
    let served = Served::start(hasty()).await;
    let (told, took) = served.told(b"GET /v1/orders HTTP/1.1\r\nhost: he").await;
    assert!(told.is_empty() || told.contains(" 408 "), "{told}");
    assert!(took >= Duration::from_millis(250), "{took:?}");
    let (told, _) = served.told(b"").await;
    assert!(told.is_empty() || told.contains(" 408 "), "{told}");
    // One that sends a byte now and then fares no better.
    let mut client = served.connect().await;
    let begun = Instant::now();
    while client.write_all(b"x").await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it is cut off");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (told, _) = served
        .told(format!("{}\r\n", served.head("GET /v1/orders")).as_bytes())
        .await;
    assert!(
        told.starts_with("HTTP/1.1 200 "),
        "others are served: {told}"
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let served = Served::start(ServeSettings::default()).await;
    let head = served.head("POST /v1/orders");
    let slow = format!("{head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{{");
    let (told, took) = served.told(slow.as_bytes()).await;
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    assert!(told.contains("body_too_slow"), "{told}");
    assert!(took >= Duration::from_millis(250), "{took:?}");
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() {
    let one_place = ServeSettings {
        max_connections: 1,
        ..hasty()
    };
    let served = Served::start(one_place).await;
    let page = "/docs/swagger-ui-bundle.js";
    let whole = served.api.get(page).await.body.len();
    assert!(whole > 100_000, "{whole}");
    // More than all buffers between the two can hold.
    let asked = 200_usize;
    let mut client = served.connect().await;
    let request = format!("GET {page} HTTP/1.1\r\nhost: here\r\n\r\n").repeat(asked);
    client.write_all(request.as_bytes()).await.unwrap();
    // The only place is free again once it is cut off.
    let (next, _) = served
        .told(b"GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        .await;
    assert!(next.starts_with("HTTP/1.1 200 "), "{next}");
    let told = rest(&mut client).await.len();
    assert!(
        told < whole.saturating_mul(asked),
        "{told} of {asked} times {whole}"
    );
}

#[tokio::test]
async fn large_and_many_headers_are_refused() {
    let served = Served::start(hasty()).await;
    let head = served.head("GET /v1/orders");
    let large = format!("{head}x-large: {}\r\n\r\n", "a".repeat(20_000));
    let (told, _) = served.told(large.as_bytes()).await;
    assert!(told.starts_with("HTTP/1.1 431 "), "{told}");
    let many: String = (0..100)
        .map(|number| format!("x-{number}: 1\r\n"))
        .collect();
    let (told, _) = served.told(format!("{head}{many}\r\n").as_bytes()).await;
    assert!(told.starts_with("HTTP/1.1 431 "), "{told}");
}

#[tokio::test]
async fn more_connections_than_there_are_places_wait() {
    let settings = ServeSettings {
        max_connections: 1,
        header_timeout: Duration::from_millis(500),
        ..ServeSettings::default()
    };
    let served = Served::start(settings).await;
    let first = served.connect().await;
    let begun = Instant::now();
    let (told, _) = served
        .told(b"GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        .await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    let waited = begun.elapsed();
    assert!(
        waited >= Duration::from_millis(400),
        "until the first was cut off: {waited:?}"
    );
    drop(first);
}

#[tokio::test]
async fn a_server_that_is_stopped_answers_first() {
    let served = Served::start(ServeSettings::default()).await;
    let head = served.head("POST /v1/orders");
    let body = r#"{"reference": "LAST-1", "amount": "100"}"#;
    let mut client = served.connect().await;
    let begin = format!(
        "{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(begin.as_bytes()).await.unwrap();
    let idle = served.connect().await;
    // The first byte of the body is on its way while the server is told to stop.
    client.write_all(&body.as_bytes()[..1]).await.unwrap();
    while served.api.store.api_keys().await.unwrap()[0]
        .last_used_at
        .is_none()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    served.stop.send(()).unwrap();
    client.write_all(&body.as_bytes()[1..]).await.unwrap();
    let told = rest(&mut client).await;
    assert!(told.starts_with("HTTP/1.1 201 "), "{told}");
    drop(idle);
    tokio::time::timeout(PATIENCE, served.server)
        .await
        .unwrap()
        .unwrap();
    assert!(
        TcpStream::connect(served.address).await.is_err(),
        "nobody listens"
    );
    assert_eq!(served.api.references("").await, ["LAST-1"]);
}

/// A client of a stream, which has begun.
async fn follower(served: &Served) -> TcpStream {
    let mut client = served.connect().await;
    let head = served.head("GET /v1/events/stream");
    client
        .write_all(format!("{head}\r\n").as_bytes())
        .await
        .unwrap();
    until(&mut client, "retry: 2000").await;
    client
}

/// What comes until `word` has come.
async fn until(client: &mut TcpStream, word: &str) -> String {
    let mut told = Vec::new();
    while !String::from_utf8_lossy(&told).contains(word) {
        let read = tokio::time::timeout(PATIENCE, client.read_buf(&mut told));
        let count = read.await.expect("in time").unwrap();
        assert!(count > 0, "it ended: {}", String::from_utf8_lossy(&told));
    }
    String::from_utf8_lossy(&told).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_follow_and_a_server_that_is_stopped_lets_them_go() {
    let served = Served::start(ServeSettings {
        header_timeout: Duration::from_millis(300),
        max_connections: 2_000,
        ..ServeSettings::default()
    })
    .await;
    let mut followers = Vec::new();
    for _ in 0..1_000 {
        followers.push(follower(&served).await);
    }
    // Others are served beside them, and nobody is cut off for being quiet.
    let (told, _) = served
        .told(b"GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        .await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
    tokio::time::sleep(Duration::from_millis(400)).await;
    served.api.order("A").await;
    served.api.order("B").await;
    let told = followers.iter_mut().map(|client| until(client, "id: 2\n"));
    for told in futures::future::join_all(told).await {
        assert_eq!(told.matches("event: order.created").count(), 2, "{told}");
    }
    let begun = Instant::now();
    served.stop.send(()).unwrap();
    tokio::time::timeout(PATIENCE, served.server)
        .await
        .expect("it stops")
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "at once");
    let ends = followers.iter_mut().map(rest);
    for told in futures::future::join_all(ends).await {
        assert!(told.ends_with("0\r\n\r\n"), "a whole answer: {told}");
    }
}

#[tokio::test]
async fn a_follower_that_reads_nothing_is_cut_off() {
    let served = Served::start(hasty()).await;
    let mut client = follower(&served).await;
    assert_eq!(served.api.open_streams(), 1);
    let long = ChainEvent {
        chain_id: chain_id(31_337),
        kind: ChainEventKind::Stalled,
        detail: "x".repeat(60_000),
    };
    let begun = Instant::now();
    // More than all buffers between the two can hold.
    while served.api.open_streams() > 0 {
        let told = served.api.store.tell_of_chain(&long, Timestamp::EPOCH);
        told.await.unwrap();
        assert!(begun.elapsed() < PATIENCE, "it is cut off");
    }
    rest(&mut client).await;
}

#[tokio::test]
async fn the_peer_s_address_reaches_the_limits() {
    let served = Served::start(ServeSettings::default()).await;
    let api = served.api;
    let key = paywatch_store::KeyTerms {
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..paywatch_store::KeyTerms::unlimited()
    };
    let (key, _) = api.another_key(key).await;
    let request = format!(
        "GET /v1/orders HTTP/1.1\r\nhost: here\r\nauthorization: {key}\r\nconnection: close\r\n\r\n"
    );
    let mut client = TcpStream::connect(served.address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    let told = rest(&mut client).await;
    assert!(told.starts_with("HTTP/1.1 200 "), "{told}");
}
