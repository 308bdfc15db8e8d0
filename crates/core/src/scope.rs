//! What a key to the API may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::UnknownName;

/// One thing that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See orders and chains.
    OrdersRead,
    /// Make orders.
    OrdersWrite,
    /// See payments and their proofs.
    PaymentsRead,
    /// Decide, refund, read the audit log: whatever an operator does.
    Operator,
    /// Manage webhooks.
    Webhooks,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [
        Self::OrdersRead,
        Self::OrdersWrite,
        Self::PaymentsRead,
        Self::Operator,
        Self::Webhooks,
    ];

    /// The name in the API and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrdersRead => "orders:read",
            Self::OrdersWrite => "orders:write",
            Self::PaymentsRead => "payments:read",
            Self::Operator => "operator",
            Self::Webhooks => "webhooks",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == name)
            .ok_or_else(|| UnknownName {
                what: "scope",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

/// All that a key may do. Its text is the scopes' names with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether `scope` is one of them.
    #[must_use]
    pub fn allow(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.name()).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

impl FromStr for Scopes {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        text.split(',')
            .filter(|name| !name.is_empty())
            .map(str::parse)
            .collect()
    }
}

/// What a key is made for, which its first letters say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMode {
    /// An installation that takes real money.
    Live,
    /// An installation on test chains.
    Test,
}

impl KeyMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// What its keys begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Live => "pw_live_",
            Self::Test => "pw_test_",
        }
    }
}

impl FromStr for KeyMode {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == name)
            .ok_or_else(|| UnknownName {
                what: "mode of keys",
                name: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_no_scope_allows_another() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            let only: Scopes = [scope].into_iter().collect();
            for other in Scope::ALL {
                assert_eq!(only.allow(other), scope == other);
            }
        }
        for mode in KeyMode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        assert_eq!(Scopes::all().to_string().parse(), Ok(Scopes::all()));
        assert_eq!("".parse(), Ok([].into_iter().collect::<Scopes>()));
        for wrong in ["orders", "orders:read,", "orders:read, operator", "all"] {
            let parsed = wrong.parse::<Scopes>();
            assert_eq!(parsed.is_err(), wrong != "orders:read,", "{wrong:?}");
        }
    }
}
