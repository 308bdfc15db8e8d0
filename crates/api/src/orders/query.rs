//! Which orders a list is to hold, from a query string to a checked value.

use paywatch_core::{Address, B256, Flags, OrderStatus};
use paywatch_store::{OrderFilter, Page};

use crate::parameters::{PageLength, chain, read_each, time, unknown};
use crate::problem::FieldError;
use crate::state::Shop;
use crate::wire::{read_cursor, read_sort};

/// The parameters of a list.
const PARAMETERS: [&str; 13] = [
    "status",
    "flag",
    "reference",
    "metadata[key]",
    "chain",
    "address",
    "tx_hash",
    "created_from",
    "created_before",
    "sort",
    "fields",
    "limit",
    "cursor",
];
/// What `metadata[key]` may ask for at once.
const MOST_NOTES: usize = 5;

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
        limit: PageLength::default().get(),
    };
    read_each(pairs, &["status", "flag"], |name, value| {
        read_one(name, value, shop, (&mut filter, &mut page))
    })?;
    Ok((filter, page))
}

fn read_one(
    name: &str,
    value: &str,
    shop: &Shop,
    (filter, page): (&mut OrderFilter, &mut Page),
) -> Result<(), FieldError> {
    let invalid = |detail: String| FieldError::new(name, "invalid", detail);
    match name {
        "status" => {
            for status in value.split(',') {
                let status: OrderStatus = status
                    .parse()
                    .map_err(|error| invalid(format!("{error}")))?;
                filter.statuses.push(status);
            }
        },
        "flag" => {
            let names = filter.flags.names().into_iter().chain(value.split(','));
            filter.flags = Flags::from_names(names).map_err(|error| invalid(format!("{error}")))?;
        },
        "reference" => {
            filter.reference = Some(value.parse().map_err(|error| invalid(format!("{error}")))?);
        },
        "chain" => filter.chain_id = Some(chain(name, value, shop)?),
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
        "created_from" => filter.created_from = Some(time(name, value)?),
        "created_before" => filter.created_before = Some(time(name, value)?),
        "sort" => filter.oldest_first = read_sort(value, "created_at")?,
        // What is shown of what is found is no condition.
        "fields" => {},
        "limit" => page.limit = PageLength::read(value)?.get(),
        "cursor" => page.before_seq = Some(read_cursor(value)?),
        _other if let Some(key) = note(name) => {
            if filter.metadata.len() >= MOST_NOTES {
                return Err(invalid(format!(
                    "at most {MOST_NOTES} keys are asked for at once"
                )));
            }
            if key.contains('\0') || value.contains('\0') {
                return Err(invalid("may not hold the character U+0000".to_owned()));
            }
            filter.metadata.insert(key.to_owned(), value.to_owned());
        },
        _unknown => return Err(unknown(name, &PARAMETERS)),
    }
    Ok(())
}

/// The key in `metadata[key]`.
fn note(name: &str) -> Option<&str> {
    let key = name.strip_prefix("metadata[")?.strip_suffix(']')?;
    (!key.is_empty()).then_some(key)
}
