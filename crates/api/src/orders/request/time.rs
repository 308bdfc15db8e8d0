//! For how long an order may be paid.

use std::time::Duration;

use serde_json::{Map, Value};

use super::keep;
use crate::problem::FieldError;
use crate::state::Shop;

/// The shortest time that an order can be paid in.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest grace after that.
const LONGEST_GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// For how long an order may be paid, and what was asked in canonical form.
pub(super) struct Times {
    pub(super) expires_in: Duration,
    pub(super) grace_ms: u32,
    pub(super) asked_expiry: Option<String>,
    pub(super) asked_grace: Option<String>,
}

/// Reads both.
pub(super) fn read(object: &Map<String, Value>, shop: &Shop) -> Result<Times, Vec<FieldError>> {
    let mut errors = Vec::new();
    let expiry = duration("expires_in", object, SHORTEST, shop.max_expiry);
    let grace = duration("grace", object, Duration::ZERO, LONGEST_GRACE);
    let (Some(expiry), Some(grace)) = (keep(expiry, &mut errors), keep(grace, &mut errors)) else {
        return Err(errors);
    };
    let grace_ms = grace.unwrap_or(shop.grace).as_millis();
    Ok(Times {
        expires_in: expiry.unwrap_or(shop.default_expiry),
        grace_ms: u32::try_from(grace_ms).unwrap_or(u32::MAX),
        asked_expiry: expiry.map(canonical),
        asked_grace: grace.map(canonical),
    })
}

fn canonical(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// A span of time from `least` to `most`, if one is given.
fn duration(
    field: &str,
    object: &Map<String, Value>,
    least: Duration,
    most: Duration,
) -> Result<Option<Duration>, FieldError> {
    let wrong = |detail: String| FieldError::new(field, "invalid", detail);
    let duration = match object.get(field) {
        None | Some(Value::Null) => return Ok(None),
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
    if duration < least || duration > most {
        let (least, most) = (
            humantime::format_duration(least),
            humantime::format_duration(most),
        );
        return Err(wrong(format!("must be between {least} and {most}")));
    }
    Ok(Some(duration))
}
