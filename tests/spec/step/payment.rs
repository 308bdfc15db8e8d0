//! Who pays what to whom, and what a reorganisation does with it.

use std::fmt;

/// The chain that a story plays on, if it does not say otherwise.
pub(crate) const FIRST: &str = "first";

/// Who pays, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A customer, from a wallet.
    Customer,
    /// Another customer, from another wallet.
    AnotherCustomer,
    /// An exchange, whose contract pays from its own balance.
    Exchange,
    /// A contract, out of the customer's wallet (`transferFrom`).
    Contract,
    /// A stranger in the customer's name, who never allowed it: possible for nothing only.
    Stranger,
    /// Nobody: the money is made there (from 0x0), as bridges do.
    Nobody,
    /// The merchant, from the treasury.
    Merchant,
}

/// A token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coin {
    /// The one that every chain has.
    Usdt,
    /// Another one, where the story has set it up.
    Usdc,
    /// One that calls itself USDT and is not configured.
    LookAlike,
}

/// Who is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// The address of the order with this reference.
    Order(&'static str),
    /// The merchant's treasury.
    Treasury,
    /// The merchant's wallet, where amounts tell orders apart.
    Wallet,
    /// The payment receiver, for the order with this reference.
    Receiver(&'static str),
    /// Where the customer wants to have money back.
    CustomersBack,
}

/// A payment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payment {
    /// What the story calls it.
    pub name: Option<&'static str>,
    /// How much.
    pub amount: &'static str,
    /// In what.
    pub coin: Coin,
    /// On which chain.
    pub chain: &'static str,
    /// By whom.
    pub by: By,
    /// To whom.
    pub to: To,
    /// How many minutes of chain time pass before, without a block of their own.
    pub after_minutes: u64,
}

/// A customer's payment of so much USDT to the treasury, on the first chain, unless it is said
/// otherwise.
pub(crate) const fn payment(amount: &'static str) -> Payment {
    Payment {
        name: None,
        amount,
        coin: Coin::Usdt,
        chain: FIRST,
        by: By::Customer,
        to: To::Treasury,
        after_minutes: 0,
    }
}

impl Payment {
    /// The story calls it so.
    pub(crate) const fn called(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// It goes to the address of this order.
    pub(crate) const fn to(mut self, order: &'static str) -> Self {
        self.to = To::Order(order);
        self
    }

    /// It goes to the treasury.
    pub(crate) const fn to_the_treasury(mut self) -> Self {
        self.to = To::Treasury;
        self
    }

    /// It goes to the merchant's wallet.
    pub(crate) const fn to_the_wallet(mut self) -> Self {
        self.to = To::Wallet;
        self
    }

    /// It is a call of the payment receiver that names this order.
    pub(crate) const fn by_call_for(mut self, order: &'static str) -> Self {
        self.to = To::Receiver(order);
        self
    }

    /// It is the merchant's, to where the customer wants to have money back.
    pub(crate) const fn goes_back(mut self) -> Self {
        self.by = By::Merchant;
        self.to = To::CustomersBack;
        self
    }

    /// It is made on this chain.
    pub(crate) const fn on(mut self, chain: &'static str) -> Self {
        self.chain = chain;
        self
    }

    /// It is made in this token.
    pub(crate) const fn in_coin(mut self, coin: Coin) -> Self {
        self.coin = coin;
        self
    }

    /// Its block is the next, and so much later than it would have been.
    pub(crate) const fn after_minutes(mut self, minutes: u64) -> Self {
        self.after_minutes = minutes;
        self
    }

    /// It is made by these.
    pub(crate) const fn by(mut self, by: By) -> Self {
        self.by = by;
        self
    }
}

impl fmt::Display for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = match self.by {
            By::Customer => "a customer pays",
            By::AnotherCustomer => "another customer pays",
            By::Exchange => "an exchange pays",
            By::Contract => "a contract pays for a customer",
            By::Stranger => "a stranger pays in a customer's name",
            By::Nobody => "a bridge makes",
            By::Merchant => "the merchant pays",
        };
        let coin = match self.coin {
            Coin::Usdt => "USDT",
            Coin::Usdc => "USDC",
            Coin::LookAlike => "of a look-alike",
        };
        write!(f, "{by} {} {coin}", self.amount)?;
        match self.to {
            To::Order(order) => write!(f, " to {order}")?,
            To::Treasury => write!(f, " to the treasury")?,
            To::Wallet => write!(f, " to the wallet")?,
            To::Receiver(order) => write!(f, " through the receiver for {order}")?,
            To::CustomersBack => write!(f, " back to the customer")?,
        }
        if self.chain != FIRST {
            write!(f, " on the {} chain", self.chain)?;
        }
        if self.after_minutes > 0 {
            write!(f, ", {} minutes later", self.after_minutes)?;
        }
        if let Some(name) = self.name {
            write!(f, " (the payment {name})")?;
        }
        Ok(())
    }
}

/// A reorganisation: the newest blocks are replaced by as many others.
#[derive(Clone, Debug)]
pub(crate) struct Reorg {
    /// On which chain.
    pub chain: &'static str,
    /// How many blocks.
    pub depth: u64,
    /// Customers' payments that are mined in the new blocks, each with how many new blocks come
    /// before its own.
    pub again: Vec<(u64, Payment)>,
}

/// The newest `depth` blocks of the first chain are replaced by empty ones, unless it is said
/// otherwise.
pub(crate) const fn reorg(depth: u64) -> Reorg {
    Reorg {
        chain: FIRST,
        depth,
        again: Vec::new(),
    }
}

impl Reorg {
    /// It happens on this chain.
    pub(crate) const fn on(mut self, chain: &'static str) -> Self {
        self.chain = chain;
        self
    }

    /// The payment is mined in the new block that has so many new ones before it.
    pub(crate) fn with(mut self, before: u64, payment: Payment) -> Self {
        self.again.push((before, payment));
        self
    }
}

impl fmt::Display for Reorg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { depth, chain, .. } = self;
        write!(
            f,
            "the newest {depth} blocks of the {chain} chain are replaced"
        )?;
        for (before, payment) in &self.again {
            write!(f, ", after {before} of the new ones {payment}")?;
        }
        Ok(())
    }
}
