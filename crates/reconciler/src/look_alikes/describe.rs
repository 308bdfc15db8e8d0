//! Asks strangers' contracts, once, what they call themselves.

use std::time::Duration;

use paywatch_core::{Address, Timestamp};
use paywatch_indexer::{Call, SourceError};
use paywatch_store::{SelfDescription, StoreError};
use tokio::time::timeout;

use crate::look_alikes::LookAlikeWatch;
use crate::look_alikes::words::{OurNames, read_decimals, read_text};

/// The selectors of `symbol()`, `name()` and `decimals()` (EIP-20).
const SYMBOL: [u8; 4] = [0x95, 0xd8, 0x9b, 0x41];
const NAME: [u8; 4] = [0x06, 0xfd, 0xde, 0x03];
const DECIMALS: [u8; 4] = [0x31, 0x3c, 0xe5, 0x67];

/// How many contracts one round asks at most.
const MOST: u32 = 50;
/// How long one may take: it is a stranger's program that runs at the node.
const PATIENCE: Duration = Duration::from_secs(5);
/// After so many rounds without an answer it is taken to say nothing.
const TRIES: u32 = 3;

impl LookAlikeWatch {
    /// Asks those that were not asked yet, and writes down what they say.
    pub(super) async fn describe(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let chain_id = self.settings.chain_id;
        let contracts = self.store.look_alikes_to_describe(chain_id, MOST).await?;
        self.tries
            .retain(|contract, _| contracts.contains(contract));
        if contracts.is_empty() {
            return Ok(());
        }
        let ours = self.our_names().await;
        for contract in contracts {
            let Some(says) = self.patiently(contract, &ours).await else {
                continue;
            };
            let kind = says.kind;
            self.store
                .describe_look_alike(chain_id, contract, &says, now)
                .await?;
            self.tries.remove(&contract);
            tracing::info!(chain.id = %chain_id, %contract, %kind, symbol = says.symbol, "a contract that is no token of ours has sent to an address of ours");
        }
        Ok(())
    }

    /// What `contract` says of itself; `None` if it is to be asked again.
    async fn patiently(&mut self, contract: Address, ours: &OurNames) -> Option<SelfDescription> {
        let answers = timeout(PATIENCE, self.ask(contract)).await;
        let (symbol, name, decimals) = match answers {
            Ok(Ok(answers)) => answers,
            Ok(Err(_)) | Err(_) => {
                let tries = self.tries.entry(contract).or_default();
                *tries = tries.saturating_add(1);
                if *tries < TRIES {
                    return None;
                }
                (None, None, None)
            },
        };
        Some(SelfDescription {
            kind: ours.likeness(symbol.as_deref(), name.as_deref()),
            symbol,
            name,
            decimals,
        })
    }

    async fn ask(
        &self,
        contract: Address,
    ) -> Result<(Option<String>, Option<String>, Option<u8>), SourceError> {
        let symbol = self.answer(contract, SYMBOL).await?;
        let name = self.answer(contract, NAME).await?;
        let decimals = self.answer(contract, DECIMALS).await?;
        Ok((
            symbol.and_then(|answer| read_text(&answer)),
            name.and_then(|answer| read_text(&answer)),
            decimals.and_then(|answer| read_decimals(&answer)),
        ))
    }

    /// What `contract` answers; `None` if it refuses.
    async fn answer(
        &self,
        contract: Address,
        selector: [u8; 4],
    ) -> Result<Option<Vec<u8>>, SourceError> {
        let call = Call {
            to: contract,
            data: selector.to_vec().into(),
        };
        match self.source.call_stranger(&call).await {
            Ok(answer) => Ok(Some(answer.to_vec())),
            Err(SourceError::NoAnswer { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What tokens of ours are called, in the configuration and by themselves.
    async fn our_names(&mut self) -> OurNames {
        if let Some(names) = &self.names {
            return names.clone();
        }
        let tokens = self.settings.tokens.clone();
        let mut names: Vec<String> = tokens.iter().map(|token| token.symbol.clone()).collect();
        let mut are_all = true;
        for token in &tokens {
            match timeout(PATIENCE, self.ask(token.address)).await {
                Ok(Ok((symbol, name, _))) => names.extend(symbol.into_iter().chain(name)),
                Ok(Err(_)) | Err(_) => are_all = false,
            }
        }
        let names = OurNames::of(names.iter().map(String::as_str));
        if are_all {
            self.names = Some(names.clone());
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    #[test]
    fn the_selectors_are_those_of_the_functions() {
        let functions = [
            ("symbol()", SYMBOL),
            ("name()", NAME),
            ("decimals()", DECIMALS),
        ];
        for (function, selector) in functions {
            assert_eq!(keccak256(function)[..4], selector, "{function}");
        }
    }
}
