//! Where money arrives on a chain.

use alloy_primitives::Address;
use paywatch_core::Token;

use crate::config::chain::Shared;
use crate::config::methods;
use crate::config::problem::Reported;
use crate::config::raw::RawChain;
use crate::config::section::Section;

/// Where money arrives on a chain.
pub(super) struct Places {
    pub(super) treasury: Address,
    pub(super) factory: Address,
    pub(super) receiver: Option<Address>,
    pub(super) wallets: Vec<Address>,
}

/// Checks them. Money sent to a token's own contract, or to the factory, would
/// be lost, so neither can be the treasury.
pub(super) fn check(
    section: &mut Section<'_>,
    raw: &RawChain,
    shared: &Shared,
    tokens: &[Token],
) -> Result<Places, Reported> {
    let factory = match &raw.factory {
        Some(text) => section.address("factory", text),
        None => Ok(shared.factory),
    };
    let treasury = match (&raw.treasury, &shared.treasury) {
        (Some(text), _) => section.address("treasury", text)?,
        (None, Ok(Some(treasury))) => *treasury,
        (None, Ok(None)) => {
            let allowed = "give it here, or treasury.address for all chains";
            return Err(section.wrong("treasury", "is missing", allowed));
        },
        (None, Err(reported)) => return Err(*reported),
    };
    let factory = factory?;
    let allowed = "name a wallet or a Safe that you control on this chain";
    if let Some(token) = tokens.iter().find(|token| token.address == treasury) {
        let wrong = format!("{treasury} is the contract of {}", token.symbol);
        return Err(section.wrong("treasury", wrong, allowed));
    }
    if treasury == factory {
        let wrong = format!("{treasury} is the deposit factory");
        return Err(section.wrong("treasury", wrong, allowed));
    }
    let receiver = raw
        .receiver
        .as_deref()
        .map(|text| match text {
            "default" => Ok(paywatch_contracts::receiver::receiver_address()),
            given => section.address("receiver", given),
        })
        .transpose()?;
    let not: Vec<_> = [treasury, factory].into_iter().chain(receiver).collect();
    let given = raw.wallets.as_deref().unwrap_or_default();
    Ok(Places {
        treasury,
        factory,
        receiver,
        wallets: methods::check_wallets(section, given, tokens, &not)?,
    })
}
