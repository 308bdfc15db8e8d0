//! How values are written in JSON: times in RFC 3339, addresses in EIP-55, hashes in hex.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp as Moment;
use paywatch_core::{Address, AddressForm, ChainId, PaymentId, Timestamp, Token};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::problem::FieldError;

/// A time in RFC 3339, in UTC, to the millisecond.
pub(crate) fn time(timestamp: Timestamp) -> String {
    // Every Timestamp lies between 1970 and 9999, which jiff can print.
    Moment::from_millisecond(timestamp.unix_ms())
        .map(|moment| format!("{moment:.3}"))
        .unwrap_or_default()
}

/// A time as people read it, in UTC, to the minute.
pub(crate) fn spoken_time(timestamp: Timestamp) -> String {
    Moment::from_millisecond(timestamp.unix_ms())
        .map(|moment| moment.strftime("%-d %B %Y, %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// Reads a time in RFC 3339.
pub(crate) fn read_time(text: &str) -> Option<Timestamp> {
    let moment: Moment = text.parse().ok()?;
    Timestamp::from_unix_ms(moment.as_millisecond()).ok()
}

/// An address as it is written on `chain`: in EIP-55 form, or in base58 on Tron.
pub(crate) fn address(chain: ChainId, address: Address) -> String {
    AddressForm::of(chain).write(&address)
}

/// Whether a list that is sorted by `column` begins with the oldest: `column`, or `-column`, which is
/// what it does if nothing is said.
pub(crate) fn read_sort(value: &str, column: &str) -> Result<bool, FieldError> {
    match value.strip_prefix('-') {
        Some(descending) if descending == column => Ok(false),
        None if value == column => Ok(true),
        Some(_) | None => {
            let detail = format!("must be {column} (oldest first) or -{column} (newest first)");
            Err(FieldError::new("sort", "invalid", detail))
        },
    }
}

/// A value that reads as a `T`.
pub(crate) fn parsed<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, FieldError> {
    value
        .parse()
        .map_err(|error| FieldError::new(name, "invalid", error))
}

/// Where a page ended, as a text that means nothing to anybody else.
pub(crate) fn cursor(seq: u64) -> String {
    format!("c{seq:x}")
}

/// Reads what [`cursor`] wrote.
pub(crate) fn read_cursor(text: &str) -> Result<u64, FieldError> {
    let wrong = || FieldError::new("cursor", "invalid", "is not a next_cursor of this list");
    let hex = text.strip_prefix('c').ok_or_else(wrong)?;
    let is_plain = hex
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    // The database counts in signed numbers.
    u64::from_str_radix(hex, 16)
        .ok()
        .filter(|seq| is_plain && i64::try_from(*seq).is_ok())
        .ok_or_else(wrong)
}

/// The cursor `place` of the list that `pairs` ask for. It names that list by a digest, since it is a
/// place in no other.
pub(crate) fn bound_cursor(place: &str, pairs: &[(String, String)]) -> String {
    format!("{place}.{}", list_digest(pairs))
}

/// Where a page ended of a list by the time at which something was seen, and then by its id.
pub(crate) fn cursor_at(seen: Timestamp, id: &PaymentId) -> String {
    format!("{:x}-{id}", seen.unix_ms())
}

/// Reads what [`cursor_at`] wrote.
pub(crate) fn read_cursor_at(text: &str) -> Result<(Timestamp, PaymentId), FieldError> {
    let read = || {
        let (ms, id) = text.split_once('-')?;
        let ms = i64::from_str_radix(ms, 16).ok()?;
        Some((Timestamp::from_unix_ms(ms).ok()?, id.parse().ok()?))
    };
    read().ok_or_else(|| FieldError::new("cursor", "invalid", "is not a next_cursor of this list"))
}

/// The parameters of a list with its own cursor: what [`bound_cursor`] added is checked and taken
/// off.
///
/// # Errors
/// When the cursor is of a list with other filters, or sorted in another way.
pub(crate) fn unbound(
    mut pairs: Vec<(String, String)>,
) -> Result<Vec<(String, String)>, FieldError> {
    let digest = list_digest(&pairs);
    for (_, cursor) in pairs.iter_mut().filter(|(name, _)| name == "cursor") {
        let wrong = || FieldError::new("cursor", "invalid", "is not a next_cursor of this list");
        let (place, of) = cursor.split_once('.').ok_or_else(wrong)?;
        if of != digest {
            let detail = "belongs to a list with other filters or another order; give the same \
                parameters as then, or leave the cursor out to begin anew";
            return Err(FieldError::new("cursor", "other_list", detail));
        }
        *cursor = place.to_owned();
    }
    Ok(pairs)
}

/// Tells lists apart. How long a page is and which fields are shown does not matter.
fn list_digest(pairs: &[(String, String)]) -> String {
    let is_about = |name: &str| !matches!(name, "cursor" | "limit" | "fields");
    let mut about: Vec<_> = pairs.iter().filter(|(name, _)| is_about(name)).collect();
    about.sort();
    let mut digest = Sha256::new();
    for (name, value) in about {
        // Neither can hold what stands between them.
        digest.update(name.replace('\0', "\u{1}"));
        digest.update([0]);
        digest.update(value.replace('\0', "\u{1}"));
        digest.update([0]);
    }
    let digest = hex::encode(digest.finalize());
    digest.get(..12).unwrap_or_default().to_owned()
}

/// A token.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct TokenView {
    /// What people call it.
    #[schema(example = "USDT")]
    symbol: String,
    /// Its contract.
    #[schema(example = "0xdAC17F958D2ee523a2206206994597C13D831ec7")]
    address: String,
    /// Decimals of its base unit.
    #[schema(example = 6)]
    decimals: u8,
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        Self {
            symbol: token.symbol.clone(),
            address: address(token.chain_id, token.address),
            decimals: token.decimals.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_read_back_and_nothing_else_is_one() {
        assert_eq!(read_cursor(&cursor(123_456)), Ok(123_456));
        for wrong in ["", "c", "12", "c+1", "cffffffffffffffff", "cFF"] {
            assert!(read_cursor(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_cursor_is_taken_by_its_own_list_only() {
        let pairs = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let list = pairs(&[("status", "paid"), ("chain", "bnb"), ("limit", "2")]);
        let cursor = bound_cursor("c1f", &list);
        let again = pairs(&[("chain", "bnb"), ("cursor", &cursor), ("status", "paid")]);
        let read = unbound(again).unwrap();
        assert_eq!(read[1].1, "c1f");
        for other in [
            pairs(&[("status", "paid"), ("cursor", &cursor)]),
            pairs(&[("status", "paid"), ("chain", "1"), ("cursor", &cursor)]),
            pairs(&[
                ("chain", "bnb"),
                ("cursor", &cursor),
                ("status", "paid"),
                ("sort", "created_at"),
            ]),
        ] {
            assert_eq!(unbound(other).unwrap_err().code, "other_list");
        }
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        let moment = Timestamp::from_unix_ms(1_693_066_895_250).unwrap();
        assert_eq!(time(moment), "2023-08-26T16:21:35.250Z");
        assert_eq!(spoken_time(moment), "26 August 2023, 16:21 UTC");
        assert_eq!(read_time("2023-08-26T16:21:35.250Z"), Some(moment));
        assert_eq!(read_time("2023-08-26T18:21:35.250+02:00"), Some(moment));
        assert_eq!(read_time("yesterday"), None);
    }
}
