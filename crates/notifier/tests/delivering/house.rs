//! A house that tells: its books, its clock, its outbox, and the receivers in the town.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use paywatch_core::{
    ChainEvent, ChainEventKind, ChainId, EndpointId, EndpointKind, EventFormat, Timestamp,
};
use paywatch_notifier::{
    Blame, Came, Carrier, Clock, LaneSettings, Outbox, Refusal, Render, Telling, Verdict,
};
use paywatch_store::{EndpointRecord, EventRecord, NewEndpoint, Store, StoreError, Told};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
pub(crate) struct DrivenClock(watch::Sender<Timestamp>);

impl DrivenClock {
    pub(crate) fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).unwrap();
        self.0.send_modify(|now| *now = now.plus_ms(ms).unwrap());
    }
}

impl Clock for DrivenClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn reach(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            let _reached = now.wait_for(|now| *now >= at).await;
        })
    }
}

/// What a receiver does with what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    Answers(u16),
    AsksToWait(Duration),
    /// For ever.
    Hangs,
}

/// What arrived: which event, at what time.
pub(crate) type Arrived = (u64, Timestamp);

/// The receivers, by the URL of the endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Town(Arc<Mutex<BTreeMap<String, Receiver>>>);

#[derive(Debug, Default)]
struct Receiver {
    mood: Option<Mood>,
    /// What it does with the next ones, before its mood counts.
    next: VecDeque<Mood>,
    tried: Vec<Arrived>,
    taken: Vec<u64>,
}

impl Town {
    fn with<T>(&self, url: &str, what: impl FnOnce(&mut Receiver) -> T) -> T {
        what(self.0.lock().unwrap().entry(url.to_owned()).or_default())
    }

    pub(crate) fn is(&self, url: &str, mood: Mood) {
        self.with(url, |receiver| receiver.mood = Some(mood));
    }

    pub(crate) fn next(&self, url: &str, moods: impl IntoIterator<Item = Mood>) {
        self.with(url, |receiver| receiver.next.extend(moods));
    }

    pub(crate) fn taken(&self, url: &str) -> Vec<u64> {
        self.with(url, |receiver| receiver.taken.clone())
    }

    pub(crate) fn tried(&self, url: &str) -> Vec<Arrived> {
        self.with(url, |receiver| receiver.tried.clone())
    }
}

#[async_trait]
impl Carrier for Town {
    async fn carry(
        &self,
        endpoint: &EndpointRecord,
        target: Option<&str>,
        telling: &Telling,
        now: Timestamp,
    ) -> Came {
        let seq: u64 = telling.body.parse().unwrap();
        let mood = self.with(target.unwrap_or(&endpoint.url), |receiver| {
            receiver.tried.push((seq, now));
            let next = receiver.next.pop_front();
            let mood = next.or(receiver.mood).unwrap_or(Mood::Takes);
            if mood == Mood::Takes {
                receiver.taken.push(seq);
            }
            mood
        });
        let (status, asked) = match mood {
            Mood::Takes => (200, None),
            Mood::Answers(status) => (status, None),
            Mood::AsksToWait(time) => (429, Some(time)),
            Mood::Hangs => std::future::pending().await,
        };
        let refusal = Refusal {
            because: format!("it answered {status}"),
            leave_alone_for: asked,
            blame: match status {
                410 => Blame::Gone,
                422 => Blame::Event,
                _ => Blame::Receiver,
            },
        };
        Came {
            status: Some(status),
            answer: String::new(),
            took: Duration::from_millis(1),
            verdict: if status == 200 {
                Verdict::Taken
            } else {
                Verdict::Refused(refusal)
            },
        }
    }
}

/// Puts an event into its number.
#[derive(Debug)]
struct Numbers;

#[async_trait]
impl Render for Numbers {
    async fn render(
        &self,
        seqs: &[u64],
        _format: EventFormat,
    ) -> Result<BTreeMap<u64, Telling>, StoreError> {
        let telling = |seq: u64| Telling {
            id: format!("evt_{seq}"),
            kind: "chain.stalled",
            order: None,
            body: seq.to_string().into(),
            signed_as: None,
            headers: Default::default(),
        };
        Ok(seqs.iter().map(|seq| (*seq, telling(*seq))).collect())
    }
}

/// The house.
pub(crate) struct House {
    pub(crate) store: Store,
    pub(crate) clock: DrivenClock,
    pub(crate) town: Town,
    pub(crate) settings: LaneSettings,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    _folder: TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("books.sqlite").display());
        Self {
            store: Store::open(&url.parse().unwrap()).await.unwrap(),
            clock: DrivenClock(watch::Sender::new(
                Timestamp::from_unix_s(1_800_000_000).unwrap(),
            )),
            town: Town::default(),
            settings: LaneSettings::default(),
            running: None,
            _folder: folder,
        }
    }

    /// An endpoint with a URL like its name.
    pub(crate) async fn endpoint(&self, name: &str) -> EndpointId {
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(name.bytes()) {
            *to = from;
        }
        let new = NewEndpoint {
            id: EndpointId::from_bytes(id),
            kind: EndpointKind::Webhook,
            name: name.to_owned(),
            url: name.to_owned(),
            format: EventFormat::Standard,
            types: "chain.*".parse().unwrap(),
            secrets: vec![SecretString::from("whsec_unused")],
            created_at: self.clock.now(),
        };
        self.store.create_endpoint(&new, None).await.unwrap().id
    }

    /// Something happens to chain `number`; what happens to one chain is told in order.
    pub(crate) async fn happens(&self, number: u64) {
        let event = ChainEvent {
            chain_id: ChainId::new(number).unwrap(),
            kind: ChainEventKind::Stalled,
            detail: "as it is".to_owned(),
        };
        let now = self.clock.now();
        self.store.tell_of_chain(&event, now).await.unwrap();
    }

    /// Opens the house.
    pub(crate) fn opens(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let outbox = Outbox::new(
            self.store.clone(),
            Arc::new(Numbers),
            Arc::new(self.town.clone()),
            Arc::new(self.clock.clone()),
            "house".to_owned(),
        )
        .with_settings(self.settings.clone());
        let task = tokio::spawn(outbox.run(async {
            let _stop = stopped.await;
        }));
        self.running = Some((stop, task));
    }

    /// Closes it in good order.
    pub(crate) async fn closes(&mut self) {
        let (stop, task) = self.running.take().unwrap();
        let _told = stop.send(());
        task.await.unwrap();
    }

    /// It burns down with everything that was under way.
    pub(crate) async fn burns(&mut self) {
        let (_stop, task) = self.running.take().unwrap();
        task.abort();
        let _aborted = task.await;
    }

    /// Waits until `what` holds.
    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        for _ in 0..2_000 {
            if holds().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came to this: {what}");
    }

    /// Lets time pass in steps, as long as it takes until `what` holds.
    pub(crate) async fn in_time(&self, step: Duration, what: &str, holds: impl AsyncFn() -> bool) {
        for _ in 0..2_000 {
            if holds().await {
                return;
            }
            self.clock.pass(step);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came to this: {what}");
    }

    /// What the log tells of endpoints.
    pub(crate) async fn told_of_endpoints(&self) -> Vec<&'static str> {
        let events = self.store.events_after(0, 10_000).await.unwrap();
        let told = events
            .iter()
            .filter_map(|event: &EventRecord| match &event.told {
                Told::Endpoint(told) => Some(told.kind.name()),
                Told::Order(_) | Told::Chain(_) | Told::Payment(_) => None,
            });
        told.collect()
    }
}
