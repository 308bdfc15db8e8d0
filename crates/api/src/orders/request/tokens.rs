//! In which tokens an order may be paid.

use std::collections::BTreeSet;

use paywatch_core::{MethodKind, Token};
use serde_json::Value;

use super::chains::Chains;
use crate::problem::FieldError;
use crate::state::{ChainOffer, Shop};

/// A chain, and the tokens in which an order may be paid there.
#[derive(Clone, Debug)]
pub(super) struct Offer<'a> {
    pub(super) chain: &'a ChainOffer,
    pub(super) tokens: Vec<&'a Token>,
    pub(super) methods: Vec<MethodKind>,
}

/// The symbols that were asked for, in canonical form.
pub(super) fn read(value: Option<&Value>) -> Result<Option<Vec<String>>, FieldError> {
    let wrong = |detail| FieldError::new("tokens", "invalid", detail);
    let list = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(list)) if !list.is_empty() => list,
        Some(_) => return Err(wrong("must be a list of at least one symbol")),
    };
    let mut symbols = BTreeSet::new();
    for item in list {
        let symbol = item
            .as_str()
            .ok_or_else(|| wrong("must hold symbols, such as \"USDT\""))?;
        if !symbols.insert(symbol.to_ascii_uppercase()) {
            return Err(FieldError::new(
                "tokens",
                "duplicate",
                format!("{symbol} is named twice"),
            ));
        }
    }
    Ok(Some(symbols.into_iter().collect()))
}

/// What is offered on `chains` in the tokens `asked` for, or else in those of the shop.
pub(super) fn offers<'a>(
    chains: &Chains<'a>,
    asked: Option<&[String]>,
    shop: &Shop,
) -> Result<Vec<Offer<'a>>, Vec<FieldError>> {
    let wanted = asked.or(shop.tokens.as_deref());
    let is_wanted = |token: &&Token| {
        wanted.is_none_or(|wanted| {
            let mut symbols = wanted.iter();
            symbols.any(|symbol| symbol.eq_ignore_ascii_case(&token.symbol))
        })
    };
    let offers: Vec<Offer<'a>> = chains
        .list()
        .iter()
        .map(|chain| Offer {
            chain,
            tokens: chain.tokens.iter().filter(is_wanted).collect(),
            methods: Vec::new(),
        })
        .collect();
    let mut errors: Vec<FieldError> = asked
        .unwrap_or_default()
        .iter()
        .filter(|symbol| !is_offered(&offers, symbol))
        .map(|symbol| {
            let names: Vec<_> = offers.iter().map(|it| it.chain.name.as_str()).collect();
            let detail = format!("{symbol} is not configured on {}", names.join(", "));
            FieldError::new("tokens", "unknown_token", detail)
        })
        .collect();
    let (usable, empty): (Vec<_>, Vec<_>) = offers
        .into_iter()
        .partition(|offer| !offer.tokens.is_empty());
    if let Chains::Named(_) = chains {
        errors.extend(empty.iter().map(|offer| {
            let detail = format!("{} has none of the tokens of the order", offer.chain.name);
            FieldError::new("chains", "no_token", detail)
        }));
    } else if usable.is_empty() && errors.is_empty() {
        let detail = "no chain has any of the tokens of the order";
        errors.push(FieldError::new("tokens", "unknown_token", detail));
    }
    if errors.is_empty() {
        Ok(usable)
    } else {
        Err(errors)
    }
}

fn is_offered(offers: &[Offer<'_>], symbol: &str) -> bool {
    offers
        .iter()
        .flat_map(|offer| &offer.tokens)
        .any(|token| token.symbol.eq_ignore_ascii_case(symbol))
}
