//! What is enough for an order, and what happens with late money.

use paywatch_core::{Amount, Asking, LatePolicy, Percent, Tolerance};
use serde_json::{Map, Value};

use super::{keep, text};
use crate::problem::FieldError;
use crate::state::Shop;

/// The terms that a request names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) any_amount: Option<bool>,
    pub(super) tolerance: Option<Amount>,
    pub(super) tolerance_percent: Option<Percent>,
    pub(super) late_policy: Option<LatePolicy>,
}

/// The terms of an order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) asking: Asking,
    pub(super) tolerance: Amount,
    /// What of that was asked for in the request.
    pub(super) asked_tolerance: Amount,
    pub(super) late_policy: LatePolicy,
}

/// Reads the terms.
pub(super) fn read(object: &Map<String, Value>) -> Result<Asked, Vec<FieldError>> {
    let mut errors = Vec::new();
    let any_amount = keep(flag("any_amount", object), &mut errors);
    let tolerance = keep(parsed("tolerance", object), &mut errors);
    let tolerance_percent = keep(parsed("tolerance_percent", object), &mut errors);
    let late_policy = keep(parsed("late_payments", object), &mut errors);
    match (any_amount, tolerance, tolerance_percent, late_policy) {
        (Some(any_amount), Some(tolerance), Some(tolerance_percent), Some(late_policy)) => {
            Ok(Asked {
                any_amount,
                tolerance,
                tolerance_percent,
                late_policy,
            })
        },
        _some_are_wrong => Err(errors),
    }
}

fn flag(field: &str, object: &Map<String, Value>) -> Result<Option<bool>, FieldError> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(FieldError::new(field, "invalid", "must be true or false")),
    }
}

/// A text that reads as a `T`, if there is one.
fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    object: &Map<String, Value>,
) -> Result<Option<T>, FieldError> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        some => {
            let parsed = text(field, some)?.parse();
            parsed
                .map(Some)
                .map_err(|error| FieldError::new(field, "invalid", error))
        },
    }
}

impl Asked {
    /// The terms of an order of `amount`.
    pub(super) fn terms(&self, amount: Amount, shop: &Shop) -> Result<Terms, FieldError> {
        let late_policy = self.late_policy.unwrap_or(shop.late_policy);
        let is_tolerant = self.tolerance.is_some() || self.tolerance_percent.is_some();
        if self.any_amount == Some(true) {
            if is_tolerant {
                let detail = "means nothing together with any_amount: ask for less instead";
                return Err(FieldError::new("tolerance", "invalid", detail));
            }
            return Ok(Terms {
                asking: Asking::AtLeast,
                tolerance: Amount::ZERO,
                asked_tolerance: Amount::ZERO,
                late_policy,
            });
        }
        let tolerance = if is_tolerant {
            let asked = Tolerance {
                absolute: self.tolerance.unwrap_or_default(),
                percent: self.tolerance_percent.unwrap_or_default(),
            };
            if asked.for_amount(amount) < asked.absolute {
                let detail = "may be at most half of the amount";
                return Err(FieldError::new("tolerance", "invalid", detail));
            }
            asked
        } else {
            shop.tolerance
        };
        Ok(Terms {
            asking: Asking::Exactly,
            tolerance: tolerance.for_amount(amount),
            asked_tolerance: if is_tolerant {
                tolerance.for_amount(amount)
            } else {
                Amount::ZERO
            },
            late_policy,
        })
    }
}
