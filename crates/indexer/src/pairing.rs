//! Which transfer a payment through a receiver is: the receiver's log comes after the token's own,
//! in the same transaction, and says as much of the same token for the same treasury.

use std::collections::BTreeMap;

use crate::{PaidLog, TransferLog};

/// What belongs together in one block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairing<'a> {
    /// What was said of each transfer, by the transfer's log index.
    pub of: BTreeMap<u64, &'a PaidLog>,
    /// What was said of no transfer: it is no money.
    pub without: Vec<&'a PaidLog>,
}

/// Gives each of `paid` the nearest transfer before it of the same token and value to the same
/// treasury that no earlier one has taken, of those that `is_together` says are of its transaction.
/// All are of one block, in any order.
#[must_use]
pub fn pair<'a>(
    transfers: &[TransferLog],
    paid: &'a [PaidLog],
    is_together: impl Fn(&TransferLog, &PaidLog) -> bool,
) -> Pairing<'a> {
    let mut in_order: Vec<&'a PaidLog> = paid.iter().collect();
    in_order.sort_by_key(|log| log.place.log_index);
    let mut pairing = Pairing::default();
    for log in in_order {
        let said = &log.said;
        let nearest = transfers
            .iter()
            .filter(|transfer| {
                transfer.log_index < log.place.log_index
                    && transfer.token == said.token
                    && transfer.to == said.treasury
                    && transfer.value == said.amount
                    && !pairing.of.contains_key(&transfer.log_index)
                    && is_together(transfer, log)
            })
            .max_by_key(|transfer| transfer.log_index);
        match nearest {
            Some(transfer) => {
                pairing.of.insert(transfer.log_index, log);
            },
            None => pairing.without.push(log),
        }
    }
    pairing
}

/// Whether a node says that the two are of one transaction.
#[must_use]
pub fn same_transaction(transfer: &TransferLog, paid: &PaidLog) -> bool {
    transfer.tx_hash == paid.place.tx_hash
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256, U256};
    use proptest::prelude::*;

    use super::*;
    use crate::{LogPlace, Paid};

    /// A log of a small world: few transactions, tokens, treasuries and values, so that much is
    /// alike.
    #[derive(Clone, Copy, Debug)]
    struct Wrote {
        is_paid: bool,
        transaction: u8,
        token: u8,
        treasury: u8,
        value: u8,
    }

    fn wrote() -> impl Strategy<Value = Wrote> {
        (any::<bool>(), 0..2_u8, 0..2_u8, 0..2_u8, 0..2_u8).prop_map(
            |(is_paid, transaction, token, treasury, value)| Wrote {
                is_paid,
                transaction,
                token,
                treasury,
                value,
            },
        )
    }

    fn read(block: &[Wrote]) -> (Vec<TransferLog>, Vec<PaidLog>) {
        let (mut transfers, mut paid) = (Vec::new(), Vec::new());
        for (log_index, wrote) in (0..).zip(block) {
            let place = LogPlace {
                block_number: 1,
                block_hash: B256::ZERO,
                tx_hash: B256::repeat_byte(wrote.transaction),
                log_index,
            };
            let token = Address::repeat_byte(wrote.token);
            let treasury = Address::repeat_byte(wrote.treasury);
            let amount = U256::from(wrote.value);
            if wrote.is_paid {
                let said = Paid {
                    payer: Address::ZERO,
                    treasury,
                    order_ref: B256::with_last_byte(u8::try_from(log_index).unwrap()),
                    token,
                    amount,
                };
                paid.push(PaidLog {
                    place,
                    receiver: Address::ZERO,
                    said,
                });
            } else {
                transfers.push(TransferLog {
                    block_number: place.block_number,
                    block_hash: place.block_hash,
                    tx_hash: place.tx_hash,
                    log_index,
                    token,
                    from: Address::ZERO,
                    to: treasury,
                    value: amount,
                });
            }
        }
        (transfers, paid)
    }

    /// The same by a stack for each kind of transfer: what came last is paid for first.
    fn by_stacks(block: &[Wrote]) -> BTreeMap<u64, u64> {
        let mut stacks: BTreeMap<(u8, u8, u8, u8), Vec<u64>> = BTreeMap::new();
        let mut pairs = BTreeMap::new();
        for (log_index, wrote) in (0..).zip(block) {
            let kind = (wrote.transaction, wrote.token, wrote.treasury, wrote.value);
            let stack = stacks.entry(kind).or_default();
            if !wrote.is_paid {
                stack.push(log_index);
            } else if let Some(transfer) = stack.pop() {
                pairs.insert(transfer, log_index);
            }
        }
        pairs
    }

    proptest! {
        #[test]
        fn each_payment_is_one_transfer_and_none_is_two(
            block in prop::collection::vec(wrote(), 0..24),
            is_reversed in any::<bool>(),
        ) {
            let (mut transfers, mut paid) = read(&block);
            if is_reversed {
                transfers.reverse();
                paid.reverse();
            }
            let pairing = pair(&transfers, &paid, same_transaction);
            prop_assert_eq!(pairing.of.len().checked_add(pairing.without.len()), Some(paid.len()));
            let pairs: BTreeMap<u64, u64> = pairing
                .of
                .iter()
                .map(|(transfer, paid)| (*transfer, paid.place.log_index))
                .collect();
            prop_assert_eq!(pairs, by_stacks(&block));
        }
    }
}
