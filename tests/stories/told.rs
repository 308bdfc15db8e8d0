//! Buses and people, who are told of what happens as webhooks are: by a real NATS server, by mail, and
//! by requests made from a template.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use async_nats::jetstream::{self, consumer};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Json, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::routing::post;
use futures::StreamExt as _;
use paywatch_client::CreateOrder;
use paywatch_core::EventFormat;
use paywatch_notifier::test_servers::{MailServer, Mood, NatsServer};
use paywatch_notifier::{Received, Secret, TOLERANCE, Verifier};
use paywatch_store::{EndpointRecord, Store};
use paywatch_tests::chain::{Chain, PAYER, TREASURY};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;

on_both_engines!(
    a_bus_holds_every_event_once_and_in_order_whatever_stops_in_between,
    people_are_told_of_money_that_nobody_claims,
    what_has_no_section_any_more_is_told_nothing,
    an_order_says_where_it_is_told_of,
);

/// What fails is tried again at once, and not given up.
fn impatient() -> String {
    format!("[webhooks]\nretries = [{}]\n", ["\"300ms\""; 60].join(", "))
}

async fn open_with(engine: Engine, sections: &[String]) -> Shop {
    let chain = Chain::start("anvil", 31_337, 6).await;
    let mut all = vec![chain_section(&chain, CONFIRMATIONS)];
    all.extend_from_slice(sections);
    Shop::open_with(engine, vec![chain], &all).await
}

async fn books(shop: &Shop) -> Store {
    let url = shop.daemon.database.parse().expect("a database");
    Store::open(&url).await.expect("the books can be opened")
}

/// Id, type and subject of every message that the stream holds.
async fn stored(nats: &NatsServer) -> Result<Vec<(String, Value, String)>, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let client = async_nats::ConnectOptions::with_token("s3cret".to_owned());
    let client = client.connect(nats.url()).await;
    let client = client.map_err(|error| text(&error))?;
    let stream = jetstream::new(client).get_stream("SHOP").await;
    let stream = stream.map_err(|error| text(&error))?;
    let info = stream.get_info().await.map_err(|error| text(&error))?;
    let ordered = consumer::pull::OrderedConfig::default();
    let consumer = stream.create_consumer(ordered).await;
    let consumer = consumer.map_err(|error| text(&error))?;
    let messages = consumer.messages().await.map_err(|error| text(&error))?;
    let count = usize::try_from(info.state.messages).expect("it fits");
    let messages = messages.take(count).map(|message| {
        let message = message.expect("a message");
        let headers = message.headers.as_ref().expect("headers");
        let id = headers.get("Nats-Msg-Id").expect("an id").to_string();
        let body = serde_json::from_slice(&message.payload).expect("JSON");
        (id, body, message.subject.to_string())
    });
    Ok(messages.collect().await)
}

/// Orders are paid while the bus is down and while the daemon is; afterwards the stream is the log.
async fn a_bus_holds_every_event_once_and_in_order_whatever_stops_in_between(engine: Engine) {
    let Some(mut nats) = NatsServer::start(&["--auth", "s3cret"]).await else {
        println!("skipped: there is no nats-server (Debian: apt-get install nats-server)");
        return;
    };
    let bus = format!(
        "[nats]\nurl = \"{}\"\nsubject = \"shop.events\"\nstream = \"SHOP\"\ntoken = \"s3cret\"\ntimeout = \"1s\"\n",
        nats.url()
    );
    let mut shop = open_with(engine, &[impatient(), bus]).await;
    let first = shop.order("BUS-1", "100").await;
    wait::until("the first event", || async {
        let stored = stored(&nats).await?;
        (!stored.is_empty()).then_some(()).ok_or_else(String::new)
    })
    .await;

    nats.stop().await;
    shop.chain().pays(PAYER, pay_to(&first), "100").await;
    let second = shop.order("BUS-2", "7").await;
    shop.sees(&first, "paid").await;
    shop.daemon.is_killed().await;
    shop.chain().pays(PAYER, pay_to(&second), "7").await;
    nats.start_again().await;
    shop.daemon.start().await;
    shop.becomes_final().await;
    shop.sees(&first, "completed").await;
    shop.daemon.is_killed().await;
    shop.daemon.start().await;
    shop.sees(&second, "completed").await;

    let store = books(&shop).await;
    let log = store.events_after(0, 10_000).await.expect("the log");
    let stored = wait::until("the whole log", || async {
        let stored = stored(&nats).await?;
        let seen = stored.len();
        let is_all = seen >= log.len();
        is_all
            .then_some(stored)
            .ok_or_else(|| format!("{seen} of {}\n{}", log.len(), shop.daemon.log()))
    })
    .await;
    let ids: Vec<&str> = stored.iter().map(|(id, ..)| id.as_str()).collect();
    let expected: Vec<&str> = log.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, expected);
    for (number, (id, body, subject)) in (1..).zip(&stored) {
        assert_eq!(body["sequence"], number, "no gap");
        assert_eq!(body["id"], id.as_str());
        let kind = body["type"].as_str().expect("a type");
        assert!(
            subject.starts_with(&format!("shop.events.{kind}.")),
            "{subject}"
        );
    }
    assert!(
        stored.iter().any(|(.., subject)| {
            *subject == format!("shop.events.order.completed.{}", second.id)
        })
    );
    assert!(!shop.daemon.log().contains("s3cret"));
    shop.close().await;
}

/// Somebody's chat: what was posted where.
#[derive(Clone, Default)]
struct Chat(Arc<Mutex<Vec<(String, Value)>>>);

impl Chat {
    fn said(&self) -> Vec<(String, Value)> {
        self.0.lock().expect("nobody panicked").clone()
    }

    /// Opens it; returns its port.
    async fn open(&self) -> u16 {
        async fn hear(State(chat): State<Chat>, uri: Uri, Json(body): Json<Value>) {
            let mut said = chat.0.lock().expect("nobody panicked");
            said.push((uri.to_string(), body));
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let routes = Router::new().fallback(post(hear)).with_state(self.clone());
        tokio::spawn(async move {
            // It ends with the test.
            let _served = axum::serve(listener, routes).await;
        });
        port
    }
}

/// A section for a chat at `port`, whose URL holds a key.
fn chat_section(port: u16) -> String {
    format!(
        "[messages.on-call]\nurl = \"http://127.0.0.1:{port}/bot42:s3cret/sendMessage\"\n\
         body = '{{\"chat_id\": -7, \"text\": \"{{type}}: {{amount}}\"}}'\n"
    )
}

fn allowing(port: u16) -> String {
    format!("[webhooks]\nallow_http = true\nallow = [\"127.0.0.1:{port}\"]\n")
}

/// An order goes its usual way, which nobody is bothered with; then money comes that needs somebody.
async fn people_are_told_of_money_that_nobody_claims(engine: Engine) {
    let mut mails = MailServer::open(Mood::Well).await;
    let chat = Chat::default();
    let port = chat.open().await;
    let email = format!(
        "[email]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nuser = \"shop\"\n\
         password = \"s3cret\"\nfrom = \"Shop <shop@shop.example>\"\nto = [\"ann@shop.example\"]\n",
        mails.port()
    );
    let sections = [allowing(port), email, chat_section(port)];
    let mut shop = open_with(engine, &sections).await;
    let order = shop.order("CALM-1", "5").await;
    shop.chain().pays(PAYER, pay_to(&order), "5").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    shop.chain().pays(PAYER, TREASURY, "60").await;

    let mail = tokio::time::timeout(wait::LIMIT, mails.mail()).await;
    // Without the breaks in long lines.
    let mail = mail.expect("a mail in time").join("\n").replace("=\n", "");
    for part in [
        "RCPT TO:<ann@shop.example>",
        "From: Shop <shop@shop.example>",
        "Subject: paywatch: payment.unmatched 60 USDT",
        "60 USDT from 0x",
        &format!("to {TREASURY} on anvil, transaction 0x"),
        "Give it to one (paywatch payment assign)",
        "Event evt_",
    ] {
        assert!(mail.contains(part), "{part} is not in {mail}");
    }
    wait::until("the message", || async {
        let said = chat.said();
        (!said.is_empty())
            .then_some(())
            .ok_or_else(|| shop.daemon.log())
    })
    .await;
    let (went_well, shown) = shop.daemon.says(&["check-config"]).await;
    assert!(went_well, "{shown}");
    assert!(
        shown.contains("message on-call at http://127.0.0.1"),
        "{shown}"
    );
    let store = books(&shop).await;
    let endpoints = format!("{:?}", store.endpoints().await.expect("endpoints"));
    for text in [&shown, &endpoints, &shop.daemon.log()] {
        assert!(!text.contains("s3cret"), "{text}");
    }
    shop.close().await;
    assert!(mails.is_empty(), "one mail only");
    let text = json!({ "chat_id": -7, "text": "payment.unmatched: 60 USDT" });
    let expected = [("/bot42:s3cret/sendMessage".to_owned(), text)];
    assert_eq!(chat.said(), expected);
}

/// The section of a chat goes, and comes back: what happened in between is not told.
async fn what_has_no_section_any_more_is_told_nothing(engine: Engine) {
    let chat = Chat::default();
    let port = chat.open().await;
    let sections = [allowing(port), chat_section(port)];
    let mut shop = open_with(engine, &sections).await;
    let own = chain_section(shop.chain(), CONFIRMATIONS);
    let store = books(&shop).await;
    let endpoint = async || -> EndpointRecord {
        let mut all = store.endpoints().await.expect("endpoints");
        assert_eq!(all.len(), 1);
        all.remove(0)
    };
    assert_eq!(
        (endpoint().await.name.as_str(), endpoint().await.disabled),
        ("on-call", None)
    );

    shop.daemon.stop().await;
    shop.daemon.configure(std::slice::from_ref(&own));
    shop.daemon.start().await;
    let (_, because) = endpoint().await.disabled.expect("it is disabled");
    assert!(because.contains("not in the configuration"), "{because}");
    shop.chain().pays(PAYER, TREASURY, "1").await;
    shop.catches_up().await;
    shop.daemon.stop().await;
    shop.daemon.configure(&[own, sections.concat()]);
    shop.daemon.start().await;
    assert_eq!(endpoint().await.disabled, None);
    shop.chain().pays(PAYER, TREASURY, "2").await;
    wait::until("the message", || async {
        let said = chat.said();
        (!said.is_empty())
            .then_some(())
            .ok_or_else(|| shop.daemon.log())
    })
    .await;
    let log = store.events_after(0, 10_000).await.expect("the log");
    let kinds: Vec<&str> = log.iter().map(|event| event.kind()).collect();
    let expected = [
        "endpoint.disabled",
        "payment.unmatched",
        "payment.unmatched",
    ];
    assert_eq!(kinds, expected);
    let decisions = shop.client().decisions(&Default::default()).await;
    let decisions = decisions.expect("the audit log").data;
    let decided = decisions
        .iter()
        .filter(|it| it.kind != "create_key")
        .map(|it| (it.kind.as_str(), it.decided_by.as_str()));
    let by = "configuration";
    let expected = [("enable_endpoint", by), ("disable_endpoint", by)];
    assert_eq!(decided.collect::<Vec<_>>(), expected);
    assert_eq!(decisions[1].reason, because);
    shop.close().await;
    let texts: Vec<Value> = chat
        .said()
        .into_iter()
        .map(|(_, body)| body["text"].clone())
        .collect();
    assert_eq!(texts, ["payment.unmatched: 2 USDT"]);
}

/// What came to somebody who is told of orders: where, and all that is needed to check it.
type Arrivals = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;

/// Opens a server for the events of orders; returns its port.
async fn receiver(arrivals: &Arrivals) -> u16 {
    async fn hear(
        State(arrivals): State<Arrivals>,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> StatusCode {
        let mut arrivals = arrivals.lock().expect("nobody panicked");
        arrivals.push((uri.to_string(), headers, body));
        StatusCode::NO_CONTENT
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let routes = Router::new().fallback(post(hear));
    let routes = routes.with_state(Arc::clone(arrivals));
    tokio::spawn(async move {
        // It ends with the test.
        let _served = axum::serve(listener, routes).await;
    });
    port
}

/// One order says where it is told of, another one does not; a third names what may not be reached.
async fn an_order_says_where_it_is_told_of(engine: Engine) {
    let arrivals = Arrivals::default();
    let port = receiver(&arrivals).await;
    let section = format!("{}callbacks = true\n", allowing(port));
    let mut shop = open_with(engine, &[section]).await;
    let asked = |reference: &str, url: Option<String>| CreateOrder {
        reference: reference.to_owned(),
        amount: "5".to_owned(),
        callback_url: url,
        ..CreateOrder::default()
    };
    let url = format!("http://127.0.0.1:{port}/paid/1?key=a");
    let told = shop.order_with(asked("TOLD-1", Some(url))).await;
    let other = shop.order_with(asked("OTHER-1", None)).await;
    let inside = asked("INSIDE-1", Some("http://127.0.0.1:1/".to_owned()));
    let refused = shop.client().create_order(&inside).await;
    let refused = refused
        .expect_err("nobody may be reached there")
        .to_string();
    assert!(refused.contains("callback_url"), "{refused}");
    for order in [&told, &other] {
        shop.chain().pays(PAYER, pay_to(order), "5").await;
    }
    shop.becomes_final().await;
    for order in [&told, &other] {
        shop.sees(order, "completed").await;
    }

    let store = books(&shop).await;
    let log = store.events_after(0, 10_000).await.expect("the log");
    let of_it = log.iter().filter(|event| {
        let order = event.of_order().map(|told| told.order_id.to_string());
        order.as_ref() == Some(&told.id)
    });
    let expected: Vec<String> = of_it.map(|event| event.id.clone()).collect();
    let came = || arrivals.lock().expect("nobody panicked").clone();
    wait::until("its events", || async {
        let is_all = came().len() >= expected.len();
        is_all.then_some(()).ok_or_else(|| shop.daemon.log())
    })
    .await;
    let endpoints = store.endpoints().await.expect("endpoints");
    let signing = endpoints
        .iter()
        .find(|it| it.format == EventFormat::Standard);
    let secret = signing.expect("it was made").secrets[0].secret.clone();
    let secret: Secret = secret.expose_secret().parse().expect("a secret");
    let verifiers = [secret.verifier()];
    assert!(matches!(verifiers, [Verifier::Public(_)]));
    shop.close().await;

    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("it is after 1970").as_secs();
    let mut ids = Vec::new();
    for (at, headers, body) in came() {
        assert_eq!(at, "/paid/1?key=a");
        let received = Received::from_headers(&headers, &body).expect("it is signed");
        let verified = received.verify(&verifiers, now, TOLERANCE);
        verified.expect("by the daemon's key");
        ids.push(received.id.to_owned());
    }
    assert_eq!(ids, expected);
}
