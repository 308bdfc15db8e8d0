//! What can happen in a story, as values. Each step has its plain words ([`Step`]'s `Display`),
//! one arm in the runner, and a method of [`Story`](crate::story::Story) that appends it.

mod decision;
mod lever;
mod payment;
mod terms;

use std::fmt;

pub(crate) use crate::step::decision::Decision;
pub(crate) use crate::step::lever::Lever;
pub(crate) use crate::step::payment::{By, Coin, FIRST, Payment, Reorg, To, payment, reorg};
pub(crate) use crate::step::terms::{Terms, order};

use crate::expectation::Seen;

/// One step of a story. Orders go by their reference, chains by their name, payments by what the
/// story calls them.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The shop makes an order.
    Orders(Terms),
    /// The shop asks for an order once more and gets the one that it has.
    OrdersAgain(Terms),
    /// The shop asks for an order and is refused with a problem of this code.
    IsRefused(Terms, &'static str),
    /// The operator decides at a shell.
    Decides(Decision),
    /// The operator tries to decide, and is told why not.
    CannotDecide(Decision, &'static str),
    /// Payments in one transaction, in a block of its own.
    Pays(Vec<Payment>),
    /// A payment whose transaction is mined and fails.
    FailsToPay(Payment),
    /// Anybody flushes the order's address on the first chain; the story calls the transfer so.
    Flushes(&'static str, &'static str),
    /// The issuer of USDT pulls a lever of the token, on the first chain.
    Pulls(Lever),
    /// So many empty blocks come on every chain.
    Mines(u64),
    /// As many blocks come on every chain as the shop wants on a payment.
    BecomesFinal,
    /// So many minutes of chain time pass, on one chain or on all.
    MinutesPass(Option<&'static str>, u64),
    /// A chain's newest blocks are replaced.
    Reorganises(Reorg),
    /// The daemon is stopped in good order.
    DaemonStops,
    /// The daemon is killed.
    DaemonIsKilled,
    /// The daemon is started.
    DaemonStarts,
    /// A chain's node is switched off, and readiness says so.
    NodeStops(&'static str),
    /// It is switched on again, and readiness says so.
    NodeStarts(&'static str),
    /// The merchant sees the order like this.
    Sees(&'static str, Seen),
    /// The merchant finds the payment in this status.
    Finds(&'static str, &'static str),
    /// The merchant finds that the payment went to a frozen address.
    FindsFrozen(&'static str),
    /// The merchant finds no trace of the payment.
    FindsNothing(&'static str),
    /// The merchant finds the payment among what contracts sent that are no token of his.
    FindsStrange(&'static str),
    /// These events were told of orders and payments so far, in this order.
    Told(&'static [&'static str]),
    /// These events were told of the order so far, in this order.
    ToldOf(&'static str, &'static [&'static str]),
    /// Alerts of tokens were told so far, in this order, and each has these words.
    Alerted(&'static [&'static str]),
}

impl Step {
    /// Whether it changes nothing and only says what must be.
    pub(crate) const fn is_expectation(&self) -> bool {
        match self {
            Self::Sees(..)
            | Self::Finds(..)
            | Self::FindsFrozen(..)
            | Self::FindsNothing(..)
            | Self::FindsStrange(..)
            | Self::Told(..)
            | Self::ToldOf(..)
            | Self::Alerted(..)
            | Self::OrdersAgain(..)
            | Self::IsRefused(..)
            | Self::CannotDecide(..) => true,
            Self::Orders(..)
            | Self::Decides(..)
            | Self::Pays(..)
            | Self::FailsToPay(..)
            | Self::Flushes(..)
            | Self::Pulls(..)
            | Self::Mines(..)
            | Self::BecomesFinal
            | Self::MinutesPass(..)
            | Self::Reorganises(..)
            | Self::DaemonStops
            | Self::DaemonIsKilled
            | Self::DaemonStarts
            | Self::NodeStops(..)
            | Self::NodeStarts(..) => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orders(terms) => write!(f, "the shop makes {terms}"),
            Self::OrdersAgain(terms) => write!(f, "asked again for {terms}, it gets the same"),
            Self::IsRefused(terms, code) => write!(f, "{terms} is refused: {code}"),
            Self::Decides(decision) => write!(f, "the operator {decision}"),
            Self::CannotDecide(decision, why) => {
                write!(f, "that the operator {decision} is refused: {why}")
            },
            Self::Pays(payments) => match payments.as_slice() {
                [one] => write!(f, "{one}"),
                many => {
                    let many: Vec<_> = many.iter().map(ToString::to_string).collect();
                    write!(f, "in one transaction {}", many.join(" and "))
                },
            },
            Self::FailsToPay(payment) => write!(f, "in a transaction that fails {payment}"),
            Self::Flushes(order, name) => {
                write!(
                    f,
                    "anybody flushes the address of {order} (the payment {name})"
                )
            },
            Self::Pulls(lever) => write!(f, "the issuer {lever}"),
            Self::Mines(1) => write!(f, "a block comes"),
            Self::Mines(blocks) => write!(f, "{blocks} blocks come"),
            Self::BecomesFinal => write!(f, "so many blocks come that it is final"),
            Self::MinutesPass(None, minutes) => write!(f, "{minutes} minutes pass"),
            Self::MinutesPass(Some(chain), minutes) => {
                write!(f, "{minutes} minutes pass on the {chain} chain")
            },
            Self::Reorganises(reorg) => write!(f, "{reorg}"),
            Self::DaemonStops => write!(f, "the daemon is stopped"),
            Self::DaemonIsKilled => write!(f, "the daemon is killed"),
            Self::DaemonStarts => write!(f, "the daemon is started"),
            Self::NodeStops(chain) => write!(f, "the node of the {chain} chain is switched off"),
            Self::NodeStarts(chain) => write!(f, "the node of the {chain} chain comes back"),
            Self::Sees(order, seen) => write!(f, "{order} is {seen}"),
            Self::Finds(payment, status) => write!(f, "the payment {payment} is {status}"),
            Self::FindsFrozen(payment) => {
                write!(f, "the payment {payment} went to a frozen address")
            },
            Self::FindsNothing(payment) => write!(f, "there is no trace of {payment}"),
            Self::FindsStrange(payment) => write!(f, "{payment} is of no token of ours"),
            Self::Told(kinds) => write!(f, "told so far: {}", kinds.join(", ")),
            Self::ToldOf(order, kinds) => write!(f, "told of {order}: {}", kinds.join(", ")),
            Self::Alerted(words) => write!(f, "alerts so far: {}", words.join("; ")),
        }
    }
}
