//! Which refunds a list is to hold, from a query string to a checked value.

use paywatch_core::RefundId;
use paywatch_store::RefundFilter;

use crate::parameters::{PageLength, chain, read_each, unknown};
use crate::problem::FieldError;
use crate::state::Shop;
use crate::wire::parsed;

/// The parameters of a list.
const PARAMETERS: [&str; 5] = ["status", "order", "chain", "limit", "cursor"];

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) filter: RefundFilter,
    pub(super) before: Option<RefundId>,
    pub(super) length: PageLength,
}

/// Reads the parameters of a list.
///
/// # Errors
/// Every parameter that is wrong, with what is allowed.
pub(super) fn read(pairs: &[(String, String)], shop: &Shop) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked {
        filter: RefundFilter::default(),
        before: None,
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
                filter.statuses.push(parsed(name, status)?);
            }
        },
        "order" => filter.order = Some(parsed(name, value)?),
        "chain" => filter.chain_id = Some(chain(name, value, shop)?),
        "limit" => asked.length = PageLength::read(value)?,
        "cursor" => {
            let wrong = || FieldError::new(name, "invalid", "is not a next_cursor of this list");
            asked.before = Some(value.parse().map_err(|_not_an_id| wrong())?);
        },
        _unknown => return Err(unknown(name, &PARAMETERS)),
    }
    Ok(())
}
