//! Asks a token whether it holds an address to be frozen.

use alloy_primitives::{Address, Bytes, U256};

use crate::{Call, CallAt, CallFailure, ChainSource, SourceError};

/// The functions by which tokens say it: `isBlackListed(address)` of Tether's first contracts,
/// `isBlocked(address)` of its newer ones, and `getBlackListStatus(address)`.
const QUESTIONS: [[u8; 4]; 3] = [
    [0xe4, 0x7d, 0x60, 0x60],
    [0xfb, 0xac, 0x39, 0x51],
    [0x59, 0xbf, 0x1a, 0xbe],
];

/// Whether `token` holds `address` to be frozen after the block `at`; `None` if it has no function
/// that says so.
///
/// # Errors
/// As the source.
pub async fn is_frozen(
    source: &dyn ChainSource,
    token: Address,
    address: Address,
    at: CallAt,
) -> Result<Option<bool>, SourceError> {
    for selector in QUESTIONS {
        let question = question(token, selector, address);
        match source.call(question.to, question.data, at).await {
            Ok(answer) => {
                if let Some(says) = read(&answer) {
                    return Ok(Some(says));
                }
            },
            Err(SourceError::NoAnswer {
                cause: CallFailure::Reverted { .. },
            }) => {},
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn question(token: Address, selector: [u8; 4], address: Address) -> Call {
    let data = [selector.as_slice(), address.into_word().as_slice()].concat();
    Call {
        to: token,
        data: Bytes::from(data),
    }
}

/// Yes or no; anything else is another function's answer, or a fallback's.
fn read(answer: &[u8]) -> Option<bool> {
    let value = U256::try_from_be_slice(answer).filter(|_| answer.len() == 32)?;
    match u8::try_from(value) {
        Ok(0) => Some(false),
        Ok(1) => Some(true),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn the_selectors_are_those_of_the_functions() {
        let functions = [
            "isBlackListed(address)",
            "isBlocked(address)",
            "getBlackListStatus(address)",
        ];
        for (function, selector) in functions.into_iter().zip(QUESTIONS) {
            assert_eq!(keccak256(function)[..4], selector, "{function}");
        }
    }

    #[test]
    fn only_yes_and_no_are_answers() {
        let word = |value: u64| U256::from(value).to_be_bytes::<32>();
        assert_eq!(read(&word(0)), Some(false));
        assert_eq!(read(&word(1)), Some(true));
        assert_eq!(read(&word(2)), None);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[1]), None);
    }
}
