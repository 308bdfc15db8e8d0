//! The parameters of a request, as JSON or as a form, and what of them is signed. Pure.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use url::form_urlencoded;

const SIGNATURE: &str = "signature";

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    /// As it was sent.
    text: String,
    /// Whether it was sent as a number.
    is_number: bool,
}

/// The parameters by their names; those that are empty are as good as missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(BTreeMap<String, Value>);

/// An object as it was sent, in which no name is given twice.
struct Object(BTreeMap<String, Box<RawValue>>);

impl Parameters {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// In words, when it is none, or a value is neither a text nor a number.
    pub(super) fn of_json(text: &str) -> Result<Self, String> {
        let Object(object) = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut parameters = BTreeMap::new();
        for (name, raw) in object {
            let raw = raw.get();
            let value = match raw.bytes().next() {
                Some(b'"') => Value {
                    text: serde_json::from_str(raw).map_err(|error| error.to_string())?,
                    is_number: false,
                },
                Some(b'-' | b'0'..=b'9') => Value {
                    text: raw.to_owned(),
                    is_number: true,
                },
                Some(b'n') => continue,
                _ => return Err(format!("{name} must be a text or a number")),
            };
            parameters.insert(name, value);
        }
        Ok(Self::of(parameters))
    }

    /// Reads a form.
    ///
    /// # Errors
    /// In words, when a name is given twice.
    pub(super) fn of_form(text: &str) -> Result<Self, String> {
        let mut parameters = BTreeMap::new();
        for (name, text) in form_urlencoded::parse(text.as_bytes()) {
            let value = Value {
                text: text.into_owned(),
                is_number: false,
            };
            if parameters.insert(name.to_string(), value).is_some() {
                return Err(format!("{name:?} is given twice"));
            }
        }
        Ok(Self::of(parameters))
    }

    fn of(mut parameters: BTreeMap<String, Value>) -> Self {
        parameters.retain(|_, value| !value.text.is_empty());
        Self(parameters)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.text.as_str())
    }

    pub(super) fn signature(&self) -> &str {
        self.get(SIGNATURE).unwrap_or_default()
    }

    /// What may have been signed: all but the signature, with numbers as they were sent, and in their
    /// shortest form.
    pub(super) fn signed_texts(&self) -> [String; 2] {
        let text = |write: fn(&str) -> &str| {
            let signed = self.0.iter().filter(|(name, _)| *name != SIGNATURE);
            let pairs = signed.map(|(name, value)| {
                let text = &value.text;
                let text = if value.is_number { write(text) } else { text };
                format!("{name}={text}")
            });
            pairs.collect::<Vec<_>>().join("&")
        };
        [text(|sent| sent), text(shortest)]
    }
}

/// A decimal number without what says nothing: `42.50` is `42.5`, `42.0` is `42`.
pub(super) fn shortest(number: &str) -> &str {
    let is_plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !is_plain || !number.contains('.') {
        return number;
    }
    number.trim_end_matches('0').trim_end_matches('.')
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

/// Collects the fields of an object.
struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("{name:?} is given twice")));
            }
            object.insert(name, value);
        }
        Ok(Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_is_sorted_and_leaves_out_what_is_empty() {
        let json = r#"{"order_id":"A-1","amount":42.50,"notify_url":"https://shop.example/n",
            "redirect_url":"","name":null,"signature":"x"}"#;
        let parameters = Parameters::of_json(json).unwrap();
        let rest = "&notify_url=https://shop.example/n&order_id=A-1";
        let expected = ["42.50", "42.5"].map(|amount| format!("amount={amount}{rest}"));
        assert_eq!(parameters.signed_texts(), expected);
        assert_eq!(parameters.signature(), "x");
        let form =
            "order_id=A-1&amount=42.50&notify_url=https%3A%2F%2Fshop.example%2Fn&signature=x";
        let parameters = Parameters::of_form(form).unwrap();
        let sent = format!("amount=42.50{rest}");
        assert_eq!(parameters.signed_texts(), [sent.clone(), sent]);
    }

    #[test]
    fn what_is_no_plain_parameter_is_named() {
        for (wrong, why) in [
            (r#"{"amount":true}"#, "amount must be a text or a number"),
            (r#"{"a":[1]}"#, "a must be"),
            (r#"{"a":1,"a":2}"#, "given twice"),
            ("[]", "a JSON object"),
            ("", "EOF"),
        ] {
            let error = Parameters::of_json(wrong).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
        assert!(Parameters::of_form("a=1&a=2").is_err());
    }

    #[test]
    fn numbers_have_one_shortest_form() {
        for (sent, short) in [
            ("42", "42"),
            ("42.0", "42"),
            ("42.50", "42.5"),
            ("100", "100"),
            ("0.10", "0.1"),
            ("1e3", "1e3"),
            ("-1.0", "-1.0"),
        ] {
            assert_eq!(shortest(sent), short);
        }
    }
}
