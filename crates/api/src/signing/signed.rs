//! What the headers say of a signature.

use axum::http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, FieldType as _, InnerList, List, ListEntry, Parameters, Parser};

use crate::problem::{Code, Problem};
use crate::signing::invalid;

const INPUT: HeaderName = HeaderName::from_static("signature-input");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
/// How long a nonce may be.
const NONCE: std::ops::RangeInclusive<usize> = 8..=128;
/// How much may be covered at most.
const MOST_COMPONENTS: usize = 20;

/// A signature and what it says that it covers.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) components: Vec<String>,
    /// The value of `@signature-params`.
    pub(crate) params_line: String,
    pub(crate) signature: Vec<u8>,
    /// When it was made, in seconds since 1970.
    pub(crate) created: i64,
    /// When it ends, in seconds since 1970.
    pub(crate) expires: Option<i64>,
    pub(crate) nonce: String,
    algorithm: Option<String>,
    key_id: Option<String>,
}

impl Signed {
    /// Reads `Signature-Input` and `Signature`, which must hold exactly one signature.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        if !headers.contains_key(INPUT) || !headers.contains_key(SIGNATURE) {
            let detail = "send Signature-Input and Signature (RFC 9421) over @method, @path, @query \
                          and content-digest, with created and nonce";
            return Err(Problem::because(Code::SignatureRequired, detail));
        }
        let (label, covered) = only_member(headers, &INPUT)?;
        let (signed_label, signature) = only_member(headers, &SIGNATURE)?;
        if label != signed_label {
            return Err(invalid("Signature and Signature-Input name two signatures"));
        }
        let ListEntry::InnerList(covered) = covered else {
            return Err(invalid("Signature-Input must hold a list in brackets"));
        };
        let bytes = match &signature {
            ListEntry::Item(item) if item.params.is_empty() => item.bare_item.as_byte_sequence(),
            ListEntry::Item(_) | ListEntry::InnerList(_) => None,
        };
        let no_bytes = || invalid("Signature must hold base64 between colons");
        let signature = bytes.ok_or_else(no_bytes)?.to_vec();
        Self::of(covered, signature)
    }

    fn of(covered: InnerList, signature: Vec<u8>) -> Result<Self, Problem> {
        let components = components(&covered)?;
        let number = |name: &str| covered.params.get(name).and_then(BareItem::as_integer);
        let params = &covered.params;
        let created = number("created")
            .ok_or_else(|| invalid("the signature needs created, in seconds since 1970"))?;
        if params.contains_key("expires") && number("expires").is_none() {
            return Err(invalid("expires must be in seconds since 1970"));
        }
        let expires = number("expires").map(i64::from);
        let nonce = text(params, "nonce")?
            .filter(|nonce| NONCE.contains(&nonce.len()))
            .ok_or_else(|| invalid("the signature needs a nonce of 8 to 128 characters"))?;
        let (algorithm, key_id) = (text(params, "alg")?, text(params, "keyid")?);
        let list: List = vec![ListEntry::InnerList(covered)];
        Ok(Self {
            components,
            params_line: list.serialize().unwrap_or_default(),
            signature,
            created: i64::from(created),
            expires,
            nonce,
            algorithm,
            key_id,
        })
    }

    /// Whether it covers `component`.
    pub(crate) fn covers(&self, component: &str) -> Result<(), Problem> {
        if self.components.iter().any(|covered| covered == component) {
            return Ok(());
        }
        Err(invalid(format!("the signature does not cover {component}")))
    }

    /// Whether key and algorithm are these, if it names any.
    pub(crate) fn names(&self, key_id: &str, algorithm: &str) -> Result<(), Problem> {
        for (what, given, right) in [
            ("keyid", &self.key_id, key_id),
            ("alg", &self.algorithm, algorithm),
        ] {
            if given.as_ref().is_some_and(|given| given != right) {
                return Err(invalid(format!("{what} must be {right:?}, or left out")));
            }
        }
        Ok(())
    }
}

/// The only member of the dictionary in a header, and its name.
fn only_member(headers: &HeaderMap, name: &HeaderName) -> Result<(String, ListEntry), Problem> {
    let members = dictionary(headers, name)?;
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some((label, member)), None) => Ok((label.to_string(), member)),
        _none_or_many => Err(invalid(format!("{name} must hold exactly one signature"))),
    }
}

/// The dictionary (RFC 9651) in a header.
pub(crate) fn dictionary(headers: &HeaderMap, name: &HeaderName) -> Result<Dictionary, Problem> {
    let mut lines = Vec::new();
    for line in headers.get_all(name) {
        let line = line.to_str();
        lines.push(line.map_err(|cause| invalid(format!("{name} is no text: {cause}")))?);
    }
    let parsed = Parser::new(&lines.join(", ")).parse();
    parsed.map_err(|cause| invalid(format!("{name} cannot be read: {cause}")))
}

/// A parameter that is a text, if it is given.
fn text(params: &Parameters, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = params.get(name) else {
        return Ok(None);
    };
    match value.as_string() {
        Some(text) => Ok(Some(text.as_str().to_owned())),
        None => Err(invalid(format!("{name} must be a text in quotes"))),
    }
}

/// The names of what is covered, each once and without parameters.
fn components(covered: &InnerList) -> Result<Vec<String>, Problem> {
    let mut names: Vec<String> = Vec::new();
    for item in &covered.items {
        let name = item.bare_item.as_string().map(|name| name.as_str());
        let is_plain = |name: &&str| {
            let is_new = !names.iter().any(|known| known == name);
            // Nothing that is written otherwise in quotes, or not at all in the name of a header.
            let is_odd = |b: u8| b.is_ascii_uppercase() || matches!(b, b'"' | b'\\');
            let is_lower = !name.bytes().any(is_odd);
            is_new && is_lower && item.params.is_empty()
        };
        let name = name.filter(is_plain).ok_or_else(|| {
            invalid("what is covered must be named once, in small letters, without parameters")
        })?;
        names.push(name.to_owned());
    }
    if names.len() > MOST_COMPONENTS {
        return Err(invalid(format!(
            "more than {MOST_COMPONENTS} things are covered"
        )));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(input: &str, signature: &str) -> Result<Signed, Problem> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(INPUT, input), (SIGNATURE, signature)] {
            headers.insert(name, value.parse().map_err(invalid_in_test)?);
        }
        Signed::read(&headers)
    }

    fn invalid_in_test(error: axum::http::header::InvalidHeaderValue) -> Problem {
        invalid(error)
    }

    const FINE: &str = "s=(\"@method\");created=1;nonce=\"12345678\"";

    #[test]
    fn exactly_one_signature_is_read_and_nothing_half() {
        let signed = read(FINE, "s=:AAAA:").unwrap();
        assert_eq!(signed.params_line, FINE.trim_start_matches("s="));
        assert_eq!((signed.signature, signed.created), (vec![0; 3], 1));
        for (input, signature) in [
            (FINE, "t=:AAAA:"),
            (FINE, "s=:AAAA:, t=:AAAA:"),
            (FINE, "s=\"AAAA\""),
            (FINE, "s=(:AAAA:)"),
            (FINE, "s=:AAAA:;x"),
            (FINE, ""),
            ("s", "s=:AAAA:"),
            ("s=\"@method\"", "s=:AAAA:"),
            (
                "s=(\"@method\";req);created=1;nonce=\"12345678\"",
                "s=:AAAA:",
            ),
            ("s=(\"@Method\");created=1;nonce=\"12345678\"", "s=:AAAA:"),
            ("s=(@method);created=1;nonce=\"12345678\"", "s=:AAAA:"),
            ("s=(\"@method\");created=1.5;nonce=\"12345678\"", "s=:AAAA:"),
            (
                "s=(\"@method\");created=1;expires;nonce=\"12345678\"",
                "s=:AAAA:",
            ),
        ] {
            assert!(read(input, signature).is_err(), "{input} {signature}");
        }
    }

    proptest! {
        /// Whatever strangers send is read or refused.
        #[test]
        fn any_headers_are_read_or_refused(input in "[ -~]{0,60}", signature in "[ -~]{0,40}") {
            let _read_or_refused = read(&input, &signature);
        }

        /// Whatever comes near to what is expected is, too, and what is read is what was written.
        #[test]
        fn what_is_read_is_what_was_written(
            name in "[a-z@\"\\\\();=:-]{0,12}",
            more in "(;[a-z]{1,3}(=[0-9a-z\":?.-]{1,8})?){0,3}",
        ) {
            let input = format!("s=(\"{name}\");created=1;nonce=\"12345678\"{more}");
            if let Ok(signed) = read(&input, "s=:AAAA:") {
                prop_assert_eq!(signed.components, vec![name]);
                prop_assert!(signed.params_line.contains(";created="));
            }
        }
    }
}
