//! What a lane has under way, and what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use paywatch_core::Timestamp;
use paywatch_store::{AfterAttempt, Attempted, DueDelivery, EndpointRecord};
use tokio::task::JoinSet;

use crate::schedule::Schedule;
use crate::telling::{Blame, Came, Carrier, Clock, Refusal, Telling, Verdict};

/// A delivery that is to be made now.
pub(super) struct Load {
    pub(super) endpoint: Arc<EndpointRecord>,
    pub(super) delivery: DueDelivery,
    /// `None` if its form has no words for it: then there is nothing to be sent.
    pub(super) telling: Option<Telling>,
}

/// A delivery that was attempted.
struct Finished {
    delivery: DueDelivery,
    sent_at: Timestamp,
    came: Came,
}

/// What follows from an attempt for those that come after it.
pub(super) struct Outcome {
    pub(super) delivery: DueDelivery,
    pub(super) refusal: Option<Refusal>,
}

/// What is under way, and what came of it.
#[derive(Default)]
pub(super) struct Work {
    sending: JoinSet<Finished>,
    finished: Vec<Finished>,
    /// What is to be written into the books.
    pub(super) done: Vec<Attempted>,
    /// Events in the endpoint's form, as long as they are needed.
    tellings: BTreeMap<u64, Option<Telling>>,
    last_endpoint: Option<Arc<EndpointRecord>>,
    /// What was learned about the receiver and is not in the books yet.
    pub(super) news: News,
}

/// What was learned about a receiver.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    #[default]
    None,
    /// It answers again, after it was left alone.
    AnswersAgain,
    /// It wants nothing any more.
    Gone,
    /// It wants nothing any more, and the books know.
    Ended,
}

impl News {
    /// Whether nothing is to be delivered any more.
    pub(super) const fn is_end(self) -> bool {
        match self {
            Self::None | Self::AnswersAgain => false,
            Self::Gone | Self::Ended => true,
        }
    }
}

impl Refusal {
    /// Whether it says something about the receiver rather than about one event.
    pub(super) fn counts(&self) -> bool {
        match self.blame {
            Blame::Receiver | Blame::Gone => true,
            Blame::Event => self.leave_alone_for.is_some(),
        }
    }

    pub(super) fn is_gone(&self) -> bool {
        self.blame == Blame::Gone
    }
}

impl Work {
    pub(super) fn under_way(&self) -> usize {
        self.sending.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.sending.is_empty()
    }

    /// The endpoint as it was when something was sent last.
    pub(super) fn endpoint(&self) -> Option<Arc<EndpointRecord>> {
        self.last_endpoint.clone()
    }

    /// Those of `seqs` that are not known in the endpoint's form.
    pub(super) fn unknown(&self, seqs: &[u64]) -> Vec<u64> {
        let is_unknown = |seq: &u64| !self.tellings.contains_key(seq);
        seqs.iter().copied().filter(is_unknown).collect()
    }

    /// Keeps what the events `seqs` are in the endpoint's form.
    pub(super) fn know(&mut self, seqs: &[u64], mut rendered: BTreeMap<u64, Telling>) {
        for seq in seqs {
            self.tellings.insert(*seq, rendered.remove(seq));
        }
    }

    pub(super) fn telling(&self, seq: u64) -> Option<Telling> {
        self.tellings.get(&seq).cloned().flatten()
    }

    /// Sends `load`.
    pub(super) fn start(&mut self, load: Load, carrier: &Arc<dyn Carrier>, clock: &Arc<dyn Clock>) {
        self.last_endpoint = Some(Arc::clone(&load.endpoint));
        let (carrier, clock) = (Arc::clone(carrier), Arc::clone(clock));
        self.sending.spawn(async move {
            let Load {
                endpoint,
                delivery,
                telling,
            } = load;
            let sent_at = clock.now();
            let came = match telling {
                Some(telling) => {
                    let target = delivery.target.as_deref();
                    carrier.carry(&endpoint, target, &telling, sent_at).await
                },
                None => Came {
                    status: None,
                    answer: "nothing was sent: this form has no words for it".to_owned(),
                    took: Duration::ZERO,
                    verdict: Verdict::Taken,
                },
            };
            Finished {
                delivery,
                sent_at,
                came,
            }
        });
    }

    /// Resolves when something that is under way is done; never, if nothing is.
    pub(super) async fn one_is_done(&mut self) {
        match self.sending.join_next().await {
            Some(Ok(finished)) => self.finished.push(finished),
            // It was not finished, so it is still due in the books.
            Some(Err(error)) => tracing::error!(
                error = %error,
                "a delivery broke off"
            ),
            None => std::future::pending().await,
        }
    }

    /// Takes everything that is done by now.
    pub(super) fn collect(&mut self) {
        while let Some(joined) = self.sending.try_join_next() {
            match joined {
                Ok(finished) => self.finished.push(finished),
                Err(error) => tracing::error!(
                    error = %error,
                    "a delivery broke off"
                ),
            }
        }
    }

    /// What is new, which is then to be written into the books.
    pub(super) fn learn(&mut self, schedule: &Schedule, now: Timestamp) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(self.finished.len());
        for finished in std::mem::take(&mut self.finished) {
            let Finished {
                delivery,
                sent_at,
                came,
            } = finished;
            let refusal = match came.verdict {
                Verdict::Taken => None,
                Verdict::Refused(refusal) => Some(refusal),
            };
            let then = match &refusal {
                None => AfterAttempt::Delivered,
                Some(refusal) => after(&delivery, refusal, schedule, now),
            };
            self.done.push(Attempted {
                delivery: delivery.clone(),
                sent_at,
                took_ms: u32::try_from(came.took.as_millis()).unwrap_or(u32::MAX),
                status: came.status,
                failure: refusal.as_ref().map(|refusal| refusal.because.clone()),
                answer: came.answer,
                then,
            });
            outcomes.push(Outcome { delivery, refusal });
        }
        outcomes
    }

    /// Lets go of the events that are not needed any more.
    pub(super) fn keep(&mut self, is_needed: impl Fn(u64) -> bool) {
        self.tellings.retain(|seq, _| is_needed(*seq));
    }
}

/// What follows from a refusal of `delivery`.
fn after(
    delivery: &DueDelivery,
    refusal: &Refusal,
    schedule: &Schedule,
    now: Timestamp,
) -> AfterAttempt {
    if refusal.is_gone() {
        return AfterAttempt::GivenUp;
    }
    let attempts = delivery.attempts.saturating_add(1);
    let Some(pause) = schedule.after(attempts, roll()) else {
        return AfterAttempt::GivenUp;
    };
    let pause = pause.max(refusal.leave_alone_for.unwrap_or_default());
    let ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
    now.plus_ms(ms)
        .map_or(AfterAttempt::GivenUp, AfterAttempt::Again)
}

/// A number at random; always the same where the system has none.
pub(super) fn roll() -> u8 {
    let mut byte = [128];
    let _filled = getrandom::fill(&mut byte);
    let [byte] = byte;
    byte
}
