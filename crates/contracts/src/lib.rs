//! Bindings of the Solidity contracts in `contracts/artifacts`, and the addresses that follow from
//! their bytecode. No transport: whoever calls a contract brings his own provider.

#[expect(
    clippy::too_many_arguments,
    reason = "the methods that are generated take what the contracts' functions take"
)]
mod bindings;
pub mod code;
pub mod deposit;
pub mod erc20;
mod known;
pub mod receiver;

pub use crate::bindings::{Deposit, DepositFactory, Erc20, PaymentReceiver};
#[cfg(feature = "mocks")]
pub use crate::bindings::{Exchange, MockModernToken, MockPermit2, MockUSDT, UpgradedUSDT};
pub use crate::known::{KnownContract, known_contracts};
