//! Checks, before a chain is followed, that the node serves that chain and those tokens.

use alloy_primitives::Address;
use paywatch_core::{ChainId, Token};

use crate::{ChainSource, SourceError};

/// Why a chain must not be followed as configured.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The node serves another chain.
    #[error(
        "the endpoint serves chain {found}, the configuration says {configured}; \
         give this chain an endpoint of its own, or mend its chain id"
    )]
    OtherChain {
        /// What the configuration says.
        configured: ChainId,
        /// What the node says.
        found: ChainId,
    },
    /// A token of another chain was given for this one.
    #[error("the token {symbol} ({token}) is configured for chain {found}, not for {configured}")]
    TokenOfOtherChain {
        /// Its symbol.
        symbol: String,
        /// Its contract.
        token: Address,
        /// The chain that is followed.
        configured: ChainId,
        /// The chain that the token names.
        found: ChainId,
    },
    /// The token counts with other decimals.
    #[error(
        "the token {symbol} ({token}) has {found} decimals, the configuration says {configured}; \
         set its decimals to {found}, or mend its address"
    )]
    OtherDecimals {
        /// Its symbol.
        symbol: String,
        /// Its contract.
        token: Address,
        /// What the configuration says.
        configured: u8,
        /// What the contract says.
        found: u8,
    },
    /// The node could not be asked.
    #[error("the endpoint could not be checked")]
    Source(#[from] SourceError),
}

/// Checks that `source` serves the chain `chain_id` and that every token has its decimals.
///
/// # Errors
/// [`VerifyError`] says what does not fit and what to change. Only [`VerifyError::Source`] may
/// pass by itself.
pub async fn verify(
    source: &dyn ChainSource,
    chain_id: ChainId,
    tokens: &[Token],
) -> Result<(), VerifyError> {
    let found = source.chain_id().await?;
    if found != chain_id {
        return Err(VerifyError::OtherChain {
            configured: chain_id,
            found,
        });
    }
    for token in tokens {
        if token.chain_id != chain_id {
            return Err(VerifyError::TokenOfOtherChain {
                symbol: token.symbol.clone(),
                token: token.address,
                configured: chain_id,
                found: token.chain_id,
            });
        }
        let found = source.token_decimals(token.address).await?;
        if found != token.decimals.get() {
            return Err(VerifyError::OtherDecimals {
                symbol: token.symbol.clone(),
                token: token.address,
                configured: token.decimals.get(),
                found,
            });
        }
    }
    Ok(())
}
