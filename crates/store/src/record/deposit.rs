//! Deposit addresses that money came to.

use paywatch_core::{Address, Amount, OrderId};

/// What the books know of one token at one order's deposit address on one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidDeposit {
    /// The order, whose salt is that of the address.
    pub order_id: OrderId,
    /// The address.
    pub address: Address,
    /// The factory that deploys and flushes it.
    pub factory: Address,
    /// Where it forwards everything.
    pub treasury: Address,
    /// The token.
    pub token: Address,
    /// What came, in all.
    pub came: Amount,
    /// What was seen to leave again, in all. Less than what did leave where the treasury is not
    /// watched, or where the token kept a fee.
    pub left: Amount,
}

/// A page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaidDeposits {
    /// By address, then by token.
    pub deposits: Vec<PaidDeposit>,
    /// Where the next page begins; none after the last.
    pub next: Option<Address>,
}
