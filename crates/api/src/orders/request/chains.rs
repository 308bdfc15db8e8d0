//! On which chains an order may be paid.

use std::collections::BTreeSet;

use serde_json::Value;

use super::keep;
use crate::problem::FieldError;
use crate::state::{ChainOffer, Shop};

/// The chains on which an order may be paid.
pub(super) enum Chains<'a> {
    /// Those that were named.
    Named(Vec<&'a ChainOffer>),
    /// All that there are.
    All(Vec<&'a ChainOffer>),
}

impl<'a> Chains<'a> {
    /// The chains.
    pub(super) fn list(&self) -> &[&'a ChainOffer] {
        match self {
            Self::Named(chains) | Self::All(chains) => chains,
        }
    }

    /// What was asked for, in canonical form.
    pub(super) fn asked(&self) -> Option<Vec<String>> {
        match self {
            Self::Named(chains) => {
                let ids: BTreeSet<_> = chains.iter().map(|chain| chain.id).collect();
                Some(ids.into_iter().map(|id| id.to_string()).collect())
            },
            Self::All(_) => None,
        }
    }
}

/// Reads the chains.
pub(super) fn chains<'a>(
    value: Option<&Value>,
    shop: &'a Shop,
) -> Result<Chains<'a>, Vec<FieldError>> {
    let list = match value {
        None | Some(Value::Null) => return Ok(Chains::All(shop.chains.iter().collect())),
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
    if errors.is_empty() {
        Ok(Chains::Named(chosen))
    } else {
        Err(errors)
    }
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
    shop.chain(&name).ok_or_else(|| {
        let detail = shop.not_configured(&name);
        FieldError::new("chains", "unknown_chain", detail)
    })
}
