//! What people ask about endpoints, from JSON to checked values. Pure: every problem is found at
//! once.

mod bodies;

use paywatch_core::{
    EndpointName, EventFormat, EventTypes, LONGEST_OVERLAP_S, MOST_TOLD_AGAIN, Reason,
    SignatureKind,
};
use serde_json::{Map, Value, json};

use crate::body::unknown_fields;
pub(crate) use crate::endpoints::request::bodies::{
    ChangeEndpoint, CreateEndpoint, Redeliver, RotateSecret,
};
use crate::orders::request::{keep, text};
use crate::problem::FieldError;
use crate::wire::parsed;

/// What the audit log says if nothing is given.
const NO_REASON: &str = "no reason given";

/// A webhook to be made.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: EndpointName,
    pub(super) url: String,
    pub(super) types: EventTypes,
    pub(super) signature: SignatureKind,
    pub(super) format: EventFormat,
    pub(super) reason: Reason,
}

/// A change of an endpoint.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) name: Option<EndpointName>,
    pub(super) url: Option<String>,
    pub(super) types: Option<EventTypes>,
    pub(super) reason: Reason,
}

/// What is to be told again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Again {
    Failed,
    Range(u64, u64),
    Event(String),
}

/// Says whether something may be sent to a URL.
type CheckUrl<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Reads what is asked for a new webhook.
///
/// # Errors
/// Every field that is wrong, with what is allowed.
pub(super) fn create(
    object: &Map<String, Value>,
    check: CheckUrl<'_>,
) -> Result<Wanted, Vec<FieldError>> {
    let known = ["name", "url", "types", "signature", "format", "reason"];
    let mut errors = unknown_fields(object, &known);
    let name = keep(name(object.get("name")), &mut errors);
    let url = keep(url(object.get("url"), check), &mut errors);
    let types = keep(optional(object, "types", types), &mut errors);
    let signature = keep(optional(object, "signature", signature), &mut errors);
    let format = keep(optional(object, "format", format), &mut errors);
    let format = format.map(|format| format.unwrap_or(EventFormat::Standard));
    let types = format.zip(types).and_then(|(format, types)| {
        keep(
            told_in(format, types.unwrap_or(EventTypes::All)),
            &mut errors,
        )
    });
    let signature = format.zip(signature).and_then(|(format, signature)| {
        let fits = format.signed_by(signature);
        keep(
            fits.map_err(|error| FieldError::new("signature", "unsupported", error)),
            &mut errors,
        )
    });
    let reason = keep(reason(object), &mut errors);
    match (name, url, types, signature, format, reason) {
        (Some(name), Some(url), Some(types), Some(signature), Some(format), Some(reason))
            if errors.is_empty() =>
        {
            Ok(Wanted {
                name,
                url,
                types,
                signature,
                format,
                reason,
            })
        },
        _something_is_wrong => Err(errors),
    }
}

/// Reads what is to be changed about a webhook that is told in `form`.
///
/// # Errors
/// Every field that is wrong, with what is allowed.
pub(super) fn change(
    object: &Map<String, Value>,
    form: EventFormat,
    check: CheckUrl<'_>,
) -> Result<Changed, Vec<FieldError>> {
    let known = ["name", "url", "types", "reason"];
    let mut errors = unknown_fields(object, &known);
    let name = keep(optional(object, "name", |it| name(Some(it))), &mut errors);
    let url = keep(
        optional(object, "url", |it| url(Some(it), check)),
        &mut errors,
    );
    let types = optional(object, "types", |it| told_in(form, types(it)?));
    let types = keep(types, &mut errors);
    let reason = keep(reason(object), &mut errors);
    if let (Some(None), Some(None), Some(None)) = (&name, &url, &types) {
        let detail = "give at least one of name, url and types";
        errors.push(FieldError::new("name", "missing", detail));
    }
    match (name, url, types, reason) {
        (Some(name), Some(url), Some(types), Some(reason)) if errors.is_empty() => Ok(Changed {
            name,
            url,
            types,
            reason,
        }),
        _something_is_wrong => Err(errors),
    }
}

/// Reads for how many seconds old secrets are to sign along, if it is said, and why they are
/// replaced.
///
/// # Errors
/// Every field that is wrong, with what is allowed.
pub(super) fn rotate(
    object: &Map<String, Value>,
) -> Result<(Option<u64>, Reason), Vec<FieldError>> {
    let field = "overlap_seconds";
    let mut errors = unknown_fields(object, &[field, "reason"]);
    let overlap = optional(object, field, |value| {
        let seconds = value.as_u64().filter(|it| *it <= LONGEST_OVERLAP_S);
        seconds.ok_or_else(|| {
            let detail = format!("must be whole seconds between 0 and {LONGEST_OVERLAP_S}");
            FieldError::new(field, "invalid", detail)
        })
    });
    let overlap = keep(overlap, &mut errors);
    match (overlap, keep(reason(object), &mut errors)) {
        (Some(overlap), Some(reason)) if errors.is_empty() => Ok((overlap, reason)),
        _something_is_wrong => Err(errors),
    }
}

/// Reads what is to be told again.
///
/// # Errors
/// Every field that is wrong, with what is allowed.
pub(super) fn redeliver(object: &Map<String, Value>) -> Result<(Again, Reason), Vec<FieldError>> {
    let mut errors = unknown_fields(object, &["failed", "from", "to", "event", "reason"]);
    let failed = optional(object, "failed", |value| {
        let wrong = || FieldError::new("failed", "invalid", "can only be true");
        (value.as_bool() == Some(true))
            .then_some(())
            .ok_or_else(wrong)
    });
    let failed = keep(failed, &mut errors);
    let from = keep(
        optional(object, "from", |it| sequence("from", it)),
        &mut errors,
    );
    let to = keep(optional(object, "to", |it| sequence("to", it)), &mut errors);
    let event = optional(object, "event", |it| {
        text("event", Some(it)).map(str::to_owned)
    });
    let event = keep(event, &mut errors);
    let reason = keep(reason(object), &mut errors);
    let (Some(failed), Some(from), Some(to), Some(event), Some(reason), true) =
        (failed, from, to, event, reason, errors.is_empty())
    else {
        return Err(errors);
    };
    let again = match (failed, from.zip(to), from.or(to), event) {
        (Some(()), None, None, None) => Again::Failed,
        (None, Some((from, to)), _, None) => range(from, to)?,
        (None, None, Some(_), None) => {
            let detail = "from and to are given together";
            return Err(FieldError::new("from", "invalid", detail).into());
        },
        (None, None, None, Some(id)) => Again::Event(id),
        _none_or_several => {
            let detail = "give one of \"failed\": true, from with to, and event";
            return Err(FieldError::new("failed", "invalid", detail).into());
        },
    };
    Ok((again, reason))
}

fn range(from: u64, to: u64) -> Result<Again, FieldError> {
    if to < from {
        return Err(FieldError::new(
            "to",
            "invalid",
            "must not be less than from",
        ));
    }
    if to.saturating_sub(from) >= MOST_TOLD_AGAIN {
        let detail = format!("at most {MOST_TOLD_AGAIN} events at once: go on after that");
        return Err(FieldError::new("to", "too_many", detail));
    }
    Ok(Again::Range(from, to))
}

/// A field that need not be there.
fn optional<T>(
    object: &Map<String, Value>,
    field: &str,
    read: impl FnOnce(&Value) -> Result<T, FieldError>,
) -> Result<Option<T>, FieldError> {
    let given = object.get(field).filter(|value| !value.is_null());
    given.map(read).transpose()
}

fn name(value: Option<&Value>) -> Result<EndpointName, FieldError> {
    parsed("name", text("name", value)?)
}

fn url(value: Option<&Value>, check: CheckUrl<'_>) -> Result<String, FieldError> {
    let text = text("url", value)?;
    check(text).map_err(|why| FieldError::new("url", "not_allowed", why))
}

fn types(value: &Value) -> Result<EventTypes, FieldError> {
    let wrong = |detail: String| FieldError::new("types", "invalid", detail);
    let list = value.as_array().and_then(|list| {
        let texts = list.iter().map(Value::as_str);
        texts.collect::<Option<Vec<&str>>>()
    });
    let example = json!(["order.*"]);
    let list = list.ok_or_else(|| wrong(format!("must be a list of strings, like {example}")))?;
    if list.is_empty() {
        return Err(wrong(
            "is empty; leave it out to be told of everything".to_owned(),
        ));
    }
    EventTypes::read(list).map_err(|error| wrong(error.to_string()))
}

fn signature(value: &Value) -> Result<SignatureKind, FieldError> {
    parsed("signature", text("signature", Some(value))?)
}

fn format(value: &Value) -> Result<EventFormat, FieldError> {
    parsed("format", text("format", Some(value))?)
}

/// What a webhook is told of in `format`.
fn told_in(format: EventFormat, types: EventTypes) -> Result<EventTypes, FieldError> {
    let told = format.told_of(types);
    told.map_err(|error| FieldError::new("types", "unsupported", error))
}

fn reason(object: &Map<String, Value>) -> Result<Reason, FieldError> {
    let given = optional(object, "reason", |value| {
        text("reason", Some(value)).map(str::to_owned)
    })?;
    parsed("reason", given.as_deref().unwrap_or(NO_REASON))
}

fn sequence(field: &str, value: &Value) -> Result<u64, FieldError> {
    // The database counts in signed numbers.
    let number = value
        .as_u64()
        .filter(|it| *it > 0 && i64::try_from(*it).is_ok());
    number.ok_or_else(|| FieldError::new(field, "invalid", "is no event's sequence"))
}

#[cfg(test)]
mod tests;
