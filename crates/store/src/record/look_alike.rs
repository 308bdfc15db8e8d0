//! Transfers of contracts that are no token of ours, to addresses of ours.

use paywatch_core::{Address, B256, BlockNumber, ChainId, Likeness, OrderId, Timestamp, U256};

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAlikePlace {
    /// The height of its block.
    pub block: BlockNumber,
    /// The time of that block.
    pub time: Timestamp,
    /// Its transaction.
    pub tx_hash: B256,
}

/// What one contract did to one address in a range of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrangeTransfers {
    /// The contract that wrote the logs.
    pub contract: Address,
    /// The address of ours that they name.
    pub to: Address,
    /// How many there are, at least one.
    pub count: u64,
    /// What the last one says, in the contract's own base units.
    pub value: U256,
    /// The first one.
    pub first: LookAlikePlace,
    /// The last one.
    pub last: LookAlikePlace,
}

/// How much may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAlikeBounds {
    /// How many contracts for each address of a chain.
    pub of_address: u32,
    /// How many rows in all.
    pub in_all: u32,
}

/// What was found in the blocks after one and up to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookAlikeCommit {
    /// The chain.
    pub chain_id: ChainId,
    /// Where the cursor must be.
    pub after: BlockNumber,
    /// Where it goes.
    pub to: BlockNumber,
    /// What was found there.
    pub found: Vec<StrangeTransfers>,
    /// How much is kept.
    pub bounds: LookAlikeBounds,
}

/// What a contract says of itself, cleaned, and what that makes it. Never to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfDescription {
    /// What it is.
    pub kind: Likeness,
    /// Its symbol, if it says one.
    pub symbol: Option<String>,
    /// Its name, if it says one.
    pub name: Option<String>,
    /// Its decimals, if it says them.
    pub decimals: Option<u8>,
}

/// What the books hold of one contract and one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookAlike {
    /// The chain.
    pub chain_id: ChainId,
    /// What was transferred.
    pub transfers: StrangeTransfers,
    /// What the contract says of itself.
    pub says: SelfDescription,
    /// Whether it was asked already.
    pub is_described: bool,
}

/// Which of them are wanted: those that meet every condition that is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookAlikeFilter {
    /// On this chain.
    pub chain_id: Option<ChainId>,
    /// To this address.
    pub to: Option<Address>,
    /// To a deposit address of this order.
    pub order: Option<OrderId>,
}

/// How many came to an order's own addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookAlikeSums {
    /// Transfers of contracts that are no token of ours.
    pub transfers: u64,
    /// Those of them whose contract looks like one.
    pub look_alikes: u64,
}
