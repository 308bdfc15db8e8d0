//! Compares what endpoints say of blocks with each other, with blooms and with receipts.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, Bloom, BloomInput};
use paywatch_core::{BlockNumber, BlockRef};
use paywatch_proof::ProvenBlock;

use crate::{
    Contradiction, LogAnswer, LogFilter, LogPlace, SourceError, TRANSFER_TOPIC, TransferLog, Wanted,
};

/// The blocks in which two answers differ.
pub(super) fn differences(one: &LogAnswer, other: &LogAnswer) -> BTreeSet<BlockNumber> {
    let mut differing = unlike(&one.transfers, &other.transfers, TransferLog::place);
    differing.extend(unlike(&one.paid, &other.paid, |log| log.place));
    differing.extend(unlike(&one.notices, &other.notices, |log| log.place));
    differing
}

/// The blocks in which one has what the other has not, or has otherwise.
fn unlike<T: PartialEq>(
    one: &[T],
    other: &[T],
    place: impl Fn(&T) -> LogPlace,
) -> BTreeSet<BlockNumber> {
    let mut differing = BTreeSet::new();
    for (these, those) in [(one, other), (other, one)] {
        let known: BTreeMap<_, _> = those.iter().map(|log| (place(log), log)).collect();
        let missing = these
            .iter()
            .filter(|log| known.get(&place(log)) != Some(log));
        differing.extend(missing.map(|log| place(log).block_number));
    }
    differing
}

/// Whether a block with this bloom may hold a transfer that is asked for.
pub(super) fn may_hold(bloom: &Bloom, filter: &LogFilter) -> bool {
    let has = |raw: &[u8]| bloom.contains_input(BloomInput::Raw(raw));
    let has_word = |address: &Address| has(address.into_word().as_slice());
    let has_token = filter.tokens.iter().any(|token| has(token.as_slice()));
    let has_party = || match filter.node_recipients() {
        Some(recipients) => {
            recipients.iter().any(has_word) || filter.node_senders().iter().any(has_word)
        },
        None => true,
    };
    has_token && has(TRANSFER_TOPIC.as_slice()) && has_party()
}

/// What is wanted of a proven block.
pub(super) fn read_proven(
    proven: &ProvenBlock,
    block: BlockRef,
    filter: &LogFilter,
) -> Result<LogAnswer, SourceError> {
    let wanted = Wanted::by(filter);
    let mut answer = LogAnswer::default();
    for proven in proven.logs() {
        let (contract, topics) = (proven.log.address, proven.log.topics());
        if wanted.is_token(&contract) && topics.first() == Some(&TRANSFER_TOPIC) {
            answer.seen = answer.seen.saturating_add(1);
        }
        let said = wanted
            .read(contract, topics, &proven.log.data.data)
            .map_err(Contradiction::from)?;
        let place = LogPlace {
            block_number: block.number,
            block_hash: block.hash,
            tx_hash: proven.tx_hash,
            log_index: proven.log_index,
        };
        if let Some(said) = said {
            answer.add(place, contract, said);
        }
    }
    Ok(answer)
}
