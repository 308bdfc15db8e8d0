//! Which orders a list is to hold, from a query string to a checked value.

use paywatch_core::{Address, B256, OrderStatus};
use paywatch_store::{OrderFilter, Page};

use crate::problem::FieldError;
use crate::state::Shop;
use crate::wire::{read_cursor, read_limit, read_time};

/// The parameters of a list.
const PARAMETERS: [&str; 9] = [
    "status",
    "reference",
    "chain",
    "address",
    "tx_hash",
    "created_from",
    "created_before",
    "limit",
    "cursor",
];
const DEFAULT_LIMIT: u32 = 20;

/// Reads the parameters of a list.
///
/// # Errors
/// Every parameter that is wrong, with what is allowed.
pub(crate) fn read(
    pairs: &[(String, String)],
    shop: &Shop,
) -> Result<(OrderFilter, Page), Vec<FieldError>> {
    let mut filter = OrderFilter::default();
    let mut page = Page {
        before_seq: None,
        limit: DEFAULT_LIMIT,
    };
    let mut errors = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in pairs {
        if seen.contains(&name.as_str()) && name != "status" {
            errors.push(FieldError::new(name, "duplicate", "is given twice"));
        }
        seen.push(name);
        if let Err(error) = read_one(name, value, shop, (&mut filter, &mut page)) {
            errors.push(error);
        }
    }
    if errors.is_empty() {
        Ok((filter, page))
    } else {
        Err(errors)
    }
}

fn read_one(
    name: &str,
    value: &str,
    shop: &Shop,
    (filter, page): (&mut OrderFilter, &mut Page),
) -> Result<(), FieldError> {
    let invalid = |detail: String| FieldError::new(name, "invalid", detail);
    let a_time =
        || read_time(value).ok_or_else(|| invalid("must be a time in RFC 3339".to_owned()));
    match name {
        "status" => {
            for status in value.split(',') {
                let status: OrderStatus = status
                    .parse()
                    .map_err(|error| invalid(format!("{error}")))?;
                filter.statuses.push(status);
            }
        },
        "reference" => {
            filter.reference = Some(value.parse().map_err(|error| invalid(format!("{error}")))?);
        },
        "chain" => {
            let chain = shop.chain(value).ok_or_else(|| {
                let detail = shop.not_configured(value);
                FieldError::new(name, "unknown_chain", detail)
            })?;
            filter.chain_id = Some(chain.id);
        },
        "address" => {
            let address: Address = value
                .parse()
                .map_err(|error| invalid(format!("not an address: {error}")))?;
            filter.address = Some(address);
        },
        "tx_hash" => {
            let hash: B256 = value
                .parse()
                .map_err(|error| invalid(format!("not a hash: {error}")))?;
            filter.tx_hash = Some(hash);
        },
        "created_from" => filter.created_from = Some(a_time()?),
        "created_before" => filter.created_before = Some(a_time()?),
        "limit" => page.limit = read_limit(value)?,
        "cursor" => page.before_seq = Some(read_cursor(value)?),
        _unknown => {
            let known = PARAMETERS.join(", ");
            let detail = format!("unknown; known are {known}");
            return Err(FieldError::new(name, "unknown_parameter", detail));
        },
    }
    Ok(())
}
