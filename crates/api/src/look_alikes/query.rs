//! Which look-alikes a list is to hold, from a query string to a checked value.

use paywatch_core::{Address, ChainId, Timestamp};
use paywatch_store::{LookAlike, LookAlikeFilter};

use crate::parameters::{PageLength, chain, read_each, unknown};
use crate::problem::FieldError;
use crate::state::Shop;
use crate::wire::parsed;

/// The parameters of a list.
const PARAMETERS: [&str; 5] = ["chain", "address", "order", "limit", "cursor"];

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) filter: LookAlikeFilter,
    pub(super) after: Option<(Timestamp, ChainId, Address, Address)>,
    pub(super) length: PageLength,
}

/// Reads the parameters of a list.
///
/// # Errors
/// Every parameter that is wrong, with what is allowed.
pub(super) fn read(pairs: &[(String, String)], shop: &Shop) -> Result<Asked, Vec<FieldError>> {
    let mut asked = Asked {
        filter: LookAlikeFilter::default(),
        after: None,
        length: PageLength::default(),
    };
    read_each(pairs, &[], |name, value| {
        read_one(name, value, shop, &mut asked)
    })?;
    Ok(asked)
}

fn read_one(name: &str, value: &str, shop: &Shop, asked: &mut Asked) -> Result<(), FieldError> {
    let filter = &mut asked.filter;
    match name {
        "chain" => filter.chain_id = Some(chain(name, value, shop)?),
        "address" => filter.to = Some(parsed(name, value)?),
        "order" => filter.order = Some(parsed(name, value)?),
        "limit" => asked.length = PageLength::read(value)?,
        "cursor" => asked.after = Some(read_cursor(value)?),
        _unknown => return Err(unknown(name, &PARAMETERS)),
    }
    Ok(())
}

/// Where a page ended, as a text that means nothing to anybody else.
pub(super) fn cursor(last: &LookAlike) -> String {
    let transfers = &last.transfers;
    format!(
        "{:x}-{:x}-{:x}-{:x}",
        transfers.last.time.unix_ms(),
        last.chain_id.get(),
        transfers.contract,
        transfers.to
    )
}

fn read_cursor(text: &str) -> Result<(Timestamp, ChainId, Address, Address), FieldError> {
    let read = || {
        let mut parts = text.split('-');
        let ms = i64::from_str_radix(parts.next()?, 16).ok()?;
        let chain = u64::from_str_radix(parts.next()?, 16).ok()?;
        let (contract, to) = (parts.next()?, parts.next()?);
        parts.next().is_none().then_some(())?;
        Some((
            Timestamp::from_unix_ms(ms).ok()?,
            ChainId::new(chain).ok()?,
            contract.parse().ok()?,
            to.parse().ok()?,
        ))
    };
    read().ok_or_else(|| FieldError::new("cursor", "invalid", "is not a next_cursor of this list"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::pairs;
    use crate::samples::shop;

    #[test]
    fn what_is_wrong_is_said_at_once() {
        let zero = Address::ZERO;
        let good = format!("chain=bnb&limit=5&address={zero}&cursor=5-38-{zero:x}-{zero:x}");
        let asked = read(&pairs(&good), &shop()).unwrap();
        assert_eq!(asked.length.get(), 5);
        assert_eq!(asked.filter.to, Some(zero));
        assert_eq!(asked.after.unwrap().1.get(), 56);
        let wrong = "chain=x&address=x&order=x&limit=0&cursor=5-38-00&y=x";
        assert_eq!(read(&pairs(wrong), &shop()).unwrap_err().len(), 6);
    }
}
