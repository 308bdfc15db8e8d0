//! Reads ERC-20 `Transfer` logs, strictly.

use alloy_primitives::{Address, B256, U256, b256};

/// keccak256 of `Transfer(address,address,uint256)`.
pub const TRANSFER_TOPIC: B256 =
    b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// Why a log that calls itself a `Transfer` cannot be read as one of ERC-20.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Neither ERC-20's three topics nor ERC-721's four.
    #[error("a Transfer log of {token} has {topics} topics instead of 3")]
    Topics {
        /// The contract.
        token: Address,
        /// How many it has.
        topics: usize,
    },
    /// The value is not one word.
    #[error("a Transfer log of {token} has {bytes} bytes of data instead of 32")]
    Data {
        /// The contract.
        token: Address,
        /// How many it has.
        bytes: usize,
    },
    /// The word of an address has something in front of the address.
    #[error("a Transfer log of {token} has an address that is none: {word}")]
    DirtyAddress {
        /// The contract.
        token: Address,
        /// The topic.
        word: B256,
    },
    /// The node says that the log left the chain.
    #[error("a Transfer log of {token} is marked as removed")]
    Removed {
        /// The contract.
        token: Address,
    },
    /// Not in a block yet.
    #[error("a Transfer log of {token} is not in a block")]
    Pending {
        /// The contract.
        token: Address,
    },
}

/// What a `Transfer` log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Who paid.
    pub from: Address,
    /// Who was paid.
    pub to: Address,
    /// How much, in the token's base units.
    pub value: U256,
}

/// What a log of `token` with these topics and data says; `None` if it is something else than a
/// transfer of money, such as an ERC-721 `Transfer`, which has four topics.
///
/// # Errors
/// [`DecodeError`] for a `Transfer` that is malformed.
pub fn decode(
    token: Address,
    topics: &[B256],
    data: &[u8],
) -> Result<Option<Movement>, DecodeError> {
    let (from, to) = match topics {
        [topic, from, to] if *topic == TRANSFER_TOPIC => (from, to),
        [topic, _, _, _] if *topic == TRANSFER_TOPIC => return Ok(None),
        [topic, rest @ ..] if *topic == TRANSFER_TOPIC => {
            let topics = rest.len().saturating_add(1);
            return Err(DecodeError::Topics { token, topics });
        },
        [..] => return Ok(None),
    };
    let word: &[u8; 32] = match data.try_into() {
        Ok(word) => word,
        Err(_) => {
            let bytes = data.len();
            return Err(DecodeError::Data { token, bytes });
        },
    };
    let address = |word: &B256| {
        let address = Address::from_word(*word);
        if address.into_word() == *word {
            Ok(address)
        } else {
            Err(DecodeError::DirtyAddress { token, word: *word })
        }
    };
    Ok(Some(Movement {
        from: address(from)?,
        to: address(to)?,
        value: U256::from_be_bytes(*word),
    }))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    const TOKEN: Address = Address::repeat_byte(0x70);

    fn party(byte: u8) -> B256 {
        Address::repeat_byte(byte).into_word()
    }

    #[test]
    fn the_topic_is_the_hash_of_the_signature() {
        assert_eq!(
            TRANSFER_TOPIC,
            keccak256("Transfer(address,address,uint256)")
        );
    }

    #[test]
    fn a_transfer_is_read() {
        let value = U256::from(5_000_000).to_be_bytes::<32>();
        let topics = [TRANSFER_TOPIC, party(0xaa), party(0xbb)];
        let read = decode(TOKEN, &topics, &value).unwrap().unwrap();
        assert_eq!(read.value, U256::from(5_000_000));
        assert_eq!(read.from, Address::repeat_byte(0xaa));
        assert_eq!(read.to, Address::repeat_byte(0xbb));
    }

    #[test]
    fn what_is_no_money_is_passed_over() {
        let nft = [TRANSFER_TOPIC, party(1), party(2), party(3)];
        assert_eq!(decode(TOKEN, &nft, &[]), Ok(None));
        let other = [B256::repeat_byte(9), party(1), party(2)];
        assert_eq!(decode(TOKEN, &other, &[0; 32]), Ok(None));
        assert_eq!(decode(TOKEN, &[], &[0; 32]), Ok(None));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let token = TOKEN;
        assert_eq!(
            decode(token, &[TRANSFER_TOPIC, party(1)], &[0; 64]),
            Err(DecodeError::Topics { token, topics: 2 })
        );
        for bytes in [0_usize, 31, 33, 64] {
            let odd = decode(
                token,
                &[TRANSFER_TOPIC, party(1), party(2)],
                &vec![0; bytes],
            );
            assert_eq!(odd, Err(DecodeError::Data { token, bytes }));
        }
        let word = B256::repeat_byte(0xaa);
        assert_eq!(
            decode(token, &[TRANSFER_TOPIC, party(1), word], &[0; 32]),
            Err(DecodeError::DirtyAddress { token, word })
        );
    }
}
