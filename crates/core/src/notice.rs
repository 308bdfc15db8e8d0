//! What the issuer of a token does with it: freezing addresses, pausing, fees, upgrades, supply.

use alloy_primitives::{Address, B256, U256};

use crate::{BlockRef, ChainId};

/// A log in which a token says that one of its levers was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenNotice {
    /// The chain.
    pub chain_id: ChainId,
    /// The token's contract.
    pub token: Address,
    /// The block that holds the log.
    pub block: BlockRef,
    /// The transaction that it happened in.
    pub tx_hash: B256,
    /// The log's index within its block.
    pub log_index: u64,
    /// What was done.
    pub kind: TokenNoticeKind,
}

/// What can be done with a token. Values are in its base units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenNoticeKind {
    /// An address cannot send any more. It still receives.
    Frozen {
        /// The address.
        address: Address,
    },
    /// An address can send again.
    Released {
        /// The address.
        address: Address,
    },
    /// What lay at a frozen address is gone, without a transfer.
    Destroyed {
        /// The address.
        address: Address,
        /// How much.
        value: U256,
    },
    /// Nobody can send.
    Paused,
    /// Everybody can send again.
    Unpaused,
    /// Every transfer costs so much.
    FeeSet {
        /// Of the value, in hundredths of a percent.
        basis_points: U256,
        /// At most this.
        most: U256,
    },
    /// The contract passes its calls on to another one, which writes the logs from then on.
    Deprecated {
        /// The other one.
        by: Address,
    },
    /// The contract has other code.
    Upgraded {
        /// Where that lies.
        implementation: Address,
    },
    /// Another contract may mint and burn for bridging (an OFT).
    BridgeSet {
        /// The contract.
        contract: Address,
    },
    /// It calls itself something else.
    Renamed {
        /// Its name.
        name: String,
        /// Its symbol.
        symbol: String,
    },
    /// The issuer made more of it.
    Issued {
        /// How much.
        value: U256,
    },
    /// The issuer took it back.
    Redeemed {
        /// How much.
        value: U256,
    },
    /// More of it was made for somebody.
    Minted {
        /// For whom.
        to: Address,
        /// How much.
        value: U256,
    },
    /// Somebody's was destroyed with his consent.
    Burned {
        /// Whose.
        from: Address,
        /// How much.
        value: U256,
    },
}

/// Whether an address is frozen from a notice on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// It is.
    Begins,
    /// It is not any more.
    Ends,
}

impl TokenNotice {
    /// Whom it freezes or releases, if it does.
    #[must_use]
    pub const fn freeze(&self) -> Option<(Address, Freeze)> {
        match self.kind {
            TokenNoticeKind::Frozen { address } => Some((address, Freeze::Begins)),
            TokenNoticeKind::Released { address } => Some((address, Freeze::Ends)),
            TokenNoticeKind::Destroyed { .. }
            | TokenNoticeKind::Paused
            | TokenNoticeKind::Unpaused
            | TokenNoticeKind::FeeSet { .. }
            | TokenNoticeKind::Deprecated { .. }
            | TokenNoticeKind::Upgraded { .. }
            | TokenNoticeKind::BridgeSet { .. }
            | TokenNoticeKind::Renamed { .. }
            | TokenNoticeKind::Issued { .. }
            | TokenNoticeKind::Redeemed { .. }
            | TokenNoticeKind::Minted { .. }
            | TokenNoticeKind::Burned { .. } => None,
        }
    }
}
