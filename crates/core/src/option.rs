//! One way to pay an order.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::Address;

use crate::{Amount, FinalityRule, Slot, Token, Transfer, UnknownName};

/// The kinds of means by which money reaches the merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MethodKind {
    /// An address of the order's own.
    DepositAddress,
    /// A call of the payment receiver's contract.
    Contract,
    /// A wallet of the merchant's that many orders share, and an amount that tells them apart.
    ExactAmount,
}

impl MethodKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::DepositAddress, Self::Contract, Self::ExactAmount];

    /// The name in the API, the configuration and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DepositAddress => "deposit_address",
            Self::Contract => "contract",
            Self::ExactAmount => "exact_amount",
        }
    }
}

impl fmt::Display for MethodKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for MethodKind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownName {
                what: "payment method",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// By what means money reaches the merchant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentMethod {
    /// A deposit address of the order's own, derived by CREATE2 (EIP-1014) from these and the
    /// order's salt. What lies there can go to the treasury only.
    DepositAddress {
        /// The factory that deploys and flushes deposits.
        factory: Address,
        /// Where the money goes.
        treasury: Address,
    },
    /// A call of the payment receiver, which passes the money on to the treasury and says for which
    /// order. A mere transfer to the treasury is no payment of the order.
    Contract {
        /// The contract that is called.
        receiver: Address,
    },
    /// A wallet that many orders share: only these amounts are for this one.
    ExactAmount {
        /// The amounts.
        slot: Slot,
    },
}

impl PaymentMethod {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> MethodKind {
        match self {
            Self::DepositAddress { .. } => MethodKind::DepositAddress,
            Self::Contract { .. } => MethodKind::Contract,
            Self::ExactAmount { .. } => MethodKind::ExactAmount,
        }
    }
}

/// One way to pay an order: this token, on its chain, to this address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOption {
    /// The token, which names its chain.
    pub token: Token,
    /// Where the money arrives: the deposit, the treasury, or the wallet.
    pub address: Address,
    /// How it gets from there to the merchant.
    pub method: PaymentMethod,
    /// When a payment of this kind is confirmed. Kept with the order, so that a later change of
    /// the configuration does not change what was promised.
    pub finality: FinalityRule,
}

impl PaymentOption {
    /// What a payer is to send to pay an order over `amount` at once.
    #[must_use]
    pub const fn asks(&self, amount: Amount) -> Amount {
        match self.method {
            PaymentMethod::DepositAddress { .. } | PaymentMethod::Contract { .. } => amount,
            PaymentMethod::ExactAmount { slot } => slot.high(),
        }
    }

    /// Whether `transfer` uses this way. Whose it is if it came through a contract, the order says.
    #[must_use]
    pub fn takes(&self, transfer: &Transfer) -> bool {
        let is_to_it = self.token.chain_id == transfer.id.chain_id
            && self.token.address == transfer.token
            && self.address == transfer.to;
        is_to_it
            && match self.method {
                PaymentMethod::DepositAddress { .. } => true,
                PaymentMethod::Contract { receiver } => transfer
                    .paid_through
                    .is_some_and(|paid| paid.receiver == receiver),
                // What names an order is not told apart by its amount.
                PaymentMethod::ExactAmount { slot } => {
                    transfer.paid_through.is_none() && slot.takes(transfer.amount)
                },
            }
    }
}
