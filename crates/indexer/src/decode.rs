//! Reads ERC-20 `Transfer` logs, strictly.

use alloy::rpc::types::Log;
use alloy_primitives::{Address, B256, U256, b256};

use crate::TransferLog;

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

/// The transfer in `log`; `None` if the log is something else, such as an ERC-721 `Transfer`,
/// which has four topics and moves no money.
///
/// # Errors
/// [`DecodeError`] for a `Transfer` that is malformed, pending or removed.
pub fn decode(log: &Log) -> Result<Option<TransferLog>, DecodeError> {
    let token = log.address();
    let (from, to) = match log.topics() {
        [topic, from, to] if *topic == TRANSFER_TOPIC => (from, to),
        [topic, _, _, _] if *topic == TRANSFER_TOPIC => return Ok(None),
        [topic, rest @ ..] if *topic == TRANSFER_TOPIC => {
            let topics = rest.len().saturating_add(1);
            return Err(DecodeError::Topics { token, topics });
        },
        [..] => return Ok(None),
    };
    if log.removed {
        return Err(DecodeError::Removed { token });
    }
    let data = &log.data().data;
    let word: &[u8; 32] = match data.as_ref().try_into() {
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
    let (Some(block_number), Some(block_hash), Some(tx_hash), Some(log_index)) = (
        log.block_number,
        log.block_hash,
        log.transaction_hash,
        log.log_index,
    ) else {
        return Err(DecodeError::Pending { token });
    };
    Ok(Some(TransferLog {
        block_number,
        block_hash,
        tx_hash,
        log_index,
        token,
        from: address(from)?,
        to: address(to)?,
        value: U256::from_be_bytes(*word),
    }))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Bytes, LogData, keccak256};

    use super::*;

    fn log(topics: Vec<B256>, data: &[u8]) -> Log {
        Log {
            inner: alloy_primitives::Log {
                address: Address::repeat_byte(0x70),
                data: LogData::new_unchecked(topics, Bytes::copy_from_slice(data)),
            },
            block_hash: Some(B256::repeat_byte(1)),
            block_number: Some(7),
            transaction_hash: Some(B256::repeat_byte(2)),
            log_index: Some(3),
            ..Log::default()
        }
    }

    fn party(byte: u8) -> B256 {
        Address::repeat_byte(byte).into_word()
    }

    fn usual() -> Log {
        let value = U256::from(5_000_000).to_be_bytes::<32>();
        log(vec![TRANSFER_TOPIC, party(0xaa), party(0xbb)], &value)
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
        let read = decode(&usual()).unwrap().unwrap();
        assert_eq!(read.value, U256::from(5_000_000));
        assert_eq!(read.from, Address::repeat_byte(0xaa));
        assert_eq!(read.to, Address::repeat_byte(0xbb));
        assert_eq!((read.block_number, read.log_index), (7, 3));
    }

    #[test]
    fn what_is_no_money_is_passed_over() {
        let nft = log(vec![TRANSFER_TOPIC, party(1), party(2), party(3)], &[]);
        assert_eq!(decode(&nft), Ok(None));
        let other = log(vec![B256::repeat_byte(9), party(1), party(2)], &[0; 32]);
        assert_eq!(decode(&other), Ok(None));
        assert_eq!(decode(&log(Vec::new(), &[0; 32])), Ok(None));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let token = Address::repeat_byte(0x70);
        let short = log(vec![TRANSFER_TOPIC, party(1)], &[0; 64]);
        assert_eq!(
            decode(&short),
            Err(DecodeError::Topics { token, topics: 2 })
        );
        for bytes in [0_usize, 31, 33, 64] {
            let odd = log(vec![TRANSFER_TOPIC, party(1), party(2)], &vec![0; bytes]);
            assert_eq!(decode(&odd), Err(DecodeError::Data { token, bytes }));
        }
        let word = B256::repeat_byte(0xaa);
        let dirty = log(vec![TRANSFER_TOPIC, party(1), word], &[0; 32]);
        assert_eq!(
            decode(&dirty),
            Err(DecodeError::DirtyAddress { token, word })
        );
        let removed = Log {
            removed: true,
            ..usual()
        };
        assert_eq!(decode(&removed), Err(DecodeError::Removed { token }));
        let pending = Log {
            block_hash: None,
            ..usual()
        };
        assert_eq!(decode(&pending), Err(DecodeError::Pending { token }));
    }
}
