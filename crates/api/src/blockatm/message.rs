//! What clients of that gateway sign: the fields of a request in one line, and its time.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// How deep objects may lie in each other.
const DEEPEST: usize = 16;

/// A body of which no message can be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessageError {
    /// It is not JSON.
    #[error("the body is not a JSON object: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It nests without end.
    #[error("the body nests deeper than {DEEPEST} objects")]
    TooDeep,
}

/// The message of a request with the JSON object `body`, sent at `time`: `key=value` of every
/// field that is not null, by the ASCII order of the keys and joined by `&`; those of an object in
/// it stand in its place. Numbers are as they were written.
pub(super) fn of_body(body: &str, time: &str) -> Result<String, MessageError> {
    Ok(timed(fields_of(body)?, time))
}

/// The same without the time.
pub(super) fn fields_of(body: &str) -> Result<String, MessageError> {
    let mut pairs = Vec::new();
    object(body, DEEPEST, &mut pairs)?;
    Ok(pairs.join("&"))
}

/// The message of a request with this raw query string, sent at `time`.
pub(super) fn of_query(query: &str, time: &str) -> String {
    timed(query.to_owned(), time)
}

fn timed(mut message: String, time: &str) -> String {
    if !message.is_empty() {
        message.push('&');
    }
    message.push_str("time=");
    message.push_str(time);
    message
}

fn object(json: &str, deeper: usize, pairs: &mut Vec<String>) -> Result<(), MessageError> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json)?;
    for (key, value) in fields {
        field(&key, value.get(), deeper, pairs)?;
    }
    Ok(())
}

fn field(
    key: &str,
    json: &str,
    deeper: usize,
    pairs: &mut Vec<String>,
) -> Result<(), MessageError> {
    let deeper = deeper.checked_sub(1).ok_or(MessageError::TooDeep)?;
    match json.as_bytes().first() {
        Some(b'n') | None => Ok(()),
        Some(b'{') => object(json, deeper, pairs),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json)?;
            for item in items {
                field(key, item.get(), deeper, pairs)?;
            }
            Ok(())
        },
        Some(b'"') => {
            let text: String = serde_json::from_str(json)?;
            pairs.push(format!("{key}={text}"));
            Ok(())
        },
        Some(_) => {
            pairs.push(format!("{key}={json}"));
            Ok(())
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sorted_and_written_as_they_were() {
        let body = r#"{ "symbol":"USDT", "amount": 13.410037, "chainId":5, "Zone": null,
            "b": {"z": true, "a": "x y&"}, "list": [{"k":1.50}, {"k":2e3}], "none": {} }"#;
        let message = of_body(body, "1696947336603").unwrap();
        assert_eq!(
            message,
            "amount=13.410037&a=x y&&z=true&chainId=5&k=1.50&k=2e3&symbol=USDT&time=1696947336603"
        );
    }

    #[test]
    fn nothing_is_signed_with_its_time() {
        assert_eq!(of_body("{}", "7").unwrap(), "time=7");
        assert_eq!(of_query("", "7"), "time=7");
        assert_eq!(of_query("chainId=1&page=2", "7"), "chainId=1&page=2&time=7");
    }

    #[test]
    fn what_is_no_object_or_nests_without_end_is_refused() {
        for wrong in ["", "[]", "\"x\"", "{\"a\":", "{\"a\":1}x"] {
            assert!(of_body(wrong, "7").is_err(), "{wrong}");
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(30), "}".repeat(30));
        assert!(matches!(of_body(&deep, "7"), Err(MessageError::TooDeep)));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(30), "]".repeat(30));
        assert!(matches!(of_body(&deep, "7"), Err(MessageError::TooDeep)));
    }
}
