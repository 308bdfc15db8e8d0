//! Events on a real NATS server: in order, once, and through its restarts.
#![cfg(feature = "nats")]
#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it skipped"
)]

use std::time::{Duration, Instant};

use async_nats::jetstream::{self, consumer, stream};
use futures::StreamExt as _;
use paywatch_notifier::test_servers::NatsServer;
use paywatch_notifier::{Nats, NatsLogin, NatsOptions, Outgoing, Sink as _, SinkFailureKind};

/// How long a server may take to be there again.
const LIMIT: Duration = Duration::from_secs(30);

/// A server, if it is installed.
async fn server(login: &'static [&'static str]) -> Option<NatsServer> {
    let server = NatsServer::start(login).await;
    if server.is_none() {
        eprintln!("skipped: there is no nats-server (Debian: apt-get install nats-server)");
    }
    server
}

fn sink(server: &NatsServer, stream: Option<&str>, login: NatsLogin) -> Nats {
    Nats::new(NatsOptions {
        servers: vec![server.url()],
        subject: "paywatch".to_owned(),
        stream: stream.map(str::to_owned),
        login,
        within: Duration::from_secs(2),
    })
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
async fn stored(server: &NatsServer) -> Vec<(String, String, String)> {
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
    let Some(mut server) = server(&[]).await else {
        return;
    };
    let sink = sink(&server, Some("EVENTS"), NatsLogin::Nobody);
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
    let Some(mut server) = server(&["--user", "shop", "--pass", "secret"]).await else {
        return;
    };
    let login = |password: &str| NatsLogin::User {
        user: "shop".to_owned(),
        password: password.into(),
    };
    let wrong = sink(&server, None, login("wrong"));
    let failure = wrong.publish(&events(0..1)).await;
    let failure = failure.expect_err("another password");
    assert_eq!(failure.kind, SinkFailureKind::Refused, "{failure}");

    let right = sink(&server, None, login("secret"));
    assert!(!format!("{right:?}").contains("secret"), "{right:?}");
    let failure = right
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
    let failure = right
        .publish(&three)
        .await
        .expect_err("the last is too long");
    assert_eq!(
        (failure.kind, failure.acknowledged),
        (SinkFailureKind::Unfit, 2),
        "{failure}"
    );

    server.stop().await;
    let alone = sink(&server, None, login("secret"));
    let failure = alone
        .publish(&events(0..1))
        .await
        .expect_err("nobody is there");
    assert_eq!(failure.kind, SinkFailureKind::Unreachable, "{failure}");
    assert_eq!(alone.publish(&[]).await, Ok(()), "nothing needs nobody");
}
