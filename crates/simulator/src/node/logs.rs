//! The logs that a node gives of a block, and one that nobody wrote.

use paywatch_indexer::{LogFilter, TransferLog, decode};

use crate::SimBlock;

/// A log like `log` that nobody wrote, to somebody whom the filter wants.
pub(super) fn invented(log: &TransferLog, filter: &LogFilter) -> Option<TransferLog> {
    let to = match &filter.recipients {
        Some(recipients) => recipients.to_vec().into_iter().min()?,
        None => log.to,
    };
    Some(TransferLog {
        log_index: log.log_index.saturating_add(1_000),
        to,
        ..*log
    })
}

/// The logs of `block` that `filter` lets the node give, and how many those are before anybody
/// looks at who is paid.
pub(super) fn logs_of(block: &SimBlock, filter: &LogFilter) -> (Vec<TransferLog>, u64) {
    let recipients = filter.recipients.as_ref().map(|set| set.read());
    let mut transfers = Vec::new();
    let mut seen = 0_u64;
    let all = block
        .transactions
        .iter()
        .flat_map(|transaction| transaction.logs.iter().map(|log| (transaction.hash, log)));
    for ((tx_hash, log), log_index) in all.zip(0_u64..) {
        let token = log.address;
        let movement = decode(token, log.topics(), &log.data.data).ok().flatten();
        let Some(movement) = movement.filter(|_| filter.tokens.contains(&token)) else {
            continue;
        };
        let is_wanted = recipients
            .as_ref()
            .is_none_or(|set| set.contains(&movement.to));
        if is_wanted || !filter.by_node {
            seen = seen.saturating_add(1);
        }
        if is_wanted {
            transfers.push(TransferLog {
                block_number: block.header.number,
                block_hash: block.hash,
                tx_hash,
                log_index,
                token,
                from: movement.from,
                to: movement.to,
                value: movement.value,
            });
        }
    }
    (transfers, seen)
}
