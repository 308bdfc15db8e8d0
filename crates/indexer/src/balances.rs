//! What many addresses hold of a token at one block, asked for in batches.

use alloy_primitives::{Address, Bytes, U256};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Call, CallAt, CallFailure, ChainSource, SourceError};

/// The selector of `balanceOf(address)` (EIP-20).
const BALANCE_OF: [u8; 4] = [0x70, 0xa0, 0x82, 0x31];
/// How many balances are asked for in one request.
const PER_REQUEST: usize = 50;
/// How many such requests are under way at the same time.
const AT_ONCE: usize = 4;

/// What each of `owners` holds of `token` after the block `at`, in base units, in that order. They
/// are asked for in many requests, so the balances are of one moment only where `at` names it.
///
/// # Errors
/// As the source; [`SourceError::NoAnswer`] also when what answers is no token.
pub async fn balances(
    source: &dyn ChainSource,
    token: Address,
    owners: &[Address],
    at: CallAt,
) -> Result<Vec<U256>, SourceError> {
    let parts: Vec<_> = owners
        .chunks(PER_REQUEST)
        .map(|part| balances_of(source, token, part, at))
        .collect();
    let parts: Vec<Vec<U256>> = stream::iter(parts).buffered(AT_ONCE).try_collect().await?;
    Ok(parts.concat())
}

/// The same in one request, or in several if that is too much for the node.
async fn balances_of(
    source: &dyn ChainSource,
    token: Address,
    owners: &[Address],
    at: CallAt,
) -> Result<Vec<U256>, SourceError> {
    let mut balances = Vec::with_capacity(owners.len());
    let mut rest = owners;
    let mut size = owners.len();
    while !rest.is_empty() {
        let (now, later) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        let calls: Vec<Call> = now.iter().map(|owner| balance_of(token, *owner)).collect();
        match source.calls(&calls, at).await {
            Ok(answers) => {
                for answer in answers {
                    balances.push(read(token, answer)?);
                }
                rest = later;
            },
            Err(SourceError::TooWide { .. }) if now.len() > 1 => size = now.len().div_ceil(2),
            Err(error) => return Err(error),
        }
    }
    Ok(balances)
}

fn balance_of(token: Address, owner: Address) -> Call {
    let data = [&BALANCE_OF[..], owner.into_word().as_slice()].concat();
    Call {
        to: token,
        data: data.into(),
    }
}

fn read(token: Address, answer: Bytes) -> Result<U256, SourceError> {
    match U256::try_from_be_slice(&answer).filter(|_| answer.len() == 32) {
        Some(balance) => Ok(balance),
        None => Err(CallFailure::Odd { to: token, answer }.into()),
    }
}
