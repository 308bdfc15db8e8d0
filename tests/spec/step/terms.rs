//! What the shop asks for an order.

use std::fmt;

use paywatch_client::CreateOrder;

/// The terms of an order. What is not said is the daemon's default; an hour to pay.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The reference, by which the story speaks of it.
    pub reference: &'static str,
    /// What goes to the daemon.
    pub request: CreateOrder,
}

/// An order with this reference.
pub(crate) fn order(reference: &'static str) -> Terms {
    Terms {
        reference,
        request: CreateOrder {
            reference: reference.to_owned(),
            expires_in: Some("1h".to_owned()),
            ..CreateOrder::default()
        },
    }
}

fn owned(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

impl Terms {
    /// So much is asked.
    pub(crate) fn amount(mut self, amount: &str) -> Self {
        amount.clone_into(&mut self.request.amount);
        self
    }

    /// Anything from so much is welcome.
    pub(crate) fn at_least(mut self, amount: &str) -> Self {
        self.request.any_amount = Some(true);
        self.amount(amount)
    }

    /// So much less is enough.
    pub(crate) fn tolerance(mut self, amount: &str) -> Self {
        self.request.tolerance = Some(amount.to_owned());
        self
    }

    /// Such a share less is enough.
    pub(crate) fn tolerance_percent(mut self, percent: &str) -> Self {
        self.request.tolerance_percent = Some(percent.to_owned());
        self
    }

    /// It may be paid for so long, such as "10m".
    pub(crate) fn expires_in(mut self, time: &str) -> Self {
        self.request.expires_in = Some(time.to_owned());
        self
    }

    /// What comes so much later than that, such as "5m", is in time as well.
    pub(crate) fn grace(mut self, time: &str) -> Self {
        self.request.grace = Some(time.to_owned());
        self
    }

    /// Late money is held for the operator.
    pub(crate) fn holds_late_money(mut self) -> Self {
        self.request.late_payments = Some("hold".to_owned());
        self
    }

    /// It may be paid by these methods only.
    pub(crate) fn by(mut self, methods: &[&str]) -> Self {
        self.request.methods = owned(methods);
        self
    }

    /// It may be paid on these chains only.
    pub(crate) fn on(mut self, chains: &[&str]) -> Self {
        self.request.chains = owned(chains);
        self
    }

    /// It may be paid in these tokens only.
    pub(crate) fn in_tokens(mut self, tokens: &[&str]) -> Self {
        self.request.tokens = owned(tokens);
        self
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reference, request } = self;
        let least = if request.any_amount == Some(true) {
            "at least "
        } else {
            ""
        };
        write!(f, "an order {reference} for {least}{}", request.amount)?;
        let texts = [
            ("tolerating", &request.tolerance),
            ("tolerating per cent", &request.tolerance_percent),
            ("to be paid within", &request.expires_in),
            ("with a grace of", &request.grace),
            ("with late money on", &request.late_payments),
        ];
        for (what, text) in texts {
            if let Some(text) = text {
                write!(f, ", {what} {text}")?;
            }
        }
        let lists = [
            ("on", &request.chains),
            ("in", &request.tokens),
            ("by", &request.methods),
        ];
        for (what, names) in lists {
            if let Some(names) = names {
                write!(f, ", {what} {} only", names.join(", "))?;
            }
        }
        Ok(())
    }
}
