//! Calls of ERC-20 tokens (EIP-20), as data of transactions to them.

use alloy::sol_types::SolCall as _;
use alloy_primitives::{Address, Bytes, U256};

use crate::bindings::Erc20::{approveCall, transferCall};

/// Moves `value` base units from the sender to `to`.
#[must_use]
pub fn transfer(to: Address, value: U256) -> Bytes {
    transferCall { to, value }.abi_encode().into()
}

/// Lets `spender` take `value` base units from the sender. USDT on Ethereum refuses to change an
/// allowance that is neither 0 nor to become 0.
#[must_use]
pub fn approve(spender: Address, value: U256) -> Bytes {
    approveCall { spender, value }.abi_encode().into()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;

    #[test]
    fn calls_begin_with_their_selectors() {
        let (to, value) = (Address::repeat_byte(0xab), U256::from(25));
        let word = format!("{}{}", "0".repeat(24), "ab".repeat(20));
        let rest = format!("{word}{:064x}", 25);
        assert_eq!(hex::encode(transfer(to, value)), format!("a9059cbb{rest}"));
        assert_eq!(hex::encode(approve(to, value)), format!("095ea7b3{rest}"));
    }
}
