//! What the merchant must see of an order.

use std::fmt;

use paywatch_client::Order;

/// What must be seen of an order. Flags that are not named must not be set; of the rest only what
/// is named is compared.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    status: &'static str,
    flags: &'static [&'static str],
    fields: Vec<(Field, &'static str)>,
    payments: Option<&'static [&'static str]>,
}

/// A field that holds one text.
#[derive(Clone, Copy, Debug)]
enum Field {
    Received,
    Confirmed,
    Remaining,
    Excess,
    Ignored,
    Refunded,
    Accepted,
    Options,
    Asked,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Confirmed => "confirmed",
            Self::Remaining => "remaining",
            Self::Excess => "excess",
            Self::Ignored => "ignored",
            Self::Refunded => "refunded",
            Self::Accepted => "accepted",
            Self::Options => "options",
            Self::Asked => "asked",
        }
    }

    fn of(self, order: &Order) -> String {
        match self {
            Self::Received => order.received.clone(),
            Self::Confirmed => order.confirmed.clone(),
            Self::Remaining => order.remaining.clone(),
            Self::Excess => order.excess.clone(),
            Self::Ignored => order.ignored.clone(),
            Self::Refunded => order.refunded.clone(),
            Self::Accepted => order.accepted.clone().unwrap_or_else(|| "-".to_owned()),
            Self::Options => order.options.len().to_string(),
            Self::Asked => order
                .options
                .iter()
                .map(|option| option.amount.as_str())
                .collect(),
        }
    }
}

const fn is(status: &'static str) -> Seen {
    Seen {
        status,
        flags: &[],
        fields: Vec::new(),
        payments: None,
    }
}

/// Nothing has counted yet.
pub(crate) const fn awaiting_payment() -> Seen {
    is("awaiting_payment")
}

/// Something has counted, not enough.
pub(crate) const fn partially_paid() -> Seen {
    is("partially_paid")
}

/// Enough was seen.
pub(crate) const fn paid() -> Seen {
    is("paid")
}

/// Enough is confirmed.
pub(crate) const fn completed() -> Seen {
    is("completed")
}

/// The deadline has passed.
pub(crate) const fn expired() -> Seen {
    is("expired")
}

/// The operator has ended it.
pub(crate) const fn cancelled() -> Seen {
    is("cancelled")
}

impl Seen {
    /// With exactly these flags.
    pub(crate) const fn flags(mut self, flags: &'static [&'static str]) -> Self {
        self.flags = flags;
        self
    }

    fn field(mut self, field: Field, is: &'static str) -> Self {
        self.fields.push((field, is));
        self
    }

    /// So much has arrived.
    pub(crate) fn received(self, amount: &'static str) -> Self {
        self.field(Field::Received, amount)
    }

    /// So much is confirmed.
    pub(crate) fn confirmed(self, amount: &'static str) -> Self {
        self.field(Field::Confirmed, amount)
    }

    /// So much is still to be paid.
    pub(crate) fn remaining(self, amount: &'static str) -> Self {
        self.field(Field::Remaining, amount)
    }

    /// So much came beyond what was asked.
    pub(crate) fn excess(self, amount: &'static str) -> Self {
        self.field(Field::Excess, amount)
    }

    /// So much has arrived that does not count.
    pub(crate) fn ignored(self, amount: &'static str) -> Self {
        self.field(Field::Ignored, amount)
    }

    /// So much has gone back.
    pub(crate) fn refunded(self, amount: &'static str) -> Self {
        self.field(Field::Refunded, amount)
    }

    /// The operator has called so much enough.
    pub(crate) fn accepted(self, amount: &'static str) -> Self {
        self.field(Field::Accepted, amount)
    }

    /// On its one option the customer is asked for so much.
    pub(crate) fn asked(self, amount: &'static str) -> Self {
        self.field(Field::Asked, amount)
    }

    /// There are so many ways to pay it.
    pub(crate) fn options(self, count: &'static str) -> Self {
        self.field(Field::Options, count)
    }

    /// Its payments are in these statuses, in whatever order.
    pub(crate) const fn payments(mut self, statuses: &'static [&'static str]) -> Self {
        self.payments = Some(statuses);
        self
    }

    /// How `order` differs from it, in words; nothing, if it does not.
    pub(crate) fn differences(&self, order: &Order) -> Vec<String> {
        let mut differences = Vec::new();
        let mut compare = |what: &str, is: String, wanted: String| {
            if is != wanted {
                differences.push(format!("{what} is {is}, not {wanted}"));
            }
        };
        compare("status", order.status.clone(), self.status.to_owned());
        compare("flags", listed(&order.flags), listed(self.flags));
        for (field, wanted) in &self.fields {
            compare(field.name(), field.of(order), (*wanted).to_owned());
        }
        if let Some(statuses) = self.payments {
            let is = order.payments.iter().map(|payment| &payment.status);
            compare("payments", sorted(is), sorted(statuses));
        }
        differences
    }
}

fn listed<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<_> = texts.iter().map(AsRef::as_ref).collect();
    format!("[{}]", texts.join(", "))
}

fn sorted(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut texts: Vec<_> = texts
        .into_iter()
        .map(|text| text.as_ref().to_owned())
        .collect();
    texts.sort();
    listed(&texts)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.flags.is_empty() {
            write!(f, ", {}", self.flags.join(" and "))?;
        }
        for (field, is) in &self.fields {
            write!(f, ", {} {is}", field.name())?;
        }
        if let Some(payments) = self.payments {
            write!(f, ", payments {}", listed(payments))?;
        }
        Ok(())
    }
}
