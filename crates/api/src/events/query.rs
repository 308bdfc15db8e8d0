//! Which events are asked for, from a query string to a checked value.

use std::time::Duration;

use paywatch_core::EventTypes;
use paywatch_store::EventFilter;

use crate::parameters::{read_each, unknown};
use crate::problem::FieldError;
use crate::wire::parsed;

/// How many events a page has if nobody says, and at most.
const LIMITS: (u32, u32) = (100, 500);
/// How long a client may wait, in seconds.
const LONGEST_S: u64 = 30;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) filter: EventFilter,
    /// Only events after this place.
    pub(super) after: Option<u64>,
    pub(super) limit: u32,
    /// How long to wait for the first.
    pub(super) timeout: Duration,
}

/// Reads parameters, of which those of `known` exist.
///
/// # Errors
/// Every parameter that is wrong, with what is allowed.
pub(super) fn read(pairs: &[(String, String)], known: &[&str]) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked {
        filter: EventFilter::default(),
        after: None,
        limit: LIMITS.0,
        timeout: Duration::ZERO,
    };
    let mut types = None;
    read_each(pairs, &["types"], |name, value| {
        if known.contains(&name) {
            read_one(name, value, (&mut asked, &mut types))
        } else {
            Err(unknown(name, known))
        }
    })?;
    asked.filter.kinds = match types {
        Some(EventTypes::Only(names)) => names.into_iter().collect(),
        // Nothing is left out, also not what there will be one day.
        Some(EventTypes::All) | None => Vec::new(),
    };
    Ok(asked)
}

fn read_one(
    name: &str,
    value: &str,
    (asked, types): (&mut Asked, &mut Option<EventTypes>),
) -> Result<(), FieldError> {
    let invalid = |detail: String| FieldError::new(name, "invalid", detail);
    match name {
        "after" => asked.after = Some(read_place(name, value)?),
        "types" => {
            let more = EventTypes::read(value.split(','));
            let more = more.map_err(|error| invalid(error.to_string()))?;
            *types = Some(match (types.take(), more) {
                (Some(EventTypes::Only(names)), EventTypes::Only(more)) => {
                    EventTypes::Only(names.into_iter().chain(more).collect())
                },
                (None, more) => more,
                (Some(EventTypes::All), _) | (_, EventTypes::All) => EventTypes::All,
            });
        },
        "order" => asked.filter.order = Some(parsed(name, value)?),
        "limit" => {
            let limit = value.parse().ok();
            let limit = limit.filter(|limit| (1..=LIMITS.1).contains(limit));
            let most = LIMITS.1;
            asked.limit = limit.ok_or_else(|| invalid(format!("must be between 1 and {most}")))?;
        },
        _timeout => {
            let seconds = value.parse().ok();
            let seconds = seconds.filter(|seconds| *seconds <= LONGEST_S);
            let seconds = seconds.ok_or_else(|| {
                invalid(format!("must be whole seconds between 0 and {LONGEST_S}"))
            })?;
            asked.timeout = Duration::from_secs(seconds);
        },
    }
    Ok(())
}

/// A place in the log, as `sequence` and `next_after` name it.
pub(super) fn read_place(name: &str, value: &str) -> Result<u64, FieldError> {
    // The database counts in signed numbers.
    let is_plain = value.bytes().all(|b| b.is_ascii_digit());
    let place = value.parse().ok();
    place
        .filter(|place: &u64| is_plain && i64::try_from(*place).is_ok())
        .ok_or_else(|| FieldError::new(name, "invalid", "is no event's sequence"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["after", "types", "order", "limit", "timeout"];

    fn asked(query: &str) -> Result<Asked, Vec<FieldError>> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let pairs: Vec<(String, String)> = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        read(&pairs, &KNOWN)
    }

    #[test]
    fn names_and_families_are_read() {
        let of = |query| asked(query).unwrap().filter.kinds;
        assert_eq!(of("types=order.paid"), ["order.paid"]);
        assert_eq!(of("types=token.*,order.paid,order.paid").len(), 2);
        let all = of("types=order.*,payment.*,sweep.*,chain.*,token.*,audit.*,endpoint.*");
        assert_eq!(all.len(), EventTypes::names().count());
        assert_eq!(of("types=order.paid&types=token.*").len(), 2);
        for all in ["types=*", "types=order.paid,*", "types=*&types=order.paid"] {
            assert_eq!(of(all), [""; 0], "{all}");
        }
        assert_eq!(of("after=1"), [""; 0]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = "types=order.payed&after=-1&order=x&limit=501&timeout=31&page=2";
        let fields: Vec<String> = asked(wrong)
            .unwrap_err()
            .into_iter()
            .map(|error| error.field)
            .collect();
        assert_eq!(
            fields,
            ["types", "after", "order", "limit", "timeout", "page"]
        );
        for wrong in ["types=", "types=order*", "types=.*", "after=%2B1"] {
            assert_eq!(asked(wrong).unwrap_err().len(), 1, "{wrong}");
        }
        assert!(asked("after=9223372036854775808").is_err());
    }
}
