//! A request for an order, from JSON to a checked value. Pure: every problem is found at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paywatch_contracts::deposit::deposit_address;
use paywatch_core::{Amount, Order, OrderId, PaymentMethod, PaymentOption, Reference, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::problem::FieldError;
use crate::state::{ChainOffer, Shop};

/// The shortest time that an order can be paid in.
const SHORTEST: Duration = Duration::from_secs(60);
/// The fields of a request.
const FIELDS: [&str; 5] = ["reference", "amount", "chains", "expires_in", "metadata"];

/// What an order is made from. Also the canonical form that its digest is taken of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CreateOrder {
    /// Your own name for the order, unique: 1 to 128 visible ASCII characters.
    #[schema(example = "INV-1001")]
    pub(crate) reference: String,
    /// What is asked, as a decimal string.
    #[schema(example = "100")]
    pub(crate) amount: String,
    /// Names or ids of the chains on which it may be paid. All, if not given.
    #[schema(required = false, example = json!(["polygon", "ethereum"]))]
    pub(crate) chains: Option<Vec<String>>,
    /// How long it may be paid: a text like "30m" or "24h", or whole seconds as a text like "1800s".
    #[schema(required = false, example = "1h")]
    pub(crate) expires_in: Option<String>,
    /// Your own notes: at most 50 keys of at most 40 characters, values of at most 500.
    #[schema(required = false, example = json!({"customer": "42"}))]
    pub(crate) metadata: BTreeMap<String, String>,
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
    let mut errors: Vec<_> = object
        .keys()
        .filter(|key| !FIELDS.contains(&key.as_str()))
        .map(|key| {
            let known = FIELDS.join(", ");
            FieldError::new(key, "unknown_field", format!("unknown; known are {known}"))
        })
        .collect();
    let mut keep = |result: Result<(), FieldError>| errors.extend(result.err());

    let reference = reference(object.get("reference"));
    let amount = amount(object.get("amount"));
    let chains = chains(object.get("chains"), shop);
    let expires_in = expires_in(object.get("expires_in"), shop);
    let metadata = metadata(object.get("metadata"));
    keep(reference.as_ref().map(|_| ()).map_err(Clone::clone));
    keep(amount.as_ref().map(|_| ()).map_err(Clone::clone));
    keep(chains.as_ref().map(|_| ()).map_err(Clone::clone));
    keep(expires_in.as_ref().map(|_| ()).map_err(Clone::clone));
    keep(metadata.as_ref().map(|_| ()).map_err(Clone::clone));
    if let (Ok(amount), Ok((chains, _))) = (&amount, &chains) {
        errors.extend(chains.iter().filter_map(|chain| unpayable(*amount, chain)));
    }
    let all = (reference, amount, chains, expires_in, metadata);
    let (Ok(reference), Ok(amount), Ok((chains, asked)), Ok((expires_in, expiry)), Ok(metadata)) =
        all
    else {
        return Err(errors);
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    let digest = digest(&CreateOrder {
        reference: reference.to_string(),
        amount: amount.to_string(),
        chains: asked,
        expires_in: expiry,
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

/// The digest of a canonical request: two that ask for the same have the same.
fn digest(request: &CreateOrder) -> String {
    // A struct of strings always has a JSON form.
    hex::encode(Sha256::digest(
        serde_json::to_vec(request).unwrap_or_default(),
    ))
}

fn missing(field: &str) -> FieldError {
    FieldError::new(field, "missing", "is required")
}

/// The text of a field that must be one.
fn text<'a>(field: &str, value: Option<&'a Value>) -> Result<&'a str, FieldError> {
    match value {
        None | Some(Value::Null) => Err(missing(field)),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Number(_)) => {
            let detail = "must be a string, in quotes: JSON numbers are floats in many programs";
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

fn chains<'a>(value: Option<&Value>, shop: &'a Shop) -> Result<Chains<'a>, FieldError> {
    let wrong = |code, detail: String| FieldError::new("chains", code, detail);
    let list = match value {
        None | Some(Value::Null) => return Ok((shop.chains.iter().collect(), None)),
        Some(Value::Array(list)) if !list.is_empty() => list,
        Some(_) => {
            let detail = "must be a list of at least one chain; leave it out for all chains";
            return Err(wrong("invalid", detail.to_owned()));
        },
    };
    let mut chosen: Vec<&ChainOffer> = Vec::new();
    for item in list {
        let name = match item {
            Value::String(name) => name.clone(),
            Value::Number(id) => id.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(wrong(
                    "invalid",
                    "must hold names or ids of chains".to_owned(),
                ));
            },
        };
        let Some(chain) = shop.chain(&name) else {
            let known: Vec<_> = shop
                .chains
                .iter()
                .map(|chain| chain.name.as_str())
                .collect();
            let detail = format!("{name:?} is not configured; known are {}", known.join(", "));
            return Err(wrong("unknown_chain", detail));
        };
        if chosen.iter().any(|known| known.id == chain.id) {
            return Err(wrong("duplicate", format!("{name:?} is named twice")));
        }
        chosen.push(chain);
    }
    let asked: BTreeSet<_> = chosen.iter().map(|chain| chain.id).collect();
    let asked = asked.into_iter().map(|id| id.to_string()).collect();
    Ok((chosen, Some(asked)))
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

fn metadata(value: Option<&Value>) -> Result<BTreeMap<String, String>, FieldError> {
    let wrong = |detail: &str| FieldError::new("metadata", "invalid", detail);
    let object = match value {
        None | Some(Value::Null) => return Ok(BTreeMap::new()),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(wrong("must be an object of strings")),
    };
    if object.len() > 50 {
        return Err(wrong("may have at most 50 keys"));
    }
    object
        .iter()
        .map(|(key, value)| {
            let Value::String(value) = value else {
                return Err(FieldError::new(
                    &format!("metadata.{key}"),
                    "invalid",
                    "must be a string",
                ));
            };
            if key.is_empty() || key.chars().count() > 40 || value.chars().count() > 500 {
                return Err(wrong("keys have 1 to 40 characters, values at most 500"));
            }
            if key.contains('\0') || value.contains('\0') {
                return Err(wrong("may not hold the character U+0000"));
            }
            Ok((key.clone(), value.clone()))
        })
        .collect()
}

impl Checked<'_> {
    /// The order that was asked for, under `id`, made at `now`. `None` if its deadline lies beyond
    /// what a time can hold.
    pub(crate) fn order(self, id: OrderId, now: Timestamp, shop: &Shop) -> Option<Order> {
        let expires_in = i64::try_from(self.expires_in.as_millis()).ok()?;
        let options = self
            .chains
            .iter()
            .flat_map(|chain| options(id, chain))
            .collect();
        Some(Order {
            id,
            reference: self.reference,
            amount: self.amount,
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
fn options(id: OrderId, chain: &ChainOffer) -> impl Iterator<Item = PaymentOption> {
    let (factory, treasury) = (chain.factory, chain.treasury);
    let address = deposit_address(factory, treasury, id.salt());
    chain.tokens.iter().map(move |token| PaymentOption {
        token: token.clone(),
        address,
        method: PaymentMethod::DepositAddress { factory, treasury },
        finality: chain.finality,
    })
}
