//! What the merchant expects, and in which ways it may be paid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::{
    Amount, ChainId, Heads, OrderId, PaymentMethod, PaymentOption, Timestamp, Transfer, UnknownName,
};

/// The merchant's own name for an order: 1 to 128 visible ASCII characters or inner spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

/// A text that cannot be an order's reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reference has 1 to 128 visible ASCII characters, with spaces only between them")]
pub struct ReferenceError;

impl Reference {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let is_visible = text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
        if text.is_empty() || text.len() > 128 || !is_visible || text.trim() != text {
            return Err(ReferenceError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What happens with money that comes after the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LatePolicy {
    /// It counts like any other, and is flagged.
    Accept,
    /// It is attached and announced, but counts only once an operator says so.
    Hold,
}

impl LatePolicy {
    /// The name in the configuration and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Hold => "hold",
        }
    }
}

impl FromStr for LatePolicy {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "accept" => Ok(Self::Accept),
            "hold" => Ok(Self::Hold),
            _ => Err(UnknownName {
                what: "late policy",
                name: name.to_owned(),
                known: "accept, hold".to_owned(),
            }),
        }
    }
}

/// How the amount of an order is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asking {
    /// This much; what comes beyond it is an excess.
    Exactly,
    /// This much or more, as for donations and top-ups: there is no excess.
    AtLeast,
}

impl Asking {
    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exactly => "exactly",
            Self::AtLeast => "at_least",
        }
    }

    /// What of `counted` is more than the `asked` amount.
    #[must_use]
    pub const fn excess(self, asked: Amount, counted: Amount) -> Amount {
        match self {
            Self::Exactly => counted.less(asked),
            Self::AtLeast => Amount::ZERO,
        }
    }
}

impl FromStr for Asking {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "exactly" => Ok(Self::Exactly),
            "at_least" => Ok(Self::AtLeast),
            _ => Err(UnknownName {
                what: "way of asking",
                name: name.to_owned(),
                known: "exactly, at_least".to_owned(),
            }),
        }
    }
}

/// What the merchant expects to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// The merchant's name for it, unique.
    pub reference: Reference,
    /// What is asked.
    pub amount: Amount,
    /// How that is meant.
    pub asking: Asking,
    /// How much less is still enough.
    pub tolerance: Amount,
    /// What an operator has called enough, if one has: less than the order asks for.
    pub accepted: Option<Amount>,
    /// What happens with money after the deadline.
    pub late_policy: LatePolicy,
    /// The ways in which it may be paid; parts on one and parts on another add up.
    pub options: Vec<PaymentOption>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its deadline, in chain time, as the payer is told.
    pub expires_at: Timestamp,
    /// For how many milliseconds after that money is still in time.
    pub grace_ms: u32,
    /// When the merchant cancelled it, if he did.
    pub cancelled_at: Option<Timestamp>,
    /// The merchant's own notes.
    pub metadata: BTreeMap<String, String>,
}

impl Order {
    /// The least that is enough.
    #[must_use]
    pub fn threshold(&self) -> Amount {
        let by_terms = self.amount.less(self.tolerance);
        self.accepted
            .map_or(by_terms, |accepted| accepted.min(by_terms))
    }

    /// What is still to be paid once `counted` has arrived: nothing, if that is enough.
    #[must_use]
    pub fn remaining(&self, counted: Amount) -> Amount {
        if !counted.is_zero() && counted >= self.threshold() {
            return Amount::ZERO;
        }
        self.amount.less(counted)
    }

    /// What of `counted` is more than was asked for.
    #[must_use]
    pub const fn excess(&self, counted: Amount) -> Amount {
        self.asking.excess(self.amount, counted)
    }

    /// The last moment, in chain time, at which money is in time: a block whose timestamp is not
    /// past it.
    #[must_use]
    pub fn closes_at(&self) -> Timestamp {
        self.expires_at
            .plus_ms(i64::from(self.grace_ms))
            .unwrap_or(self.expires_at)
    }

    /// The chains on which it may be paid.
    #[must_use]
    pub fn chains(&self) -> BTreeSet<ChainId> {
        self.options
            .iter()
            .map(|option| option.token.chain_id)
            .collect()
    }

    /// The option that `transfer` uses, if there is one.
    #[must_use]
    pub fn option_for(&self, transfer: &Transfer) -> Option<&PaymentOption> {
        self.options
            .iter()
            .find(|option| option.takes(transfer) && self.is_meant(option, transfer))
    }

    /// Whether the payer of `transfer` meant this order, where that takes a word of his.
    fn is_meant(&self, option: &PaymentOption, transfer: &Transfer) -> bool {
        match option.method {
            PaymentMethod::DepositAddress { .. } | PaymentMethod::ExactAmount { .. } => true,
            PaymentMethod::Contract { .. } => transfer
                .paid_through
                .is_some_and(|paid| paid.order_ref == self.id.to_contract_ref()),
        }
    }

    /// The chains that are not yet covered past the deadline. The order can only expire when
    /// there are none.
    #[must_use]
    pub fn chains_before_deadline(&self, heads: &Heads) -> Vec<ChainId> {
        self.chains()
            .into_iter()
            .filter(|chain| {
                heads
                    .get(chain)
                    .is_none_or(|h| h.covered_time <= self.closes_at())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, B256};

    use super::*;
    use crate::{ContractPayment, Decimals, FinalityRule, Token, TransferId};

    #[test]
    fn a_contract_takes_what_it_was_told_for_this_order() {
        let chain_id = ChainId::new(1).unwrap();
        let treasury = Address::repeat_byte(3);
        let receiver = Address::repeat_byte(4);
        let id = OrderId::from_bytes([7; 16]);
        let token = Token {
            chain_id,
            address: Address::repeat_byte(1),
            symbol: "USDT".to_owned(),
            decimals: Decimals::new(6).unwrap(),
        };
        let order = Order {
            id,
            reference: "a".parse().unwrap(),
            amount: Amount::ZERO,
            asking: Asking::Exactly,
            tolerance: Amount::ZERO,
            accepted: None,
            late_policy: LatePolicy::Accept,
            options: vec![PaymentOption {
                token: token.clone(),
                address: treasury,
                method: PaymentMethod::Contract { receiver },
                finality: FinalityRule::confirmations(1).unwrap(),
            }],
            created_at: Timestamp::EPOCH,
            expires_at: Timestamp::EPOCH,
            grace_ms: 0,
            cancelled_at: None,
            metadata: BTreeMap::new(),
        };
        let paid = |receiver, order_ref| ContractPayment {
            receiver,
            payer: Address::repeat_byte(2),
            order_ref,
        };
        let ours = id.to_contract_ref();
        let other = OrderId::from_bytes([8; 16]).to_contract_ref();
        for (paid_through, is_taken) in [
            (Some(paid(receiver, ours)), true),
            (Some(paid(receiver, other)), false),
            (Some(paid(treasury, ours)), false),
            (None, false),
        ] {
            let transfer = Transfer {
                id: TransferId {
                    chain_id,
                    block_hash: B256::ZERO,
                    log_index: 0,
                },
                block_number: 1,
                block_timestamp: Timestamp::EPOCH,
                tx_hash: B256::ZERO,
                token: token.address,
                from: Address::repeat_byte(2),
                to: treasury,
                amount: Amount::ZERO,
                paid_through,
            };
            assert_eq!(order.option_for(&transfer).is_some(), is_taken);
        }
    }

    #[test]
    fn references_are_short_visible_texts() {
        for fine in ["INV-1001", "a", "order 7/2026", "#42"] {
            assert_eq!(fine.parse::<Reference>().unwrap().as_str(), fine);
        }
        let long = "x".repeat(129);
        for wrong in ["", " ", " a", "a ", "a\nb", "naïve", "\u{0}", &long] {
            assert_eq!(wrong.parse::<Reference>(), Err(ReferenceError), "{wrong:?}");
        }
    }
}
