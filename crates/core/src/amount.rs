//! Money: an unsigned fixed-point number with 18 decimals.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::U256;

use crate::Decimals;

/// 10^18: how many of the smallest units make one.
const ONE: u128 = 1_000_000_000_000_000_000;
/// Decimals that every amount carries, whatever its token has.
const SCALE: u8 = 18;
/// Digits of the largest whole part that fits, 340282366920938463463.
const MAX_WHOLE_DIGITS: usize = 21;

/// An amount of a USD token, exact to 18 decimals, from 0 to about 3.4 × 10^20.
///
/// A token with d ≤ 18 decimals converts without loss. There are no operators: sums that do not
/// fit are an answer (`None`), never a wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

/// Why a text or a number of base units is no [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing was given.
    #[error("an amount is missing; write it like \"100\" or \"100.5\"")]
    Empty,
    /// Signs, exponents, separators, symbols, a bare dot, leading zeros.
    #[error("not a plain decimal number; write it like \"100\" or \"100.5\"")]
    Malformed,
    /// More decimals than are allowed here.
    #[error("more than {decimals} decimals; this amount cannot be paid exactly")]
    TooPrecise {
        /// How many decimals are allowed.
        decimals: u8,
    },
    /// Beyond the largest amount.
    #[error("larger than the largest amount, 340282366920938463463")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(u128::MAX);

    /// How many of the smallest units, 10^-18, it is.
    pub(crate) const fn smallest(self) -> u128 {
        self.0
    }

    /// So many of the smallest units, 10^-18.
    pub(crate) const fn from_smallest(units: u128) -> Self {
        Self(units)
    }

    /// How many of the smallest units, 10^-18, it is, in so many digits that amounts sort as their
    /// texts do.
    #[must_use]
    pub fn to_sortable(self) -> String {
        format!("{:039}", self.0)
    }

    /// Reads what [`Self::to_sortable`] gave.
    ///
    /// # Errors
    /// [`AmountError`] for anything else.
    pub fn from_sortable(text: &str) -> Result<Self, AmountError> {
        if text.len() != 39 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AmountError::Malformed);
        }
        text.parse()
            .map(Self)
            .map_err(|_too_long| AmountError::TooLarge)
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` when `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// What is left of `self` after `other`; nothing when `other` is larger.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many hundredths of it, rounded down; it itself from 100 on.
    #[must_use]
    pub fn hundredths(self, hundredths: u32) -> Self {
        let hundredths = u128::from(hundredths.min(100));
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        // At most the amount itself, so it fits.
        let share = whole
            .saturating_mul(hundredths)
            .saturating_add(rest.saturating_mul(hundredths) / 100);
        Self(share)
    }

    /// How much of something costs this much where one costs `price`, rounded up to `decimals`; `None`
    /// if it costs nothing, or so little that the answer does not fit.
    #[must_use]
    pub fn bought_at(self, price: Self, decimals: Decimals) -> Option<Self> {
        let worth = U256::from(self.0).checked_mul(U256::from(ONE))?;
        let price = U256::from(price.0);
        let bought = worth.checked_div(price)?;
        let is_exact = worth.checked_rem(price)?.is_zero();
        let units = u128::try_from(bought).ok()?;
        let units = units.checked_add(u128::from(!is_exact))?;
        Self(units).rounded_up(decimals)
    }

    /// The least that a token with `decimals` can pay and that is not less than it; `None` when that
    /// does not fit.
    #[must_use]
    pub fn rounded_up(self, decimals: Decimals) -> Option<Self> {
        self.0.checked_next_multiple_of(unit_of(decimals)).map(Self)
    }

    /// Reads base units (the integers of ERC-20) of a token with `decimals`.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] when the value does not fit.
    pub fn from_base_units(units: U256, decimals: Decimals) -> Result<Self, AmountError> {
        let units = u128::try_from(units).map_err(|_too_wide| AmountError::TooLarge)?;
        units
            .checked_mul(unit_of(decimals))
            .map(Self)
            .ok_or(AmountError::TooLarge)
    }

    /// The base units (the integers of ERC-20) of a token with `decimals`.
    ///
    /// # Errors
    /// [`AmountError::TooPrecise`] when the amount has more decimals than the token: nothing is
    /// rounded.
    pub fn to_base_units(self, decimals: Decimals) -> Result<U256, AmountError> {
        let unit = unit_of(decimals);
        let precise = AmountError::TooPrecise {
            decimals: decimals.get(),
        };
        match (self.0.checked_rem(unit), self.0.checked_div(unit)) {
            (Some(0), Some(units)) => Ok(U256::from(units)),
            _ => Err(precise),
        }
    }
}

/// How many 10^-18 one base unit of a token with `decimals` is.
fn unit_of(decimals: Decimals) -> u128 {
    // Decimals are at most 18, so neither the difference nor the power can leave its type.
    10_u128.saturating_pow(u32::from(SCALE.saturating_sub(decimals.get())))
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads digits and at most one dot with digits on both sides; no sign, no exponent, no
    /// separators, no leading zeros, at most 18 decimals.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        if text.is_empty() {
            return Err(AmountError::Empty);
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !fraction.is_none_or(is_digits) {
            return Err(AmountError::Malformed);
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(AmountError::Malformed);
        }
        let fraction = fraction.unwrap_or_default();
        if fraction.len() > usize::from(SCALE) {
            return Err(AmountError::TooPrecise { decimals: SCALE });
        }
        if whole.len() > MAX_WHOLE_DIGITS {
            return Err(AmountError::TooLarge);
        }
        let read = |digits: &str| {
            digits.bytes().try_fold(0_u128, |value, digit| {
                value
                    .checked_mul(10)?
                    .checked_add(u128::from(digit.wrapping_sub(b'0')))
            })
        };
        let padded = format!("{fraction:0<width$}", width = usize::from(SCALE));
        read(whole)
            .and_then(|whole| whole.checked_mul(ONE))
            .zip(read(&padded))
            .and_then(|(whole, rest)| whole.checked_add(rest))
            .map(Self)
            .ok_or(AmountError::TooLarge)
    }
}

impl fmt::Display for Amount {
    /// The shortest exact form: `100`, `0.5`, `12.000001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0.checked_div(ONE).unwrap_or_default();
        let rest = self.0.checked_rem(ONE).unwrap_or_default();
        if rest == 0 {
            return f.pad(&whole.to_string());
        }
        let fraction = format!("{rest:0width$}", width = usize::from(SCALE));
        f.pad(&format!("{whole}.{}", fraction.trim_end_matches('0')))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimals(value: u8) -> Decimals {
        Decimals::new(value).unwrap()
    }

    #[test]
    fn reads_plain_decimals_only() {
        let cases = [
            ("100", Ok("100")),
            ("100.50", Ok("100.5")),
            ("0.000000000000000001", Ok("0.000000000000000001")),
            ("0", Ok("0")),
            (
                "340282366920938463463.374607431768211455",
                Ok("340282366920938463463.374607431768211455"),
            ),
            ("", Err(AmountError::Empty)),
            ("-1", Err(AmountError::Malformed)),
            ("+1", Err(AmountError::Malformed)),
            ("1e3", Err(AmountError::Malformed)),
            ("1,5", Err(AmountError::Malformed)),
            ("1.", Err(AmountError::Malformed)),
            (".5", Err(AmountError::Malformed)),
            ("1.2.3", Err(AmountError::Malformed)),
            ("007", Err(AmountError::Malformed)),
            (" 1", Err(AmountError::Malformed)),
            ("1_000", Err(AmountError::Malformed)),
            ("٣", Err(AmountError::Malformed)),
            ("0x10", Err(AmountError::Malformed)),
            ("NaN", Err(AmountError::Malformed)),
            (
                "1.0000000000000000001",
                Err(AmountError::TooPrecise { decimals: 18 }),
            ),
            (
                "340282366920938463463.374607431768211456",
                Err(AmountError::TooLarge),
            ),
            ("999999999999999999999", Err(AmountError::TooLarge)),
            (
                "1000000000000000000000000000000000000000000000",
                Err(AmountError::TooLarge),
            ),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Amount>().map(|amount| amount.to_string());
            assert_eq!(read, expected.map(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn ten_usdt_on_an_18_decimals_chain_survives() {
        let units = U256::from(10_000_000_000_000_000_000_u128);
        let amount = Amount::from_base_units(units, decimals(18)).unwrap();
        assert_eq!(amount.to_string(), "10");
        assert_eq!(amount.to_string().parse(), Ok(amount));
        assert_eq!(amount.to_base_units(decimals(18)), Ok(units));
        assert_eq!(
            amount.to_base_units(decimals(6)),
            Ok(U256::from(10_000_000))
        );
    }

    #[test]
    fn nothing_is_rounded() {
        let amount: Amount = "0.0000001".parse().unwrap();
        assert_eq!(
            amount.to_base_units(decimals(6)),
            Err(AmountError::TooPrecise { decimals: 6 })
        );
    }

    #[test]
    fn what_is_asked_for_is_rounded_up_to_what_can_be_paid() {
        let up = |text: &str, digits| {
            let amount: Amount = text.parse().unwrap();
            let rounded = amount.rounded_up(decimals(digits));
            rounded.map(|amount| amount.to_string())
        };
        assert_eq!(up("60.0000000000000001", 6).as_deref(), Some("60.000001"));
        assert_eq!(up("60.000001", 6).as_deref(), Some("60.000001"));
        assert_eq!(up("0", 6).as_deref(), Some("0"));
        assert_eq!(up("0.4", 0).as_deref(), Some("1"));
        let most = Amount::MAX.to_string();
        assert_eq!(up(&most, 18), Some(most.clone()));
        assert_eq!(up(&most, 6), None);
    }

    #[test]
    fn too_many_base_units_are_an_error() {
        assert_eq!(
            Amount::from_base_units(U256::MAX, decimals(18)),
            Err(AmountError::TooLarge)
        );
        let wide = U256::from(u128::MAX);
        assert_eq!(
            Amount::from_base_units(wide, decimals(6)),
            Err(AmountError::TooLarge)
        );
        assert_eq!(Amount::from_base_units(wide, decimals(18)), Ok(Amount::MAX));
    }

    #[test]
    fn what_is_bought_is_never_less_than_was_paid_for() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let four = Decimals::new(4).unwrap();
        let bought = |worth, price| amount(worth).bought_at(amount(price), four);
        assert_eq!(bought("42", "1"), Some(amount("42")));
        assert_eq!(bought("100", "7.2"), Some(amount("13.8889")));
        assert_eq!(bought("0.01", "7.2"), Some(amount("0.0014")));
        assert_eq!(bought("1", "0"), None);
        assert_eq!(Amount::MAX.bought_at(amount("0.5"), four), None);
    }

    proptest! {
        #[test]
        fn what_is_bought_costs_what_was_paid_and_no_more_than_a_unit_above(
            worth in 0..u128::MAX / (ONE * 4),
            price in 1..1_000 * ONE,
        ) {
            let decimals = Decimals::new(6).unwrap();
            let (worth, price) = (Amount(worth), Amount(price));
            if let Some(bought) = worth.bought_at(price, decimals) {
                let costs = |units: u128| U256::from(units).saturating_mul(U256::from(price.0));
                let worth = U256::from(worth.0).saturating_mul(U256::from(ONE));
                prop_assert!(costs(bought.0) >= worth);
                let less = bought.0.saturating_sub(unit_of(decimals));
                prop_assert!(bought.is_zero() || costs(less) < worth);
            }
        }

        #[test]
        fn sortable_texts_sort_as_amounts_do(one in any::<u128>(), other in any::<u128>()) {
            let (one, other) = (Amount(one), Amount(other));
            let (text, others) = (one.to_sortable(), other.to_sortable());
            prop_assert_eq!(one.cmp(&other), text.cmp(&others));
            prop_assert_eq!(Amount::from_sortable(&text), Ok(one));
        }

        #[test]
        fn text_round_trips(units in any::<u128>()) {
            let amount = Amount(units);
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }

        #[test]
        fn base_units_round_trip(units in any::<u64>(), d in 0_u8..=18) {
            let units = U256::from(units);
            if let Ok(amount) = Amount::from_base_units(units, decimals(d)) {
                prop_assert_eq!(amount.to_base_units(decimals(d)), Ok(units));
                prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
            } else {
                // Only a token with few decimals can hold more than fits.
                prop_assert!(d < 18);
            }
        }

        #[test]
        fn sums_and_differences_agree(a in any::<u128>(), b in any::<u128>()) {
            let (a, b) = (Amount(a), Amount(b));
            match a.checked_add(b) {
                Some(sum) => prop_assert_eq!(sum.checked_sub(b), Some(a)),
                None => prop_assert!(a.0.checked_add(b.0).is_none()),
            }
            prop_assert_eq!(a.less(b), a.checked_sub(b).unwrap_or(Amount::ZERO));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _read = text.parse::<Amount>();
        }
    }
}
