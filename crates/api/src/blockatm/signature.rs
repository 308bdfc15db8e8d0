//! What a client of that gateway signs: ECDSA on P-256 with SHA-256, DER in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::signing::PublicKey;

/// Whether `signature` is that of `message` by `key`.
pub(super) fn is_signed(key: &PublicKey, message: &str, signature: &str) -> bool {
    let der = STANDARD.decode(signature);
    der.is_ok_and(|der| key.verifies_der(message.as_bytes(), &der))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blockatm::message::of_body;

    /// The gateway's own example.
    const KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsjqDDEF5uuVoAFCxftskpMszLQMro888rFlrowcTzVibc4J2PgDywFZYXc6x21yHcenJ2bCZ/03XkMrbKqqEwA==";
    const SIGNATURE: &str = "MEYCIQDHxQ0IhgUNbRqTKbU71fBkp+lAJlMXEQYt6mDQfWRY7gIhAMWIpVoG6qBhgIPi30x30wLlAaxyhptZfm6nMRz75VxA";
    const BODY: &str = r#"{"type":1,"txId":"1t","symbol":"USDT","status":1,"platOrderNo":"8210000374",
        "network":"TRON","fee":2,"custNo":"OrderNO_123456","chainId":5,"amount":13.410037}"#;
    const TIME: &str = "1696947336603";

    #[test]
    fn the_known_answer_is_accepted_and_nothing_near_it() {
        let key: PublicKey = KEY.parse().unwrap();
        let message = of_body(BODY, TIME).unwrap();
        assert!(is_signed(&key, &message, SIGNATURE));
        assert!(!is_signed(
            &key,
            &message,
            &SIGNATURE.replace("7gIh", "7hIh")
        ));
        assert!(!is_signed(&key, &message, &hex::encode(SIGNATURE)));
        assert!(!is_signed(&key, &message, ""));
        let later = of_body(BODY, "1696947336604").unwrap();
        assert!(!is_signed(&key, &later, SIGNATURE));
        let more = of_body(&BODY.replace("13.4", "23.4"), TIME).unwrap();
        assert!(!is_signed(&key, &more, SIGNATURE));
    }
}
