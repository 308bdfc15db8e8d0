//! What transfers of strangers' contracts come to: a line for each contract and address, bounded.

use std::collections::{BTreeMap, BTreeSet};

use paywatch_core::{Address, BlockNumber, U256};
use paywatch_indexer::TransferLog;

/// How many lines one range of blocks may have.
const MOST: usize = 500;

/// What one contract did to one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) contract: Address,
    pub(super) to: Address,
    pub(super) count: u64,
    pub(super) value: U256,
    pub(super) first: TransferLog,
    pub(super) last: TransferLog,
}

/// The lines of `logs` without those of contracts that are `known`. Of more than `of_address`
/// contracts for one address, and of more than may be in all, the last ones.
pub(super) fn lines(
    mut logs: Vec<TransferLog>,
    known: &BTreeSet<Address>,
    of_address: usize,
) -> Vec<Line> {
    logs.retain(|log| !known.contains(&log.token));
    logs.sort_by_key(|log| (log.block_number, log.log_index));
    // The same log may come in two answers.
    logs.dedup_by_key(|log| (log.block_number, log.log_index));
    let mut lines: BTreeMap<(Address, Address), Line> = BTreeMap::new();
    for log in logs {
        let line = lines.entry((log.token, log.to)).or_insert(Line {
            contract: log.token,
            to: log.to,
            count: 0,
            value: log.value,
            first: log,
            last: log,
        });
        line.count = line.count.saturating_add(1);
        line.value = log.value;
        line.last = log;
    }
    let mut newest: Vec<Line> = lines.into_values().collect();
    newest.sort_by_key(|line| std::cmp::Reverse((line.last.block_number, line.last.log_index)));
    let mut of: BTreeMap<Address, usize> = BTreeMap::new();
    newest.retain(|line| {
        let count = of.entry(line.to).or_default();
        *count = count.saturating_add(1);
        *count <= of_address
    });
    newest.truncate(MOST);
    newest.reverse();
    newest
}

/// The blocks whose times are wanted.
pub(super) fn blocks(lines: &[Line]) -> Vec<BlockNumber> {
    let both = lines.iter().flat_map(|line| [line.first, line.last]);
    let numbers: BTreeSet<_> = both.map(|log| log.block_number).collect();
    numbers.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use paywatch_core::B256;

    use super::*;

    fn log(place: (u64, u64), token: u8, to: u8) -> TransferLog {
        TransferLog {
            block_number: place.0,
            block_hash: B256::repeat_byte(1),
            tx_hash: B256::repeat_byte(2),
            log_index: place.1,
            token: Address::repeat_byte(token),
            from: Address::repeat_byte(9),
            to: Address::repeat_byte(to),
            value: U256::from(place.0),
        }
    }

    #[test]
    fn each_contract_and_address_is_a_line() {
        let logs = vec![
            log((3, 0), 0x73, 1),
            log((1, 4), 0x73, 1),
            log((2, 0), 0x73, 2),
            log((2, 1), 0x71, 1),
            log((3, 0), 0x73, 1),
        ];
        let known = BTreeSet::from([Address::repeat_byte(0x71)]);
        let lines = lines(logs, &known, 20);
        let seen: Vec<_> = lines.iter().map(|line| (line.to, line.count)).collect();
        let to = Address::repeat_byte;
        assert_eq!(seen, [(to(2), 1), (to(1), 2)]);
        assert_eq!(lines[1].value, U256::from(3));
        assert_eq!(blocks(&lines), [1, 2, 3]);
    }

    #[test]
    fn a_flood_keeps_the_last_ones() {
        let logs: Vec<_> = (0..30).map(|n| log((u64::from(n), 0), n, 1)).collect();
        let lines = lines(logs, &BTreeSet::new(), 20);
        assert_eq!(lines.len(), 20);
        assert_eq!(lines[0].contract, Address::repeat_byte(10));
        let wide: Vec<_> = (0..4_u8)
            .flat_map(|n| (0..=255_u8).map(move |to| log((u64::from(to), u64::from(n)), n, to)))
            .collect();
        assert_eq!(super::lines(wide, &BTreeSet::new(), 20).len(), MOST);
    }
}
