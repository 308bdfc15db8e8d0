//! How much less than the asked amount is still enough: exchanges take their fee from what is sent.

use std::fmt;
use std::str::FromStr;

use crate::Amount;

/// A share of 0 to 50 %, exact to a hundredth of a percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u16);

/// A text that is no [`Percent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a percentage from 0 to 50 with at most two decimals, like \"1\" or \"0.5\"")]
pub struct PercentError;

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest, in hundredths of a percent.
    const MOST: u16 = 5_000;
    /// Hundredths of a percent in a whole.
    const WHOLE: u128 = 10_000;

    /// The share of `amount`, rounded down.
    #[must_use]
    pub fn of(self, amount: Amount) -> Amount {
        let hundredths = u128::from(self.0);
        let (whole, rest) = (
            amount.smallest() / Self::WHOLE,
            amount.smallest() % Self::WHOLE,
        );
        // At most half of an amount, so it fits.
        let share = whole
            .saturating_mul(hundredths)
            .saturating_add(rest.saturating_mul(hundredths) / Self::WHOLE);
        Amount::from_smallest(share)
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) || decimals.len() > 2 || whole.len() > 2 {
            return Err(PercentError);
        }
        let whole: u16 = whole.parse().map_err(|_too_long| PercentError)?;
        let decimals: u16 = format!("{decimals:0<2}")
            .parse()
            .map_err(|_too_long| PercentError)?;
        let hundredths = whole.saturating_mul(100).saturating_add(decimals);
        if hundredths > Self::MOST {
            return Err(PercentError);
        }
        Ok(Self(hundredths))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        if hundredths == 0 {
            return f.pad(&whole.to_string());
        }
        let decimals = format!("{hundredths:02}");
        f.pad(&format!("{whole}.{}", decimals.trim_end_matches('0')))
    }
}

/// How much less is still enough, for an order of any amount: the larger of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// So much.
    pub absolute: Amount,
    /// Such a share of the amount.
    pub percent: Percent,
}

impl Tolerance {
    /// What it comes to for an order of `amount`: at most half of it, whatever is configured.
    #[must_use]
    pub fn for_amount(&self, amount: Amount) -> Amount {
        let half = Percent(Percent::MOST).of(amount);
        self.absolute.max(self.percent.of(amount)).min(half)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn percentages_read_back_and_nothing_else_is_one() {
        for text in ["0", "1", "0.5", "2.25", "50"] {
            assert_eq!(text.parse::<Percent>().unwrap().to_string(), text);
        }
        for wrong in ["", "-1", "50.01", "1.005", "1%", "1.", ".5", "1e1", "100"] {
            assert_eq!(wrong.parse::<Percent>(), Err(PercentError), "{wrong}");
        }
    }

    #[test]
    fn the_larger_of_both_counts_but_never_more_than_half() {
        let tolerance = Tolerance {
            absolute: amount("0.5"),
            percent: "1".parse().unwrap(),
        };
        for (of, is) in [("100", "1"), ("20", "0.5"), ("1000", "10"), ("0.4", "0.2")] {
            assert_eq!(tolerance.for_amount(amount(of)), amount(is), "of {of}");
        }
    }

    proptest! {
        #[test]
        fn a_share_is_never_more_than_half(units in any::<u128>(), hundredths in 0_u16..=5_000) {
            let amount = Amount::from_smallest(units);
            let share = Percent(hundredths).of(amount).smallest();
            prop_assert!(share <= units / 2);
            let short = share.checked_mul(10_000).map(|scaled| {
                scaled <= units.saturating_mul(u128::from(hundredths))
            });
            prop_assert!(short.unwrap_or(true));
        }
    }
}
