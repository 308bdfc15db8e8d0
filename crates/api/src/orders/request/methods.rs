//! By which methods an order may be paid.

use std::collections::BTreeSet;

use paywatch_core::{Asking, MethodKind, UnknownName};
use serde_json::Value;

use super::chains::Chains;
use super::tokens::Offer;
use crate::problem::FieldError;
use crate::state::{ChainOffer, Shop};

/// The methods that were asked for, in canonical form.
pub(super) fn read(value: Option<&Value>) -> Result<Option<Vec<MethodKind>>, FieldError> {
    let wrong = |detail: String| FieldError::new("methods", "invalid", detail);
    let list = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) if !list.is_empty() => list,
        Some(_) => {
            let known = MethodKind::ALL.map(MethodKind::name).join(", ");
            return Err(wrong(format!("must be a list of at least one of {known}")));
        },
    };
    let mut methods = BTreeSet::new();
    for item in list {
        let name = item.as_str().unwrap_or_default();
        let method = name
            .parse()
            .map_err(|unknown: UnknownName| wrong(unknown.to_string()))?;
        if !methods.insert(method) {
            let detail = format!("{method} is named twice");
            return Err(FieldError::new("methods", "duplicate", detail));
        }
    }
    Ok(Some(methods.into_iter().collect()))
}

/// The `offers` with the methods by which each may be paid. Those without any are left out, unless
/// their chain was named.
pub(super) fn narrow<'a>(
    offers: Vec<Offer<'a>>,
    chains: &Chains<'_>,
    (asked, asking): (Option<&[MethodKind]>, Asking),
    shop: &Shop,
) -> Result<Vec<Offer<'a>>, FieldError> {
    if asking == Asking::AtLeast && asked == Some(&[MethodKind::ExactAmount]) {
        let detail =
            "exact_amount tells orders apart by their amounts, so any_amount cannot be paid by it";
        return Err(FieldError::new("methods", "invalid", detail));
    }
    let mut usable = Vec::with_capacity(offers.len());
    let mut without = Vec::new();
    for offer in offers {
        let methods = methods_of(offer.chain, asked, asking, shop);
        if methods.is_empty() {
            without.push(offer.chain);
        } else {
            usable.push(Offer { methods, ..offer });
        }
    }
    let is_named = match chains {
        Chains::Named(_) => true,
        Chains::All(_) => false,
    };
    match without.first() {
        Some(chain) if is_named || usable.is_empty() => Err(no_method(chain)),
        Some(_) | None => Ok(usable),
    }
}

fn no_method(chain: &ChainOffer) -> FieldError {
    let able: Vec<_> = MethodKind::ALL
        .into_iter()
        .filter(|method| chain.has(*method))
        .map(MethodKind::name)
        .collect();
    let name = &chain.name;
    let detail = if able.is_empty() {
        format!(
            "orders cannot be paid on {name}: there are no deposit addresses, and neither wallets \
             nor a payment receiver are configured for it"
        )
    } else {
        let able = able.join(", ");
        format!("{name} can be paid by {able} only; name that in \"methods\", or leave {name} out")
    };
    FieldError::new("chains", "no_method", detail)
}

/// Without a wish, the shop's methods, or else the first that the chain has at all.
fn methods_of(
    chain: &ChainOffer,
    asked: Option<&[MethodKind]>,
    asking: Asking,
    shop: &Shop,
) -> Vec<MethodKind> {
    let fits = |method: &MethodKind| {
        let is_told_apart = asking == Asking::Exactly || *method != MethodKind::ExactAmount;
        is_told_apart && chain.has(*method)
    };
    let wanted = asked.unwrap_or(&shop.methods);
    let methods: Vec<_> = wanted.iter().copied().filter(fits).collect();
    if methods.is_empty() && asked.is_none() {
        return MethodKind::ALL.into_iter().filter(fits).take(1).collect();
    }
    methods
}
