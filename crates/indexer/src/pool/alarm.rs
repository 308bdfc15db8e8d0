//! What the operator should know of the endpoints.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use paywatch_core::{ChainEventKind, ChainId};
use tokio::sync::broadcast;
use tokio::time::Instant;

/// How many alarms are kept for a slow listener.
const KEPT: usize = 64;
/// What is still so is not said again before this.
const SAME: Duration = Duration::from_secs(60);

/// Something that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// What it is.
    pub kind: ChainEventKind,
    /// The circumstances.
    pub detail: String,
}

/// Who is told of alarms.
#[derive(Debug)]
pub(super) struct Alarms {
    sender: broadcast::Sender<Alarm>,
    /// The last one, and when.
    last: Mutex<Option<(Alarm, Instant)>>,
}

impl Default for Alarms {
    fn default() -> Self {
        let (sender, _) = broadcast::channel(KEPT);
        Self {
            sender,
            last: Mutex::new(None),
        }
    }
}

impl Alarms {
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Alarm> {
        self.sender.subscribe()
    }

    /// Raises an alarm, once for as long as the same goes on.
    pub(super) fn raise(&self, chain_id: ChainId, kind: ChainEventKind, detail: String) {
        let alarm = Alarm { kind, detail };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = last
            .as_ref()
            .is_some_and(|(known, at)| *known == alarm && at.elapsed() < SAME);
        if is_known {
            return;
        }
        *last = Some((alarm.clone(), Instant::now()));
        drop(last);
        let Alarm { kind, detail } = &alarm;
        tracing::error!(chain.id = %chain_id, event = %kind, detail, "alarm");
        // Nobody may be listening yet.
        let _sent = self.sender.send(alarm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_goes_on_is_said_once_a_minute() {
        let alarms = Alarms::default();
        let mut heard = alarms.subscribe();
        let chain = ChainId::new(1).unwrap();
        let raise = |detail: &str| {
            alarms.raise(chain, ChainEventKind::Disagreement, detail.to_owned());
        };
        raise("block 7");
        raise("block 7");
        raise("block 8");
        tokio::time::advance(SAME).await;
        raise("block 8");
        let mut said = Vec::new();
        while let Ok(alarm) = heard.try_recv() {
            said.push(alarm.detail);
        }
        assert_eq!(said, ["block 7", "block 8", "block 8"]);
    }
}
