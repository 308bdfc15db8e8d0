//! The chains and USDT contracts that paywatch knows by itself, so that a merchant names a chain
//! and gives an endpoint, and nothing else.

mod chains;
mod tokens;

use alloy_primitives::Address;
use paywatch_core::{FinalityTag, Proof};

pub(crate) use crate::registry::chains::CHAINS;
pub(crate) use crate::registry::tokens::TOKENS;

/// A chain that needs no more than an endpoint in the configuration.
#[derive(Debug)]
pub(crate) struct KnownChain {
    /// Its name in the configuration and the API.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its chain id (EIP-155).
    pub id: u64,
    /// Milliseconds between blocks, roughly.
    pub block_ms: u64,
    /// When a payment on it is confirmed unless the configuration says otherwise.
    pub finality: KnownFinality,
    /// Whether the blooms of its blocks mean anything.
    pub blooms: bool,
    /// How its blocks can be proved: by their receipts where headers hash and receipts are encoded
    /// as on Ethereum, or in a way that is known here.
    pub proof: Proof,
    /// Where a transaction can be looked at; its hash is appended.
    pub explorer: &'static str,
}

/// A chain's own default of when a payment on it is confirmed.
#[derive(Debug)]
pub(crate) struct KnownFinality {
    /// Blocks on the payment, its own included.
    pub confirmations: u32,
    /// The tag that must have reached it too.
    pub tag: Option<FinalityTag>,
    /// Why this is enough, and whom it trusts.
    pub why: &'static str,
}

/// A USDT contract. Its key is the chain and the address: on another chain the same address can be
/// another token.
#[derive(Debug)]
pub(crate) struct KnownToken {
    /// The chain that it lives on.
    pub chain: u64,
    /// What it is called here, in ASCII.
    pub symbol: &'static str,
    /// Its contract.
    pub address: Address,
    /// Decimals of its base unit.
    pub decimals: u8,
    /// The address as it stands in the table, so that a test can check its checksum.
    #[cfg(test)]
    pub written: &'static str,
}

/// The built-in chain with this name.
pub(crate) fn chain_named(name: &str) -> Option<&'static KnownChain> {
    CHAINS.iter().find(|chain| chain.name == name)
}

/// What payers call the chain with this id, as wallets and exchanges write it.
pub(crate) fn payers_name(chain_id: u64) -> Option<String> {
    let chain = CHAINS.iter().find(|chain| chain.id == chain_id)?;
    let title = chain.title;
    Some(match chain_id {
        1 => format!("{title} (ERC-20)"),
        56 => format!("{title} (BEP-20)"),
        728_126_428 => format!("{title} (TRC-20)"),
        _ => title.to_owned(),
    })
}

/// The built-in tokens of the chain with this id.
pub(crate) fn tokens_of(chain_id: u64) -> impl Iterator<Item = &'static KnownToken> {
    TOKENS.iter().filter(move |token| token.chain == chain_id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use paywatch_core::{ChainId, Decimals, FinalityRule};

    use super::*;

    #[test]
    fn every_address_is_written_with_its_checksum() {
        for token in TOKENS {
            assert_eq!(token.written, token.address.to_checksum(None), "{token:?}");
            assert!(!token.address.is_zero(), "{token:?}");
        }
    }

    #[test]
    fn every_token_has_one_row_and_a_known_chain() {
        let mut contracts = BTreeSet::new();
        let mut symbols = BTreeSet::new();
        for token in TOKENS {
            assert!(contracts.insert((token.chain, token.address)), "{token:?}");
            assert!(symbols.insert((token.chain, token.symbol)), "{token:?}");
            assert!(
                CHAINS.iter().any(|chain| chain.id == token.chain),
                "{token:?}"
            );
            assert!(Decimals::new(token.decimals).is_ok(), "{token:?}");
            assert!(token.symbol.is_ascii(), "{token:?}");
        }
    }

    #[test]
    fn only_the_two_chains_of_bnb_count_with_18_decimals() {
        let wide: BTreeSet<u64> = TOKENS
            .iter()
            .filter(|token| token.decimals == 18)
            .map(|token| token.chain)
            .collect();
        assert_eq!(wide, BTreeSet::from([56, 204]));
        assert!(TOKENS.iter().all(|token| matches!(token.decimals, 6 | 18)));
    }

    #[test]
    fn every_chain_is_unique_and_usable() {
        let mut names = BTreeSet::new();
        let mut ids = BTreeSet::new();
        for chain in CHAINS {
            assert!(names.insert(chain.name), "{chain:?}");
            assert!(ids.insert(chain.id), "{chain:?}");
            assert!(ChainId::new(chain.id).is_ok(), "{chain:?}");
            assert!(FinalityRule::confirmations(chain.finality.confirmations).is_ok());
            assert!(tokens_of(chain.id).next().is_some(), "{chain:?}");
            assert!(
                chain.block_ms > 0 && !chain.finality.why.is_empty(),
                "{chain:?}"
            );
            assert!(chain.explorer.starts_with("https://"), "{chain:?}");
            // The environment overrides spell names in capitals and underscores.
            assert!(
                chain.name.bytes().all(|b| b.is_ascii_lowercase()),
                "{chain:?}"
            );
        }
    }

    #[test]
    fn payers_find_the_names_that_exchanges_use() {
        for (id, name) in [
            (1, Some("Ethereum (ERC-20)")),
            (56, Some("BNB Smart Chain (BEP-20)")),
            (137, Some("Polygon PoS")),
            (728_126_428, Some("Tron (TRC-20)")),
            (31_337, None),
        ] {
            assert_eq!(payers_name(id).as_deref(), name);
        }
    }

    #[test]
    fn the_chains_that_were_promised_are_here() {
        let promised = [
            ("ethereum", 1),
            ("bsc", 56),
            ("polygon", 137),
            ("arbitrum", 42_161),
            ("optimism", 10),
            ("avalanche", 43_114),
            ("base", 8_453),
            ("celo", 42_220),
            ("kaia", 8_217),
            ("linea", 59_144),
            ("scroll", 534_352),
            ("mantle", 5_000),
            ("tron", 728_126_428),
        ];
        for (name, id) in promised {
            assert_eq!(chain_named(name).map(|chain| chain.id), Some(id), "{name}");
        }
    }
}
