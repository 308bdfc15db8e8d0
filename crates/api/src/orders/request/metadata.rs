//! The merchant's own notes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::orders::request::keep;
use crate::problem::FieldError;

/// Limits of the merchant's own notes.
const MOST_KEYS: usize = 50;
const LONGEST_KEY: usize = 40;
const LONGEST_VALUE: usize = 500;

/// Reads `metadata`.
pub(super) fn read(value: Option<&Value>) -> Result<BTreeMap<String, String>, Vec<FieldError>> {
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
