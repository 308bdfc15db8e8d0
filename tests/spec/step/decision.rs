//! What the operator decides, as the command line has it.

use std::fmt;

use crate::places::CUSTOMERS_BACK;
use crate::step::FIRST;

/// Why, always.
const REASON: &str = "the story wants it";

/// What the operator decides.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decision {
    /// The order is not to be paid any more.
    Cancel(&'static str),
    /// The order may be paid for so much longer.
    Extend(&'static str, &'static str),
    /// What has arrived for the order is enough.
    Accept(&'static str),
    /// The payment is for the order.
    Assign(&'static str, &'static str),
    /// The payment is for no order.
    Unassign(&'static str),
    /// The payment is to be left alone.
    WriteOff(&'static str),
    /// So much of what came for the order is to go back, on the first chain.
    Refund(&'static str, &'static str),
}

impl Decision {
    /// The words of the command, given how the id of an order is found, and the payment's id.
    pub(crate) fn arguments(
        self,
        order_id: impl Fn(&str) -> String,
        payment_id: &str,
    ) -> Vec<String> {
        let (command, what) = match self {
            Self::Cancel(order) => ("order cancel".to_owned(), order_id(order)),
            Self::Extend(order, by) => (format!("order extend --by {by}"), order_id(order)),
            Self::Accept(order) => ("order accept".to_owned(), order_id(order)),
            Self::Assign(_, order) => {
                let order = order_id(order);
                (
                    format!("payment assign --order {order}"),
                    payment_id.to_owned(),
                )
            },
            Self::Unassign(_) => ("payment unassign".to_owned(), payment_id.to_owned()),
            Self::WriteOff(_) => ("payment write-off".to_owned(), payment_id.to_owned()),
            Self::Refund(order, amount) => (
                format!(
                    "refund prepare --reference BACK-{amount} --chain {FIRST} \
                     --to {CUSTOMERS_BACK} --amount {amount}"
                ),
                order_id(order),
            ),
        };
        let words = command.split(' ').map(str::to_owned);
        words
            .chain([what, "--reason".to_owned(), REASON.to_owned()])
            .collect()
    }

    /// The payment that it is about, if it is about one.
    pub(crate) const fn payment(self) -> Option<&'static str> {
        match self {
            Self::Cancel(_) | Self::Extend(..) | Self::Accept(_) | Self::Refund(..) => None,
            Self::Assign(payment, _) | Self::Unassign(payment) | Self::WriteOff(payment) => {
                Some(payment)
            },
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancel(order) => write!(f, "cancels {order}"),
            Self::Extend(order, by) => write!(f, "gives {order} {by} more"),
            Self::Accept(order) => write!(f, "accepts what has arrived for {order}"),
            Self::Assign(payment, order) => write!(f, "gives the payment {payment} to {order}"),
            Self::Unassign(payment) => write!(f, "takes the payment {payment} away again"),
            Self::WriteOff(payment) => write!(f, "writes the payment {payment} off"),
            Self::Refund(order, amount) => {
                write!(f, "prepares to give {amount} of {order} back")
            },
        }
    }
}
