//! What a flush really did, by its receipt.

use std::collections::BTreeMap;

use alloy::sol_types::SolEvent as _;
use alloy_primitives::{Address, U256};
use paywatch_contracts::Deposit as DepositContract;
use paywatch_core::{Amount, Token};

use crate::chain::Receipt;
use crate::flush::Batch;

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What was forwarded, for each token.
    pub moved: BTreeMap<Address, Amount>,
    /// How many deposits forwarded all that they should.
    pub deposits: usize,
    /// What stayed.
    pub stayed: Vec<Part>,
}

/// Something of a token at a deposit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The deposit's address.
    pub deposit: Address,
    /// The token.
    pub token: Address,
    /// How much.
    pub amount: Amount,
}

/// What the flush of `batch` did by its `receipt`. A token whose deposit announced nothing held
/// nothing any more.
#[must_use]
pub fn outcome(batch: &Batch, receipt: &Receipt, tokens: &[Token]) -> Outcome {
    let mut moved: BTreeMap<(Address, Address), U256> = BTreeMap::new();
    let mut failed: BTreeMap<(Address, Address), U256> = BTreeMap::new();
    for log in &receipt.logs {
        let topics = || log.topics.iter().copied();
        if let Ok(event) = DepositContract::Flushed::decode_raw_log(topics(), &log.data) {
            moved.insert((log.address, event.token), event.amount);
        }
        if let Ok(event) = DepositContract::FlushFailed::decode_raw_log(topics(), &log.data) {
            failed.insert((log.address, event.token), event.balance);
        }
    }
    let mut outcome = Outcome::default();
    for holding in &batch.holdings {
        let deposit = holding.deposit.address();
        let mut is_complete = true;
        for (token, held) in &holding.amounts {
            let key = (deposit, *token);
            let decimals = tokens.iter().find(|known| known.address == *token);
            let decimals = decimals.map(|token| token.decimals);
            if let Some((units, decimals)) = moved.get(&key).zip(decimals) {
                let amount = Amount::from_base_units(*units, decimals).unwrap_or(Amount::MAX);
                let sum = outcome.moved.entry(*token).or_default();
                *sum = sum.checked_add(amount).unwrap_or(Amount::MAX);
            }
            if failed.contains_key(&key) {
                is_complete = false;
                outcome.stayed.push(Part {
                    deposit,
                    token: *token,
                    amount: *held,
                });
            }
        }
        if is_complete {
            outcome.deposits = outcome.deposits.saturating_add(1);
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{B256, Bytes};
    use paywatch_core::{ChainId, Decimals};

    use super::*;
    use crate::chain::ReceiptLog;
    use crate::deposit::{Deposit, Holding};
    use crate::flush::Group;

    const USDT: Address = Address::repeat_byte(0xda);

    fn deposit(number: u8) -> Deposit {
        Deposit {
            factory: Address::repeat_byte(0xfa),
            treasury: Address::repeat_byte(0x7e),
            salt: B256::repeat_byte(number),
        }
    }

    fn holding(number: u8, amount: &str) -> Holding {
        Holding {
            deposit: deposit(number),
            amounts: [(USDT, amount.parse().unwrap())].into(),
        }
    }

    /// What the deposit at `address` announces.
    fn log(address: Address, event: B256, units: u64) -> ReceiptLog {
        let treasury = Address::repeat_byte(0x7e);
        ReceiptLog {
            address,
            topics: vec![event, USDT.into_word(), treasury.into_word()],
            data: Bytes::from(U256::from(units).to_be_bytes_vec()),
        }
    }

    #[test]
    fn what_moved_and_what_stayed_is_what_the_deposits_announced() {
        let holdings = vec![holding(1, "5"), holding(2, "7"), holding(3, "9")];
        let group = Group::of(&holdings[0]);
        let batch = Batch { group, holdings };
        let flushed = DepositContract::Flushed::SIGNATURE_HASH;
        let failed = DepositContract::FlushFailed::SIGNATURE_HASH;
        let receipt = Receipt {
            succeeded: true,
            block_number: 1,
            gas_used: 1,
            gas_price: None,
            logs: vec![
                log(deposit(1).address(), flushed, 5_000_000),
                log(deposit(2).address(), failed, 7_000_000),
                // Not one of the batch.
                log(deposit(4).address(), flushed, 1_000_000),
            ],
        };
        let token = Token {
            chain_id: ChainId::new(1).unwrap(),
            address: USDT,
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(6).unwrap(),
        };
        let done = outcome(&batch, &receipt, &[token]);
        let stayed = Part {
            deposit: deposit(2).address(),
            token: USDT,
            amount: "7".parse().unwrap(),
        };
        assert_eq!(done.stayed, [stayed]);
        assert_eq!(done.moved, [(USDT, "5".parse().unwrap())].into());
        // The third held nothing any more, so nothing of it is missing.
        assert_eq!(done.deposits, 2);
    }
}
