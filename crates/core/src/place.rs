//! Where a transfer belongs that touches one of the merchant's addresses: to exactly one of an
//! order, the unmatched payments, or what is left alone for a reason.

use std::fmt;
use std::str::FromStr;

use crate::{Amount, ChainId, EventKind, OrderId, PaymentId, Transfer, UnknownName};

/// What a transfer is that belongs to no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loose {
    /// Money that nobody claims: an operator has to look at it.
    Unmatched,
    /// It was moved from one of the merchant's addresses to another, as a flush does.
    Moved,
    /// It left one of the merchant's addresses for somebody else's.
    Sent,
    /// Less than is worth looking at.
    Dust,
    /// It moved nothing. Anybody can send such in anybody's name.
    ZeroValue,
    /// An operator decided to leave it alone.
    WrittenOff,
}

impl Loose {
    /// Everything that it can be.
    pub const ALL: [Self; 6] = [
        Self::Unmatched,
        Self::Moved,
        Self::Sent,
        Self::Dust,
        Self::ZeroValue,
        Self::WrittenOff,
    ];

    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unmatched => "unmatched",
            Self::Moved => "moved",
            Self::Sent => "sent",
            Self::Dust => "dust",
            Self::ZeroValue => "zero_value",
            Self::WrittenOff => "written_off",
        }
    }
}

impl fmt::Display for Loose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Loose {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|loose| loose.name() == name)
            .ok_or_else(|| UnknownName {
                what: "place of a payment",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// Whose address a transfer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    /// The merchant's own: the treasury, a wallet or a deposit address.
    Ourselves,
    /// Anybody else's.
    Somebody,
}

/// Who claims a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// An order, whose address was paid, or that was named.
    Order(OrderId),
    /// An order, whose amount was paid to an address that many share.
    Amount(OrderId),
    /// An operator has decided to leave it alone.
    WrittenOff,
    /// Nobody.
    Nobody,
    /// Nobody can: it was paid to an address of somebody else's.
    Stranger,
}

/// Where a transfer belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To an order, whatever it is to that.
    Order(OrderId),
    /// To none.
    Loose(Loose),
}

/// Where `transfer` belongs, which is to or from one of the merchant's addresses. Less than `dust` is not
/// looked at.
#[must_use]
pub fn place(transfer: &Transfer, claim: Claim, payer: Payer, dust: Amount) -> Place {
    if transfer.amount.is_zero() {
        return Place::Loose(Loose::ZeroValue);
    }
    Place::Loose(match (claim, payer) {
        (Claim::Order(order), _) | (Claim::Amount(order), Payer::Somebody) => {
            return Place::Order(order);
        },
        (Claim::WrittenOff, _) => Loose::WrittenOff,
        (Claim::Stranger, _) => Loose::Sent,
        (Claim::Nobody | Claim::Amount(_), Payer::Ourselves) => Loose::Moved,
        (Claim::Nobody, Payer::Somebody) if transfer.amount < dust => Loose::Dust,
        (Claim::Nobody, Payer::Somebody) => Loose::Unmatched,
    })
}

/// Something that happened to a payment that belongs to no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentEvent {
    /// Its chain.
    pub chain_id: ChainId,
    /// The payment.
    pub payment: PaymentId,
    /// What happened.
    pub kind: EventKind,
    /// All about it, for people.
    pub detail: String,
}

impl PaymentEvent {
    /// What is told of `transfer`.
    #[must_use]
    pub fn of(transfer: &Transfer, kind: EventKind) -> Self {
        let Transfer {
            amount,
            from,
            to,
            tx_hash,
            ..
        } = transfer;
        let is_sweep = [EventKind::SweepCompleted, EventKind::SweepReverted].contains(&kind);
        let detail = if kind == EventKind::PaymentUnmatched {
            format!("{amount} from {from} to {to} in transaction {tx_hash} belongs to no order")
        } else if is_sweep {
            format!("{amount} from {from} to {to} in transaction {tx_hash}")
        } else {
            format!("{amount} to {to} in transaction {tx_hash}")
        };
        Self {
            chain_id: transfer.id.chain_id,
            payment: transfer.payment_id(),
            kind,
            detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256};

    use super::*;
    use crate::{Timestamp, TransferId};

    fn transfer(amount: &str) -> Transfer {
        Transfer {
            id: TransferId {
                chain_id: ChainId::new(1).unwrap(),
                block_hash: B256::ZERO,
                log_index: 0,
            },
            block_number: 1,
            block_timestamp: Timestamp::EPOCH,
            tx_hash: B256::ZERO,
            token: Address::repeat_byte(1),
            from: Address::repeat_byte(2),
            to: Address::repeat_byte(3),
            amount: amount.parse().unwrap(),
            paid_through: None,
        }
    }

    #[test]
    fn every_transfer_has_one_place() {
        let order = OrderId::from_bytes([7; 16]);
        let dust = "0.01".parse().unwrap();
        let at = |amount, claim, payer| place(&transfer(amount), claim, payer, dust);
        use Claim::{Nobody, Stranger, WrittenOff};
        use Payer::{Ourselves, Somebody};
        let (ours, exact) = (Claim::Order(order), Claim::Amount(order));
        for (amount, claim, payer, expected) in [
            ("0", ours, Somebody, Place::Loose(Loose::ZeroValue)),
            ("5", ours, Ourselves, Place::Order(order)),
            ("5", exact, Somebody, Place::Order(order)),
            ("5", exact, Ourselves, Place::Loose(Loose::Moved)),
            ("0.001", ours, Somebody, Place::Order(order)),
            ("5", WrittenOff, Somebody, Place::Loose(Loose::WrittenOff)),
            ("5", Nobody, Ourselves, Place::Loose(Loose::Moved)),
            ("0.001", Nobody, Somebody, Place::Loose(Loose::Dust)),
            ("0.01", Nobody, Somebody, Place::Loose(Loose::Unmatched)),
            ("0.001", Stranger, Ourselves, Place::Loose(Loose::Sent)),
            ("0", Stranger, Ourselves, Place::Loose(Loose::ZeroValue)),
        ] {
            assert_eq!(
                at(amount, claim, payer),
                expected,
                "{amount} {claim:?} {payer:?}"
            );
        }
        for loose in Loose::ALL {
            assert_eq!(loose.name().parse(), Ok(loose));
        }
    }
}
