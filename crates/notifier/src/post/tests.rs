//! Receivers that are well, slow, hostile, or not the ones they seem to be.

pub(crate) mod receiver;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::post::tests::receiver::{Receiver, Says};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NEXT_DOOR: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Answers each question with the next list, and the last one for ever.
#[derive(Debug)]
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

impl Scripted {
    fn new(answers: &[&[IpAddr]]) -> Arc<Self> {
        let answers = answers.iter().map(|answer| answer.to_vec()).collect();
        Arc::new(Self(Mutex::new(answers)))
    }
}

#[async_trait]
impl Lookup for Scripted {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        assert!(host.ends_with(".example"), "{host} is asked for");
        let mut answers = self.0.lock().unwrap();
        if answers.len() > 1 {
            return Ok(answers.pop_front().unwrap());
        }
        answers
            .front()
            .cloned()
            .ok_or_else(|| io::Error::other("nobody knows"))
    }
}

/// Never answers.
#[derive(Debug)]
struct Silent;

#[async_trait]
impl Lookup for Silent {
    async fn lookup(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

fn quick() -> PostOptions {
    PostOptions {
        connect_within: Duration::from_millis(600),
        answer_within: Duration::from_millis(900),
        ..PostOptions::default()
    }
}

/// What may ask the receivers of these tests, and beside them public addresses only.
fn guard(receiver: &Receiver, allowed: &[&str]) -> Guard {
    Guard::new()
        .with_http()
        .with_ports([receiver.port])
        .with_allowed(allowed.iter().map(|text| text.parse().unwrap()))
}

fn poster(receiver: &Receiver) -> Poster {
    Poster::new(guard(receiver, &["127.0.0.1"]), &quick()).unwrap()
}

async fn post(poster: &Poster, url: &str) -> Result<Answer, PostFailure> {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", "evt_1".parse().unwrap());
    poster
        .post(&url.parse().unwrap(), headers, "{\"a\":1}")
        .await
}

#[tokio::test]
async fn an_answer_is_told_and_its_connection_used_again() {
    let mut receiver = Receiver::open(Says::Answer(
        "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nlater",
    ))
    .await;
    let poster = poster(&receiver);
    for _ in 0..5 {
        let answer = post(&poster, &receiver.url()).await.unwrap();
        assert_eq!((answer.status, answer.excerpt.as_str()), (503, "later"));
        assert_eq!(answer.retry_after, Some(Duration::from_secs(7)));
        assert!(!answer.is_success());
        let request = receiver.request().await.to_lowercase();
        assert!(request.starts_with("post /hook http/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nwebhook-id: evt_1\r\n"), "{request}");
        assert!(request.contains("\r\nuser-agent: paywatch/"), "{request}");
        assert!(request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
        assert!(!request.contains("cookie"), "{request}");
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn who_is_slow_is_waited_for_and_who_is_silent_is_not() {
    let receiver = Receiver::open(Says::AnswerAfter(Duration::from_millis(200))).await;
    let answer = post(&poster(&receiver), &receiver.url()).await.unwrap();
    assert!(
        answer.is_success() && answer.took >= Duration::from_millis(190),
        "{answer:?}"
    );

    let receiver = Receiver::open(Says::Nothing).await;
    let failure = post(&poster(&receiver), &receiver.url()).await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::TimedOut, "{failure}");
    assert!(failure.text.starts_with("no answer after"), "{failure}");
    assert!(failure.took < Duration::from_secs(10), "{failure:?}");
}

#[tokio::test]
async fn the_status_counts_however_the_body_ends() {
    // A body without end: cut off at once.
    let receiver = Receiver::open(Says::Endless).await;
    let answer = post(&poster(&receiver), &receiver.url()).await.unwrap();
    assert_eq!((answer.status, answer.excerpt), (200, "x".repeat(1_024)));

    // A body that stops in the middle, and one that is never sent.
    for says in [
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\nbegun",
        "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbegun",
    ] {
        let receiver = Receiver::open(Says::Answer(says)).await;
        let answer = post(&poster(&receiver), &receiver.url()).await.unwrap();
        assert_eq!((answer.status, answer.excerpt.as_str()), (200, "begun"));
        assert!(answer.took < Duration::from_secs(10), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    let endless_head = Says::EndlessHead;
    for (says, kind) in [
        (Says::Reset, PostFailureKind::Reset),
        (
            Says::Answer("HTTP/1.1 200 OK\r\nContent-Le"),
            PostFailureKind::TimedOut,
        ),
        (
            Says::Close("HTTP/1.1 200 OK\r\nContent-Le"),
            PostFailureKind::Reset,
        ),
        (
            Says::Close("SSH-2.0-OpenSSH_9.2\r\n"),
            PostFailureKind::Unreadable,
        ),
        (endless_head, PostFailureKind::Unreadable),
    ] {
        let receiver = Receiver::open(says).await;
        let failure = post(&poster(&receiver), &receiver.url()).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{says:?}: {failure}");
        assert!(!failure.text.contains("hook"), "no URL: {failure}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let receiver = Receiver::open_tls("shop.example").await;
    let url = format!("https://shop.example:{}/hook", receiver.port);
    let guard = guard(&receiver, &["127.0.0.1/32"]);
    let poster = Poster::with_lookup(guard, &quick(), Scripted::new(&[&[HERE]])).unwrap();
    let failure = post(&poster, &url).await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::Tls, "{failure}");
    assert!(failure.text.contains("certificate"), "{failure}");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn where_nobody_listens_or_speaks_tls_nothing_is_sent() {
    let receiver = Receiver::open(Says::Greets("220 mail.example ESMTP\r\n")).await;
    let poster = poster(&receiver);
    let url = receiver.url().replace("http://", "https://");
    let failure = post(&poster, &url).await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::Tls, "{failure}");

    let url = receiver.url();
    receiver.close().await;
    let failure = post(&poster, &url).await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::Connect, "{failure}");
}

#[tokio::test]
async fn who_points_elsewhere_is_not_followed() {
    let mut receiver = Receiver::open(Says::Answer(
        "HTTP/1.1 307 Elsewhere\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n",
    ))
    .await;
    let failure = post(&poster(&receiver), &receiver.url()).await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::Redirected);
    assert!(
        failure.text.contains("307") && failure.text.contains("169.254.169.254"),
        "{failure}"
    );
    receiver.request().await;
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn an_address_in_the_url_is_checked_at_each_post() {
    let receiver =
        Receiver::open(Says::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let poster = Poster::new(guard(&receiver, &[]), &quick()).unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
    ] {
        let url = format!("http://{host}:{}/hook", receiver.port);
        let failure = post(&poster, &url).await.unwrap_err();
        assert_eq!(failure.kind, PostFailureKind::Refused, "{host}: {failure}");
    }
    assert_eq!(receiver.connections(), 0);
}

/// The name of a stranger leads to this machine: in all of its answers, or after the first one.
#[tokio::test]
async fn a_name_that_leads_inside_is_not_asked() {
    let closes = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let receiver = Receiver::open(Says::Close(closes)).await;
    let url = format!("http://shop.example:{}/hook", receiver.port);
    let inside = Scripted::new(&[&[HERE, NEXT_DOOR]]);
    let poster = Poster::with_lookup(guard(&receiver, &[]), &quick(), inside).unwrap();
    let failure = post(&poster, &url).await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::Refused, "{failure}");
    assert!(
        failure.text.contains("shop.example is 127.0.0.1, which is"),
        "{failure}"
    );

    // The address where the receiver is stands for a public one here, and another for what is inside.
    let rebound = Scripted::new(&[&[NEXT_DOOR, HERE], &[NEXT_DOOR]]);
    let guard = guard(&receiver, &["127.0.0.1/32"]);
    let poster = Poster::with_lookup(guard, &quick(), rebound).unwrap();
    assert!(post(&poster, &url).await.unwrap().is_success());
    let failure = post(&poster, &url).await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::Refused, "{failure}");
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_told() {
    let receiver = Receiver::open(Says::Nothing).await;
    let url = format!("http://shop.example:{}/hook", receiver.port);
    let failure_with = async |lookup: Arc<dyn Lookup>| {
        let poster = Poster::with_lookup(guard(&receiver, &[]), &quick(), lookup).unwrap();
        post(&poster, &url).await.unwrap_err()
    };
    let failure = failure_with(Scripted::new(&[])).await;
    assert_eq!(failure.kind, PostFailureKind::Resolve, "{failure}");
    assert!(
        failure
            .text
            .contains("shop.example was not found: nobody knows"),
        "{failure}"
    );
    let failure = failure_with(Scripted::new(&[&[]])).await;
    assert_eq!(failure.kind, PostFailureKind::Resolve, "{failure}");
    let failure = failure_with(Arc::new(Silent)).await;
    assert_eq!(failure.kind, PostFailureKind::TimedOut, "{failure}");
    assert!(failure.text.starts_with("no connection after"), "{failure}");
}

/// All goes to the proxy, which decides where names lead; addresses in a URL are still looked at.
#[tokio::test]
async fn a_proxy_gets_what_would_go_out() {
    let mut proxy =
        Receiver::open(Says::Answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")).await;
    let options = PostOptions {
        proxy: Some(
            format!("http://me:secret@proxy.example:{}", proxy.port)
                .parse()
                .unwrap(),
        ),
        ..quick()
    };
    let poster = Poster::with_lookup(
        Guard::new().with_http(),
        &options,
        Scripted::new(&[&[HERE]]),
    )
    .unwrap();
    assert!(
        post(&poster, "http://shop.example/hook")
            .await
            .unwrap()
            .is_success()
    );
    let request = proxy.request().await;
    assert!(
        request.starts_with("POST http://shop.example/hook HTTP/1.1"),
        "{request}"
    );
    let failure = post(&poster, "http://10.0.0.7/hook").await.unwrap_err();
    assert_eq!(failure.kind, PostFailureKind::Refused, "{failure}");
}
