//! What gas costs, what may be paid for it, and what is offered.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::U256;
use paywatch_core::{Amount, Decimals};

/// Digits of a gwei, and of the native coin, in wei.
const GWEI: u8 = 9;
const COIN: u8 = 18;

/// A price of gas, in wei for each unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GasPrice(u128);

/// A text that is no price of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it like 30gwei, 0.05gwei or 2000000000wei")]
pub struct GasPriceError;

impl GasPrice {
    /// A price of so many wei.
    #[must_use]
    pub const fn from_wei(wei: u128) -> Self {
        Self(wei)
    }

    /// In wei.
    #[must_use]
    pub const fn wei(self) -> u128 {
        self.0
    }

    /// What `gas` costs, in the native coin.
    #[must_use]
    pub fn cost(self, gas: u64) -> Amount {
        let wei = U256::from(self.0).saturating_mul(U256::from(gas));
        coins(wei)
    }
}

/// `wei` in the native coin, or the largest amount if that is more.
pub(crate) fn coins(wei: U256) -> Amount {
    Decimals::new(COIN).map_or(Amount::MAX, |decimals| {
        Amount::from_base_units(wei, decimals).unwrap_or(Amount::MAX)
    })
}

impl FromStr for GasPrice {
    type Err = GasPriceError;

    fn from_str(text: &str) -> Result<Self, GasPriceError> {
        let (number, digits) = match (text.strip_suffix("gwei"), text.strip_suffix("wei")) {
            (Some(number), _) => (number, GWEI),
            (None, Some(number)) => (number, 0),
            (None, None) => return Err(GasPriceError),
        };
        let amount: Amount = number
            .trim_end()
            .parse()
            .map_err(|_malformed| GasPriceError)?;
        let decimals = Decimals::new(digits).map_err(|_too_many| GasPriceError)?;
        let wei = amount
            .to_base_units(decimals)
            .map_err(|_too_precise| GasPriceError)?;
        let wei = u128::try_from(wei).map_err(|_too_large| GasPriceError)?;
        Ok(Self(wei))
    }
}

impl fmt::Display for GasPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gwei = Decimals::new(GWEI)
            .ok()
            .and_then(|gwei| Amount::from_base_units(U256::from(self.0), gwei).ok());
        match gwei {
            Some(gwei) => write!(f, "{gwei} gwei"),
            None => write!(f, "{} wei", self.0),
        }
    }
}

/// What a chain asks for gas now, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fees {
    /// A base fee and a tip on top (EIP-1559).
    Dynamic {
        /// What is burnt.
        base: u128,
        /// What the producer gets.
        tip: u128,
    },
    /// One price, on chains without a base fee.
    Legacy {
        /// It.
        price: u128,
    },
}

/// What a transaction offers for gas, in wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// EIP-1559.
    Dynamic {
        /// At most this, base fee and tip together.
        most: u128,
        /// Of which the producer gets at most this.
        tip: u128,
    },
    /// Before it.
    Legacy {
        /// This.
        price: u128,
    },
}

impl Fees {
    /// What gas costs now.
    #[must_use]
    pub const fn price(self) -> GasPrice {
        match self {
            Self::Dynamic { base, tip } => GasPrice(base.saturating_add(tip)),
            Self::Legacy { price } => GasPrice(price),
        }
    }

    /// What to offer so that a transaction is mined also if the base fee doubles, though never more
    /// than `ceiling`. None if gas costs more than that already.
    #[must_use]
    pub fn offer(self, ceiling: GasPrice) -> Option<Offer> {
        if self.price() > ceiling {
            return None;
        }
        Some(match self {
            Self::Dynamic { base, tip } => {
                let doubled = base.saturating_mul(2).saturating_add(tip);
                let most = doubled.min(ceiling.0);
                Offer::Dynamic { most, tip }
            },
            Self::Legacy { price } => Offer::Legacy { price },
        })
    }
}

impl Offer {
    /// The most that it can come to.
    #[must_use]
    pub const fn most(self) -> GasPrice {
        match self {
            Self::Dynamic { most, .. } => GasPrice(most),
            Self::Legacy { price } => GasPrice(price),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_are_read_with_their_unit() {
        let cases = [
            ("30gwei", Some(30_000_000_000)),
            ("0.05gwei", Some(50_000_000)),
            ("1.5 gwei", Some(1_500_000_000)),
            ("7wei", Some(7)),
            ("0gwei", Some(0)),
            ("30", None),
            ("gwei", None),
            ("-1gwei", None),
            ("1e9wei", None),
            ("0.5wei", None),
            ("0.0000000001gwei", None),
        ];
        for (text, wei) in cases {
            let read = text.parse().ok().map(GasPrice::wei);
            assert_eq!(read, wei, "{text}");
        }
        assert_eq!(GasPrice(1_500_000_000).to_string(), "1.5 gwei");
        assert_eq!(GasPrice(30_000_000_000).cost(100_000).to_string(), "0.003");
    }

    #[test]
    fn a_dear_chain_is_offered_nothing() {
        let ceiling = GasPrice(100);
        let dynamic = |base, tip| Fees::Dynamic { base, tip }.offer(ceiling);
        assert_eq!(dynamic(99, 2), None);
        let (most, tip) = (100, 2);
        assert_eq!(dynamic(98, 2), Some(Offer::Dynamic { most, tip }));
        let (most, tip) = (21, 1);
        assert_eq!(dynamic(10, 1), Some(Offer::Dynamic { most, tip }));
        assert_eq!(Fees::Legacy { price: 101 }.offer(ceiling), None);
        let price = 100;
        assert_eq!(
            Fees::Legacy { price }.offer(ceiling),
            Some(Offer::Legacy { price })
        );
    }

    proptest! {
        #[test]
        fn no_offer_is_above_the_ceiling_or_below_the_price(
            base in any::<u128>(), tip in any::<u128>(), ceiling in any::<u128>(),
        ) {
            let fees = Fees::Dynamic { base, tip };
            match fees.offer(GasPrice(ceiling)) {
                Some(offer) => {
                    prop_assert!(offer.most() <= GasPrice(ceiling));
                    prop_assert!(offer.most() >= fees.price());
                },
                None => prop_assert!(fees.price() > GasPrice(ceiling)),
            }
        }

        #[test]
        fn what_is_shown_is_read_again(wei in any::<u64>()) {
            let price = GasPrice(wei.into());
            prop_assert_eq!(price.to_string().parse(), Ok(price));
        }
    }
}
