//! Events on a real NATS server: in order, once, and through its restarts.
#![cfg(feature = "nats")]
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skipped"
)]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, consumer, stream};
use futures::StreamExt as _;
use paywatch_notifier::{Nats, NatsLogin, NatsOptions, Outgoing, Sink as _, SinkFailureKind};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// How long a server may take to start.
const LIMIT: Duration = Duration::from_secs(30);

/// Debian's `nats-server`, if it is installed.
fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = folders
        .map(|folder| folder.join("nats-server"))
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no nats-server (Debian: apt-get install nats-server)");
    }
    found
}

/// A server with JetStream, on a port that is its own for as long as the test lasts.
struct Server {
    child: Child,
    folder: TempDir,
    program: PathBuf,
    port: u16,
    login: &'static [&'static str],
}

impl Server {
    async fn start(program: PathBuf, login: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (child, port) = run(&program, folder.path(), "-1", login).await;
        Self {
            child,
            folder,
            program,
            port,
            login,
        }
    }

    fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    async fn stop(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// With what it had stored.
    async fn start_again(&mut self) {
        let port = self.port.to_string();
        (self.child, _) = run(&self.program, self.folder.path(), &port, self.login).await;
    }

    fn sink(&self, stream: Option<&str>, login: NatsLogin) -> Nats {
        Nats::new(NatsOptions {
            servers: vec![self.url()],
            subject: "paywatch".to_owned(),
            stream: stream.map(str::to_owned),
            login,
            within: Duration::from_secs(2),
        })
    }
}

/// Starts the server and waits for the file in which it writes its ports.
async fn run(program: &Path, folder: &Path, port: &str, login: &[&str]) -> (Child, u16) {
    let child = Command::new(program)
        .args([
            "--jetstream",
            "--addr",
            "127.0.0.1",
            "--port",
            port,
            "--store_dir",
        ])
        .arg(folder.join("store"))
        .arg("--ports_file_dir")
        .arg(folder)
        .args(login)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("nats-server can be started");
    let id = child.id().expect("it runs");
    let ports = folder.join(format!("nats-server_{id}.ports"));
    let start = Instant::now();
    loop {
        let said = std::fs::read_to_string(&ports).unwrap_or_default();
        let number = said
            .rsplit(':')
            .next()
            .map(|rest| rest.trim_matches(|c: char| !c.is_ascii_digit()));
        if let Some(port) = number.and_then(|number| number.parse().ok()) {
            return (child, port);
        }
        assert!(
            start.elapsed() < LIMIT,
            "nats-server does not start: {said}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn event(number: usize, kind: &str, key: &str) -> Outgoing {
    Outgoing {
        id: format!("evt_{number}"),
        kind: kind.to_owned(),
        key: key.to_owned(),
        body: format!("{{\"number\":{number}}}").into(),
        ..Outgoing::default()
    }
}

fn events(numbers: std::ops::Range<usize>) -> Vec<Outgoing> {
    numbers
        .map(|number| event(number, "order.paid", "ord_1"))
        .collect()
}

/// Subject, id and body of everything that the stream holds.
async fn stored(server: &Server) -> Vec<(String, String, String)> {
    let client = async_nats::connect(server.url())
        .await
        .expect("the server is there");
    let stream = jetstream::new(client)
        .get_stream("EVENTS")
        .await
        .expect("it was made");
    let count = stream.get_info().await.expect("it tells").state.messages;
    let consumer = stream
        .create_consumer(consumer::pull::OrderedConfig::default())
        .await
        .expect("it can be read");
    let messages = consumer.messages().await.expect("it can be read");
    let count = usize::try_from(count).expect("it fits");
    let messages = messages.take(count).map(|message| {
        let message = message.expect("a message");
        let headers = message.headers.as_ref().expect("headers");
        let id = headers.get("Nats-Msg-Id").expect("an id").to_string();
        let body = String::from_utf8(message.payload.to_vec()).expect("text");
        (message.subject.to_string(), id, body)
    });
    messages.collect().await
}

#[tokio::test]
async fn events_are_stored_once_in_order_and_through_restarts() {
    let Some(program) = program() else { return };
    let mut server = Server::start(program, &[]).await;
    let sink = server.sink(Some("EVENTS"), NatsLogin::Nobody);
    sink.publish(&events(0..20)).await.expect("they are stored");
    let strange = [event(20, "chain.endpoints_disagree", "a b.c>")];
    sink.publish(&strange).await.expect("any key will do");
    // An attempt whose acknowledgement was lost is made again.
    sink.publish(&events(10..20)).await.expect("they are known");

    server.stop().await;
    let failure = sink
        .publish(&events(21..24))
        .await
        .expect_err("nobody is there");
    assert_ne!(failure.kind, SinkFailureKind::Refused, "{failure}");
    assert_eq!(failure.acknowledged, 0, "{failure}");
    server.start_again().await;
    let start = Instant::now();
    while let Err(failure) = sink.publish(&events(21..24)).await {
        assert!(start.elapsed() < LIMIT, "{failure}");
    }

    let stored = stored(&server).await;
    let expected: Vec<_> = (0..24).map(|number| format!("evt_{number}")).collect();
    let ids: Vec<_> = stored.iter().map(|(_, id, _)| id.clone()).collect();
    assert_eq!(ids, expected);
    assert_eq!(
        stored.first().map(|(subject, ..)| subject.as_str()),
        Some("paywatch.order.paid.ord_1")
    );
    assert_eq!(
        stored.get(7).map(|(.., body)| body.as_str()),
        Some("{\"number\":7}")
    );
    let subject = stored.get(20).map(|(subject, ..)| subject.as_str());
    assert_eq!(subject, Some("paywatch.chain.endpoints_disagree.a_b_c_"));
}

#[tokio::test]
async fn what_cannot_be_stored_is_told_with_a_remedy() {
    let Some(program) = program() else { return };
    let mut server = Server::start(program, &["--user", "shop", "--pass", "secret"]).await;
    let login = |password: &str| NatsLogin::User {
        user: "shop".to_owned(),
        password: password.into(),
    };
    let failure = server
        .sink(None, login("wrong"))
        .publish(&events(0..1))
        .await;
    let failure = failure.expect_err("another password");
    assert_eq!(failure.kind, SinkFailureKind::Refused, "{failure}");

    let sink = server.sink(None, login("secret"));
    assert!(!format!("{sink:?}").contains("secret"), "{sink:?}");
    let failure = sink
        .publish(&events(0..1))
        .await
        .expect_err("no stream takes it");
    assert_eq!(failure.kind, SinkFailureKind::Refused, "{failure}");
    assert!(
        failure.text.contains("make one over paywatch.>"),
        "{failure}"
    );

    let client =
        async_nats::ConnectOptions::with_user_and_password("shop".to_owned(), "secret".to_owned());
    let client = client
        .connect(server.url())
        .await
        .expect("the server is there");
    let own = stream::Config {
        name: "OWN".to_owned(),
        subjects: vec!["paywatch.>".to_owned()],
        max_message_size: 100,
        ..stream::Config::default()
    };
    let made = jetstream::new(client).create_stream(own).await;
    made.expect("a stream of the merchant's own");
    let mut three = events(0..3);
    if let Some(last) = three.last_mut() {
        last.body = vec![b'x'; 500].into();
    }
    let failure = sink
        .publish(&three)
        .await
        .expect_err("the last is too long");
    assert_eq!(
        (failure.kind, failure.acknowledged),
        (SinkFailureKind::Refused, 2),
        "{failure}"
    );

    server.stop().await;
    let sink = server.sink(None, login("secret"));
    let failure = sink
        .publish(&events(0..1))
        .await
        .expect_err("nobody is there");
    assert_eq!(failure.kind, SinkFailureKind::Unreachable, "{failure}");
    assert_eq!(sink.publish(&[]).await, Ok(()), "nothing needs nobody");
}
