//! Where the books say that money may lie.

use paywatch_core::AddressForm;
use paywatch_store::{PaidDeposit, Store};
use paywatch_sweep::{Candidate, Deposit};

use crate::config::ChainConfig;

/// How many addresses are read at once.
const PAGE: u32 = 1_000;

/// Where to look.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Deposits that may hold something of a token.
    pub(super) candidates: Vec<Candidate>,
    /// What cannot be flushed by us, for people.
    pub(super) strange: Vec<String>,
}

/// The deposits of `chain` from which less left than came, by the books.
pub(super) async fn find(chain: &ChainConfig, store: &Store) -> anyhow::Result<Found> {
    let mut found = Found::default();
    // Tron has no deposit addresses: it derives them in a way of its own.
    if AddressForm::of(chain.id) == AddressForm::Tron {
        return Ok(found);
    }
    let mut after = None;
    loop {
        let page = store.paid_deposits(chain.id, after, PAGE).await?;
        for paid in &page.deposits {
            found.add(chain, paid);
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

impl Found {
    fn add(&mut self, chain: &ChainConfig, paid: &PaidDeposit) {
        if paid.left >= paid.came {
            return;
        }
        let deposit = Deposit {
            factory: paid.factory,
            treasury: paid.treasury,
            salt: paid.order_id.salt(),
        };
        let PaidDeposit {
            order_id,
            address,
            token,
            ..
        } = paid;
        if deposit.address() != *address {
            self.strange.push(format!(
                "{address} of {order_id} does not follow from its factory {} and treasury {} as \
                 this version of paywatch derives it; flush it with the version that made it",
                paid.factory, paid.treasury
            ));
            return;
        }
        match chain.tokens.iter().find(|known| known.address == *token) {
            Some(token) => self.candidates.push(Candidate {
                deposit,
                token: token.clone(),
            }),
            None => self.strange.push(format!(
                "{address} of {order_id} was paid in the token {token}, which is not configured \
                 any more; add it to the tokens of [chains.{}]",
                chain.name
            )),
        }
    }
}
