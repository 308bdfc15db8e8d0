//! To whom a refund may go.

use paywatch_core::{Address, AddressForm, ChainId, plain_payer, read_tron_address};
use paywatch_store::{OrderFilter, OrderRecord, Page, StoreError};

use crate::problem::FieldError;
use crate::refunds::request::Recipient;
use crate::state::{ApiState, ChainOffer};

/// Reads an address as it is written on `chain`. Money goes there, so a checksum must hold.
pub(super) fn read(text: &str, chain: ChainId) -> Result<Address, FieldError> {
    let wrong = |detail: String| FieldError::new("to", "invalid", detail);
    let address = match AddressForm::of(chain) {
        AddressForm::Tron => read_tron_address(text).map_err(|error| wrong(error.to_string()))?,
        AddressForm::Eip55 => {
            let digits = text.strip_prefix("0x").unwrap_or_default();
            let parsed = text.parse::<Address>().ok();
            let address = parsed.filter(|_| !digits.is_empty()).ok_or_else(|| {
                wrong(format!("{text:?} is no address like 0x and 40 hex digits"))
            })?;
            let has_case = digits.bytes().any(|b| b.is_ascii_uppercase());
            if has_case && address.to_checksum(None) != text {
                let detail = "its checksum is wrong, a character may be mistyped";
                return Err(wrong(detail.to_owned()));
            }
            address
        },
    };
    if address.is_zero() {
        return Err(wrong("is the zero address, where money is lost".to_owned()));
    }
    Ok(address)
}

/// The address that is meant, which must be somebody else's.
pub(super) async fn resolve(
    state: &ApiState,
    chain: &ChainOffer,
    record: &OrderRecord,
    asked: Recipient,
) -> Result<Result<Address, FieldError>, StoreError> {
    let (field, to) = match asked {
        Recipient::Given(address) => ("to", address),
        Recipient::Payer => {
            let paid: Vec<_> = record
                .payments
                .iter()
                .filter(|payment| payment.reverted_at.is_none())
                .map(|payment| payment.recorded.clone())
                .collect();
            match plain_payer(&paid, chain.id) {
                Ok(payer) => ("to_payer", payer),
                Err(why) => {
                    let detail = format!("{why}; ask the customer, and give \"to\"");
                    return Ok(Err(FieldError::new("to_payer", "no_payer", detail)));
                },
            }
        },
    };
    let whose = whose(chain, to);
    let whose = match whose {
        Some(whose) => Some(whose),
        None if is_deposit(state, to).await? => Some("an order's address"),
        None => None,
    };
    Ok(match whose {
        None => Ok(to),
        Some(whose) => {
            let detail = format!("is {whose}: a refund goes to the customer");
            Err(FieldError::new(field, "own_address", detail))
        },
    })
}

/// Which of the addresses of the configuration `address` is.
fn whose(chain: &ChainOffer, address: Address) -> Option<&'static str> {
    if chain.tokens.iter().any(|token| token.address == address) {
        return Some("the token's contract, where money is lost");
    }
    let own = [
        (Some(chain.treasury), "your treasury"),
        (Some(chain.factory), "the deposit factory"),
        (chain.receiver, "the payment receiver"),
    ];
    let found = own.into_iter().find(|(own, _)| *own == Some(address));
    let wallet = chain.wallets.contains(&address).then_some("your wallet");
    found.map(|(_, whose)| whose).or(wallet)
}

/// Whether some order is paid there.
async fn is_deposit(state: &ApiState, address: Address) -> Result<bool, StoreError> {
    let filter = OrderFilter {
        address: Some(address),
        ..OrderFilter::default()
    };
    let one = Page {
        before_seq: None,
        limit: 1,
    };
    Ok(!state.store.orders(&filter, one).await?.orders.is_empty())
}
