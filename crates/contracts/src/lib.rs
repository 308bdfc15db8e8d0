//! Bindings of the Solidity contracts in `contracts/artifacts`, and the addresses that follow from
//! their bytecode. No transport: whoever calls a contract brings his own provider.

mod bindings;
pub mod deposit;
mod known;

pub use crate::bindings::{Deposit, DepositFactory, Erc20};
#[cfg(feature = "mocks")]
pub use crate::bindings::{Exchange, MockUSDT, UpgradedUSDT};
pub use crate::known::{KnownContract, known_contracts};
