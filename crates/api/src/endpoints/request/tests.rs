//! Tests of reading requests about endpoints.

use paywatch_core::USUAL_OVERLAP_S;

use super::*;

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn https(text: &str) -> Result<String, String> {
    let is_fine = text.starts_with("https:");
    is_fine
        .then(|| text.to_owned())
        .ok_or_else(|| "use https".to_owned())
}

fn fields<T: std::fmt::Debug>(read: Result<T, Vec<FieldError>>) -> Vec<String> {
    let errors = read.unwrap_err().into_iter();
    errors.map(|error| error.field).collect()
}

#[test]
fn a_webhook_needs_a_name_and_a_url() {
    let wanted = object(&json!({"name": " shop ", "url": "https://x/", "types": null}));
    let wanted = create(&wanted, &https).unwrap();
    assert_eq!(wanted.name.as_str(), "shop");
    assert_eq!(wanted.types, EventTypes::All);
    assert_eq!(wanted.signature, SignatureKind::Hmac);
    assert_eq!(wanted.format, EventFormat::Standard);
    assert_eq!(wanted.reason.as_str(), NO_REASON);
    let wrong = json!({
        "title": "x", "name": "", "url": "ftp://x", "types": ["order.gone"], "signature": "rsa",
        "format": "pigeons", "reason": "no",
    });
    let named = [
        "title",
        "name",
        "url",
        "types",
        "signature",
        "format",
        "reason",
    ];
    assert_eq!(fields(create(&object(&wrong), &https)), named);
    assert_eq!(fields(create(&Map::new(), &https)), ["name", "url"]);
    for wrong in [json!("order.*"), json!([1]), json!([]), json!(["order*"])] {
        let body = json!({"name": "a", "url": "https://x/", "types": wrong});
        assert_eq!(fields(create(&object(&body), &https)), ["types"], "{wrong}");
    }
}

#[test]
fn a_form_limits_what_is_told_and_what_signs() {
    let read = |more: Value| {
        let mut body = json!({"name": "a", "url": "https://x/", "format": "blockatm"});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        create(&object(&body), &https)
    };
    let wanted = read(json!({})).unwrap();
    assert_eq!(wanted.types, EventFormat::BlockAtm.types());
    assert_eq!(wanted.signature, SignatureKind::P256);
    let one = read(json!({"types": ["payment.confirmed"], "signature": "p256"})).unwrap();
    assert_eq!(one.types.to_string(), "payment.confirmed");
    assert_eq!(fields(read(json!({"types": ["order.*"]}))), ["types"]);
    assert_eq!(fields(read(json!({"signature": "ed25519"}))), ["signature"]);
    let theirs = EventFormat::BlockAtm;
    let body = |types: &str| object(&json!({"types": [types]}));
    let changed = change(&body("*"), theirs, &https).unwrap();
    assert_eq!(changed.types, Some(theirs.types()));
    let refused = change(&body("payment.*"), theirs, &https);
    assert_eq!(fields(refused), ["types"]);
}

#[test]
fn a_change_changes_something() {
    let body = object(&json!({"types": ["order.paid"]}));
    let own = EventFormat::Standard;
    let changed = change(&body, own, &https).unwrap();
    assert!(changed.name.is_none() && changed.url.is_none());
    assert_eq!(changed.types.unwrap().to_string(), "order.paid");
    assert_eq!(fields(change(&Map::new(), own, &https)), ["name"]);
    let wrong = json!({"name": 1, "url": "x", "format": "standard"});
    assert_eq!(
        fields(change(&object(&wrong), own, &https)),
        ["format", "name", "url"]
    );
}

#[test]
fn secrets_overlap_for_a_week_at_most() {
    for (body, seconds) in [
        (json!({}), 86_400),
        (json!({"overlap_seconds": 0}), 0),
        (json!({"overlap_seconds": 604_800}), 604_800),
    ] {
        let asked = rotate(&object(&body)).unwrap().0;
        assert_eq!(asked.unwrap_or(USUAL_OVERLAP_S), seconds);
    }
    for wrong in [json!(604_801), json!(-1), json!("1h"), json!(1.5)] {
        let body = object(&json!({"overlap_seconds": wrong}));
        assert_eq!(fields(rotate(&body)), ["overlap_seconds"], "{wrong}");
    }
}

#[test]
fn one_thing_is_told_again() {
    for (body, again) in [
        (json!({"failed": true}), Again::Failed),
        (json!({"from": 5, "to": 9}), Again::Range(5, 9)),
        (json!({"from": 1, "to": 10_000}), Again::Range(1, 10_000)),
        (json!({"event": "evt_1"}), Again::Event("evt_1".to_owned())),
    ] {
        assert_eq!(redeliver(&object(&body)).unwrap().0, again);
    }
    for (body, field) in [
        (json!({}), "failed"),
        (json!({"failed": false}), "failed"),
        (json!({"failed": true, "event": "evt_1"}), "failed"),
        (json!({"from": 1, "to": 2, "failed": true}), "failed"),
        (json!({"from": 1}), "from"),
        (json!({"to": 1}), "from"),
        (json!({"from": 0, "to": 2}), "from"),
        (json!({"from": 2, "to": 1}), "to"),
        (json!({"from": 1, "to": 10_001}), "to"),
        (json!({"from": 1, "to": u64::MAX}), "to"),
        (json!({"event": 7}), "event"),
        (json!({"failed": true, "all": 1}), "all"),
    ] {
        assert_eq!(fields(redeliver(&object(&body))), [field], "{body}");
    }
}
