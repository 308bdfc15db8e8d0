//! Events by list, by stream and at a shell, across kills and restarts of the daemon.

use std::time::{Duration, Instant};

use paywatch_client::{Client, Event, EventStream, ListEvents};
use paywatch_core::OrderId;
use paywatch_tests::chain::{Chain, OTHER_PAYER, PAYER, TREASURY};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;
use secrecy::ExposeSecret as _;

on_both_engines!(
    whoever_follows_misses_nothing_and_hears_nothing_twice,
    an_event_stays_as_it_was,
    a_flush_is_told_when_it_is_final_and_when_it_is_taken_back,
    what_can_be_no_id_is_no_event,
);

/// All events, by turning pages.
async fn listed(client: &Client) -> Vec<Event> {
    let mut events = Vec::new();
    let mut place = 0;
    loop {
        let page = client.events_after(place).await.expect("a page");
        if page.data.is_empty() {
            return events;
        }
        place = page.next_after;
        events.extend(page.data);
    }
}

async fn follows(client: &Client, after: Option<u64>) -> EventStream {
    let list = ListEvents {
        after,
        ..ListEvents::default()
    };
    client.follow_events(&list).await.expect("a stream")
}

/// Hears what is told up to the first event of this kind.
async fn hears(stream: &mut EventStream, told: &mut Vec<Event>, kind: &str) {
    while told.last().is_none_or(|event| event.kind != kind) {
        let next = tokio::time::timeout(wait::LIMIT, stream.next()).await;
        let next = next.unwrap_or_else(|_| panic!("waited for {kind}; told: {told:?}"));
        told.push(next.expect("it goes on").expect("it goes on"));
    }
}

/// SIGKILL while a payment is mined, then SIGTERM while the stream is open.
async fn whoever_follows_misses_nothing_and_hears_nothing_twice(engine: Engine) {
    // Where pages are is as it is configured now, and the daemon listens elsewhere each time.
    let chain = Chain::start("anvil", 31_337, 6).await;
    let sections = [
        chain_section(&chain, CONFIRMATIONS),
        "[checkout]\npublic_url = \"https://pay.example.com\"\n".to_owned(),
    ];
    let mut shop = Shop::open_with(engine, vec![chain], &sections).await;
    let order = shop.order("EVENTS-1", "100").await;
    let mut told = Vec::new();
    let mut stream = follows(&shop.client(), Some(0)).await;
    shop.chain().pays(PAYER, pay_to(&order), "40").await;
    hears(&mut stream, &mut told, "order.partially_paid").await;
    shop.daemon.is_killed().await;
    shop.chain().pays(OTHER_PAYER, pay_to(&order), "60").await;
    while let Ok(Some(event)) = stream.next().await {
        told.push(event);
    }

    shop.daemon.start().await;
    let mut stream = follows(&shop.client(), stream.place()).await;
    hears(&mut stream, &mut told, "order.paid").await;
    shop.becomes_final().await;
    hears(&mut stream, &mut told, "order.completed").await;
    shop.catches_up().await;
    let all = listed(&shop.client()).await;
    assert_eq!(told[..], all[..told.len()], "as it is listed");
    for (place, event) in (1..).zip(&all) {
        assert_eq!(event.sequence, place);
        assert_eq!(event.order_sequence, Some(place));
    }
    let last = told.last().expect("an event");
    let (then, now) = (
        last.data.order.clone(),
        shop.sees(&order, "completed").await,
    );
    let then = then.expect("an order");
    assert_eq!(
        (then.received, then.confirmed),
        (now.received, now.confirmed)
    );

    let begun = Instant::now();
    shop.daemon.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "a stream holds nobody up"
    );
    assert_eq!(stream.next().await.expect("it ends whole"), None);

    shop.daemon.start().await;
    is_told_at_a_shell(&shop).await;
    shop.close().await;
}

/// The events of EVENTS-1, for programs and for people.
async fn is_told_at_a_shell(shop: &Shop) {
    let arguments = ["events", "--json", "--types", "order.*", "--after", "1"];
    let (went_well, said, error) = shop.daemon.operator(&arguments).await;
    assert!(went_well, "{error}");
    let said: Vec<Event> = said
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event"))
        .collect();
    let kinds: Vec<&str> = said.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["order.partially_paid", "order.paid", "order.completed"]
    );
    let (went_well, said, _) = shop
        .daemon
        .operator(&["events", "--types", "order.paid"])
        .await;
    assert!(went_well && said.contains("EVENTS-1"), "{said}");
    let (went_well, _, error) = shop.daemon.operator(&["events", "--types", "x"]).await;
    assert!(
        !went_well && error.contains("order.partially_paid"),
        "{error}"
    );
}

/// A reorg takes the payment away, and another one comes: what was told before is not told anew.
async fn an_event_stays_as_it_was(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("EVENTS-2", "100").await;
    shop.chain().pays(PAYER, pay_to(&order), "100").await;
    shop.sees(&order, "paid").await;
    let before = listed(&shop.client()).await;
    let detected = before.iter().find(|event| event.kind == "payment.detected");
    let detected = detected.expect("it was told").clone();
    assert_eq!(
        detected.data.payment.as_ref().expect("it").status,
        "detected"
    );

    shop.chain().reorgs(1, &[]).await;
    shop.chain().mines(2).await;
    shop.sees(&order, "awaiting_payment").await;
    shop.chain().pays(OTHER_PAYER, pay_to(&order), "30").await;
    shop.becomes_final().await;
    shop.sees_that(&order, "paid in part for good", |now| now.confirmed == "30")
        .await;

    let after = listed(&shop.client()).await;
    assert_eq!(after[..before.len()], before[..]);
    let alone = shop.client().event(&detected.id).await.expect("an event");
    assert_eq!(alone, detected);
    let reverted = after.iter().find(|event| event.kind == "payment.reverted");
    let reverted = reverted.expect("it was told");
    let payment = reverted.data.payment.as_ref().expect("a payment");
    assert_eq!(payment.status, "reverted");
    let change = &reverted.changes["payment.status"];
    assert_eq!(
        (&change.from, &change.to),
        (&"detected".into(), &"reverted".into())
    );
    let then = reverted.data.order.as_ref().expect("an order");
    assert_eq!(
        (then.status.as_str(), then.received.as_str()),
        ("awaiting_payment", "0")
    );
    shop.close().await;
}

async fn a_flush_is_told_when_it_is_final_and_when_it_is_taken_back(engine: Engine) {
    let mut shop = Shop::open(engine).await;
    let order = shop.order("EVENTS-3", "100").await;
    let salt = order.id.parse::<OrderId>().expect("an id").salt();
    shop.chain().pays(PAYER, pay_to(&order), "100").await;
    shop.becomes_final().await;
    shop.sees(&order, "completed").await;
    let mut told = Vec::new();
    let mut stream = follows(&shop.client(), Some(0)).await;

    shop.chain().flushes(vec![salt]).await;
    // Its block is the first of three.
    shop.chain().mines(1).await;
    shop.catches_up().await;
    let early = listed(&shop.client()).await;
    assert!(
        early.iter().all(|event| event.kind != "sweep.completed"),
        "not final"
    );
    shop.chain().mines(2).await;
    hears(&mut stream, &mut told, "sweep.completed").await;
    let event = told.last().expect("it");
    let sweep = event.data.sweep.as_ref().expect("a flush");
    assert_eq!(sweep.address.parse(), Ok(pay_to(&order)));
    assert_eq!(sweep.treasury.parse(), Ok(TREASURY));
    assert_eq!(
        (sweep.amount.as_str(), sweep.chain.as_str()),
        ("100", "anvil")
    );
    assert_eq!(event.order_sequence, None);
    assert!(event.data.order.is_none() && event.data.payment.is_none());

    shop.chain().mines(2).await;
    shop.catches_up().await;
    let first = event.clone();
    shop.chain().reorgs(6, &[]).await;
    shop.chain().mines(2).await;
    hears(&mut stream, &mut told, "sweep.reverted").await;
    assert_eq!(told.last().expect("it").data.sweep, first.data.sweep);
    shop.chain().flushes(vec![salt]).await;
    shop.becomes_final().await;
    shop.chain().mines(1).await;
    hears(&mut stream, &mut told, "sweep.completed").await;
    assert_ne!(told.last().expect("it").data.sweep, first.data.sweep);
    shop.sees(&order, "completed").await;
    let sweeps = told.iter().filter(|event| event.kind.starts_with("sweep."));
    assert_eq!(sweeps.count(), 3);
    shop.close().await;
}

/// PostgreSQL keeps no text with a NUL in it, and refuses to look for one.
async fn what_can_be_no_id_is_no_event(engine: Engine) {
    let shop = Shop::open(engine).await;
    let http = reqwest::Client::new();
    for id in ["%00", "evt_%00", "evt_0000000000000000000000000000000%00"] {
        let url = shop.daemon.url().join(&format!("v1/events/{id}"));
        let request = http.get(url.expect("a URL"));
        let request = request.bearer_auth(shop.daemon.key().expose_secret());
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 404, "{id}");
    }
    shop.close().await;
}
