//! Which payments a list is to hold, from a query string to a checked value.

use paywatch_core::{Loose, PaymentId, PaymentState, Timestamp};
use paywatch_store::{BookedTransfer, PaymentFilter};

use crate::parameters::{PageLength, chain, read_each, time, unknown};
use crate::problem::FieldError;
use crate::state::Shop;
use crate::wire::{cursor_at, parsed, read_cursor_at, read_sort};

/// The parameters of a list.
const PARAMETERS: [&str; 12] = [
    "status",
    "chain",
    "token",
    "address",
    "tx_hash",
    "order",
    "detected_from",
    "detected_before",
    "sort",
    "fields",
    "limit",
    "cursor",
];

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) filter: PaymentFilter,
    pub(super) after: Option<(Timestamp, PaymentId)>,
    pub(super) length: PageLength,
}

/// Reads the parameters of a list.
///
/// # Errors
/// Every parameter that is wrong, with what is allowed.
pub(super) fn read(pairs: &[(String, String)], shop: &Shop) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked {
        filter: PaymentFilter::default(),
        after: None,
        length: PageLength::default(),
    };
    read_each(pairs, &["status"], |name, value| {
        read_one(name, value, shop, &mut asked)
    })?;
    Ok(asked)
}

fn read_one(name: &str, value: &str, shop: &Shop, asked: &mut Asked) -> Result<(), FieldError> {
    let filter = &mut asked.filter;
    match name {
        "status" => {
            for status in value.split(',') {
                filter.states.push(state(status)?);
            }
        },
        "chain" => filter.chain_id = Some(chain(name, value, shop)?),
        "token" => filter.token = Some(parsed(name, value)?),
        "detected_from" => filter.detected_from = Some(time(name, value)?),
        "detected_before" => filter.detected_before = Some(time(name, value)?),
        "sort" => filter.oldest_first = read_sort(value, "detected_at")?,
        // What is shown of what is found is no condition.
        "fields" => {},
        "address" => filter.to = Some(parsed(name, value)?),
        "tx_hash" => filter.tx_hash = Some(parsed(name, value)?),
        "order" => filter.order = Some(parsed(name, value)?),
        "limit" => asked.length = PageLength::read(value)?,
        "cursor" => asked.after = Some(read_cursor_at(value)?),
        _unknown => return Err(unknown(name, &PARAMETERS)),
    }
    Ok(())
}

/// The name in the books of what the API calls `status`.
fn state(status: &str) -> Result<&'static str, FieldError> {
    let known = PaymentState::ALL
        .map(PaymentState::name)
        .into_iter()
        .chain(Loose::ALL.map(Loose::name));
    let shown = |name: &'static str| if name == "seen" { "detected" } else { name };
    let mut known: Vec<(&str, &'static str)> = known.map(|name| (shown(name), name)).collect();
    known.sort_unstable();
    let found = known.iter().find(|(shown, _)| *shown == status);
    found.map(|(_, name)| *name).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(shown, _)| *shown).collect();
        let detail = format!("{status:?} is none; known are {}", names.join(", "));
        FieldError::new("status", "invalid", detail)
    })
}

/// Where a page ended, as a text that means nothing to anybody else.
pub(super) fn cursor(last: &BookedTransfer) -> String {
    cursor_at(last.detected_at, &last.recorded.transfer.payment_id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::pairs;
    use crate::samples::shop;

    #[test]
    fn statuses_are_read_by_the_names_that_are_shown() {
        assert_eq!(state("detected"), Ok("seen"));
        assert_eq!(state("unmatched"), Ok("unmatched"));
        let wrong = state("lost").unwrap_err().detail;
        assert!(wrong.contains("detected, dust"), "{wrong}");
        let asked = read(&pairs("status=unmatched,dust&chain=bnb&limit=5"), &shop()).unwrap();
        assert_eq!(asked.filter.states, ["unmatched", "dust"]);
        assert_eq!(asked.length.get(), 5);
        let errors = read(&pairs("status=x&chain=x&order=x&cursor=x&y=x"), &shop()).unwrap_err();
        assert_eq!(errors.len(), 5);
    }
}
