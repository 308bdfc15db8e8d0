//! Money that goes back: what was prepared for the merchant's wallet to send, and what the chains
//! show of it.
//!
//! Nothing is sent from here. A refund is a promise until a transfer that left one of the
//! merchant's addresses carries it out.

mod matching;
mod payer;

use std::fmt;
use std::str::FromStr;

use alloy_primitives::Address;

pub use crate::refund::matching::{match_refunds, refunds_after};
pub use crate::refund::payer::{NoPayer, plain_payer};
use crate::{
    Amount, Confirmed, FinalityRule, Heads, OrderId, Reason, RecordedTransfer, Reference, RefundId,
    Timestamp, Token, Transfer, TransferId, UnknownName,
};

/// What the merchant means to send back for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// The order.
    pub order: OrderId,
    /// The merchant's name for it, unique among those of the order.
    pub reference: Reference,
    /// The token, which names its chain.
    pub token: Token,
    /// To whom.
    pub to: Address,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub reason: Reason,
    /// When what was sent is confirmed. Kept with the refund, as with an order.
    pub finality: FinalityRule,
    /// When it was prepared. What was sent before that is not this refund.
    pub created_at: Timestamp,
    /// When it was given up, if it was.
    pub cancelled_at: Option<Timestamp>,
}

/// What carries a refund out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Nothing yet.
    None,
    /// This did, and has left its chain. Mined again, it does so again.
    Gone(Box<Transfer>),
    /// This, which is on its chain.
    There(Box<RecordedTransfer>),
}

/// A refund as the books hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRefund {
    /// The refund.
    pub refund: Refund,
    /// What carries it out.
    pub outgoing: Outgoing,
}

/// What has become of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundStanding {
    /// No transfer on the chain carries it out.
    Prepared,
    /// This does, but its chain may still take it back.
    Sent(TransferId),
    /// A transfer does that is final by the refund's rule.
    Confirmed(Confirmed),
    /// It was given up before it was sent.
    Cancelled,
}

/// What a refund is, as the books hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefundState {
    /// No transfer on the chain carries it out.
    Prepared,
    /// This does, but its chain may still take it back.
    Sent(TransferId),
    /// This does, and is final by the refund's rule.
    Confirmed(TransferId),
    /// It was given up before it was sent.
    Cancelled,
}

/// The kinds of states of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefundStatus {
    /// As [`RefundState::Prepared`].
    Prepared,
    /// As [`RefundState::Sent`].
    Sent,
    /// As [`RefundState::Confirmed`].
    Confirmed,
    /// As [`RefundState::Cancelled`].
    Cancelled,
}

impl RefundStatus {
    /// Every status, in the order of a refund's life.
    pub const ALL: [Self; 4] = [Self::Prepared, Self::Sent, Self::Confirmed, Self::Cancelled];

    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for RefundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for RefundStatus {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
            .ok_or_else(|| UnknownName {
                what: "status of a refund",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

impl RefundState {
    /// Its kind.
    #[must_use]
    pub const fn status(self) -> RefundStatus {
        match self {
            Self::Prepared => RefundStatus::Prepared,
            Self::Sent(_) => RefundStatus::Sent,
            Self::Confirmed(_) => RefundStatus::Confirmed,
            Self::Cancelled => RefundStatus::Cancelled,
        }
    }

    /// The transfer that carries it out and is on its chain, if there is one.
    #[must_use]
    pub const fn transfer(self) -> Option<TransferId> {
        match self {
            Self::Sent(id) | Self::Confirmed(id) => Some(id),
            Self::Prepared | Self::Cancelled => None,
        }
    }
}

impl RefundStanding {
    /// What the books keep of it.
    #[must_use]
    pub fn state(&self) -> RefundState {
        match self {
            Self::Prepared => RefundState::Prepared,
            Self::Sent(id) => RefundState::Sent(*id),
            Self::Confirmed(witness) => RefundState::Confirmed(witness.transfer().id),
            Self::Cancelled => RefundState::Cancelled,
        }
    }
}

/// Why something cannot be done with refunds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefundRefusal {
    /// There is less to give back.
    #[error(
        "{asked} cannot be refunded: {received} arrived, of which {refunded} are refunded and \
         {prepared} prepared, so {} are left", received.less(*refunded).less(*prepared)
    )]
    TooMuch {
        /// What was asked for.
        asked: Amount,
        /// What the order received.
        received: Amount,
        /// What was sent back.
        refunded: Amount,
        /// What is to be sent back.
        prepared: Amount,
    },
    /// It has been carried out.
    #[error("it has been sent, in transaction {}", .0.tx_hash)]
    Sent(Box<Transfer>),
    /// It has been given up.
    #[error("it is cancelled; prepare another one, and link that")]
    Cancelled,
    /// What was sent is of another kind.
    #[error("the payment is in another token, or on another chain, than the refund")]
    OtherToken,
}

/// How much of an order can be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refundable {
    /// What it received.
    pub received: Amount,
    /// What was sent back.
    pub refunded: Amount,
    /// What is to be sent back.
    pub prepared: Amount,
}

impl Refundable {
    /// How much of what was `received` can be given back, given the order's `refunds`.
    #[must_use]
    pub fn of(received: Amount, refunds: &[RecordedRefund]) -> Self {
        let add = |sum: Amount, more: Amount| sum.checked_add(more).unwrap_or(Amount::MAX);
        let mut refundable = Self {
            received,
            refunded: Amount::ZERO,
            prepared: Amount::ZERO,
        };
        for recorded in refunds {
            match &recorded.outgoing {
                Outgoing::There(sent) => {
                    refundable.refunded = add(refundable.refunded, sent.transfer.amount);
                },
                Outgoing::None | Outgoing::Gone(_) if recorded.is_open() => {
                    refundable.prepared = add(refundable.prepared, recorded.refund.amount);
                },
                Outgoing::None | Outgoing::Gone(_) => {},
            }
        }
        refundable
    }

    /// What is left.
    #[must_use]
    pub const fn left(&self) -> Amount {
        self.received.less(self.refunded).less(self.prepared)
    }

    /// Whether `asked` can be refunded.
    ///
    /// # Errors
    /// [`RefundRefusal::TooMuch`] with the figures.
    pub fn check(&self, asked: Amount) -> Result<(), RefundRefusal> {
        if !asked.is_zero() && asked <= self.left() {
            return Ok(());
        }
        Err(RefundRefusal::TooMuch {
            asked,
            received: self.received,
            refunded: self.refunded,
            prepared: self.prepared,
        })
    }
}

impl RecordedRefund {
    /// A refund that was just prepared.
    #[must_use]
    pub const fn prepared(refund: Refund) -> Self {
        Self {
            refund,
            outgoing: Outgoing::None,
        }
    }

    /// Whether it waits to be sent.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        match self.outgoing {
            Outgoing::None | Outgoing::Gone(_) => self.refund.cancelled_at.is_none(),
            Outgoing::There(_) => false,
        }
    }

    /// The transfer that carries it out and is on its chain, if there is one.
    #[must_use]
    pub fn sent(&self) -> Option<&RecordedTransfer> {
        match &self.outgoing {
            Outgoing::There(sent) => Some(sent),
            Outgoing::None | Outgoing::Gone(_) => None,
        }
    }

    /// The refund once the transfers for which `is_gone` holds have left their chain.
    #[must_use]
    pub fn without(self, is_gone: impl FnOnce(&Transfer) -> bool) -> Self {
        let outgoing = match self.outgoing {
            Outgoing::There(sent) if is_gone(&sent.transfer) => {
                Outgoing::Gone(Box::new(sent.transfer))
            },
            outgoing @ (Outgoing::None | Outgoing::Gone(_) | Outgoing::There(_)) => outgoing,
        };
        Self { outgoing, ..self }
    }

    /// What has become of it, with the chains covered up to `heads`.
    #[must_use]
    pub fn standing(&self, heads: &Heads) -> RefundStanding {
        let Some(sent) = self.sent() else {
            return if self.refund.cancelled_at.is_some() {
                RefundStanding::Cancelled
            } else {
                RefundStanding::Prepared
            };
        };
        heads
            .get(&sent.transfer.id.chain_id)
            .and_then(|heads| self.refund.finality.confirm(sent, heads))
            .map_or(
                RefundStanding::Sent(sent.transfer.id),
                RefundStanding::Confirmed,
            )
    }

    /// The refund, given up at `at`; `None` if it is already.
    ///
    /// # Errors
    /// [`RefundRefusal::Sent`] once it has been carried out.
    pub fn cancel(&self, at: Timestamp) -> Result<Option<Self>, RefundRefusal> {
        if let Some(sent) = self.sent() {
            return Err(RefundRefusal::Sent(Box::new(sent.transfer.clone())));
        }
        let is_new = self.refund.cancelled_at.is_none();
        Ok(is_new.then(|| Self {
            refund: Refund {
                cancelled_at: Some(at),
                ..self.refund.clone()
            },
            outgoing: self.outgoing.clone(),
        }))
    }

    /// The refund, carried out by `sent` on an operator's word: the amount, the recipient and the
    /// time may be others.
    ///
    /// # Errors
    /// [`RefundRefusal`] when it waits for nothing, or `sent` is of another token.
    pub fn link(&self, sent: RecordedTransfer) -> Result<Self, RefundRefusal> {
        if let Some(sent) = self.sent() {
            return Err(RefundRefusal::Sent(Box::new(sent.transfer.clone())));
        }
        if self.refund.cancelled_at.is_some() {
            return Err(RefundRefusal::Cancelled);
        }
        if !self.refund.is_in_token_of(&sent.transfer) {
            return Err(RefundRefusal::OtherToken);
        }
        Ok(Self {
            refund: self.refund.clone(),
            outgoing: Outgoing::There(Box::new(sent)),
        })
    }
}

impl Refund {
    /// Whether `transfer` is in its token, on its chain.
    fn is_in_token_of(&self, transfer: &Transfer) -> bool {
        self.token.chain_id == transfer.id.chain_id && self.token.address == transfer.token
    }
}

#[cfg(test)]
mod tests;
