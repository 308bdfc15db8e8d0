//! Notices that a chain stands still, and that it moves again.

use std::time::Duration;

use paywatch_core::{BlockNumber, ChainEvent, ChainEventKind, ChainId};
use paywatch_indexer::ChainUpdate;
use tokio::time::Instant;

/// Since when a height has not risen, and whether that was told.
#[derive(Clone, Copy, Debug)]
struct Height {
    number: Option<BlockNumber>,
    since: Instant,
    patience: Option<Duration>,
    is_told: bool,
}

impl Height {
    fn new(patience: Option<Duration>) -> Self {
        Self {
            number: None,
            since: Instant::now(),
            patience,
            is_told: false,
        }
    }

    /// Returns whether this ends a standstill that was told.
    fn saw(&mut self, number: Option<BlockNumber>) -> bool {
        if number <= self.number {
            return false;
        }
        self.number = number;
        self.since = Instant::now();
        std::mem::take(&mut self.is_told)
    }

    fn due(&self) -> Option<Instant> {
        let patience = self.patience.filter(|_| !self.is_told)?;
        self.since.checked_add(patience)
    }

    /// Returns for how long it has stood still, if that is to be told now.
    fn check(&mut self) -> Option<Duration> {
        let due = self.due()?;
        if Instant::now() < due {
            return None;
        }
        self.is_told = true;
        Some(self.since.elapsed())
    }
}

/// Watches over one chain.
#[derive(Debug)]
pub(super) struct Vigil {
    chain_id: ChainId,
    tip: Height,
    finalized: Height,
    silences: u64,
}

impl Vigil {
    pub(super) fn new(
        chain_id: ChainId,
        tip_patience: Option<Duration>,
        finality_patience: Option<Duration>,
    ) -> Self {
        Self {
            chain_id,
            tip: Height::new(tip_patience),
            finalized: Height::new(finality_patience),
            silences: 0,
        }
    }

    fn event(&self, kind: ChainEventKind, detail: String) -> ChainEvent {
        ChainEvent {
            chain_id: self.chain_id,
            kind,
            detail,
        }
    }

    /// What an update is to be told about.
    pub(super) fn saw(&mut self, update: &ChainUpdate) -> Vec<ChainEvent> {
        let mut events = Vec::new();
        if self.tip.saw(Some(update.tip.number)) {
            events.push(self.event(
                ChainEventKind::Recovered,
                format!("blocks are covered again, up to {}", update.tip.number),
            ));
        }
        // What was never final cannot stall: some chains know no such thing.
        if self.finalized.number.is_none() && update.tags.finalized.is_none() {
            self.finalized.since = Instant::now();
        }
        if self.finalized.saw(update.tags.finalized) {
            events.push(self.event(
                ChainEventKind::FinalityRecovered,
                "the finalized block moves again".to_owned(),
            ));
        }
        events
    }

    /// What a source's count of subscriptions that fell silent is to be told about.
    pub(super) fn heard(&mut self, silences: u64) -> Option<ChainEvent> {
        if silences <= self.silences {
            return None;
        }
        self.silences = silences;
        Some(self.event(
            ChainEventKind::Stalled,
            "a subscription announced nothing although there were new blocks; polling for them, \
             and subscribing again"
                .to_owned(),
        ))
    }

    /// When [`Self::check`] may have something to say.
    pub(super) fn due(&self) -> Option<Instant> {
        let finality = self.finalized.number.and(self.finalized.due());
        match (self.tip.due(), finality) {
            (Some(tip), Some(finality)) => Some(tip.min(finality)),
            (tip, finality) => tip.or(finality),
        }
    }

    /// What stands still and was not told yet.
    pub(super) fn check(&mut self) -> Vec<ChainEvent> {
        let mut events = Vec::new();
        if let Some(still) = self.tip.check() {
            let tip = match self.tip.number {
                Some(number) => format!("since block {number}"),
                None => "since the start".to_owned(),
            };
            events.push(self.event(
                ChainEventKind::Stalled,
                format!("no block was covered for {} s, {tip}", still.as_secs()),
            ));
        }
        if let Some(number) = self.finalized.number
            && let Some(still) = self.finalized.check()
        {
            events.push(self.event(
                ChainEventKind::FinalityStalled,
                format!(
                    "the finalized block has been {number} for {} s; payments that wait for it are \
                     not confirmed",
                    still.as_secs()
                ),
            ));
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use paywatch_core::{B256, Block, Tags, Timestamp};

    use super::*;

    fn update(number: u64, finalized: Option<u64>) -> ChainUpdate {
        ChainUpdate {
            chain_id: ChainId::new(1).unwrap(),
            previous: None,
            retract_above: None,
            blocks: Vec::new(),
            covers_from: None,
            below: Vec::new(),
            tip: Block {
                number,
                hash: B256::ZERO,
                parent_hash: B256::ZERO,
                timestamp: Timestamp::EPOCH,
            },
            tags: Tags {
                safe: None,
                finalized,
            },
            node_head: number,
        }
    }

    fn kinds(events: &[ChainEvent]) -> Vec<ChainEventKind> {
        events.iter().map(|event| event.kind).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_standstill_is_told_once_and_so_is_its_end() {
        let minute = Duration::from_secs(60);
        let mut vigil = Vigil::new(ChainId::new(1).unwrap(), Some(minute), Some(minute));
        assert!(vigil.saw(&update(5, Some(1))).is_empty());
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(vigil.check().is_empty());
        assert!(vigil.saw(&update(6, Some(1))).is_empty());
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(kinds(&vigil.check()), [ChainEventKind::FinalityStalled]);
        tokio::time::advance(minute).await;
        assert_eq!(kinds(&vigil.check()), [ChainEventKind::Stalled]);
        assert!(vigil.check().is_empty());
        assert_eq!(vigil.due(), None);
        assert_eq!(
            kinds(&vigil.saw(&update(7, Some(2)))),
            [ChainEventKind::Recovered, ChainEventKind::FinalityRecovered]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_chain_without_finality_does_not_stall_in_it() {
        let minute = Duration::from_secs(60);
        let mut vigil = Vigil::new(ChainId::new(1).unwrap(), None, Some(minute));
        assert!(vigil.saw(&update(5, None)).is_empty());
        tokio::time::advance(Duration::from_secs(600)).await;
        assert!(vigil.check().is_empty());
        assert_eq!(vigil.heard(0), None);
        let told = vigil.heard(1).unwrap();
        assert_eq!(told.kind, ChainEventKind::Stalled);
        assert_eq!(vigil.heard(1), None);
    }
}
