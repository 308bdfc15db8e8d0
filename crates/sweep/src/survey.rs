//! What deposits really hold, and whether it can be moved.

use std::collections::BTreeMap;

use alloy::sol_types::SolCall as _;
use alloy_primitives::{Address, U256};
use paywatch_contracts::{DepositFactory, Erc20};
use paywatch_core::{Amount, AmountError, Token};

use crate::chain::Call;
use crate::deposit::{Deposit, Holding};
use crate::gas_account::SendError;
use crate::node::{Node, NodeError};

/// A deposit that may hold something of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The deposit.
    pub deposit: Deposit,
    /// The token.
    pub token: Token,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// What can be flushed.
    pub holdings: Vec<Holding>,
    /// What the token does not let go, at present.
    pub frozen: Vec<Frozen>,
}

/// Something that its token does not let go: a frozen address, or a token that is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The deposit that holds it.
    pub deposit: Deposit,
    /// The token.
    pub token: Address,
    /// How much.
    pub amount: Amount,
    /// What the node says about it.
    pub cause: String,
}

/// Why there is nothing to go on with.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The node did not answer, or refused.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// What a deposit holds cannot be read.
    #[error("the balance of {deposit} in the token {token} cannot be read")]
    Balance {
        /// The deposit's address.
        deposit: Address,
        /// The token.
        token: Address,
        /// Why not.
        #[source]
        cause: BalanceError,
    },
    /// There is no factory that knows these deposits.
    #[error(
        "no factory of ours stands at {factory}, so nothing can be flushed; \
         `paywatch contracts status` looks for it, `paywatch contracts deploy` puts it there"
    )]
    NoFactory {
        /// Where it should be.
        factory: Address,
    },
    /// A transaction was not sent, or is not mined.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// Why a balance cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BalanceError {
    /// The token does not tell.
    #[error("the token refuses to tell")]
    Refused(#[source] NodeError),
    /// It is no number.
    #[error("the token answers with {0} bytes")]
    NoNumber(usize),
    /// It is more than there can be.
    #[error("the balance cannot be counted")]
    Amount(#[source] AmountError),
}

/// Asks the chain what `candidates` hold, and tries to move it without doing so.
///
/// # Errors
/// When the node or a token does not answer.
pub async fn survey(node: &Node, candidates: &[Candidate]) -> Result<Survey, SweepError> {
    let held = held(node, candidates).await?;
    let attempts: Vec<Call> = held
        .iter()
        .map(|(candidate, units, _)| attempt(candidate, *units))
        .collect();
    let mut survey = Survey::default();
    let mut movable: BTreeMap<Deposit, Holding> = BTreeMap::new();
    for ((candidate, _, amount), attempt) in held.into_iter().zip(node.calls(&attempts).await?) {
        let (deposit, token) = (candidate.deposit, candidate.token.address);
        match attempt {
            Ok(_) => {
                let holding = movable.entry(deposit).or_insert_with(|| Holding {
                    deposit,
                    amounts: BTreeMap::new(),
                });
                holding.amounts.insert(token, amount);
            },
            Err(refused) => survey.frozen.push(Frozen {
                deposit,
                token,
                amount,
                cause: in_full(&refused),
            }),
        }
    }
    survey.holdings = movable.into_values().collect();
    Ok(survey)
}

/// Those of `candidates` that hold something, and how much in base units and as an amount.
async fn held<'a>(
    node: &Node,
    candidates: &'a [Candidate],
) -> Result<Vec<(&'a Candidate, U256, Amount)>, SweepError> {
    let questions: Vec<Call> = candidates
        .iter()
        .map(|candidate| {
            let owner = candidate.deposit.address();
            let data = Erc20::balanceOfCall { owner }.abi_encode().into();
            Call::new(candidate.token.address, data)
        })
        .collect();
    let mut held = Vec::new();
    for (candidate, answer) in candidates.iter().zip(node.calls(&questions).await?) {
        let wrong = |cause| SweepError::Balance {
            deposit: candidate.deposit.address(),
            token: candidate.token.address,
            cause,
        };
        let answer = answer.map_err(|cause| wrong(BalanceError::Refused(cause)))?;
        let units = Erc20::balanceOfCall::abi_decode_returns(&answer)
            .map_err(|_cause| wrong(BalanceError::NoNumber(answer.len())))?;
        if units.is_zero() {
            continue;
        }
        let amount = Amount::from_base_units(units, candidate.token.decimals)
            .map_err(|cause| wrong(BalanceError::Amount(cause)))?;
        held.push((candidate, units, amount));
    }
    Ok(held)
}

/// The transfer that a flush makes.
fn attempt(candidate: &Candidate, units: U256) -> Call {
    let transfer = Erc20::transferCall {
        to: candidate.deposit.treasury,
        value: units,
    };
    let data = transfer.abi_encode().into();
    Call {
        from: Some(candidate.deposit.address()),
        ..Call::new(candidate.token.address, data)
    }
}

/// A call to where nothing stands would succeed and do nothing, so every factory has to know one of
/// its deposits.
pub(crate) async fn known_to_factories(
    node: &Node,
    holdings: &[Holding],
) -> Result<(), SweepError> {
    let some: BTreeMap<Address, Deposit> = holdings
        .iter()
        .map(|holding| (holding.deposit.factory, holding.deposit))
        .collect();
    for (factory, deposit) in some {
        let question = DepositFactory::depositAddressCall {
            treasury: deposit.treasury,
            salt: deposit.salt,
        };
        let call = Call::new(factory, question.abi_encode().into());
        let answer = match node.call(&call).await {
            Err(error) if !error.is_revert() => return Err(error.into()),
            answer => answer.ok(),
        };
        let told = answer.and_then(|answer| {
            DepositFactory::depositAddressCall::abi_decode_returns(&answer).ok()
        });
        if told != Some(deposit.address()) {
            return Err(SweepError::NoFactory { factory });
        }
    }
    Ok(())
}

/// An error with its causes.
fn in_full(error: &NodeError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
