//! A merchant's webhook from its first day on: told, down, told again, with other secrets, disabled.

mod managing;
mod service;

use paywatch_client::{Delivery, ListDecisions, ListDeliveries, Order, Redeliver};
use paywatch_tests::chain::{Chain, PAYER};
use paywatch_tests::daemon::chain_section;
use paywatch_tests::database::Engine;
use paywatch_tests::shop::{CONFIRMATIONS, Shop, pay_to};
use paywatch_tests::wait;
use serde_json::Value;

use crate::endpoints::service::{Receiver, Told};

on_both_engines!(a_webhook_is_told_of_an_order_and_told_again_what_it_missed);

/// Tried again every second.
const RETRIES: &str = "retries = [\"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\"]";

/// A shop, and the service that it tells.
struct Scene {
    shop: Shop,
    receiver: Receiver,
    /// The webhook's id.
    id: String,
}

/// What a command printed, which must be JSON, after it went well.
async fn json(shop: &Shop, arguments: &[&str]) -> Value {
    let (went_well, out, error) = shop.daemon.operator(arguments).await;
    assert!(went_well, "{arguments:?}: {out}{error}");
    serde_json::from_str(&out).expect("it prints JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Of which order an event tells.
fn order_of(told: &Told) -> Option<&str> {
    told.body["data"]["order"]["id"].as_str()
}

/// What was taken of `order`, in the order in which it came.
fn taken<'a>(told: &'a [Told], order: &Order) -> Vec<&'a Told> {
    told.iter()
        .filter(|told| told.status == 204 && order_of(told) == Some(&order.id))
        .collect()
}

fn has_all(told: &[Told], order: &Order) -> bool {
    let taken = taken(told, order);
    taken.iter().any(|told| told.kind == "order.completed")
}

/// That everything about `order` came once and in its order, from the first to the last.
fn is_told_in_order(told: &[Told], order: &Order) {
    let taken = taken(told, order);
    let places: Vec<_> = taken
        .iter()
        .map(|told| told.body["order_sequence"].as_u64().expect("a number"))
        .collect();
    assert!(places.windows(2).all(|two| two[0] < two[1]), "{places:?}");
    assert_eq!(taken[0].kind, "order.created");
    assert_eq!(taken.last().expect("there are").kind, "order.completed");
    assert!(taken.iter().any(|told| told.kind == "order.paid"));
    assert!(taken.iter().all(|told| told.body["id"] == told.id.as_str()));
}

impl Scene {
    async fn open(engine: Engine) -> Self {
        let receiver = Receiver::start().await;
        let chain = Chain::start("anvil", 31_337, 6).await;
        let sections = [
            chain_section(&chain, CONFIRMATIONS),
            receiver.section(RETRIES),
        ];
        let shop = Shop::open_with(engine, vec![chain], &sections).await;
        let add = ["webhook", "add", "--name", "shop", "--types", "order.*"];
        let place = receiver.url();
        let more = ["--url", &place, "--reason", "going live", "--json"];
        let made = json(&shop, &[&add[..], &more[..]].concat()).await;
        receiver.knows(&text(&made["secret"]));
        let id = text(&made["id"]);
        Self { shop, receiver, id }
    }

    /// Carries out `paywatch webhook what id …`.
    async fn manages(&self, what: &str, more: &[&str]) -> Value {
        let arguments = [&["webhook", what, &self.id, "--json"], more].concat();
        json(&self.shop, &arguments).await
    }

    /// An order is made, paid, and completed, as the merchant sees it.
    async fn sells(&mut self, reference: &str) -> Order {
        let order = self.shop.order(reference, "10").await;
        self.shop.chain().pays(PAYER, pay_to(&order), "10").await;
        self.shop.becomes_final().await;
        self.shop.sees(&order, "completed").await;
        order
    }

    async fn deliveries(&self, state: Option<&str>) -> Vec<Delivery> {
        let list = ListDeliveries {
            state: state.map(str::to_owned),
            limit: Some(100),
            ..ListDeliveries::default()
        };
        let page = self.shop.client().deliveries(&self.id, &list).await;
        page.expect("a page").data
    }

    /// Waits until nothing is left to be delivered.
    async fn is_done(&self) {
        wait::until("everything to be delivered", || async {
            let pending = self.deliveries(Some("pending")).await;
            pending
                .is_empty()
                .then_some(())
                .ok_or(format!("{pending:?}"))
        })
        .await;
    }

    async fn is_tried(&self) {
        let tried = self.manages("test", &[]).await;
        assert_eq!(tried["taken"], true, "{tried}");
        let told = self.receiver.told();
        assert_eq!((told.len(), told[0].kind.as_str()), (1, "webhook.test"));
        assert_eq!(told[0].signed_by, [0]);
    }

    async fn is_told(&mut self) {
        let order = self.sells("TOLD-1").await;
        let hears = self
            .receiver
            .hears("of it all", |told| has_all(told, &order));
        let told = hears.await;
        is_told_in_order(&told, &order);
        assert!(told.iter().all(|told| told.signed_by == [0]), "{told:?}");
        self.is_done().await;
        let listed = self.deliveries(None).await;
        let told: Vec<_> = taken(&told, &order)
            .iter()
            .rev()
            .map(|it| it.id.clone())
            .collect();
        let events: Vec<_> = listed.iter().map(|it| it.event.clone()).collect();
        assert_eq!(events, told, "the newest first");
        assert!(
            listed
                .iter()
                .all(|it| it.state == "delivered" && it.attempts == 1)
        );
        let shown = self.manages("deliveries", &["--state", "delivered"]).await;
        assert_eq!(shown.as_array().map(Vec::len), Some(events.len()));
    }

    /// It is down for a while: what it missed comes again, and in order.
    async fn is_down(&mut self) {
        self.receiver.answers(500);
        let order = self.shop.order("DOWN-1", "10").await;
        let tries = |told: &[Told]| {
            told.iter()
                .filter(|it| order_of(it) == Some(&order.id))
                .count()
        };
        self.receiver
            .hears("it twice", |told| tries(told) >= 2)
            .await;
        self.shop.chain().pays(PAYER, pay_to(&order), "10").await;
        let pending = self.deliveries(Some("pending")).await;
        let first = pending.last().expect("there are");
        assert_eq!(first.kind, "order.created");
        assert!(first.next_attempt_at.is_some());
        let client = self.shop.client();
        let one = client.delivery(&self.id, first.sequence).await.expect("it");
        let request = &one.requests[0];
        assert_eq!(request.status, Some(500));
        assert_eq!(request.answer, "the till is jammed");
        let shown = client.webhook(&self.id).await.expect("it is there");
        assert!(shown.health.failures > 0 && shown.pending > 0, "{shown:?}");
        self.receiver.answers(204);
        self.shop.becomes_final().await;
        let hears = self
            .receiver
            .hears("of it all", |told| has_all(told, &order));
        let told = hears.await;
        is_told_in_order(&told, &order);
        let ids: Vec<_> = told
            .iter()
            .filter(|it| order_of(it) == Some(&order.id))
            .collect();
        assert_eq!(ids[0].id, ids[1].id, "tried again, it has the same id");
        self.is_done().await;
    }

    /// Both secrets sign for a while, and then the new one alone.
    async fn gets_other_secrets(&mut self) {
        let client = self.shop.client();
        let rotated = client
            .rotate_webhook_secret(&self.id, 3_600, "as every year")
            .await;
        let rotated = rotated.expect("another secret");
        assert_eq!(rotated.webhook.secrets.len(), 2);
        self.receiver
            .knows(rotated.secret.as_deref().expect("it is shown"));
        let both = self.shop.order("BOTH-1", "10").await;
        let of = |order: &Order| {
            let id = order.id.clone();
            move |told: &Told| order_of(told) == Some(&id)
        };
        let hears = self
            .receiver
            .hears("of it", |told| told.iter().any(of(&both)));
        let told = hears.await;
        let told = told.iter().find(|told| of(&both)(told)).expect("it");
        assert_eq!(told.signed_by, [0, 1]);
        let newest = self.manages("rotate", &["--overlap", "0s"]).await;
        self.receiver.knows(&text(&newest["secret"]));
        let one = self.shop.order("ONE-1", "10").await;
        let hears = self
            .receiver
            .hears("of it", |told| told.iter().any(of(&one)));
        let told = hears.await;
        let told = told.iter().find(|told| of(&one)(told)).expect("it");
        assert_eq!(told.signed_by, [2], "the others are over at once");
        self.is_done().await;
    }

    /// While it is disabled nothing comes; what it missed comes when it is wanted.
    async fn is_disabled(&mut self) {
        let disabled = self.manages("disable", &["--reason", "it moves"]).await;
        assert_eq!(disabled["status"], "disabled", "{disabled}");
        let last = disabled["queued_to"].as_u64().expect("a number");
        let heard = self.receiver.told().len();
        let order = self.sells("MISSED-1").await;
        let arguments = ["webhook", "redeliver", &self.id, "--failed"];
        let (went_well, _, error) = self.shop.daemon.operator(&arguments).await;
        assert!(!went_well && error.contains("enable"), "{error}");
        let enabled = self.manages("enable", &["--reason", "it is back"]).await;
        let now = enabled["queued_to"].as_u64().expect("a number");
        assert!(now > last, "{enabled}");
        assert_eq!(self.receiver.told().len(), heard, "nothing has come");
        let (from, to) = ((last.saturating_add(1)).to_string(), now.to_string());
        let queued = self
            .manages("redeliver", &["--from", &from, "--to", &to])
            .await;
        let hears = self
            .receiver
            .hears("of it all", |told| has_all(told, &order));
        let told = hears.await;
        is_told_in_order(&told, &order);
        self.is_done().await;
        let came = self.receiver.told().split_off(heard);
        let queued = queued["queued"].as_u64().expect("a number");
        assert_eq!(usize::try_from(queued), Ok(came.len()));
        self.is_told_again_of(&told.last().expect("it came").id)
            .await;
    }

    async fn is_told_again_of(&self, event: &str) {
        let heard = self.receiver.told().len();
        let again = Redeliver::Event(event.to_owned());
        let client = self.shop.client();
        let queued = client.redeliver(&self.id, &again, "to see it again").await;
        assert_eq!(queued.expect("it is queued"), 1);
        let hears = self.receiver.hears("it again", |told| told.len() > heard);
        let told = hears.await;
        assert_eq!(told[heard].id, event);
    }
}

/// The whole life of a webhook; no secret of it is anywhere but where it was shown.
async fn a_webhook_is_told_of_an_order_and_told_again_what_it_missed(engine: Engine) {
    let mut scene = Box::pin(Scene::open(engine)).await;
    scene.is_tried().await;
    Box::pin(scene.is_told()).await;
    Box::pin(scene.is_down()).await;
    Box::pin(scene.gets_other_secrets()).await;
    Box::pin(scene.is_disabled()).await;
    let list = ListDecisions {
        limit: Some(100),
        ..ListDecisions::default()
    };
    let log = scene.shop.client().decisions(&list).await.expect("a page");
    let kinds: Vec<_> = log.data.iter().rev().map(|it| it.kind.as_str()).collect();
    let expected = [
        "create_endpoint",
        "create_key",
        "rotate_secret",
        "rotate_secret",
        "disable_endpoint",
        "enable_endpoint",
        "redeliver",
        "redeliver",
    ];
    let mut sorted = kinds.clone();
    sorted.sort_unstable();
    let mut wanted = expected.to_vec();
    wanted.sort_unstable();
    assert_eq!(sorted, wanted, "{kinds:?}");
    let shown = scene.manages("show", &[]).await.to_string();
    for place in [scene.shop.daemon.log(), format!("{log:?}"), shown] {
        assert!(!place.contains("whsec_"), "{place}");
    }
    scene.shop.close().await;
}
