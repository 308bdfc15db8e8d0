//! The parameters of lists: read each by itself, so that all that is wrong is said at once.

use paywatch_core::{ChainId, Timestamp};

use crate::problem::FieldError;
use crate::state::Shop;
use crate::wire::read_time;

/// The longest page of a list.
const LONGEST_PAGE: u32 = 100;

/// How many of a list are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageLength(u32);

impl Default for PageLength {
    fn default() -> Self {
        Self(20)
    }
}

impl PageLength {
    /// Reads `limit`.
    pub(crate) fn read(value: &str) -> Result<Self, FieldError> {
        let length = value.parse().ok();
        let length = length.filter(|length| (1..=LONGEST_PAGE).contains(length));
        length.map(Self).ok_or_else(|| {
            let detail = format!("must be between 1 and {LONGEST_PAGE}");
            FieldError::new("limit", "invalid", detail)
        })
    }

    /// So many.
    pub(crate) const fn get(self) -> u32 {
        self.0
    }

    /// How many to look for: one more tells whether there is another page.
    pub(crate) const fn one_more(self) -> u32 {
        self.0.saturating_add(1)
    }

    /// Takes that one off what was `found`. Whether it was there.
    pub(crate) fn cut<T>(self, found: &mut Vec<T>) -> bool {
        let length = usize::try_from(self.0).unwrap_or(usize::MAX);
        let has_more = found.len() > length;
        found.truncate(length);
        has_more
    }
}

/// Gives every parameter to `read`, which says what is wrong with it. Only those in `several` may be
/// given more than once.
///
/// # Errors
/// Every parameter that is wrong, or given twice.
pub(crate) fn read_each<'a>(
    pairs: &'a [(String, String)],
    several: &[&str],
    mut read: impl FnMut(&'a str, &'a str) -> Result<(), FieldError>,
) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    for (place, (name, value)) in pairs.iter().enumerate() {
        let is_again = pairs.iter().take(place).any(|(before, _)| before == name);
        if is_again && !several.contains(&name.as_str()) {
            errors.push(FieldError::new(name, "duplicate", "is given twice"));
        }
        errors.extend(read(name, value).err());
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// That a call has no parameter `name`.
pub(crate) fn unknown(name: &str, known: &[&str]) -> FieldError {
    let detail = format!("unknown; known are {}", known.join(", "));
    FieldError::new(name, "unknown_parameter", detail)
}

/// A chain, by its name or id.
pub(crate) fn chain(name: &str, value: &str, shop: &Shop) -> Result<ChainId, FieldError> {
    let chain = shop.chain(value).ok_or_else(|| {
        let detail = shop.not_configured(value);
        FieldError::new(name, "unknown_chain", detail)
    })?;
    Ok(chain.id)
}

/// A time in RFC 3339.
pub(crate) fn time(name: &str, value: &str) -> Result<Timestamp, FieldError> {
    read_time(value).ok_or_else(|| FieldError::new(name, "invalid", "must be a time in RFC 3339"))
}

/// The pairs of a query string, for tests.
#[cfg(test)]
pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_is_wrong_is_said_and_only_some_may_be_repeated() {
        let mut read = Vec::new();
        let known = ["status", "limit"];
        let errors = read_each(
            &pairs("status=a&status=b&limit=1&limit=2&x=1"),
            &["status"],
            |name, value| {
                read.push(value.to_owned());
                if known.contains(&name) {
                    Ok(())
                } else {
                    Err(unknown(name, &known))
                }
            },
        );
        assert_eq!(read, ["a", "b", "1", "2", "1"]);
        let errors = errors.unwrap_err();
        let said: Vec<_> = errors
            .iter()
            .map(|it| (it.field.as_str(), it.code))
            .collect();
        assert_eq!(said, [("limit", "duplicate"), ("x", "unknown_parameter")]);
    }
}
