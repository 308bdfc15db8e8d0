//! The signature base (RFC 9421, section 2.5): the text that is signed.

use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderName};

use crate::problem::Problem;
use crate::signing::invalid;
use crate::signing::signed::Signed;

/// What `signed` says that was signed of `request`.
pub(crate) fn of(signed: &Signed, request: &Request) -> Result<String, Problem> {
    let mut base = String::new();
    for name in &signed.components {
        let value = component(name, request)?;
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {}", signed.params_line));
    Ok(base)
}

fn component(name: &str, request: &Request) -> Result<String, Problem> {
    let uri = request.uri();
    match name {
        "@method" => Ok(request.method().as_str().to_owned()),
        "@path" if uri.path().is_empty() => Ok("/".to_owned()),
        "@path" => Ok(uri.path().to_owned()),
        "@query" => Ok(format!("?{}", uri.query().unwrap_or_default())),
        "@authority" => authority(request.headers()),
        derived if derived.starts_with('@') => {
            let known = "@method, @path, @query, @authority and headers";
            Err(invalid(format!(
                "{derived} is not known here; cover {known}"
            )))
        },
        field => header(request.headers(), field),
    }
}

/// Where the request was sent, without the usual ports.
fn authority(headers: &HeaderMap) -> Result<String, Problem> {
    let host = header(headers, HOST.as_str())?.to_ascii_lowercase();
    let plain = host
        .strip_suffix(":443")
        .or_else(|| host.strip_suffix(":80"));
    Ok(plain.unwrap_or(&host).to_owned())
}

/// All values of a header in one.
fn header(headers: &HeaderMap, name: &str) -> Result<String, Problem> {
    let known: HeaderName = name
        .parse()
        .map_err(|cause| invalid(format!("{name:?} is no header: {cause}")))?;
    if !headers.contains_key(&known) {
        return Err(invalid(format!("{known} is covered, and was not sent")));
    }
    let mut values = Vec::new();
    for value in headers.get_all(&known) {
        let text = value.to_str();
        values.push(text.map_err(|cause| invalid(format!("{known} is no text: {cause}")))?);
    }
    let trimmed: Vec<_> = values.into_iter().map(str::trim).collect();
    Ok(trimmed.join(", "))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::signing::PublicKey;

    /// RFC 9421, appendix B.2.6, with the nonce that this profile wants: the base is the RFC's but
    /// for it, and the RFC's own signature verifies over the RFC's own base.
    #[test]
    fn the_base_is_the_one_of_the_rfc() {
        let input = "sig-b26=(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \
                     \"content-length\");created=1618884473;keyid=\"test-key-ed25519\"";
        let signature = "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";
        let request = |input: &str| {
            Request::post("/foo?param=Value&Pet=dog")
                .header("host", "Example.com")
                .header("date", "Tue, 20 Apr 2021 02:07:55 GMT")
                .header("content-type", "application/json")
                .header("content-length", "18")
                .header("signature-input", input)
                .header("signature", signature)
                .body(Body::empty())
                .unwrap()
        };
        let asked = request(&format!("{input};nonce=\"12345678\""));
        let signed = Signed::read(asked.headers()).unwrap();
        assert_eq!((signed.created, signed.expires), (1_618_884_473, None));
        let base = of(&signed, &asked).unwrap();
        let rfc = "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
                   \"@authority\": example.com\n\"content-type\": application/json\n\
                   \"content-length\": 18\n\"@signature-params\": (\"date\" \"@method\" \"@path\" \
                   \"@authority\" \"content-type\" \"content-length\");created=1618884473;\
                   keyid=\"test-key-ed25519\"";
        assert_eq!(base.strip_suffix(";nonce=\"12345678\""), Some(rfc));
        let key = "MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=";
        let key: PublicKey = key.parse().unwrap();
        assert!(key.verifies(rfc.as_bytes(), &signed.signature));
        assert!(!key.verifies(base.as_bytes(), &signed.signature));
        assert!(Signed::read(request(input).headers()).is_err(), "no nonce");
    }

    #[test]
    fn headers_that_come_twice_are_one_and_what_is_missing_is_said() {
        let request = Request::get("/v1/orders?")
            .header("x-a", " one ")
            .header("x-a", "two")
            .body(Body::empty())
            .unwrap();
        assert_eq!(component("x-a", &request).unwrap(), "one, two");
        assert_eq!(component("@query", &request).unwrap(), "?");
        for missing in ["x-b", "@status", "no header", "@authority"] {
            assert!(component(missing, &request).is_err(), "{missing}");
        }
    }
}
