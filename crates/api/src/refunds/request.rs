//! A request for a refund, from JSON to a checked value. Pure: every problem is found at once.

use paywatch_core::{Address, Amount, Reason, Reference};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::body::unknown_fields;
use crate::orders::request::{amount, keep, reference, text};
use crate::problem::FieldError;
use crate::refunds::recipient;
use crate::state::{ChainOffer, Shop};

/// The fields of a request.
const FIELDS: [&str; 7] = [
    "reference",
    "chain",
    "token",
    "amount",
    "to",
    "to_payer",
    "reason",
];

/// What a refund is made from.
// Also the canonical form of a request, of which its digest is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrepareRefund {
    /// Your own name for the refund, unique among those of the order.
    #[schema(example = "R-1", min_length = 1, max_length = 128)]
    reference: String,
    /// The chain on which your wallet sends it, by name or id.
    #[schema(example = "polygon")]
    chain: String,
    /// The token's symbol. Needed only if you take several on the chain, and the order was paid in
    /// more than one of them.
    #[schema(required = false, example = "USDT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// How much. By default all that is left.
    #[schema(required = false, example = "40")]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// To whom: an address that the customer gave you. Required, unless `to_payer` is true.
    #[schema(
        required = false,
        example = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// Back to the address that paid, if it was one, by a mere transfer on this chain. An exchange
    /// pays from wallets that many share, so use it only where you know that it was none.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    to_payer: Option<bool>,
    /// Why, on one line of 3 to 500 characters. It stays in the audit log for good.
    #[schema(example = "it came back broken")]
    reason: String,
}

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recipient {
    /// This address.
    Given(Address),
    /// Whoever paid.
    Payer,
}

/// A request in which everything is in order, as far as it shows by itself.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) reference: Reference,
    pub(super) chain: &'a ChainOffer,
    pub(super) token: Option<String>,
    pub(super) amount: Option<Amount>,
    pub(super) to: Recipient,
    pub(super) reason: Reason,
    /// SHA-256 of the canonical request, in hex.
    pub(super) digest: String,
}

/// Reads a request.
///
/// # Errors
/// Every field that is wrong, with what is allowed.
pub(super) fn read<'a>(
    object: &Map<String, Value>,
    shop: &'a Shop,
) -> Result<Asked<'a>, Vec<FieldError>> {
    let mut errors = unknown_fields(object, &FIELDS);
    let reference = keep(reference(object.get("reference")), &mut errors);
    let chain = keep(chain(object.get("chain"), shop), &mut errors);
    let token = keep(optional("token", object), &mut errors);
    let amount = match given("amount", object) {
        Some(value) => keep(amount(Some(value)).map(Some), &mut errors),
        None => Some(None),
    };
    let reason = keep(reason(object.get("reason")), &mut errors);
    let to = chain.and_then(|chain| keep(to(object, chain), &mut errors));
    let (Some(reference), Some(chain), Some(token), Some(amount), Some(reason), Some(to), true) = (
        reference,
        chain,
        token,
        amount,
        reason,
        to,
        errors.is_empty(),
    ) else {
        return Err(errors);
    };
    let (given, to_payer) = match to {
        Recipient::Given(address) => (Some(address.to_string()), None),
        Recipient::Payer => (None, Some(true)),
    };
    let canonical = PrepareRefund {
        reference: reference.to_string(),
        chain: chain.id.to_string(),
        token: token.map(str::to_ascii_uppercase),
        amount: amount.map(|amount| amount.to_string()),
        to: given,
        to_payer,
        reason: reason.as_str().to_owned(),
    };
    // A struct of strings always has a JSON form.
    let json = serde_json::to_vec(&canonical).unwrap_or_default();
    Ok(Asked {
        reference,
        chain,
        token: canonical.token,
        amount,
        to,
        reason,
        digest: hex::encode(Sha256::digest(json)),
    })
}

/// The value of a field that need not be there.
fn given<'a>(field: &str, object: &'a Map<String, Value>) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

fn optional<'a>(
    field: &str,
    object: &'a Map<String, Value>,
) -> Result<Option<&'a str>, FieldError> {
    given(field, object)
        .map(|value| text(field, Some(value)))
        .transpose()
}

fn chain<'a>(value: Option<&Value>, shop: &'a Shop) -> Result<&'a ChainOffer, FieldError> {
    let name = match value {
        Some(Value::Number(id)) => id.to_string(),
        other => text("chain", other)?.to_owned(),
    };
    let found = shop.chain(&name);
    found.ok_or_else(|| FieldError::new("chain", "unknown_chain", shop.not_configured(&name)))
}

fn reason(value: Option<&Value>) -> Result<Reason, FieldError> {
    let parsed = text("reason", value)?.parse::<Reason>();
    parsed.map_err(|error| FieldError::new("reason", "invalid", error))
}

fn to(object: &Map<String, Value>, chain: &ChainOffer) -> Result<Recipient, FieldError> {
    let to_payer = match given("to_payer", object) {
        None => false,
        Some(Value::Bool(to_payer)) => *to_payer,
        Some(_) => {
            let detail = "must be true or false";
            return Err(FieldError::new("to_payer", "invalid", detail));
        },
    };
    match (optional("to", object)?, to_payer) {
        (Some(text), false) => recipient::read(text, chain.id).map(Recipient::Given),
        (None, true) => Ok(Recipient::Payer),
        (Some(_), true) => {
            let detail = "contradicts to; give one of both";
            Err(FieldError::new("to_payer", "contradiction", detail))
        },
        (None, false) => {
            let detail = "is required: ask the customer for an address, since an exchange pays \
                from wallets that many share; \"to_payer\": true sends back to whoever paid";
            Err(FieldError::new("to", "missing", detail))
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::shop;

    fn asked(change: &Value) -> Result<Recipient, Vec<String>> {
        let mut body = json!({"reference": "R-1", "chain": "anvil", "reason": "it is broken"});
        let fields = body.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        fields.retain(|_, value| *value != json!("-"));
        let read = read(fields, &shop()).map(|asked| asked.to);
        read.map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn a_recipient_is_given_or_the_payer_on_demand() {
        let text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let given = Recipient::Given(text.parse().unwrap());
        assert_eq!(asked(&json!({"to": text})), Ok(given));
        assert_eq!(asked(&json!({"to": text.to_lowercase()})), Ok(given));
        assert_eq!(asked(&json!({"to_payer": true})), Ok(Recipient::Payer));
        for (wrong, field) in [
            (json!({}), "to"),
            (json!({"to_payer": false}), "to"),
            (json!({"to": text, "to_payer": true}), "to_payer"),
            (json!({"to_payer": "yes"}), "to_payer"),
            (json!({"to": text.replace("5aA", "5Aa")}), "to"),
            (
                json!({"to": "0x0000000000000000000000000000000000000000"}),
                "to",
            ),
            (json!({"to": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}), "to"),
        ] {
            assert_eq!(asked(&wrong), Err(vec![field.to_owned()]), "{wrong}");
        }
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let wrong = json!({
            "to_payer": true, "reference": "", "chain": "moon", "amount": "0", "reason": "no",
            "token": 1, "fee": "1",
        });
        let named = ["fee", "reference", "chain", "token", "amount", "reason"];
        assert_eq!(asked(&wrong), Err(named.map(str::to_owned).into()));
    }
}
