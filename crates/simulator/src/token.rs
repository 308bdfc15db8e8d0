//! What a simulated token answers: its decimals, and balances that follow from its transfers.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use paywatch_indexer::decode;

use crate::SimBlock;

/// The selectors of `decimals()` and `balanceOf(address)` (EIP-20).
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];

/// What `token` answers to `data` after `block`; `None` if it refuses. Without decimals there is
/// no contract. `with_hash` gives the blocks below.
///
/// A balance is what came less what went; those who pay without ever being paid have nothing.
pub(crate) fn answer(
    token: Address,
    data: &[u8],
    decimals: Option<u8>,
    block: Arc<SimBlock>,
    with_hash: impl Fn(B256) -> Option<Arc<SimBlock>>,
) -> Option<Bytes> {
    let Some(decimals) = decimals else {
        return Some(Bytes::new());
    };
    let (selector, argument) = data.split_first_chunk::<4>()?;
    match *selector {
        DECIMALS => Some(word(U256::from(decimals))),
        BALANCE_OF => {
            let owner = Address::from_word(B256::try_from(argument).ok()?);
            Some(word(balance(token, owner, block, with_hash)))
        },
        _ => None,
    }
}

fn balance(
    token: Address,
    owner: Address,
    block: Arc<SimBlock>,
    with_hash: impl Fn(B256) -> Option<Arc<SimBlock>>,
) -> U256 {
    let (mut incoming, mut outgoing) = (U256::ZERO, U256::ZERO);
    let mut next = Some(block);
    while let Some(block) = next {
        let logs = block
            .transactions
            .iter()
            .flat_map(|transaction| &transaction.logs);
        for log in logs.filter(|log| log.address == token) {
            let movement = decode(token, log.topics(), &log.data.data).ok().flatten();
            let Some(movement) = movement else { continue };
            if movement.to == owner {
                incoming = incoming.saturating_add(movement.value);
            }
            if movement.from == owner {
                outgoing = outgoing.saturating_add(movement.value);
            }
        }
        next = with_hash(block.header.parent_hash);
    }
    incoming.saturating_sub(outgoing)
}

fn word(value: U256) -> Bytes {
    Bytes::copy_from_slice(&value.to_be_bytes::<32>())
}
