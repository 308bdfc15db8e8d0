//! A request for an order, from JSON to a checked value. Pure: every problem is found at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paywatch_contracts::deposit::deposit_address;
use paywatch_core::{
    AddressForm, Amount, Asking, Order, OrderId, PaymentMethod, PaymentOption, Reference, Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::problem::FieldError;
use crate::state::{ChainOffer, Shop};

/// The shortest time that an order can be paid in.
const SHORTEST: Duration = Duration::from_secs(60);
/// Limits of the merchant's own notes.
const MOST_KEYS: usize = 50;
const LONGEST_KEY: usize = 40;
const LONGEST_VALUE: usize = 500;
/// The fields of a request.
const FIELDS: [&str; 5] = ["reference", "amount", "chains", "expires_in", "metadata"];

/// What an order is made from.
// Also the canonical form of a request, of which its digest is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOrder {
    /// Your own name for the order, unique: 1 to 128 visible ASCII characters, spaces between them.
    #[schema(example = "INV-1001", min_length = 1, max_length = 128)]
    reference: String,
    /// What is asked, as a decimal string: more than 0, and no more decimals than the tokens have
    /// on any of the chains.
    #[schema(example = "100", pattern = r"^(0|[1-9][0-9]{0,20})(\.[0-9]{1,18})?$")]
    amount: String,
    /// Names or ids of the chains on which it may be paid. All, if not given.
    #[schema(required = false, min_items = 1, value_type = Option<Vec<TextOrNumber>>, example = json!(["polygon", 1]))]
    chains: Option<Vec<String>>,
    /// How long it may be paid: a text like "30m" or "24h", or whole seconds as a number.
    #[schema(required = false, value_type = Option<TextOrNumber>, example = "1h")]
    expires_in: Option<String>,
    /// Your own notes: at most 50 keys of 1 to 40 characters, values of at most 500.
    #[schema(required = false, example = json!({"customer": "42"}))]
    metadata: BTreeMap<String, String>,
}

/// A text or a whole number.
// For the description only: in the canonical form both are texts.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum TextOrNumber {
    /// A text.
    Text(String),
    /// A whole number.
    Number(u64),
}

/// A request in which everything is in order.
#[derive(Clone, Debug)]
pub(crate) struct Checked<'a> {
    reference: Reference,
    amount: Amount,
    chains: Vec<&'a ChainOffer>,
    expires_in: Duration,
    metadata: BTreeMap<String, String>,
    /// SHA-256 of the canonical request, in hex.
    pub(crate) digest: String,
}

/// Reads a request.
///
/// # Errors
/// Every field that is wrong, with what is allowed.
pub(crate) fn read<'a>(
    object: &Map<String, Value>,
    shop: &'a Shop,
) -> Result<Checked<'a>, Vec<FieldError>> {
    let mut errors = unknown_fields(object);
    let reference = keep(reference(object.get("reference")), &mut errors);
    let amount = keep(amount(object.get("amount")), &mut errors);
    let chains = keep(chains(object.get("chains"), shop), &mut errors);
    let expires_in = keep(expires_in(object.get("expires_in"), shop), &mut errors);
    let metadata = keep(metadata(object.get("metadata")), &mut errors);
    if let (Some(amount), Some((chains, _))) = (amount, &chains) {
        errors.extend(chains.iter().filter_map(|chain| unpayable(amount, chain)));
    }
    let all = (reference, amount, chains, expires_in, metadata);
    let (Some(reference), Some(amount), Some(chains), Some(expires_in), Some(metadata)) = all
    else {
        return Err(errors);
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    let (chains, asked_chains) = chains;
    let (expires_in, asked_expiry) = expires_in;
    let digest = digest(&CreateOrder {
        reference: reference.to_string(),
        amount: amount.to_string(),
        chains: asked_chains,
        expires_in: asked_expiry,
        metadata: metadata.clone(),
    });
    Ok(Checked {
        reference,
        amount,
        chains,
        expires_in,
        metadata,
        digest,
    })
}

/// The value that was read; what is wrong goes to the other errors.
fn keep<T, E: Into<Vec<FieldError>>>(
    result: Result<T, E>,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    result.map_err(|more| errors.extend(more.into())).ok()
}

/// The digest of a canonical request: two that ask for the same have the same.
fn digest(request: &CreateOrder) -> String {
    // A struct of strings always has a JSON form.
    hex::encode(Sha256::digest(
        serde_json::to_vec(request).unwrap_or_default(),
    ))
}

fn unknown_fields(object: &Map<String, Value>) -> Vec<FieldError> {
    let known = FIELDS.join(", ");
    let unknown = object.keys().filter(|key| !FIELDS.contains(&key.as_str()));
    unknown
        .map(|key| FieldError::new(key, "unknown_field", format!("unknown; known are {known}")))
        .collect()
}

/// The text of a field that must be one.
fn text<'a>(field: &str, value: Option<&'a Value>) -> Result<&'a str, FieldError> {
    match value {
        None | Some(Value::Null) => Err(FieldError::new(field, "missing", "is required")),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Number(number)) => {
            let detail = format!("must be a string: send it in quotes, like \"{number}\"");
            Err(FieldError::new(field, "not_a_string", detail))
        },
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            Err(FieldError::new(field, "not_a_string", "must be a string"))
        },
    }
}

fn reference(value: Option<&Value>) -> Result<Reference, FieldError> {
    let parsed = text("reference", value)?.parse::<Reference>();
    parsed.map_err(|error| FieldError::new("reference", "invalid", error))
}

fn amount(value: Option<&Value>) -> Result<Amount, FieldError> {
    let parsed = text("amount", value)?.parse::<Amount>();
    let amount = parsed.map_err(|error| FieldError::new("amount", "invalid", error))?;
    if amount.is_zero() {
        return Err(FieldError::new("amount", "zero", "must be more than 0"));
    }
    Ok(amount)
}

/// Why `amount` cannot be paid exactly on `chain`, if so.
fn unpayable(amount: Amount, chain: &ChainOffer) -> Option<FieldError> {
    chain.tokens.iter().find_map(|token| {
        amount.to_base_units(token.decimals).err().map(|error| {
            let detail = format!("{error} ({} on {})", token.symbol, chain.name);
            FieldError::new("amount", "too_precise", detail)
        })
    })
}

/// The chains, and what was asked in canonical form.
type Chains<'a> = (Vec<&'a ChainOffer>, Option<Vec<String>>);

fn chains<'a>(value: Option<&Value>, shop: &'a Shop) -> Result<Chains<'a>, Vec<FieldError>> {
    let list = match value {
        None | Some(Value::Null) => return Ok((all_chains(shop)?, None)),
        Some(Value::Array(list)) if !list.is_empty() => list,
        Some(_) => {
            let detail = "must be a list of at least one chain; leave it out for all chains";
            return Err(FieldError::new("chains", "invalid", detail).into());
        },
    };
    let mut errors = Vec::new();
    let mut chosen: Vec<&ChainOffer> = Vec::new();
    for item in list {
        let chain = keep(one_chain(item, shop), &mut errors);
        let is_new = |chain: &&ChainOffer| chosen.iter().all(|known| known.id != chain.id);
        match chain {
            Some(chain) if is_new(&chain) => chosen.push(chain),
            Some(chain) => {
                let detail = format!("{} is named twice", chain.name);
                errors.push(FieldError::new("chains", "duplicate", detail));
            },
            None => {},
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let asked: BTreeSet<_> = chosen.iter().map(|chain| chain.id).collect();
    let asked = asked.into_iter().map(|id| id.to_string()).collect();
    Ok((chosen, Some(asked)))
}

/// Every chain on which an order can be paid.
fn all_chains(shop: &Shop) -> Result<Vec<&ChainOffer>, FieldError> {
    let able: Vec<_> = shop
        .chains
        .iter()
        .filter(|chain| has_deposit_addresses(chain))
        .collect();
    if able.is_empty() && !shop.chains.is_empty() {
        let detail = "no configured chain has deposit addresses; configure one beside Tron";
        return Err(FieldError::new("chains", "no_method", detail));
    }
    Ok(able)
}

fn one_chain<'a>(item: &Value, shop: &'a Shop) -> Result<&'a ChainOffer, FieldError> {
    let name = match item {
        Value::String(name) => name.clone(),
        Value::Number(id) => id.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            let detail = "must hold names or ids of chains";
            return Err(FieldError::new("chains", "invalid", detail));
        },
    };
    let chain = shop.chain(&name).ok_or_else(|| {
        let detail = shop.not_configured(&name);
        FieldError::new("chains", "unknown_chain", detail)
    })?;
    if !has_deposit_addresses(chain) {
        let detail = format!(
            "orders cannot be paid on {name}: deposit addresses do not exist there; leave it out"
        );
        return Err(FieldError::new("chains", "no_method", detail));
    }
    Ok(chain)
}

/// Whether an order's deposit address can be derived on `chain`. Tron derives CREATE2 addresses in
/// a way of its own (TIP-26), and the factory would not have the same address there.
fn has_deposit_addresses(chain: &ChainOffer) -> bool {
    AddressForm::of(chain.id) == AddressForm::Eip55
}

/// The time, and what was asked in canonical form.
fn expires_in(
    value: Option<&Value>,
    shop: &Shop,
) -> Result<(Duration, Option<String>), FieldError> {
    let wrong = |detail: String| FieldError::new("expires_in", "invalid", detail);
    let duration = match value {
        None | Some(Value::Null) => return Ok((shop.default_expiry, None)),
        Some(Value::String(text)) => humantime::parse_duration(text)
            .map_err(|error| wrong(format!("{error}; write it like \"30m\" or \"24h\"")))?,
        Some(Value::Number(seconds)) => seconds
            .as_u64()
            .map(Duration::from_secs)
            .ok_or_else(|| wrong("as a number, must be whole seconds".to_owned()))?,
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(wrong(
                "must be a text like \"30m\", or whole seconds".to_owned(),
            ));
        },
    };
    if duration < SHORTEST || duration > shop.max_expiry {
        let (least, most) = (
            humantime::format_duration(SHORTEST),
            humantime::format_duration(shop.max_expiry),
        );
        return Err(wrong(format!("must be between {least} and {most}")));
    }
    Ok((duration, Some(format!("{}ms", duration.as_millis()))))
}

fn metadata(value: Option<&Value>) -> Result<BTreeMap<String, String>, Vec<FieldError>> {
    let wrong = |detail: String| FieldError::new("metadata", "invalid", detail);
    let object = match value {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(wrong("must be an object of strings".to_owned()).into()),
    };
    if object.len() > MOST_KEYS {
        return Err(wrong(format!("may have at most {MOST_KEYS} keys")).into());
    }
    let mut errors = Vec::new();
    let notes = object
        .iter()
        .filter_map(|(key, value)| keep(note(key, value), &mut errors))
        .collect();
    if errors.is_empty() {
        Ok(notes)
    } else {
        Err(errors)
    }
}

/// One of the merchant's own notes.
fn note(key: &str, value: &Value) -> Result<(String, String), FieldError> {
    let wrong = |detail: String| {
        Err(FieldError::new(
            &format!("metadata.{key}"),
            "invalid",
            detail,
        ))
    };
    let Value::String(value) = value else {
        return wrong("must be a string".to_owned());
    };
    if key.is_empty() || key.chars().count() > LONGEST_KEY {
        return wrong(format!("keys have 1 to {LONGEST_KEY} characters"));
    }
    if value.chars().count() > LONGEST_VALUE {
        return wrong(format!("values have at most {LONGEST_VALUE} characters"));
    }
    if key.contains('\0') || value.contains('\0') {
        return wrong("may not hold the character U+0000".to_owned());
    }
    Ok((key.to_owned(), value.clone()))
}

impl Checked<'_> {
    /// The order that was asked for, under `id`, made at `now`. `None` if its deadline lies beyond
    /// what a time can hold.
    pub(crate) fn order(self, id: OrderId, now: Timestamp, shop: &Shop) -> Option<Order> {
        let expires_in = i64::try_from(self.expires_in.as_millis()).ok()?;
        let options = self
            .chains
            .iter()
            .flat_map(|chain| options(id, self.amount, chain))
            .collect();
        Some(Order {
            id,
            reference: self.reference,
            amount: self.amount,
            asking: Asking::Exactly,
            accepted: None,
            tolerance: Amount::ZERO,
            late_policy: shop.late_policy,
            options,
            created_at: now,
            expires_at: now.plus_ms(expires_in)?,
            cancelled_at: None,
            metadata: self.metadata,
        })
    }
}

/// The ways to pay on `chain`: one per token, all to the order's deposit address there.
fn options(id: OrderId, amount: Amount, chain: &ChainOffer) -> impl Iterator<Item = PaymentOption> {
    let (factory, treasury) = (chain.factory, chain.treasury);
    let finality = chain.finality.rule_for(amount);
    let address = deposit_address(factory, treasury, id.salt());
    chain.tokens.iter().map(move |token| PaymentOption {
        token: token.clone(),
        address,
        method: PaymentMethod::DepositAddress { factory, treasury },
        finality,
    })
}

#[cfg(test)]
mod tests;
