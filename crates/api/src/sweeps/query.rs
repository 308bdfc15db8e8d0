//! Which sweeps a list is to hold, from a query string to a checked value.

use paywatch_core::{PaymentId, Timestamp};
use paywatch_store::{Sweep, SweepFilter};

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
    "order",
    "tx_hash",
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
    pub(super) filter: SweepFilter,
    pub(super) after: Option<(Timestamp, PaymentId)>,
    pub(super) length: PageLength,
}

/// Reads the parameters of a list.
///
/// # Errors
/// Every parameter that is wrong, with what is allowed.
pub(super) fn read(pairs: &[(String, String)], shop: &Shop) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked {
        filter: SweepFilter::default(),
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
            for one in value.split(',') {
                filter.statuses.push(parsed(name, one)?);
            }
        },
        "chain" => filter.chain_id = Some(chain(name, value, shop)?),
        "token" => filter.token = Some(parsed(name, value)?),
        "address" => filter.address = Some(parsed(name, value)?),
        "order" => filter.order = Some(parsed(name, value)?),
        "tx_hash" => filter.tx_hash = Some(parsed(name, value)?),
        "detected_from" => filter.detected_from = Some(time(name, value)?),
        "detected_before" => filter.detected_before = Some(time(name, value)?),
        "sort" => filter.oldest_first = read_sort(value, "detected_at")?,
        // What is shown of what is found is no condition.
        "fields" => {},
        "limit" => asked.length = PageLength::read(value)?,
        "cursor" => asked.after = Some(read_cursor_at(value)?),
        _unknown => return Err(unknown(name, &PARAMETERS)),
    }
    Ok(())
}

/// Where a page ended, as a text that means nothing to anybody else.
pub(super) fn cursor(last: &Sweep) -> String {
    cursor_at(last.detected_at, &last.recorded.transfer.payment_id())
}

#[cfg(test)]
mod tests {
    use paywatch_core::SweepStatus;

    use super::*;
    use crate::parameters::pairs;
    use crate::samples::shop;

    #[test]
    fn what_is_wrong_is_said_at_once() {
        let good = "status=completed&chain=bnb&limit=5&sort=detected_at";
        let asked = read(&pairs(good), &shop()).unwrap();
        assert_eq!(asked.filter.statuses, [SweepStatus::Completed]);
        assert_eq!((asked.length.get(), asked.filter.oldest_first), (5, true));
        let wrong = "status=lost&chain=x&token=x&address=x&order=x&tx_hash=x&detected_from=x\
            &detected_before=x&sort=x&limit=0&cursor=x&y=x&limit=5";
        let errors = read(&pairs(wrong), &shop()).unwrap_err();
        assert_eq!(errors.len(), 13, "{errors:?}");
    }
}
