//! What has become of an order: a pure function of all of its canonical transfers and of how far
//! the chains are covered.
//!
//! A status is never edited step by step. It is computed anew, so replays, reorgs and blocks that
//! arrive out of order need no code of their own.

use std::collections::BTreeMap;

use crate::{
    Amount, BlockNumber, Cause, Confirmed, Flags, Heads, LatePolicy, Order, OrderStatus,
    PaymentOption, PaymentState, RecordedRefund, RecordedTransfer, RefundId, RefundStanding,
    Refundable, Snapshot, Transfer, TransferId,
};

/// What moved for an order: all of it that is on its chains now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Movements<'a> {
    /// What came to it.
    pub transfers: &'a [RecordedTransfer],
    /// Its refunds, with what was sent for them.
    pub refunds: &'a [RecordedRefund],
}

/// What an order's transfers amount to. `received = counted + ignored`, always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Where the order stands.
    pub status: OrderStatus,
    /// What else is to be said. `reverted` and `resolved` are history and not set here.
    pub flags: Flags,
    /// All that arrived.
    pub received: Amount,
    /// What of it counts for the order.
    pub counted: Amount,
    /// What of it does not, each payment for its reason.
    pub ignored: Amount,
    /// What of the counted is confirmed.
    pub confirmed: Amount,
    /// What is still to be paid.
    pub remaining: Amount,
    /// What was counted beyond the asked amount.
    pub excess: Amount,
    /// What was sent back of what arrived.
    pub refunded: Amount,
    /// The payments, by transfer identity.
    pub payments: BTreeMap<TransferId, Payment>,
    /// What its refunds are.
    pub refunds: BTreeMap<RefundId, RefundStanding>,
}

/// A transfer that arrived at an order's address, and what it is to the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The transfer.
    pub transfer: Transfer,
    /// What it is to the order.
    pub standing: Standing,
    /// Whether its block's timestamp lies past the deadline and its grace.
    pub is_late: bool,
}

/// What a transfer is to its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It counts, but its chain may still take it back.
    Seen,
    /// It counts and is final by the order's rule.
    Confirmed(Confirmed),
    /// It does not count.
    Ignored(IgnoredBecause),
}

/// Why a transfer to an order's address does not count for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IgnoredBecause {
    /// The order does not take this token, or not on this chain.
    NotAccepted,
    /// It came after the deadline and the order holds late money for the operator.
    HeldLate,
    /// The order had been cancelled.
    OrderCancelled,
}

impl IgnoredBecause {
    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotAccepted => "not_accepted",
            Self::HeldLate => "held_late",
            Self::OrderCancelled => "order_cancelled",
        }
    }
}

/// Why an order cannot be assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssessError {
    /// The sum of its transfers is beyond [`Amount::MAX`].
    #[error("the order's transfers add up to more than any amount can hold")]
    Overflow,
}

/// What has become of `order`, given all that moved for it and is on its chains now, and how far
/// the chains are covered. Order and repetition of the transfers do not matter.
///
/// # Errors
/// [`AssessError::Overflow`] when the sum does not fit an [`Amount`].
pub fn assess(
    order: &Order,
    moved: Movements<'_>,
    heads: &Heads,
) -> Result<Assessment, AssessError> {
    let mut payments: BTreeMap<TransferId, Payment> = BTreeMap::new();
    for recorded in moved.transfers {
        let payment = weigh(order, recorded, heads);
        let is_better = payments
            .get(&recorded.transfer.id)
            .is_none_or(|known| !matches!(known.standing, Standing::Confirmed(_)));
        if is_better {
            payments.insert(recorded.transfer.id, payment);
        }
    }

    let ignored = total(&payments, |standing| {
        matches!(standing, Standing::Ignored(_))
    })?;
    let counted = total(&payments, |standing| {
        matches!(standing, Standing::Seen | Standing::Confirmed(_))
    })?;
    let excess = order.excess(counted.less(surcharges(order, &payments)));
    let received = counted.checked_add(ignored).ok_or(AssessError::Overflow)?;
    let witnesses: Vec<Confirmed> = payments
        .values()
        .filter_map(|payment| match &payment.standing {
            Standing::Confirmed(witness) => Some(witness.clone()),
            Standing::Seen | Standing::Ignored(_) => None,
        })
        .collect();
    let confirmed = Confirmed::total(&witnesses).ok_or(AssessError::Overflow)?;
    let refunded = Refundable::of(received, moved.refunds).refunded;

    Ok(Assessment {
        status: status_of(order, counted, &witnesses, heads)?,
        flags: Flags {
            refunded: !refunded.is_zero() && refunded >= received,
            partially_refunded: !refunded.is_zero() && refunded < received,
            ..flags_of(order, (counted, excess), &payments)
        },
        received,
        counted,
        ignored,
        confirmed,
        remaining: order.remaining(counted),
        excess,
        refunded,
        payments,
        refunds: moved
            .refunds
            .iter()
            .map(|recorded| (recorded.refund.id, recorded.standing(heads)))
            .collect(),
    })
}

/// What one transfer is to the order.
fn weigh(order: &Order, recorded: &RecordedTransfer, heads: &Heads) -> Payment {
    let transfer = &recorded.transfer;
    let is_late = transfer.block_timestamp > order.closes_at();
    let option = order.option_for(transfer);
    let finality = recorded.assigned.or(option.map(|option| option.finality));
    let is_held = is_late && order.late_policy == LatePolicy::Hold && recorded.assigned.is_none();
    let standing = match finality {
        None => Standing::Ignored(IgnoredBecause::NotAccepted),
        Some(_) if order.cancelled_at.is_some() => {
            Standing::Ignored(IgnoredBecause::OrderCancelled)
        },
        Some(_) if is_held => Standing::Ignored(IgnoredBecause::HeldLate),
        Some(finality) => heads
            .get(&transfer.id.chain_id)
            .and_then(|heads| finality.confirm(recorded, heads))
            .map_or(Standing::Seen, Standing::Confirmed),
    };
    Payment {
        transfer: transfer.clone(),
        standing,
        is_late,
    }
}

/// The sum of the payments whose standing is `wanted`.
fn total(
    payments: &BTreeMap<TransferId, Payment>,
    wanted: impl Fn(&Standing) -> bool,
) -> Result<Amount, AssessError> {
    payments
        .values()
        .filter(|payment| wanted(&payment.standing))
        .try_fold(Amount::ZERO, |sum, payment| {
            sum.checked_add(payment.transfer.amount)
        })
        .ok_or(AssessError::Overflow)
}

/// The status. Completed is reached through confirmed transfers only.
fn status_of(
    order: &Order,
    counted: Amount,
    witnesses: &[Confirmed],
    heads: &Heads,
) -> Result<OrderStatus, AssessError> {
    let confirmed = Confirmed::total(witnesses).ok_or(AssessError::Overflow)?;
    let threshold = order.threshold();
    Ok(if order.cancelled_at.is_some() {
        OrderStatus::Cancelled
    } else if !confirmed.is_zero() && confirmed >= threshold {
        OrderStatus::Completed
    } else if !counted.is_zero() && counted >= threshold {
        OrderStatus::Paid
    } else if order.chains_before_deadline(heads).is_empty() {
        OrderStatus::Expired
    } else if counted.is_zero() {
        OrderStatus::AwaitingPayment
    } else {
        OrderStatus::PartiallyPaid
    })
}

/// What was asked for above the order's amount, to tell it from others, where it was paid so.
fn surcharges(order: &Order, payments: &BTreeMap<TransferId, Payment>) -> Amount {
    let is_used = |option: &&PaymentOption| {
        payments.values().any(|payment| match payment.standing {
            Standing::Seen | Standing::Confirmed(_) => option.takes(&payment.transfer),
            Standing::Ignored(_) => false,
        })
    };
    let used = order.options.iter().filter(is_used);
    used.map(|option| option.asks(order.amount).less(order.amount))
        .fold(Amount::ZERO, |sum, surcharge| {
            sum.checked_add(surcharge).unwrap_or(Amount::MAX)
        })
}

fn flags_of(
    order: &Order,
    (counted, excess): (Amount, Amount),
    payments: &BTreeMap<TransferId, Payment>,
) -> Flags {
    let is_tolerated = !counted.is_zero() && counted >= order.amount.less(order.tolerance);
    Flags {
        overpaid: !excess.is_zero(),
        underpaid_within_tolerance: is_tolerated && counted < order.amount,
        late: payments.values().any(Payment::is_late_money),
        ..Flags::default()
    }
}

impl Payment {
    /// Whether it is money for this order that came after the deadline, counted or held.
    fn is_late_money(&self) -> bool {
        let is_for_order = match self.standing {
            Standing::Seen
            | Standing::Confirmed(_)
            | Standing::Ignored(IgnoredBecause::HeldLate) => true,
            Standing::Ignored(IgnoredBecause::NotAccepted | IgnoredBecause::OrderCancelled) => {
                false
            },
        };
        self.is_late && is_for_order
    }
}

impl Assessment {
    /// The tip that each confirmed payment, and each confirmed transfer of a refund, was confirmed
    /// under.
    #[must_use]
    pub fn confirmed_at_tip(&self) -> BTreeMap<TransferId, BlockNumber> {
        let came = self.payments.values();
        let came = came.filter_map(|payment| match &payment.standing {
            Standing::Confirmed(witness) => Some(witness),
            Standing::Seen | Standing::Ignored(_) => None,
        });
        let went = self.refunds.values();
        let went = went.filter_map(|standing| match standing {
            RefundStanding::Confirmed(witness) => Some(witness),
            RefundStanding::Prepared | RefundStanding::Sent(_) | RefundStanding::Cancelled => None,
        });
        came.chain(went)
            .map(|witness| (witness.transfer().id, witness.at_tip()))
            .collect()
    }

    /// What the books keep of this assessment, given what they held `before` and why it was made:
    /// flags that are history stay set.
    #[must_use]
    pub fn snapshot(&self, before: &Snapshot, cause: Cause) -> Snapshot {
        let payments: BTreeMap<_, _> = self
            .payments
            .iter()
            .map(|(id, payment)| {
                let state = match payment.standing {
                    Standing::Seen => PaymentState::Seen,
                    Standing::Confirmed(_) => PaymentState::Confirmed,
                    Standing::Ignored(because) => PaymentState::Ignored(because),
                };
                (*id, state)
            })
            .collect();
        let lost_counted = before
            .payments
            .iter()
            .any(|(id, state)| state.is_counted() && !payments.contains_key(id));
        Snapshot {
            status: self.status,
            flags: Flags {
                reverted: before.flags.reverted || lost_counted,
                resolved: before.flags.resolved || cause.resolves(),
                ..self.flags
            },
            received: self.received,
            counted: self.counted,
            confirmed: self.confirmed,
            excess: self.excess,
            refunded: self.refunded,
            payments,
            late: self
                .payments
                .iter()
                .filter(|(_, payment)| payment.is_late_money())
                .map(|(id, _)| *id)
                .collect(),
            refunds: self
                .refunds
                .iter()
                .map(|(id, standing)| (*id, standing.state()))
                .collect(),
        }
    }
}
