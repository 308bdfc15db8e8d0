//! A request's body, from bytes to a JSON object.

mod deadline;

use std::fmt;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::body::deadline::was_too_slow;
pub(crate) use crate::body::deadline::within;
use crate::problem::{Code, FieldError, Problem};

/// A JSON object in which no name is given twice: which of two amounts counts would be a guess.
struct Unambiguous(Map<String, Value>);

/// Reads the JSON object of a request, which may be at most `limit` bytes long.
pub(crate) async fn read_object(
    request: Request,
    limit: usize,
) -> Result<Map<String, Value>, Problem> {
    parse(read_text(request, limit).await?.as_bytes())
}

/// Reads the JSON text of a request, which may be at most `limit` bytes long, as it is.
pub(crate) async fn read_text(request: Request, limit: usize) -> Result<String, Problem> {
    let bytes = read_json(request, limit).await?;
    String::from_utf8(bytes.into()).map_err(|error| Problem::because(Code::MalformedJson, error))
}

async fn read_json(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let headers = request.headers();
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_json = media_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        let given = media_type.unwrap_or("missing");
        let detail = format!("content-type is {given}; send application/json");
        return Err(Problem::because(Code::UnsupportedMediaType, detail));
    }
    let announced = headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    read_bytes(request.into_body(), limit).await
}

/// Reads a body that may be at most `limit` bytes long.
pub(crate) async fn read_bytes(body: Body, limit: usize) -> Result<Bytes, Problem> {
    to_bytes(body, limit).await.map_err(|error| {
        if was_too_slow(&error) {
            Problem::because(Code::BodyTooSlow, "send it whole, and sooner")
        } else {
            too_large(limit)
        }
    })
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("it must come whole and be at most {limit} bytes long");
    Problem::because(Code::BodyTooLarge, detail)
}

/// Reads a JSON object in which no name is given twice.
pub(crate) fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    serde_json::from_slice(bytes)
        .map(|Unambiguous(object)| object)
        .map_err(|error| Problem::because(Code::MalformedJson, error))
}

/// What is wrong with an object that may have the fields of `known` and no others.
pub(crate) fn unknown_fields(object: &Map<String, Value>, known: &[&str]) -> Vec<FieldError> {
    let unknown = object.keys().filter(|key| !known.contains(&key.as_str()));
    unknown
        .map(|key| {
            let detail = format!("unknown; known are {}", known.join(", "));
            FieldError::new(key, "unknown_field", detail)
        })
        .collect()
}

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Collects the fields of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Unambiguous;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Unambiguous, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("{name:?} is given twice")));
            }
            object.insert(name, value);
        }
        Ok(Unambiguous(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unambiguous_object_is_read() {
        assert_eq!(parse(br#"{"a": "1", "b": 2}"#).unwrap().len(), 2);
        for (wrong, why) in [
            ("", "EOF"),
            ("{", "EOF"),
            ("[]", "a JSON object"),
            ("\"100\"", "a JSON object"),
            ("{} {}", "trailing"),
            (
                r#"{"amount": "1", "amount": "100"}"#,
                r#""amount" is given twice"#,
            ),
        ] {
            let problem = format!("{:?}", parse(wrong.as_bytes()).unwrap_err());
            assert!(problem.contains("MalformedJson"), "{wrong}: {problem}");
            let readable = problem.replace('\\', "");
            assert!(readable.contains(why), "{wrong}: {problem}");
        }
    }
}
