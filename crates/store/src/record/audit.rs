//! What an audit reads and what it leaves in the books.

use paywatch_core::{
    Address, Amount, BlockNumber, ChainId, KeptSums, Opening, OrderId, PaymentState, Timestamp,
    Verdict,
};

/// One token, whose addresses are audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ledger {
    /// Its chain.
    pub chain_id: ChainId,
    /// Its contract.
    pub token: Address,
}

/// Which of the addresses of orders are audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditScope {
    /// Those that a transfer of the token came to or went from.
    Active,
    /// All.
    All,
}

/// Whose an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// It was made for an order, and its money can go to the treasury only.
    Deposit {
        /// Where the money goes.
        treasury: Address,
    },
    /// The merchant had it before.
    Wallet,
}

/// An address to be audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditAccount {
    /// The address.
    pub address: Address,
    /// Whose it is.
    pub holder: Holder,
    /// Its opening, if it was audited before.
    pub opening: Option<Opening>,
}

/// What an address was found to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// The address.
    pub address: Address,
    /// What it held at first. What is in the books already stays.
    pub opening: Opening,
    /// After which block it was looked at.
    pub block: BlockNumber,
    /// What it held then.
    pub balance: Amount,
    /// What that is to what the books say.
    pub verdict: Verdict,
}

/// How far the daily audit of a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRun {
    /// It goes on after this address, or from the beginning.
    pub after: Option<Address>,
    /// When it last ran.
    pub at: Timestamp,
}

/// The sums of an order, and the payments and events that they must be those of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSums {
    /// The order.
    pub order_id: OrderId,
    /// Its place: newer orders have greater ones.
    pub seq: u64,
    /// The sums.
    pub kept: KeptSums,
    /// What each payment that is on its chain is to the order.
    pub payments: Vec<(PaymentState, Amount)>,
    /// How many events it is said to have had.
    pub events: u64,
    /// The numbers of the first and the last of them in the log, and how many there are.
    pub logged: Option<(u64, u64, u64)>,
}

/// What of the event log does not fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventGap {
    /// The first number.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// How many events there are.
    pub count: u64,
    /// How many numbers were given out.
    pub numbered: u64,
}

/// Transfers on their chains that are at no place, or at one that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// What the books say of them.
    pub state: String,
    /// How many.
    pub count: u64,
}
