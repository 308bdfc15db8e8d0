//! Brings events to a sink.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use paywatch_core::Timestamp;
use paywatch_store::EndpointRecord;

use crate::sink::words::Names;
use crate::sink::{Outgoing, Sink, SinkFailure, SinkFailureKind};
use crate::telling::{Blame, Came, Carrier, Refusal, Telling, Verdict};

/// Hands what is told to a bus or to people, one event at a time. Whatever has one subject comes in
/// order, since the next one of it is sent once the one before is acknowledged; for NATS, whose streams
/// have an order of their own, the whole log is one subject.
#[derive(Clone, Debug)]
pub struct SinkCarrier {
    sink: Arc<dyn Sink>,
    names: Arc<Names>,
}

impl SinkCarrier {
    /// Hands events to `sink`, for people with these `names`.
    #[must_use]
    pub const fn new(sink: Arc<dyn Sink>, names: Arc<Names>) -> Self {
        Self { sink, names }
    }

    fn outgoing(&self, telling: &Telling) -> Outgoing {
        let (key, words) = self.names.read(telling.kind, &telling.body);
        Outgoing {
            id: telling.id.clone(),
            kind: telling.kind.to_owned(),
            key,
            body: telling.body.as_bytes().to_vec().into(),
            words,
        }
    }
}

#[async_trait]
impl Carrier for SinkCarrier {
    async fn carry(
        &self,
        _endpoint: &EndpointRecord,
        _target: Option<&str>,
        telling: &Telling,
        _now: Timestamp,
    ) -> Came {
        let begun = Instant::now();
        let published = self.sink.publish(&[self.outgoing(telling)]).await;
        Came {
            status: None,
            answer: String::new(),
            took: begun.elapsed(),
            verdict: match published {
                Ok(()) => Verdict::Taken,
                Err(failure) => Verdict::Refused(refusal(failure)),
            },
        }
    }
}

fn refusal(failure: SinkFailure) -> Refusal {
    Refusal {
        blame: match failure.kind {
            SinkFailureKind::Unreachable | SinkFailureKind::TimedOut | SinkFailureKind::Refused => {
                Blame::Receiver
            },
            SinkFailureKind::Unfit => Blame::Event,
        },
        because: failure.text,
        leave_alone_for: failure.retry_after.filter(|time| !time.is_zero()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use paywatch_core::{EndpointId, EndpointKind, EventFormat, EventTypes};
    use paywatch_store::EndpointHealth;

    use super::*;

    /// A sink that fails as it is told, once, and keeps what it took.
    #[derive(Debug, Default)]
    struct Shelf {
        fails: Mutex<Option<SinkFailure>>,
        taken: Mutex<Vec<Outgoing>>,
    }

    #[async_trait]
    impl Sink for Shelf {
        async fn publish(&self, events: &[Outgoing]) -> Result<(), SinkFailure> {
            if let Some(failure) = self.fails.lock().unwrap().take() {
                return Err(failure);
            }
            self.taken.lock().unwrap().extend_from_slice(events);
            Ok(())
        }
    }

    async fn carried(shelf: &Arc<Shelf>) -> Verdict {
        let now = Timestamp::from_unix_s(1_800_000_000).unwrap();
        let endpoint = EndpointRecord {
            id: EndpointId::from_bytes([1; 16]),
            kind: EndpointKind::Nats,
            name: "nats".to_owned(),
            url: String::new(),
            format: EventFormat::Standard,
            types: EventTypes::All,
            secrets: Vec::new(),
            created_at: now,
            disabled: None,
            queued_to: 0,
            changes: 0,
            health: EndpointHealth::default(),
        };
        let telling = Telling {
            id: "evt_1".to_owned(),
            kind: "order.paid",
            order: Some("ord_1".to_owned()),
            body: r#"{"data":{"order":{"id":"ord_1","reference":"INV-1"}}}"#.into(),
            signed_as: None,
            headers: Default::default(),
        };
        let sink: Arc<dyn Sink> = Arc::<Shelf>::clone(shelf);
        let carrier = SinkCarrier::new(sink, Arc::new(Names::default()));
        carrier.carry(&endpoint, None, &telling, now).await.verdict
    }

    #[tokio::test]
    async fn an_event_is_handed_on_with_its_id_its_key_and_its_words() {
        let shelf = Arc::new(Shelf::default());
        assert_eq!(carried(&shelf).await, Verdict::Taken);
        let taken = shelf.taken.lock().unwrap().remove(0);
        assert_eq!((taken.id.as_str(), taken.key.as_str()), ("evt_1", "ord_1"));
        assert_eq!(taken.kind, "order.paid");
        assert_eq!(taken.words.reference, "INV-1");
        assert!(taken.body.starts_with(b"{\"data\""));
    }

    #[tokio::test]
    async fn a_failure_says_whom_to_blame_and_how_long_to_wait() {
        let shelf = Arc::new(Shelf::default());
        let minute = Some(Duration::from_secs(60));
        for (kind, asked, blame, granted) in [
            (
                SinkFailureKind::Unreachable,
                minute,
                Blame::Receiver,
                minute,
            ),
            (SinkFailureKind::TimedOut, None, Blame::Receiver, None),
            (
                SinkFailureKind::Refused,
                Some(Duration::ZERO),
                Blame::Receiver,
                None,
            ),
            (SinkFailureKind::Unfit, None, Blame::Event, None),
        ] {
            *shelf.fails.lock().unwrap() = Some(SinkFailure {
                retry_after: asked,
                ..SinkFailure::new(kind, "no", 0)
            });
            let expected = Refusal {
                because: "no".to_owned(),
                leave_alone_for: granted,
                blame,
            };
            assert_eq!(carried(&shelf).await, Verdict::Refused(expected));
        }
        assert_eq!(shelf.taken.lock().unwrap().len(), 0);
    }
}
