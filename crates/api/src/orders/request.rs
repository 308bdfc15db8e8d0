//! A request for an order, from JSON to a checked value. Pure: every problem is found at once.

mod callback;
mod chains;
mod metadata;
mod methods;
mod terms;
mod time;
mod tokens;

use std::collections::BTreeMap;
use std::time::Duration;

use paywatch_contracts::deposit::deposit_address;
use paywatch_core::{
    Amount, Asking, EventFormat, LatePolicy, MethodKind, Order, OrderId, PaymentMethod,
    PaymentOption, Reference, SlotTerms, Timestamp,
};
use paywatch_store::{Callback, NewOrder, SlotWish};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::body::unknown_fields;
use crate::orders::callbacks::{CallbackUrl, Callbacks};
use crate::orders::request::chains::chains;
use crate::orders::request::terms::Terms;
use crate::orders::request::tokens::Offer;
use crate::problem::FieldError;
use crate::state::Shop;

/// The fields of a request.
const FIELDS: [&str; 13] = [
    "reference",
    "amount",
    "any_amount",
    "tolerance",
    "tolerance_percent",
    "chains",
    "tokens",
    "methods",
    "expires_in",
    "grace",
    "late_payments",
    "callback_url",
    "metadata",
];

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
    /// Whether the amount is only the least that is wanted, as for donations and top-ups: more is
    /// welcome, and never an excess.
    #[schema(required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    any_amount: Option<bool>,
    /// How much less is still enough, since exchanges deduct their fee. By default as configured.
    #[schema(required = false, example = "0.5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<String>,
    /// The same as a share of the amount, 0 to 50; with both, the larger counts.
    #[schema(required = false, example = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance_percent: Option<String>,
    /// Names or ids of the chains on which it may be paid. All, if not given.
    #[schema(required = false, min_items = 1, value_type = Option<Vec<TextOrNumber>>, example = json!(["polygon", 1]))]
    chains: Option<Vec<String>>,
    /// Symbols of the tokens that it may be paid in. By default as configured.
    #[schema(required = false, min_items = 1, example = json!(["USDT"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Vec<String>>,
    /// How it may be paid: `deposit_address` (an address of the order's own), `contract` (a call of
    /// the payment receiver), `exact_amount` (a wallet of yours, and an amount that tells the order
    /// from others). By default as configured; a chain that has none of those uses what it has.
    #[schema(required = false, min_items = 1, example = json!(["deposit_address"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<&'static str>>,
    /// How long it may be paid: a text like "30m" or "24h", or whole seconds as a number.
    #[schema(required = false, value_type = Option<TextOrNumber>, example = "1h")]
    expires_in: Option<String>,
    /// For how long after the deadline money is still in time, at most a day. By default as
    /// configured.
    #[schema(required = false, value_type = Option<TextOrNumber>, example = "10m")]
    #[serde(skip_serializing_if = "Option::is_none")]
    grace: Option<String>,
    /// What happens with money after the deadline: `accept` (it counts and is flagged) or `hold`
    /// (you decide). By default as configured.
    #[schema(required = false, example = "hold")]
    #[serde(skip_serializing_if = "Option::is_none")]
    late_payments: Option<&'static str>,
    /// Where this order's events are sent besides the webhook endpoints: a URL that the daemon may reach.
    /// Taken where `[webhooks] callbacks` is set; signed with the daemon's Ed25519 key for such URLs.
    #[schema(
        required = false,
        example = "https://shop.example.com/orders/1001/paid"
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<String>,
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
    terms: Terms,
    offers: Vec<Offer<'a>>,
    exact: SlotTerms,
    expires_in: Duration,
    grace_ms: u32,
    callback: Option<CallbackUrl>,
    metadata: BTreeMap<String, String>,
    /// SHA-256 of the canonical request, in hex.
    digest: String,
}

/// Reads a request for an order, which may be told of where `callbacks` allow it.
///
/// # Errors
/// Every field that is wrong, with what is allowed.
pub(crate) fn read<'a>(
    object: &Map<String, Value>,
    shop: &'a Shop,
    callbacks: &Callbacks,
) -> Result<Checked<'a>, Vec<FieldError>> {
    let mut errors = unknown_fields(object, &FIELDS);
    let reference = keep(reference(object.get("reference")), &mut errors);
    let amount = keep(amount(object.get("amount")), &mut errors);
    let chains = keep(chains(object.get("chains"), shop), &mut errors);
    let symbols = keep(tokens::read(object.get("tokens")), &mut errors);
    let times = keep(time::read(object, shop), &mut errors);
    let metadata = keep(metadata::read(object.get("metadata")), &mut errors);
    let callback = callback::read(object.get("callback_url"), callbacks);
    let callback = keep(callback, &mut errors);
    let asked = keep(terms::read(object), &mut errors);
    let methods = keep(methods::read(object.get("methods")), &mut errors);
    let all = (
        reference, amount, chains, symbols, times, metadata, asked, methods, callback,
    );
    let (
        Some(reference),
        Some(amount),
        Some(chains),
        Some(symbols),
        Some(times),
        Some(metadata),
        Some(asked),
        Some(methods),
        Some(callback),
    ) = all
    else {
        return Err(errors);
    };
    let terms = keep(asked.terms(amount, shop), &mut errors);
    let offers = keep(
        tokens::offers(&chains, symbols.as_deref(), shop),
        &mut errors,
    );
    let asking = terms.as_ref().map_or(Asking::Exactly, |terms| terms.asking);
    let offers = offers.and_then(|offers| {
        let wish = (methods.as_deref(), asking);
        keep(methods::narrow(offers, &chains, wish, shop), &mut errors)
    });
    let precise = offers.iter().flatten();
    errors.extend(precise.filter_map(|offer| unpayable(amount, offer)));
    let (Some(terms), Some(offers), true) = (terms, offers, errors.is_empty()) else {
        return Err(errors);
    };
    let digest = digest(&CreateOrder {
        reference: reference.to_string(),
        amount: amount.to_string(),
        any_amount: asked.any_amount,
        tolerance: asked.tolerance.map(|tolerance| tolerance.to_string()),
        tolerance_percent: asked.tolerance_percent.map(|percent| percent.to_string()),
        chains: chains.asked(),
        tokens: symbols,
        methods: methods.map(|methods| methods.into_iter().map(MethodKind::name).collect()),
        expires_in: times.asked_expiry,
        grace: times.asked_grace,
        late_payments: asked.late_policy.map(LatePolicy::name),
        callback_url: callback.as_ref().map(|callback| callback.url.clone()),
        metadata: metadata.clone(),
    });
    Ok(Checked {
        reference,
        amount,
        terms,
        offers,
        exact: shop.exact,
        grace_ms: times.grace_ms,
        expires_in: times.expires_in,
        callback,
        metadata,
        digest,
    })
}

/// The value that was read; what is wrong goes to the other errors.
pub(crate) fn keep<T, E: Into<Vec<FieldError>>>(
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

/// The text of a field that must be one.
pub(crate) fn text<'a>(field: &str, value: Option<&'a Value>) -> Result<&'a str, FieldError> {
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

pub(crate) fn reference(value: Option<&Value>) -> Result<Reference, FieldError> {
    let parsed = text("reference", value)?.parse::<Reference>();
    parsed.map_err(|error| FieldError::new("reference", "invalid", error))
}

pub(crate) fn amount(value: Option<&Value>) -> Result<Amount, FieldError> {
    let parsed = text("amount", value)?.parse::<Amount>();
    let amount = parsed.map_err(|error| FieldError::new("amount", "invalid", error))?;
    if amount.is_zero() {
        return Err(FieldError::new("amount", "zero", "must be more than 0"));
    }
    Ok(amount)
}

/// Why `amount` cannot be paid exactly in `offer`, if so.
fn unpayable(amount: Amount, offer: &Offer<'_>) -> Option<FieldError> {
    offer.tokens.iter().find_map(|token| {
        amount.to_base_units(token.decimals).err().map(|error| {
            let detail = format!("{error} ({} on {})", token.symbol, offer.chain.name);
            FieldError::new("amount", "too_precise", detail)
        })
    })
}

impl Checked<'_> {
    /// The order that was asked for, under `id`, made at `now`. `None` if its deadline lies beyond
    /// what a time can hold.
    pub(crate) fn order(self, id: OrderId, now: Timestamp) -> Option<NewOrder> {
        let expires_in = i64::try_from(self.expires_in.as_millis()).ok()?;
        // What is sent may be any amount, so the rule for the largest holds.
        let largest = match self.terms.asking {
            Asking::Exactly => self.amount,
            Asking::AtLeast => Amount::MAX,
        };
        let options = self
            .offers
            .iter()
            .flat_map(|offer| options(id, largest, offer));
        let options = options.collect();
        let slots = self
            .offers
            .iter()
            .filter(|offer| offer.methods.contains(&MethodKind::ExactAmount))
            .flat_map(|offer| self.slots(offer))
            .collect();
        let expires_at = now.plus_ms(expires_in)?;
        // When it closes must be a time as well.
        expires_at.plus_ms(i64::from(self.grace_ms))?;
        let order = Order {
            id,
            reference: self.reference,
            amount: self.amount,
            asking: self.terms.asking,
            tolerance: self.terms.tolerance,
            accepted: None,
            late_policy: self.terms.late_policy,
            options,
            created_at: now,
            expires_at,
            grace_ms: self.grace_ms,
            cancelled_at: None,
            metadata: self.metadata,
        };
        Some(NewOrder {
            order,
            request_digest: self.digest,
            slots,
            callback: self.callback.map(|callback| Callback {
                url: callback.url,
                origin: callback.origin,
                format: EventFormat::Standard,
            }),
        })
    }

    /// The ways to pay by an exact amount in `offer`: one per token, whose amount is to be chosen.
    fn slots(&self, offer: &Offer<'_>) -> impl Iterator<Item = SlotWish> {
        let chain = offer.chain;
        let finality = chain.finality.rule_for(self.amount);
        // A tolerance that nobody asked for takes no amounts away from other orders.
        let tolerance = self.terms.asked_tolerance;
        let terms = self.exact;
        offer.tokens.iter().map(move |token| SlotWish {
            token: (*token).clone(),
            wallets: chain.wallets.clone(),
            finality,
            tolerance,
            terms,
        })
    }
}

/// The ways to pay in `offer` whose amounts need not be chosen: one per token and method.
fn options(id: OrderId, largest: Amount, offer: &Offer<'_>) -> Vec<PaymentOption> {
    let chain = offer.chain;
    let finality = chain.finality.rule_for(largest);
    let mut options = Vec::new();
    for (token, method) in offer
        .tokens
        .iter()
        .flat_map(|token| offer.methods.iter().map(move |method| (*token, *method)))
    {
        let (address, method) = match (method, chain.receiver) {
            (MethodKind::DepositAddress, _) => {
                let (factory, treasury) = (chain.factory, chain.treasury);
                let address = deposit_address(factory, treasury, id.salt());
                (address, PaymentMethod::DepositAddress { factory, treasury })
            },
            (MethodKind::Contract, Some(receiver)) => {
                (chain.treasury, PaymentMethod::Contract { receiver })
            },
            (MethodKind::Contract, None) | (MethodKind::ExactAmount, _) => continue,
        };
        options.push(PaymentOption {
            token: token.clone(),
            address,
            method,
            finality,
        });
    }
    options
}

#[cfg(test)]
mod tests;
