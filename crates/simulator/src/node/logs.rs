//! The logs that a node gives, and what goes wrong with them.

use alloy_primitives::{Address, B256, U256};
use paywatch_indexer::{
    LogAnswer, LogFilter, LogPlace, Paid, PaidLog, TRANSFER_TOPIC, TransferLog, Wanted,
};

use crate::SimBlock;
use crate::faults::{Fault, Faults};

/// The logs of `block` that `filter` lets the node give.
pub(super) fn logs_of(block: &SimBlock, filter: &LogFilter) -> LogAnswer {
    let wanted = Wanted::by(filter);
    let mut answer = LogAnswer::default();
    let all = block
        .transactions
        .iter()
        .flat_map(|transaction| transaction.logs.iter().map(|log| (transaction.hash, log)));
    for ((tx_hash, log), log_index) in all.zip(0_u64..) {
        let contract = log.address;
        let Ok(said) = wanted.read(contract, log.topics(), &log.data.data) else {
            continue;
        };
        let is_transfer =
            filter.tokens.contains(&contract) && log.topics().first() == Some(&TRANSFER_TOPIC);
        if is_transfer && (said.is_some() || !filter.by_node) {
            answer.seen = answer.seen.saturating_add(1);
        }
        let place = LogPlace {
            block_number: block.header.number,
            block_hash: block.hash,
            tx_hash,
            log_index,
        };
        if let Some(said) = said {
            answer.add(place, contract, said);
        }
    }
    answer
}

/// Lets `fault` happen to an answer.
pub(super) fn spoil(
    answer: &mut LogAnswer,
    fault: Option<Fault>,
    filter: &LogFilter,
    faults: &mut Faults,
) {
    let logs = &mut answer.transfers;
    let at = faults.below(logs.len());
    match fault {
        Some(Fault::NoLogs) => logs.clear(),
        Some(Fault::SomeLogs) if !logs.is_empty() => drop(logs.remove(at)),
        Some(Fault::AlteredLog) => {
            if let Some(log) = logs.get_mut(at) {
                log.value = log.value.saturating_add(U256::from(7));
            }
        },
        Some(Fault::InventedLog) => {
            if let Some(invented) = logs.get(at).and_then(|log| invented(log, filter)) {
                logs.push(invented);
            }
        },
        Some(Fault::InventedPaid) => {
            if let Some(paid) = logs.get(at).and_then(|log| invented_paid(log, filter)) {
                answer.paid.push(paid);
            }
        },
        Some(Fault::AlteredRef) => {
            let at = faults.below(answer.paid.len());
            if let Some(log) = answer.paid.get_mut(at) {
                log.said.order_ref = another(log.said.order_ref);
            }
        },
        Some(Fault::NoPaid) => answer.paid.clear(),
        Some(Fault::RepeatedLogs) => logs.extend_from_within(..),
        Some(Fault::OtherBlocksLogs) => {
            if let Some(log) = logs.get_mut(at) {
                log.block_hash = B256::repeat_byte(0xd1);
            }
        },
        Some(_) | None => {},
    }
}

/// A log like `log` that nobody wrote, from a stranger to somebody whom the filter wants.
fn invented(log: &TransferLog, filter: &LogFilter) -> Option<TransferLog> {
    let to = match &filter.recipients {
        Some(recipients) => recipients.to_vec().into_iter().min()?,
        None => log.to,
    };
    Some(TransferLog {
        log_index: log.log_index.saturating_add(1_000),
        from: Address::repeat_byte(0x1a),
        to,
        value: log.value.max(U256::from(1_000_000)),
        ..*log
    })
}

/// A word of the receiver that `log` was a payment for the first order.
fn invented_paid(log: &TransferLog, filter: &LogFilter) -> Option<PaidLog> {
    if !Wanted::by(filter).is_paid(&log.to) {
        return None;
    }
    Some(PaidLog {
        place: LogPlace {
            log_index: log.log_index.saturating_add(1_000),
            ..log.place()
        },
        receiver: *filter.receivers.first()?,
        said: Paid {
            payer: log.from,
            treasury: log.to,
            order_ref: another(B256::ZERO),
            token: log.token,
            amount: log.value,
        },
    })
}

/// The word for the order whose id is all ones, or for that of all twos.
fn another(order_ref: B256) -> B256 {
    let first = B256::right_padding_from(&[1; 16]);
    if order_ref == first {
        B256::right_padding_from(&[2; 16])
    } else {
        first
    }
}
