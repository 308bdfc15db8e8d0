//! What an order can be, what may follow what, and the flags beside it.

use std::fmt;
use std::str::FromStr;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderStatus {
    /// Nothing counted yet.
    AwaitingPayment,
    /// Something counted, not yet enough.
    PartiallyPaid,
    /// Enough was seen on chain but is not confirmed: do not ship.
    Paid,
    /// Enough is confirmed: ship.
    Completed,
    /// The deadline passed on every chain of the order without enough.
    Expired,
    /// The merchant ended it before it was paid.
    Cancelled,
}

/// How one status follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing changed.
    Stay,
    /// The order moved on.
    Forward,
    /// Money left the chain: only with a `reverted` event.
    Back,
    /// An operator gave an expired order more time.
    Reopen,
}

/// A name that stands for nothing known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} \"{name}\"; known are: {known}")]
pub struct UnknownName {
    /// What kind of name was expected.
    pub what: &'static str,
    /// The name that was given.
    pub name: String,
    /// The names that exist.
    pub known: String,
}

impl OrderStatus {
    /// Every status, in the order of an order's life.
    pub const ALL: [Self; 6] = [
        Self::AwaitingPayment,
        Self::PartiallyPaid,
        Self::Paid,
        Self::Completed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting_payment",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// How `next` follows `self`; `None` if it never does.
    #[must_use]
    pub const fn step_to(self, next: Self) -> Option<Step> {
        use OrderStatus::{AwaitingPayment, Cancelled, Completed, Expired, Paid, PartiallyPaid};
        let step = match (self, next) {
            (AwaitingPayment, AwaitingPayment)
            | (PartiallyPaid, PartiallyPaid)
            | (Paid, Paid)
            | (Completed, Completed)
            | (Expired, Expired)
            | (Cancelled, Cancelled) => Step::Stay,

            (AwaitingPayment, PartiallyPaid | Paid | Completed | Expired | Cancelled)
            | (PartiallyPaid, Paid | Completed | Expired | Cancelled)
            | (Paid, Completed)
            // Late money that the order's policy accepts, or an order that is given up for good.
            | (Expired, Paid | Completed | Cancelled) => Step::Forward,

            (Expired, AwaitingPayment | PartiallyPaid) => Step::Reopen,

            (PartiallyPaid, AwaitingPayment)
            | (Paid, AwaitingPayment | PartiallyPaid | Expired)
            | (Completed, AwaitingPayment | PartiallyPaid | Paid | Expired) => Step::Back,

            (Paid | Completed, Cancelled)
            | (Cancelled, AwaitingPayment | PartiallyPaid | Paid | Completed | Expired) => {
                return None;
            },
        };
        Some(step)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for OrderStatus {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == name)
            .ok_or_else(|| UnknownName {
                what: "status",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// What else is to be said about an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent fact, not a state"
)]
pub struct Flags {
    /// More was counted than was asked.
    pub overpaid: bool,
    /// Less was counted than was asked, but within the order's tolerance.
    pub underpaid_within_tolerance: bool,
    /// Money came in a block after the deadline.
    pub late: bool,
    /// A counted transfer left the chain at some time.
    pub reverted: bool,
    /// An operator decided something about it.
    pub resolved: bool,
    /// All that arrived was sent back.
    pub refunded: bool,
    /// Some of what arrived was sent back.
    pub partially_refunded: bool,
}

impl Flags {
    /// Every flag's name with whether it is set, in a fixed order.
    const fn named(self) -> [(&'static str, bool); 7] {
        [
            ("overpaid", self.overpaid),
            (
                "underpaid_within_tolerance",
                self.underpaid_within_tolerance,
            ),
            ("late", self.late),
            ("reverted", self.reverted),
            ("resolved", self.resolved),
            ("refunded", self.refunded),
            ("partially_refunded", self.partially_refunded),
        ]
    }

    /// The names of the flags that are set, in a fixed order.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.named()
            .into_iter()
            .filter_map(|(name, is_set)| is_set.then_some(name))
            .collect()
    }

    /// Reads what [`Flags::names`] gave.
    ///
    /// # Errors
    /// [`UnknownName`] for a name that is no flag.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownName> {
        let mut flags = Self::default();
        for name in names {
            match name {
                "overpaid" => flags.overpaid = true,
                "underpaid_within_tolerance" => flags.underpaid_within_tolerance = true,
                "late" => flags.late = true,
                "reverted" => flags.reverted = true,
                "resolved" => flags.resolved = true,
                "refunded" => flags.refunded = true,
                "partially_refunded" => flags.partially_refunded = true,
                _ => {
                    return Err(UnknownName {
                        what: "flag",
                        name: name.to_owned(),
                        known: flags.named().map(|(name, _)| name).join(", "),
                    });
                },
            }
        }
        Ok(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_steps_is_what_was_decided() {
        // Rows: from; columns: to; in the order of OrderStatus::ALL.
        // s stay, f forward, b back, r reopened, . never.
        let table = ["sfffff", "bsffff", "bbsfb.", "bbbsb.", "rrffsf", ".....s"];
        for (from, row) in OrderStatus::ALL.into_iter().zip(table) {
            for (to, cell) in OrderStatus::ALL.into_iter().zip(row.chars()) {
                let expected = match cell {
                    's' => Some(Step::Stay),
                    'f' => Some(Step::Forward),
                    'b' => Some(Step::Back),
                    'r' => Some(Step::Reopen),
                    _ => None,
                };
                assert_eq!(from.step_to(to), expected, "{from} to {to}");
            }
        }
    }

    #[test]
    fn names_read_back() {
        for status in OrderStatus::ALL {
            assert_eq!(status.name().parse(), Ok(status));
        }
        assert!(
            "payed"
                .parse::<OrderStatus>()
                .unwrap_err()
                .to_string()
                .contains("awaiting_payment")
        );
        let flags = Flags {
            late: true,
            overpaid: true,
            ..Flags::default()
        };
        assert_eq!(flags.names(), ["overpaid", "late"]);
        assert_eq!(Flags::from_names(flags.names()), Ok(flags));
        assert!(Flags::from_names(["lost"]).is_err());
    }
}
