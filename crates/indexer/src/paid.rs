//! Reads what a payment receiver logs.

use alloy_primitives::{Address, B256, U256, b256};

/// keccak256 of `Paid(address,address,bytes32,address,uint256)`.
pub const PAID_TOPIC: B256 =
    b256!("0x1c33c4fe8f14d4b82e2ca3d50c9b14edeb1db9ef3a8cf168bea2339791603d0e");

/// What a `Paid(payer, treasury, orderRef, token, amount)` log says; the first three are indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Who called the receiver, or signed for it.
    pub payer: Address,
    /// Who was paid.
    pub treasury: Address,
    /// For what.
    pub order_ref: B256,
    /// In what.
    pub token: Address,
    /// How much arrived, in the token's base units.
    pub amount: U256,
}

/// What a log with these topics and data says, if it is a `Paid` log and well-formed. What is not
/// only keeps a transfer from being told as more than it is.
#[must_use]
pub fn decode_paid(topics: &[B256], data: &[u8]) -> Option<Paid> {
    let [topic, payer, treasury, order_ref] = topics else {
        return None;
    };
    if *topic != PAID_TOPIC {
        return None;
    }
    let (token, amount) = data.split_first_chunk::<32>()?;
    Some(Paid {
        payer: address(payer)?,
        treasury: address(treasury)?,
        order_ref: *order_ref,
        token: address(&B256::from(*token))?,
        amount: U256::from_be_bytes(<[u8; 32]>::try_from(amount).ok()?),
    })
}

/// The address in a word, which holds nothing else.
pub(crate) fn address(word: &B256) -> Option<Address> {
    let address = Address::from_word(*word);
    (address.into_word() == *word).then_some(address)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn a_payment_is_read_and_nothing_else_is() {
        assert_eq!(
            PAID_TOPIC,
            keccak256("Paid(address,address,bytes32,address,uint256)")
        );
        let word = |byte| Address::repeat_byte(byte).into_word();
        let order_ref = B256::repeat_byte(9);
        let topics = [PAID_TOPIC, word(1), word(2), order_ref];
        let amount = U256::from(5_000_000);
        let data = [word(3).0, amount.to_be_bytes()].concat();
        let said = Paid {
            payer: Address::repeat_byte(1),
            treasury: Address::repeat_byte(2),
            order_ref,
            token: Address::repeat_byte(3),
            amount,
        };
        assert_eq!(decode_paid(&topics, &data), Some(said));
        assert_eq!(decode_paid(&topics[..3], &data), None);
        assert_eq!(decode_paid(&topics, &data[..63]), None);
        assert_eq!(
            decode_paid(&topics, &[data.as_slice(), &[0]].concat()),
            None
        );
        let dirty = [PAID_TOPIC, order_ref, word(2), order_ref];
        assert_eq!(decode_paid(&dirty, &data), None);
        let other = [order_ref, word(1), word(2), order_ref];
        assert_eq!(decode_paid(&other, &data), None);
    }
}
