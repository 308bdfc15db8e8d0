//! Events on a broker that speaks Kafka's protocol, which is not written by whoever wrote the client.
#![cfg(feature = "kafka")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use paywatch_notifier::{
    Kafka, KafkaLogin, KafkaOptions, KafkaSecurity, Outgoing, Sink as _, SinkFailureKind,
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// How long the broker may take for an answer.
const LIMIT: Duration = Duration::from_secs(60);

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

struct Broker {
    /// Ends with the test.
    _child: Child,
    asked: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Broker {
    async fn start() -> Self {
        let python = checkout().join(".tools/python/bin/python");
        assert!(
            python.exists(),
            "the Python packages of the tests are not installed; run: cargo xtask setup"
        );
        let mut child = Command::new(python)
            .arg(checkout().join("tests/python/kafka_broker.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the broker can be started");
        let asked = child.stdin.take().expect("it has an input");
        let said = BufReader::new(child.stdout.take().expect("it has an output")).lines();
        let mut broker = Self {
            _child: child,
            asked,
            said,
            address: String::new(),
        };
        let hello = broker.line().await;
        broker.address = hello["address"].as_str().expect("where it is").to_owned();
        broker
    }

    async fn line(&mut self) -> Value {
        let line = tokio::time::timeout(LIMIT, self.said.next_line()).await;
        let line = line.expect("in time").expect("text").expect("it is there");
        serde_json::from_str(&line).expect("JSON")
    }

    /// So many of the records that it holds.
    async fn records(&mut self, count: usize) -> Vec<Value> {
        let line = format!("{count}\n");
        self.asked
            .write_all(line.as_bytes())
            .await
            .expect("it listens");
        let Value::Array(records) = self.line().await else {
            panic!("a list of records");
        };
        records
    }

    fn sink(&self, topic: &str) -> Kafka {
        sink(&self.address, topic)
    }
}

fn sink(address: &str, topic: &str) -> Kafka {
    Kafka::new(KafkaOptions {
        brokers: vec![address.to_owned()],
        topic: topic.to_owned(),
        login: KafkaLogin::Nobody,
        security: KafkaSecurity::None,
        within: Duration::from_secs(10),
    })
}

/// Thirty events of five orders, mixed.
fn events() -> Vec<Outgoing> {
    let event = |number: usize| Outgoing {
        id: format!("evt_{number:02}"),
        kind: "order.paid".to_owned(),
        key: format!("ord_{}", number.checked_rem(5).unwrap_or_default()),
        body: format!("{{\"number\":{number}}}").into(),
        ..Outgoing::default()
    };
    (0..30).map(event).collect()
}

#[tokio::test]
async fn the_events_of_an_order_stay_in_order() {
    let mut broker = Broker::start().await;
    let sink = broker.sink("events");
    let events = events();
    let (first, second) = events.split_at(13);
    sink.publish(first).await.expect("they are stored");
    sink.publish(second).await.expect("they are stored");
    sink.publish(&[]).await.expect("nothing is easy");

    let records = broker.records(30).await;
    assert_eq!(records.len(), 30);
    let mut used = Vec::new();
    for order in ["ord_0", "ord_1", "ord_2", "ord_3", "ord_4"] {
        let mut of_order: Vec<_> = records
            .iter()
            .filter(|record| record["key"] == order)
            .collect();
        of_order.sort_by_key(|record| record["offset"].as_i64());
        let partition = &of_order[0]["partition"];
        assert!(
            of_order
                .iter()
                .all(|record| record["partition"] == *partition)
        );
        used.push(partition.clone());
        let sent = events.iter().filter(|event| event.key == order);
        let sent: Vec<_> = sent.map(|event| event.id.as_str()).collect();
        let came: Vec<_> = of_order
            .iter()
            .filter_map(|record| record["headers"]["id"].as_str())
            .collect();
        assert_eq!(came, sent);
        assert_eq!(of_order[0]["headers"]["type"], "order.paid");
    }
    used.sort_by_key(Value::as_i64);
    used.dedup();
    assert!(used.len() > 1, "five orders share one partition");
    let whole = records
        .iter()
        .find(|record| record["headers"]["id"] == "evt_07");
    assert_eq!(whole.expect("it is there")["value"], "{\"number\":7}");
}

#[tokio::test]
async fn what_cannot_be_stored_is_told_with_a_remedy() {
    let broker = Broker::start().await;
    let failure = broker
        .sink("other")
        .publish(&events())
        .await
        .expect_err("no topic");
    assert_eq!(failure.kind, SinkFailureKind::Refused, "{failure}");
    assert!(
        failure.text.contains("there is no topic other; make it"),
        "{failure}"
    );

    let address = broker.address.clone();
    drop(broker);
    let start = Instant::now();
    let mut options = KafkaOptions {
        brokers: vec![address],
        topic: "events".to_owned(),
        login: KafkaLogin::Plain {
            user: "shop".to_owned(),
            password: "secret".into(),
        },
        security: KafkaSecurity::None,
        within: Duration::from_millis(500),
    };
    options.brokers.push("127.0.0.1:1".to_owned());
    let sink = Kafka::new(options);
    let failure = sink.publish(&events()).await.expect_err("nobody is there");
    assert_eq!(failure.kind, SinkFailureKind::Unreachable, "{failure}");
    assert!(start.elapsed() < LIMIT);
    assert!(!format!("{sink:?} {failure}").contains("secret"));
}
