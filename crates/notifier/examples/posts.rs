//! How many posts a second go out, to a receiver in the same process that answers at once:
//! `cargo run --release -p paywatch-notifier --example posts`
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use paywatch_notifier::{Guard, Message, PostOptions, Poster, Secret, SecretKind};
use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

const LANES: usize = 32;
const FOR: Duration = Duration::from_secs(5);
const BODY: &str = r#"{"id":"evt_0123456789abcdef0123456789abcdef","type":"order.paid","order":"ord_0190a6d2b3c47e5f8a9b0c1d2e3f4a5b","status":"paid","received":"12.5"}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(receive(stream));
        }
    });
    let guard = Guard::new()
        .with_http()
        .with_allowed([format!("127.0.0.1:{port}").parse()?]);
    let options = PostOptions {
        idle_per_host: LANES,
        ..PostOptions::default()
    };
    let poster = Poster::new(guard, &options)?;
    let url: Url = format!("http://127.0.0.1:{port}/hook").parse()?;
    for kind in [SecretKind::Shared, SecretKind::KeyPair] {
        let secret = Arc::new(Secret::generate(kind)?);
        let start = Instant::now();
        let mut lanes = JoinSet::new();
        for _ in 0..LANES {
            lanes.spawn(lane(poster.clone(), url.clone(), Arc::clone(&secret)));
        }
        let sent: u64 = lanes.join_all().await.into_iter().sum();
        let took = start.elapsed().as_millis();
        let rate = u128::from(sent).saturating_mul(1_000).checked_div(took);
        println!(
            "{kind:?}: {sent} posts in {took} ms, {} a second",
            rate.unwrap_or_default()
        );
    }
    Ok(())
}

/// Posts one after the other, each signed.
async fn lane(poster: Poster, url: Url, secret: Arc<Secret>) -> u64 {
    let start = Instant::now();
    let mut sent: u64 = 0;
    while start.elapsed() < FOR {
        let headers = signed(&secret).unwrap_or_default();
        let answer = poster.post(&url, headers, BODY).await;
        if answer.is_ok_and(|answer| answer.is_success()) {
            sent = sent.saturating_add(1);
        }
    }
    sent
}

fn signed(secret: &Secret) -> Result<HeaderMap, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let message = Message::new(
        "evt_0123456789abcdef0123456789abcdef",
        now.as_secs(),
        BODY.as_bytes(),
    )?;
    Ok(message.sign([secret]).headers()?)
}

/// Answers each request with a success and nothing more.
async fn receive(mut stream: TcpStream) {
    let mut read = Vec::with_capacity(4_096);
    loop {
        read.clear();
        while !read.ends_with(BODY.as_bytes()) {
            match stream.read_buf(&mut read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {},
            }
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}
